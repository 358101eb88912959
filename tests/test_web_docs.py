"""What the page about the server shows runs as it is written, against a server that runs as it is written."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from page_blocks import as_pattern, blocks, commands
from test_docs import ROOT, needs, run
from test_docs import workplace as workplace  # a fixture
from trialconv.web.settings import Settings

PAGE = ROOT / "docs" / "http-api.md"
#: The port of the page; here it is one that is free.
SHOWN = "8000"


@contextmanager
def served(command: str, port: int, log: Path) -> Iterator[None]:
    """Run the command that starts the server, until it is not needed any more."""
    arguments = [str(Path(sys.executable).with_name("trialconv")), *shlex.split(command)[1:]]
    with log.open("wb") as stream, subprocess.Popen(arguments, stderr=stream) as process:  # noqa: S603 (our page)
        try:
            for _ in range(200):
                try:
                    httpx.get(f"http://localhost:{port}/healthz")
                    break
                except httpx.ConnectError:
                    assert process.poll() is None, log.read_text()
                    time.sleep(0.05)
            yield
        finally:
            process.terminate()


def test_commands_say_what_the_page_shows(workplace: Path) -> None:
    """Every command of the page succeeds and says what the page shows, in its order; the log looks as shown."""
    for program in ("bash", "curl"):
        needs(program)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (start, nothing), *shown = commands(PAGE, "shell-session")
    assert (start.split()[:2], nothing) == (["trialconv", "serve"], [])
    assert len(shown) > 5
    log = workplace / "server.log"
    with served(start.replace(SHOWN, str(port)), port, log):
        for command, lines in shown:
            assert f"localhost:{SHOWN}" in command
            here = command.replace(f"localhost:{SHOWN}", f"localhost:{port}")
            done = run(["bash", "-c", here], workplace)
            assert done.returncode == 0, f"{command}\n{done.stdout}"
            assert as_pattern(lines).fullmatch(done.stdout + "\n" * bool(lines)), f"{command}\n{done.stdout}"
    (line,) = blocks(PAGE, "json")
    kept = [json.loads(each) for each in log.read_text(encoding="utf-8").splitlines()]
    assert len(kept) == len(shown) + 1
    assert all(list(each) == list(json.loads(line)) for each in kept)
    for name, begin in (
        ("bundle.json", b'{"resourceType":"Bundle"'),
        ("bundle.xml", b"<?xml"),
        ("study.xml", b"<?xml"),
    ):
        assert (workplace / name).read_bytes().startswith(begin)
    assert run(["trialconv", "validate", "bundle.json", "study.xml"], workplace).returncode == 0


def test_limits_are_those_of_the_server() -> None:
    """The limits that the page names are the server's own."""
    text = PAGE.read_text(encoding="utf-8")
    settings = Settings()
    assert f"`--max-body` ({settings.max_body >> 20} MiB)" in text
    assert f"in time ({settings.body_time:g} seconds)" in text

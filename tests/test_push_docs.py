"""The page about FHIR servers: its commands run against the small server, and say what the page shows."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from command_runner import run
from fhir_http import FhirHttp
from test_docs import ROOT, as_pattern

PAGE = ROOT / "docs" / "fhir-servers.md"
SHOWN = "https://fhir.example.org/r4"
_BLOCK = re.compile(r"^```shell-session\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_commands_say_what_the_page_shows(
    server: FhirHttp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command of the page succeeds, in the page's order, and says what the page shows."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    shown: list[tuple[str, list[str]]] = []
    for line in "".join(_BLOCK.findall(PAGE.read_text(encoding="utf-8"))).splitlines():
        if line.startswith("$ "):
            shown.append((line[2:], []))
        else:
            shown[-1][1].append(line)
    assert len(shown) > 6
    for command, lines in shown:
        ran = run(*shlex.split(command.replace(SHOWN, server.base))[1:])
        assert ran.code == 0, f"{command}\n{ran.err}"
        assert as_pattern(lines).fullmatch(ran.err), f"{command}\n{ran.err}"

"""What the pages show of FHIR servers runs against the small server, and says what the pages show."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest

from command_runner import run
from fhir_http import FhirHttp
from page_blocks import as_pattern, commands
from test_docs import ROOT
from test_server_auth import KEYS, TokenServer, private, with_tokens

PAGES = (ROOT / "docs" / "fhir-servers.md", ROOT / "README.md")
SHOWN = "https://fhir.example.org/r4"
#: What the commands have outside of their folder; here it is below the test's.
FOLDERS = ("etc/trialconv", "var/lib/trialconv")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_say_what_the_page_shows(
    server: FhirHttp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: Path
) -> None:
    """Every command of a page succeeds, in the page's order, and says what the page shows."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    tokens = with_tokens(server, TokenServer(key=KEYS[0], client="trialconv"))
    system = tmp_path / "system"
    for folder in FOLDERS:
        (system / folder).mkdir(parents=True)
    private(system / "etc/trialconv/key.pem", KEYS[0].as_pem(private=True))
    shown = commands(page, "shell-session")
    assert len(shown) > 1
    for command, lines in shown:
        here = command.replace(SHOWN, server.base)
        for folder in FOLDERS:
            here = here.replace(f"/{folder}", str(system / folder))
        ran = run(*shlex.split(here)[1:])
        assert ran.code == 0, f"{command}\n{ran.err}"
        assert as_pattern(lines).fullmatch(ran.err), f"{command}\n{ran.err}"
    assert len(tokens.asked) == sum("smart-backend" in command for command, _ in shown)

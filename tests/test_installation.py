"""What an installation says of itself: `doctor`, the completion of a shell, and the reference of the commands."""

from __future__ import annotations

import json
from importlib import metadata

import click
import pytest

from command_runner import run
from trialconv import doctor
from trialconv.catalog import TARGETS
from trialconv.cli.main import COMMANDS


def test_a_whole_installation() -> None:
    """Every package, extra, schema and target is told of, and nothing is broken."""
    ran = run("doctor", "--format", "json")
    assert ran.code == 0
    checks = [json.loads(line) for line in ran.text.splitlines()]
    by_topic = {
        topic: [each["name"] for each in checks if each["topic"] == topic] for topic in ("packages", "targets")
    }
    assert "orjson" in by_topic["packages"]
    assert by_topic["targets"] == list(TARGETS)
    # What the tests do not need may be missing: other programs, and the heaviest extra.
    missing = {each["name"] for each in checks if each["state"] != "ok" and each["topic"] != "programs"}
    assert missing <= {"spark"}
    text = run("doctor")
    assert (text.code, "\n  ok      orjson: " in text.text) == (0, True)


def test_what_is_missing_has_its_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    """An extra that is not installed is no failure, and the answer says how to get it."""
    there = metadata.version

    def version(name: str) -> str:
        if name == "uvicorn":
            raise metadata.PackageNotFoundError(name)
        return there(name)

    monkeypatch.setattr(doctor, "version", version)
    monkeypatch.setattr("shutil.which", lambda _: None)
    ran = run("doctor")
    assert ran.code == 0
    assert "missing web: not installed: uvicorn -> pip install 'trialconv[web]'" in ran.text
    assert "missing Java: no java on the path -> Install Java" in ran.text


def test_what_is_broken_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a package that every installation needs the command fails."""

    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "version", version)
    ran = run("doctor")
    assert ran.code == 1
    assert "BROKEN  orjson: not installed" in ran.text


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    """The script of each shell asks trialconv itself what can come next."""
    ran = run("completion", shell)
    assert (ran.code, f"_TRIALCONV_COMPLETE={shell}_complete" in ran.text) == (0, True)


def test_completion_knows_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the script asks is answered with the commands that begin so."""
    monkeypatch.setenv("_TRIALCONV_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "trialconv to-")
    monkeypatch.setenv("COMP_CWORD", "1")
    ran = run()
    assert {line.partition(",")[2] for line in ran.text.split()} == {
        name for name in COMMANDS if name.startswith("to-")
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name: str) -> None:
    """Each command explains itself and shows how it is called."""
    ran = run(name, "--help")
    assert ran.code == 0
    assert f"trialconv {name}" in click.unstyle(ran.text).partition("Examples:")[2]

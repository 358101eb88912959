"""The container image, as far as it can be judged unbuilt; scripts/check_container.py builds and runs it."""

from __future__ import annotations

import fnmatch
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONTAINERFILE = (ROOT / "Containerfile").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "container.md").read_text(encoding="utf-8")
SCRIPT = ROOT / "scripts" / "check_container.py"


def last(instruction: str) -> str:
    """Return what the last instruction of a kind says: the one that holds for the image."""
    return re.findall(rf"^{instruction} (.+)$", CONTAINERFILE, re.MULTILINE)[-1]


def test_the_image_is_for_a_user_that_is_not_root() -> None:
    """The user is a number that is not 0, no instruction after it is another user's, and the page names it."""
    users = re.findall(r"^USER (\d+):(\d+)$", CONTAINERFILE, re.MULTILINE)
    assert len(users) == len(re.findall(r"^USER ", CONTAINERFILE, re.MULTILINE)) == 1
    assert "0" not in users[0]
    assert not re.search(r"^(RUN|COPY|ADD) ", CONTAINERFILE.partition("\nUSER ")[2], re.MULTILINE)
    assert f"runAsUser: {users[0][0]}\n" in PAGE
    assert f"number {users[0][0]}" in PAGE


def test_the_image_is_the_command() -> None:
    """The entry point is the command, without a shell, and both stages have the same base, by its version."""
    assert last("ENTRYPOINT") == '["trialconv"]'
    assert last("CMD") == '["--help"]'
    assert re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE) == ["${BASE}", "${BASE}"]
    base = re.findall(r"^ARG BASE=\S+/python:(\S+)$", CONTAINERFILE, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lowest = project["requires-python"].removeprefix(">=")
    assert [int(part) for part in base[0].split("-")[0].split(".")] >= [int(part) for part in lowest.split(".")]


def test_the_build_sees_what_the_wheel_is_made_of() -> None:
    """Of the project the build gets what pyproject.toml names for the wheel, and nothing else."""
    lines = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    made = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = made["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    needed = {made["project"]["readme"], *made["project"]["license-files"], "pyproject.toml"}
    assert let_in == needed | {package.split("/")[0] for package in packages}
    assert any(fnmatch.fnmatch("converter/trialconv/__pycache__", rule) for rule in rules[1:])


def test_the_page_runs_it_sealed() -> None:
    """Each `podman run` of the page has a read-only file system and no capability."""
    runs = re.findall(r"podman run (?:.*\\\n)*.*", PAGE)
    assert len(runs) > 3
    for run in runs:
        assert {"--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"} <= set(run.split()), run
        assert "--network=none" in run or "--publish 127.0.0.1:" in run, run


def test_the_settings_for_kubernetes_are_yaml() -> None:
    """The block for Kubernetes can be read, and its probe calls the server by a name that it answers to."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed, and it reads the block for Kubernetes")
    from trialconv.web.settings import LOOPBACK

    (block,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    read = yaml.safe_load(block)
    assert read["securityContext"]["readOnlyRootFilesystem"] is True
    assert read["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert next(header["value"] for header in read["readinessProbe"]["httpGet"]["httpHeaders"]) in LOOPBACK


def check(path: Path) -> subprocess.CompletedProcess[str]:
    """Run the check of the container with programs of one folder only."""
    return subprocess.run(  # noqa: S603
        [sys.executable, str(SCRIPT)],
        env={**os.environ, "PATH": str(path)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_the_check_says_what_it_lacks(tmp_path: Path) -> None:
    """Without podman, or without any base image, nothing is tried, and the check says so."""
    done = check(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("skipped: podman is not installed")

    podman = tmp_path / "podman"
    podman.write_text("#!/bin/sh\nexit 125\n", encoding="utf-8")
    podman.chmod(0o755)
    done = check(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("skipped: no base image")

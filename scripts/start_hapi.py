"""Start a HAPI FHIR JPA server on the loopback interface, for tests and for trying things out.

    python scripts/start_hapi.py [--version R4|R5] [--port N] [--database FILE]

Builds tests/servers/hapi once, with Maven and from HAPI's published artifacts, into the cache folder. Says where
the server is when it answers, and stops it at Ctrl-C. Without --database all is in memory and gone afterwards.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

PROJECT = Path(__file__).resolve().parent.parent / "tests" / "servers" / "hapi"
VERSIONS = ("R4", "R5")
#: A minute is much for a start; on a busy machine it can take several.
START_LIMIT = 600.0
#: A server that lives for minutes has no use for compiling well what it has just started: this halves the work.
_SHORT_LIFE = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
_JAVA_OPTIONS = ("-Xmx2g", *_SHORT_LIFE, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")


class HapiError(Exception):
    """The server cannot be had; the message says why."""


def build() -> Path:
    """Return the folder with the built server, built now if these sources were not. Raises HapiError."""
    sources = sorted(path for path in PROJECT.rglob("*") if path.suffix in (".java", ".xml"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trialconv"
    folder = cache / f"hapi-{digest[:12]}"
    if folder.is_dir():
        return folder
    maven = _program("mvn")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        output = Path(scratch) / "output"
        command = [maven, "-B", "-q", "-f", str(PROJECT / "pom.xml"), f"-Doutput={output}", "compile"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)  # noqa: S603
        if ran.returncode:
            raise HapiError(f"Maven could not build the HAPI server:\n{(ran.stdout + ran.stderr).strip()}")
        output.rename(folder)
    return folder


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise HapiError(
            f"{name} is not installed; the HAPI server needs Maven and a Java development kit, 17 or newer"
        )
    return found


class Hapi:
    """A running HAPI server; use it in a `with`, which gives its base address.

    `port` 0 takes any free one. `database` is a file for H2; by default it is in memory. Raises HapiError when the
    server cannot be built or does not start.
    """

    def __init__(self, version: str = "R4", *, port: int = 0, database: Path | None = None) -> None:
        folder = build()
        # What H2 has answered for is in the file at once, so that a server may be killed.
        kept = f"jdbc:h2:file:{database.resolve()};WRITE_DELAY=0" if database else ""
        url = kept or "jdbc:h2:mem:hapi;DB_CLOSE_DELAY=-1"
        self._command = [
            *(_program("java"), *_JAVA_OPTIONS, "-cp", f"{folder / 'classes'}:{folder / 'lib' / '*'}"),
            *("trialconv.servers.HapiServer", version, str(port), url),
        ]

    def __enter__(self) -> str:
        self._log = tempfile.TemporaryFile(mode="w+", errors="replace")
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=self._log, text=True)  # noqa: S603
        alarm = threading.Timer(START_LIMIT, self._process.kill)
        alarm.start()
        base = self._process.stdout.readline().strip() if self._process.stdout else ""
        alarm.cancel()
        if not base:
            self.stop()
            self._log.seek(0)
            raise HapiError(f"the HAPI server did not start:\n{self._log.read()[-4000:]}")
        return base

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._log.close()

    @property
    def process(self) -> subprocess.Popen[str]:
        """The server's process, once it is under way."""
        return self._process

    def wait(self) -> None:
        """Wait until the server ends."""
        self._process.wait()

    def stop(self) -> None:
        """End the server, gently if it listens."""
        self._process.terminate()
        try:
            self._process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


def main(arguments: Sequence[str] | None = None) -> int:
    """Start a server and wait for Ctrl-C; returns 1 when it cannot be had."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--version", choices=VERSIONS, default="R4")
    parser.add_argument("--port", type=int, default=8080, help="0 takes any free port")
    parser.add_argument("--database", type=Path, help="a file to keep the data in")
    wanted = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server = Hapi(wanted.version, port=wanted.port, database=wanted.database)
        with server as base:
            sys.stdout.write(f"HAPI FHIR {wanted.version} answers at {base}; Ctrl-C ends it\n")
            sys.stdout.flush()
            server.wait()
    except HapiError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 1


if __name__ == "__main__":
    raise SystemExit(main())

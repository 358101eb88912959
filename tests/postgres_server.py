"""A PostgreSQL server of the tests' own: a cluster in a temporary folder, on a loopback port that is free."""

from __future__ import annotations

import os
import pwd
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Where distributions put the programs of a server, beside the PATH.
_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
#: Users of whom a system has one; PostgreSQL refuses to run as root.
_USERS = ("postgres", "nobody")
PASSWORD = "made-up-secret"  # noqa: S105 - of a server that lives as long as the tests


def missing() -> str:
    """Return why there can be no server here; empty when there can be one."""
    if not _program("initdb"):
        return "no PostgreSQL server is installed; `make services` installs one where it can"
    if os.getuid() == 0 and _user() is None:
        return "PostgreSQL does not run as root, and there is no user postgres or nobody"
    return ""


def _program(name: str) -> str | None:
    found = [path for pattern in _FOLDERS for path in sorted(Path("/").glob(f"{pattern[1:]}/{name}"))]
    return str(found[-1]) if found else shutil.which(name)


def _user() -> pwd.struct_passwd | None:
    for name in _USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


class Server:
    """A server that runs: where it listens, and how to stop and start it."""

    def __init__(self, folder: Path, largest_file: int | None) -> None:
        self._folder = folder
        self._largest_file = largest_file
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        owner = _user() if os.getuid() == 0 else None
        self._as = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}
        if owner:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        password = folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        password.chmod(0o644)
        self._run("initdb", "-D", str(folder / "data"), "-U", "tester", "--pwfile", str(password), "-A",
                  "scram-sha-256", "-E", "UTF8", "--locale", "C", "--no-sync", "--wal-segsize", "1")  # fmt: skip

    def _run(self, name: str, *arguments: str) -> None:
        command = [_program(name) or name, *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self._folder, **self._as)  # noqa: S603

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = ("fsync=off", f"port={self.port}", "listen_addresses=127.0.0.1", "max_connections=20",
                    f"unix_socket_directories={self._folder}")  # fmt: skip
        options = [part for setting in settings for part in ("-c", setting)]
        command = [_program("postgres") or "postgres", "-D", str(self._folder / "data"), *options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command, stdout=log, stderr=log, cwd=self._folder, preexec_fn=self._limit, **self._as
            )
        for _ in range(200):
            if "ready to accept connections" in (self._folder / "log").read_text(encoding="utf-8"):
                return
            time.sleep(0.05)
        raise RuntimeError((self._folder / "log").read_text(encoding="utf-8"))

    def _limit(self) -> None:
        if self._largest_file is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (self._largest_file, self._largest_file))

    def stop(self) -> None:
        """Stop it at once, as a crash would."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def seconds(self) -> float:
        """Return the processor time of the server so far, of its present and its ended processes."""
        if self._process is None:
            return 0.0
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
            except OSError:
                continue
            if int(stat.parent.name) == self._process.pid:
                ticks += sum(map(int, fields[11:15]))
            elif int(fields[1]) == self._process.pid:
                ticks += sum(map(int, fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database, with the password."""
        return f"postgresql://tester:{PASSWORD}@127.0.0.1:{self.port}/{database}"


@contextmanager
def running(*, largest_file: int | None = None) -> Iterator[Server]:
    """Run a server for a while; `largest_file` is what its files can grow to, as on a disk that is full then."""
    with tempfile.TemporaryDirectory(prefix="trialconv-pg-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), largest_file)
        server.start()
        try:
            yield server
        finally:
            server.stop()

"""FHIR servers of other people, under way on loopback, as the tests of `push` and `withdraw` see them."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any, NamedTuple

import fhir_servers
import pytest
from start_hapi import Hapi, HapiError

from command_runner import Ran, run
from made_up import Tree


class RealServer(NamedTuple):
    """A server under way: its name, its address, the options that it needs, and its process."""

    name: str
    base: str
    options: tuple[str, ...] = ()
    process: Popen[Any] | None = None

    @property
    def port(self) -> int:
        """The port of the server."""
        return int(self.base.rpartition(":")[2].partition("/")[0])

    @property
    def version(self) -> str:
        """The number of the server's FHIR version."""
        statement = self.get("metadata")
        return str(statement["fhirVersion"]) if statement else ""

    def command(self, command: str, *arguments: str | Path) -> Ran:
        """Run a command against the server."""
        return run(command, *arguments, "--server", self.base, *(self.options if command == "push" else ()))

    def get(self, address: str) -> Tree | None:
        """Return a resource; None where there is none."""
        try:
            with urllib.request.urlopen(f"{self.base}/{address}", timeout=30) as answer:  # noqa: S310 - loopback
                found: Tree = json.loads(answer.read())
                return found
        except urllib.error.HTTPError as error:
            if error.code not in (404, 410):
                raise
            return None

    def times_written(self, address: str) -> int:
        """Return how often a resource was written: the number of its versions."""
        history = self.get(f"{address}/_history") or {}
        return len(history.get("entry", ()))

    def kill_once(self, state: Path, studies: int) -> threading.Thread:
        """Start a thread that kills the server when a journal knows the ends of so many studies, and return it."""
        assert self.process is not None
        killer = threading.Thread(target=_kill_after, args=(self.process, state, studies))
        killer.start()
        return killer


#: HAPI does not say that clients may choose ids, and lets them. It is slow on a busy machine.
PUT = ("--request", "put", "--timeout", "300")


@contextmanager
def started(name: str, data: Path, *, port: int = 0, keeps: bool = False) -> Iterator[RealServer]:
    """Start a server by its name, or skip the test with the reason why it cannot be had.

    `data` is a folder of its own. With `keeps` the server has its data there, also after it was killed; sekmet
    always has.
    """
    port = port or fhir_servers.free_port()
    data.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            if name.startswith("hapi-"):
                hapi = Hapi(name.removeprefix("hapi-"), port=port, database=data / "h2" if keeps else None)
                made = RealServer(name, stack.enter_context(hapi), PUT, hapi.process)
            else:
                process = stack.enter_context(getattr(fhir_servers, name)(data, port))
                # Medplum's router takes no more than fifty updates at once.
                options = ("--max-entries", "50") if name == "medplum" else ()
                made = RealServer(name, f"http://127.0.0.1:{port}/fhir", options, process)
        except fhir_servers.ServerError as problem:
            pytest.skip(f"{problem}; `make servers` fetches it")
        except HapiError as problem:
            pytest.skip(str(problem).splitlines()[0])
        yield made


def _kill_after(process: Popen[Any], state: Path, studies: int) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if state.exists() and state.read_bytes().count(b'"ended"') >= studies:
            break
        time.sleep(0.02)
    process.kill()

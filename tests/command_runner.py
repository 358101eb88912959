"""Runs the command `trialconv` inside the test's own process, as fast as a function call."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from trialconv.cli.main import main


class Ran(NamedTuple):
    """What a command did: its exit code, and what it wrote."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """What was written to standard output, as text."""
        return self.out.decode()

    @property
    def errors(self) -> list[str]:
        """The lines on standard error that report an error."""
        return [line for line in self.err.splitlines() if line.startswith(("error:", "trialconv:", "Error:"))]

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)

    @property
    def documents(self) -> list[Any]:
        """The documents on standard output, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


def run(*arguments: str | Path, stdin: bytes = b"") -> Ran:
    """Run the command with some arguments and some bytes on standard input."""
    out, err = io.BytesIO(), io.BytesIO()
    streams = [io.TextIOWrapper(stream, encoding="utf-8") for stream in (out, err, io.BytesIO(stdin))]
    code = 0
    with (
        redirect_stdout(streams[0]),
        redirect_stderr(streams[1]),
        patch.object(sys, "stdin", streams[2]),
        patch.object(sys, "argv", ["trialconv", *map(str, arguments)]),
    ):
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        for stream in streams[:2]:
            stream.flush()
    return Ran(code, out.getvalue(), err.getvalue().decode())

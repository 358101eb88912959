"""Lines on standard error and, on a terminal, how much is done."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Final

import click

_CLEAR_LINE: Final = "\r\x1b[K"
_TICK: Final = 0.5


class Progress:
    """What a command says while it works, on standard error. `things` is what it counts."""

    def __init__(self, things: str = "studies") -> None:
        self._things = things
        self._next_tick = time.monotonic() + _TICK
        self._live = sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Print a line."""
        self._print((_CLEAR_LINE if self._live else "") + text + "\n")

    def tick(self, count: int) -> None:
        """Show on a terminal, now and then, how many are done."""
        if self._live and time.monotonic() >= self._next_tick:
            self._next_tick = time.monotonic() + _TICK
            self.show(f"{count:,} {self._things}")

    def show(self, text: str) -> None:
        """Show on a terminal what is being done, until something else is said."""
        if self._live:
            self._print(_CLEAR_LINE + text)

    def done(self) -> None:
        """Take what is shown off the terminal."""
        if self._live:
            self._print(_CLEAR_LINE)

    def _print(self, text: str) -> None:
        # Whoever stops listening to us (`2>&1 | head`) does not stop the work.
        with contextlib.suppress(BrokenPipeError):
            click.echo(text, nl=False, err=True)

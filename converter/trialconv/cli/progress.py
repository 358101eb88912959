"""Lines on standard error and, on a terminal, how much is done."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Final

import click

_CLEAR_LINE: Final = "\r\x1b[K"
_TICK: Final = 0.5
_BAR: Final = 30


class Progress:
    """What a command says while it works, on standard error. `things` is what it counts."""

    def __init__(self, things: str = "studies") -> None:
        self._things = things
        self._begun = time.monotonic()
        self._next_tick = self._begun + _TICK
        self._live = sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Print a line."""
        self._print((_CLEAR_LINE if self._live else "") + text + "\n")

    def tick(self, count: int, total: int | None = None) -> None:
        """Show on a terminal, now and then, how many are done, and of how many."""
        if self._live and time.monotonic() >= self._next_tick:
            self._next_tick = time.monotonic() + _TICK
            of = f" of {total:,}" if total else ""
            self.show(f"{count:,}{of} {self._things}")

    def show(self, text: str) -> None:
        """Show on a terminal what is being done, until something else is said."""
        if self._live:
            self._print(_CLEAR_LINE + text)

    def bar(self, count: int, expected: int, begun: int = 0) -> None:
        """Show on a terminal, now and then, how far the work is, how fast it goes and how long it will take.

        `expected` is about how many studies there are, and `begun` how many were done when the work began.
        """
        now = time.monotonic()
        if self._live and now >= self._next_tick:
            self._next_tick = now + _TICK
            self.show(bar_text(count, expected, (count - begun) / max(now - self._begun, _TICK)))

    def done(self) -> None:
        """Take what is shown off the terminal."""
        if self._live:
            self._print(_CLEAR_LINE)

    def _print(self, text: str) -> None:
        # Whoever stops listening to us (`2>&1 | head`) does not stop the work.
        with contextlib.suppress(BrokenPipeError):
            click.echo(text, nl=False, err=True)


def bar_text(count: int, expected: int, rate: float) -> str:
    """Return a bar, the number of studies, the studies a second, and the time left as far as it can be told."""
    text = f"{count:,} studies  {rate:,.0f}/s"
    if not expected or count > expected:
        return text
    filled = _BAR * count // expected
    text = f"[{'#' * filled}{'.' * (_BAR - filled)}] {100 * count // expected} %  {text}"
    return text + (f"  {_duration((expected - count) / rate)} left" if rate else "")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"

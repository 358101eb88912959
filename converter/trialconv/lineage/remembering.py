"""Pieces of documents that are made once and used again, but where somebody traces."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

from trialconv.lineage.values import TRACING

_P = ParamSpec("_P")
_R = TypeVar("_R")


def remembered(maxsize: int | None, *, typed: bool = False) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator that remembers what a function of a record's values made, as `lru_cache` does.

    Equal values of two places of a record have different origins. A traced conversion makes each piece anew, and
    leaves nothing behind.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        known = lru_cache(maxsize, typed)(function)

        @wraps(function)
        def call(*args: _P.args, **named: _P.kwargs) -> _R:
            return function(*args, **named) if TRACING.on else known(*args, **named)  # type: ignore[arg-type]

        call.known = known  # type: ignore[attr-defined]
        return call

    return decorate


def at_once(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Return what to call in the place of a remembered function for all of a list: it is asked once who traces."""
    return function if TRACING.on else function.known  # type: ignore[attr-defined]

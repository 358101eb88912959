"""Work in processes of their own: so many at a time, each ended when it takes too long.

A request that waits too long for its turn, or whose work does, is answered; nothing is left running for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import anyio
from anyio import to_process

from trialconv.web.outcomes import RefusedError

_T = TypeVar("_T")


class Pool:
    """The worker processes of a server; they start with the first work and are kept for the next."""

    def __init__(self, workers: int, *, work_time: float, wait_time: float) -> None:
        self._turns = anyio.CapacityLimiter(workers)
        self._work_time = work_time
        self._wait_time = wait_time

    async def run(self, work: Callable[..., _T], *given: Any, **named: Any) -> _T:
        """Return what a function of a module returns. Raises RefusedError when there is no time left for it."""
        try:
            with anyio.fail_after(self._wait_time):
                await self._turns.acquire()
        except TimeoutError:
            message = f"there was no turn for the request within {self._wait_time:g} seconds"
            raise RefusedError(503, "throttled", message, headers={"Retry-After": "10"}) from None
        try:
            with anyio.fail_after(self._work_time):
                return await to_process.run_sync(partial(work, *given, **named), cancellable=True)
        except TimeoutError:
            message = f"the work took longer than {self._work_time:g} seconds and was ended"
            raise RefusedError(
                503, "timeout", message, advice="Use the command line for a record of this size."
            ) from None
        except anyio.BrokenWorkerProcess:
            message = "the work ended its process, most likely for lack of memory"
            raise RefusedError(500, "exception", message, advice="Send a smaller record.") from None
        finally:
            self._turns.release()

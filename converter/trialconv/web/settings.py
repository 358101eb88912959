"""What a server may be told: where it listens, and what it grants a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: The addresses that only programs on the same machine reach.
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The limits of a server, in bytes and seconds.

    `max_body` bounds a request's body, packed or not, and `max_record` a record in it. `body_time` is how long a
    client may take to say what it asks for, and then again to send a body, `work_time` how long a conversion may
    take, `wait_time` how long a request waits for its turn. `workers` conversions run at a time, each in a process
    of its own. `hosts` are the names by which the server may be called: a page elsewhere that has its own name
    point here gets no answer.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    hosts: tuple[str, ...] = LOOPBACK
    max_body: int = 16 * _MIB
    max_record: int = 50 * _MIB
    body_time: float = 30.0
    work_time: float = 60.0
    wait_time: float = 60.0
    workers: int = 2

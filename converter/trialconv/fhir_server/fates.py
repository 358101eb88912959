"""What became of each study and of each of its resources on a server: the lines of reports and journals."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from trialconv.issues import Issue, SinkError

#: What was done, or in a dry run would be done, with a resource. `unknown` was sent, and no answer told of it.
Deed = Literal["created", "updated", "unchanged", "kept", "retired", "deleted", "unknown", "not sent"]

#: How a study ended. `sent`, `unchanged` and `planned` are good ends, `partial` says that some of it was written.
End = Literal[
    "sent", "unchanged", "planned", "done before", "withdrawn", "absent", "partial", "failed", "not tried"
]

_DONE: Final = ("created", "updated", "retired", "deleted")


class Part(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A resource of a study: its address on the server, as far as it has one, and what was done with it."""

    address: str
    deed: Deed
    status: str = ""
    version: str = ""


class Fate(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What became of a study.

    `digest` names what was to be sent. `mode` is `transaction` or `single`. `left` are the addresses of resources
    that the study no longer refers to and that are still on the server.
    """

    study: str
    end: End
    digest: str = ""
    mode: str = ""
    parts: list[Part] = []
    left: list[str] = []
    issues: list[Issue] = []

    def broke_off(self) -> None:
        """Note that the server is gone: what was done until then makes a `partial` end."""
        self.end = "partial" if any(part.deed in _DONE for part in self.parts) else "failed"

    @property
    def good(self) -> bool:
        """Tell whether nothing is left to be done."""
        return self.end not in ("partial", "failed", "absent", "not tried")


class StoppedError(SinkError):
    """The server is gone; `fate` is what is known of the study that it went with."""

    def __init__(self, fate: Fate, message: str) -> None:
        super().__init__(message)
        self.fate = fate

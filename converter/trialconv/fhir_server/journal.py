"""A journal: what was begun and how it ended, a line each, so that a run which broke off can be taken up.

A line is on the disk before the next study is begun. A run that is killed between the server's answer and the line
costs nothing but a comparison: sending again finds that nothing differs.
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Final

import msgspec

from trialconv.fhir_server.fates import Fate
from trialconv.issues import OutputError

#: How each line begins.
_BEGINNING: Final = b'{"server":'


class _Line(msgspec.Struct, omit_defaults=True):
    """A line: the server, and a study that was begun or has ended."""

    server: str
    begun: str = ""
    ended: Fate | None = None


class Journal:
    """The journal of runs against a server, in a file that grows. A context manager.

    `unfinished` are the studies that a former run began and did not end.
    """

    def __init__(self, path: Path, server: str) -> None:
        """Read what the file has. Raises OutputError when it cannot be read or written, or is no journal."""
        self._server = server
        self._path = path
        self._lock = Lock()
        self._good: dict[str, str] = {}
        self._left: dict[str, tuple[str, ...]] = {}
        begun: dict[str, None] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_bytes() if path.exists() else b""
        except OSError as error:
            raise OutputError(f"{path} cannot be used as a journal: {error.strerror or error}") from error
        whole = text[: text.rfind(b"\n") + 1]
        lines = [self._read(line, number) for number, line in enumerate(whole.splitlines(), start=1)]
        try:
            if whole != text:
                # The last line of a run that was killed while it wrote. What it tells of is compared once more.
                if not text.startswith(_BEGINNING):
                    raise OutputError(f"{path} is no journal of trialconv")
                os.truncate(path, len(whole))
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise OutputError(f"{path} cannot be used as a journal: {error.strerror or error}") from error
        for found in lines:
            if found.server != server:
                continue
            if found.begun:
                begun[found.begun] = None
            if found.ended is not None:
                begun.pop(found.ended.study, None)
                self._note(found.ended)
        self.unfinished = tuple(begun)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def is_done(self, study: str, digest: str) -> bool:
        """Tell whether the server has what a study says now, by what this journal knows."""
        return self._good.get(study) == digest

    def left(self, study: str) -> tuple[str, ...]:
        """Return the addresses of what former runs have left on the server that a study has no longer."""
        return self._left.get(study, ())

    def begin(self, study: str) -> None:
        """Note that a study is about to be sent."""
        self._write(_Line(self._server, begun=study))

    def end(self, fate: Fate) -> None:
        """Note what became of a study."""
        with self._lock:
            self._note(fate)
        self._write(_Line(self._server, ended=fate))

    def _note(self, fate: Fate) -> None:
        if fate.end in ("sent", "unchanged"):
            self._good[fate.study] = fate.digest
        elif fate.end != "done before":
            self._good.pop(fate.study, None)
        done_with = {part.address for part in fate.parts}
        stays = [*self.left(fate.study), *fate.left]
        self._left[fate.study] = tuple(dict.fromkeys(each for each in stays if each not in done_with))

    def _read(self, line: bytes, number: int) -> _Line:
        try:
            return msgspec.json.decode(line, type=_Line)
        except msgspec.MsgspecError as error:
            message = f"{self._path} is no journal of trialconv: line {number}: {error}"
            raise OutputError(message) from error

    def _write(self, line: _Line) -> None:
        data = msgspec.json.encode(line) + b"\n"
        try:
            with self._lock:
                self._file.write(data)
                os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(f"{self._path} cannot be written: {error.strerror or error}") from error

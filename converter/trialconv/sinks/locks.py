"""Locks on files that end with the process that has them, however it ends."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

#: What a file system says that has no locks, as some that computers share do.
_NO_LOCKS: Final = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}


class FileLock:
    """A lock on a file of its own, which goes with the lock.

    The operating system holds it for the open file, so that a process that is killed has none any more; a file
    that it has left is taken over. `works` is False where the file system has no locks: everybody gets one there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.works = True
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take the lock. Returns whether nobody else has it. Raises OSError when the file cannot be made."""
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                _lock(descriptor)
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    os.close(descriptor)
                    if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                        return False
                    raise
                self.works = False
            if self._is_the_file(descriptor):
                self._descriptor = descriptor
                return True
            # Who had the lock has removed the file in the meantime: this is a lock on nothing.
            os.close(descriptor)

    def _is_the_file(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Give the lock back, and remove its file."""
        if self._descriptor is None:
            return
        # Removed before anybody else can have it; Windows removes no open file, and nobody can open it there.
        if self._is_the_file(self._descriptor):
            with suppress(OSError):
                self.path.unlink()
        os.close(self._descriptor)
        self._descriptor = None
        if os.name == "nt":
            with suppress(OSError):
                self.path.unlink()


def _lock(descriptor: int) -> None:
    """Lock an open file at once, or raise OSError."""
    try:
        import fcntl
    except ImportError:
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

"""Locks on files that the system lets go of when their process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["FileLock", "exclusive", "is_free"]

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock on that file, which is made and stays; waits for other threads and processes.

    Raises ``OSError``.
    """
    descriptor = os.open(path, _FLAGS, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class FileLock:
    """A lock on a new file, held until it is released or the process ends.

    Raises ``OSError``. The file goes when the lock is released.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        unlocked = path.with_name(f".{path.name}.tmp")
        self._descriptor = os.open(unlocked, _FLAGS | os.O_EXCL, 0o644)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Locked before it has its name: nobody finds it free.
        unlocked.rename(path)

    def release(self) -> None:
        """Let go of the lock; once."""
        with suppress(OSError):
            self._path.unlink()
        os.close(self._descriptor)


def is_free(path: Path) -> bool | None:
    """Return whether nobody holds the lock on that file; None where that cannot be told."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return True
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True

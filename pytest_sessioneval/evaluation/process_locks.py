"""Who is at a job: a process that holds a lock while it lives, and now and then says so."""

from __future__ import annotations

import secrets
import socket
from datetime import datetime, timedelta
from pathlib import Path

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.evaluation.file_locks import FileLock, is_free

__all__ = ["LEASE", "Owner", "is_gone"]

LEASE = timedelta(seconds=90)
"""For how long a process on another machine is believed to live after it last said so."""


class Owner:
    """This process, as the store names it; raises ``StoreError`` where no lock can be made."""

    def __init__(self, folder: Path) -> None:
        path = folder.resolve() / f"{secrets.token_hex(8)}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            for left in path.parent.glob("*.lock"):
                if is_free(left):  # by a process that was killed
                    left.unlink(missing_ok=True)
            self._lock = FileLock(path)
        except OSError as error:
            raise StoreError(
                f"{path}: no lock can be made here: {error.strerror or error}; choose another "
                "folder with --out"
            ) from error
        self.name = f"{socket.gethostname()}:{path}"
        """The machine, and the file locked while this process lives."""

    def release(self) -> None:
        """Say that this process does nothing more; once."""
        self._lock.release()


def is_gone(owner: str, seen_at: datetime, now: datetime) -> bool:
    """Return whether that process has ended.

    On this machine its lock says so at once; of one on another machine nobody
    has heard for longer than ``LEASE``.
    """
    host, _, path = owner.partition(":")
    free = is_free(Path(path)) if path and host == socket.gethostname() else None
    return now - seen_at > LEASE if free is None else free

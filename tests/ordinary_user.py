"""What permissions stop: an ordinary user, also where the tests run as root."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["open_folder", "without_privileges"]

_NOBODY = 65534


@contextmanager
def without_privileges() -> Iterator[None]:
    """Run as an ordinary user where the tests run as root, whom no permission stops."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(user)


@contextmanager
def open_folder() -> Iterator[Path]:
    """Give a folder that everybody may enter; those of ``tmp_path`` are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder

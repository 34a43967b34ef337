"""The store that a command works on: the one that runs started here use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.stores.opening import DEFAULT_STORE, open_store, sqlite_path
from pytest_sessioneval.stores.protocol import Store

__all__ = ["has_store", "named_store"]


def has_store(home: Path) -> bool:
    """Return whether a store is there or named: SESSIONEVAL_STORE's, else ``home``'s file."""
    if os.environ.get("SESSIONEVAL_STORE"):
        return True
    return sqlite_path(DEFAULT_STORE, root=home.parent).is_file()


@contextmanager
def named_store(url: str | None, *, home: Path, must_exist: bool = False) -> Iterator[Store]:
    """Open the store of that URL, else of SESSIONEVAL_STORE, else ``home``'s, and close it after.

    ``home`` is the ``.sessioneval`` folder that runs write to. ``must_exist``:
    raise ``SettingError`` instead of making an empty store. Raises as
    ``open_store`` does.
    """
    chosen = url or os.environ.get("SESSIONEVAL_STORE") or DEFAULT_STORE
    if must_exist and chosen.startswith("sqlite:"):
        file = sqlite_path(chosen, root=home.parent)
        if not file.exists():
            raise SettingError(
                f"{file}: there is no store yet; name one with --store, or run where a "
                ".sessioneval folder lies"
            )
    with closing(open_store(chosen, root=home.parent)) as store:
        yield store

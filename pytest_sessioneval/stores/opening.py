"""A store from the URL that names it."""

from __future__ import annotations

from pathlib import Path

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.stores.sqlite import open_sqlite

__all__ = ["DEFAULT_STORE", "open_store", "sqlite_path"]

DEFAULT_STORE = "sqlite:///.sessioneval/store.db"
"""The embedded store, relative to the run's root."""

_FORMS = (
    "accepted are sqlite:///FILE (relative to the root), sqlite:////ABSOLUTE/FILE and "
    "postgresql://USER:PASSWORD@HOST/DATABASE"
)
_POSTGRES = ("postgresql", "postgres")


def open_store(url: str, *, root: Path) -> Store:
    """Return the store that the URL names; relative files lie beneath ``root``.

    Raises ``SettingError`` for a URL that is not accepted and ``StoreError`` for
    a store that cannot be used. A URL is never repeated whole in a message: it
    may hold a password.
    """
    scheme, separator, _ = url.partition("://")
    if separator and scheme in _POSTGRES:
        try:
            from pytest_sessioneval.stores.postgres import open_postgres  # noqa: PLC0415
        except ImportError as error:
            raise SettingError(
                f"--sessioneval-store: a store on PostgreSQL needs psycopg ({error}): "
                "pip install 'pytest-sessioneval[postgres]'"
            ) from None
        return open_postgres(url)
    return open_sqlite(sqlite_path(url, root=root))


def sqlite_path(url: str, *, root: Path) -> Path:
    """Return the file that a ``sqlite:`` URL names; raises ``SettingError``.

    What follows ``sqlite:///`` is the path as it is, without escapes or
    parameters; a leading ``~`` is the user's home.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise SettingError(
            f"--sessioneval-store: {url!r} is no URL: write sqlite:///{url} for a file; {_FORMS}"
        )
    if scheme != "sqlite":
        raise SettingError(f"--sessioneval-store: {scheme!r} is no kind of store; {_FORMS}")
    if not rest.startswith("/"):
        raise SettingError(
            f"--sessioneval-store: {url!r} has two slashes: write sqlite:///{rest or 'FILE'}; "
            f"{_FORMS}"
        )
    name = rest[1:]
    if name == ":memory:":
        raise SettingError(
            f"--sessioneval-store: a store outlives the run, so it cannot be in memory; {_FORMS}"
        )
    if not name or "?" in name or "\0" in name:
        raise SettingError(
            f"--sessioneval-store: {url!r} names no file: parameters are not accepted; {_FORMS}"
        )
    return root / Path(name).expanduser()

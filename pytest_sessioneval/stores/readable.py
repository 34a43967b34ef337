"""What a row holds, or a sentence that says which row cannot be read and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pydantic import ValidationError

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.stores.database import Database, Row

__all__ = ["readable"]

_T = TypeVar("_T")


def readable(database: Database, table: str, parse: Callable[[Row], _T], row: Row) -> _T:
    """Return what ``parse`` makes of a row of that table; raises ``StoreError`` where it cannot."""
    try:
        return parse(row)
    except ValueError as error:
        raise StoreError(
            f"{database.place}: row {row[0]!r} of table {table} cannot be read "
            f"({_reason(error)}): {database.recovery}"
        ) from error


def _reason(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return ": ".join((".".join(map(str, first["loc"])), first["msg"])).removeprefix(": ")
    return str(error)

"""The seam beneath a store: a database that runs the one SQL text and commits all or nothing.

SQL is written with ``?`` for a parameter, and uses neither ``?`` nor ``%`` for
anything else, so that a database with another placeholder replaces it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

__all__ = ["Database", "Row", "Transaction", "Value"]

Value = str | int | float | None
"""What a column holds."""

Row = tuple[Value, ...]
"""One row, in the order of the columns named in the SQL."""


class Transaction(Protocol):
    """Statements that are committed together or not at all."""

    def run(self, sql: str, rows: Iterable[Row] = ((),)) -> None:
        """Run a statement once per row of parameters."""
        ...

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Return what a query finds, this transaction's own changes included."""
        ...


class Database(Protocol):
    """Runs SQL; every method raises ``StoreError`` when it cannot, naming the place.

    Any thread may call any method.
    """

    @property
    def place(self) -> str:
        """Where the database is, for messages: a path, or a URL without its password."""
        ...

    @property
    def recovery(self) -> str:
        """What a person can do when its content cannot be used, as one clause."""
        ...

    def tables(self) -> frozenset[str]:
        """Return the names of the tables there are."""
        ...

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Return what a query finds."""
        ...

    def writing(self) -> AbstractContextManager[Transaction]:
        """Return a transaction that holds the right to write from its first statement.

        Leaving the block commits, durably; leaving it by an exception undoes.
        """
        ...

    def close(self) -> None:
        """Release the database; closing twice is harmless."""
        ...

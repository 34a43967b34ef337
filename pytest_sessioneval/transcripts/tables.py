"""Samples written as a table: CSV, one sample a row, columns named in the first one."""

from __future__ import annotations

import csv
import io
import threading
from pathlib import Path

from pytest_sessioneval.errors import Place, TranscriptError
from pytest_sessioneval.transcripts.reader import Document, Limits, Record
from pytest_sessioneval.transcripts.sample_columns import columns_of

__all__ = ["table_document"]

_field_limit = threading.Lock()  # the csv module has one limit for the whole process


def table_document(text: str, path: Path, limits: Limits) -> Document:
    """Return a table's rows as records: one object of texts each, with the line it starts on.

    Raises ``TranscriptError`` naming the line where the table is broken: a quote
    that is not closed, a row of more or fewer cells than columns, a column named
    twice.
    """
    columns, delimiter = columns_of(text)
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise TranscriptError(f"column {twice[0]!r} is there twice", place=Place(str(path), 1))
    records: list[Record] = []
    with _field_limit:
        before = csv.field_size_limit(limits.line_bytes)
        try:
            rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
            next(rows, None)
            line = rows.line_num + 1
            for row in rows:
                if row:
                    records.append(Record(_cells(columns, row, Place(str(path), line)), line))
                line = rows.line_num + 1
        except csv.Error as error:
            place = Place(str(path), rows.line_num)
            raise TranscriptError(f"the table is broken: {_in_words(error)}", place=place) from None
        finally:
            csv.field_size_limit(before)
    if not records:
        raise TranscriptError("the table has no row", place=Place(str(path)))
    return Document(path, "jsonl", tuple(records))


def _in_words(error: csv.Error) -> str:
    said = str(error)
    return "a quote is not closed" if said == "unexpected end of data" else said


def _cells(columns: list[str], row: list[str], place: Place) -> dict[str, str]:
    if len(row) != len(columns):
        raise TranscriptError(
            f"the row has {len(row)} cells and the table {len(columns)} columns; "
            "a cell that holds a delimiter or a line break needs quotes around it",
            place=place,
        )
    return dict(zip(columns, row, strict=True))

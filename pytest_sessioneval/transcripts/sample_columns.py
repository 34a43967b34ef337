"""What tells a table of samples from any other, by its first line; imports nothing heavy."""

from __future__ import annotations

import csv

__all__ = ["ANSWER_KEYS", "QUESTION_KEYS", "TABLE_SUFFIX", "begins_like_samples", "columns_of"]

TABLE_SUFFIX = ".csv"

QUESTION_KEYS = ("question", "user_input", "query")
"""What a sample's question is called."""

ANSWER_KEYS = ("answer", "response")
"""What its answer is called."""

_DELIMITERS = ",;\t"


def begins_like_samples(head: bytes) -> bool:
    """Return whether a file's first line names columns of a question and of an answer."""
    columns, _ = columns_of(head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace"))
    return any(key in columns for key in QUESTION_KEYS) and any(
        key in columns for key in ANSWER_KEYS
    )


def columns_of(text: str) -> tuple[list[str], str]:
    """Return the columns that a table's first line names, and the delimiter between them.

    It is the one of ``,``, ``;`` and tab that splits the line into most columns.
    """
    line = text.partition("\n")[0].removesuffix("\r")
    found = [(_split(line, delimiter), delimiter) for delimiter in _DELIMITERS]
    return max(found, key=lambda each: len(each[0]))


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []

"""Fields of recorded JSON as the types a transcript has; what does not fit is absent."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from pytest_sessioneval.transcripts.model import JsonObject

__all__ = [
    "count_of",
    "list_of",
    "number_of",
    "object_of",
    "one_line",
    "text_of",
    "time_of",
]


def text_of(value: Any) -> str | None:
    """Return the value if it is a string that holds something, else null."""
    return value if isinstance(value, str) and value else None


def number_of(value: Any) -> float | None:
    """Return the value as a finite float if it is a number (true and false are none)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def count_of(value: Any) -> int | None:
    """Return the value if it is a whole number of at least 0, else null."""
    return value if type(value) is int and value >= 0 else None


def object_of(value: Any) -> JsonObject:
    """Return the value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """Return the value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def one_line(value: Any) -> str:
    """Return the value as text for a message: on one line, 200 characters at most."""
    return " ".join(str(value).split())[:200]


def time_of(value: Any) -> datetime | None:
    """Return an ISO 8601 time stamp, or seconds since 1970; UTC where no zone is said."""
    try:
        if isinstance(value, str):
            recorded = datetime.fromisoformat(value)
            return recorded if recorded.tzinfo else recorded.replace(tzinfo=UTC)
        seconds = number_of(value)
        return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None

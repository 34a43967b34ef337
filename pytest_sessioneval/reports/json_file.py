"""``report.json``: the report, byte for byte the same for equal reports, and read again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.reports.model import SCHEMA_VERSION, Report

__all__ = ["escaped", "json_parts", "read_report", "render_json"]

_NO_SESSIONS = '\n      "sessions": []'
_STEERING = re.compile(
    "[\x80-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)


def render_json(report: Report) -> str:
    """Return the report as JSON: indented, one line per session, ending in a line feed.

    Keys stand in the order of the schema. Characters that steer a terminal or
    reorder text are written as escapes, so that the file can be looked at.
    """
    return "".join(json_parts(report))


def json_parts(report: Report) -> Iterator[str]:
    """Yield what ``render_json`` returns piece by piece, for a file: a session at a time."""
    suites = tuple(suite.model_copy(update={"sessions": ()}) for suite in report.suites)
    frame = report.model_copy(update={"suites": suites}).model_dump_json(indent=2)
    # a line feed inside a JSON string is an escape, so the mark is found only where it is a key
    head, *tails = escaped(frame).split(_NO_SESSIONS)
    yield head
    for suite, tail in zip(report.suites, tails, strict=True):
        yield '\n      "sessions": ['
        between = "\n        "
        for session in suite.sessions:
            yield between
            yield escaped(session.model_dump_json())
            between = ",\n        "
        yield "\n      ]" if suite.sessions else "]"
        yield tail
    yield "\n"


def read_report(value: Mapping[str, Any], *, place: str, origin: str) -> Report:
    """Return the report that the JSON of a ``report.json`` holds.

    ``place`` names the file and ``origin`` the option or argument. Raises
    ``SettingError`` when it is none, or one of a newer format.
    """
    found = value.get("schema_version")
    if isinstance(found, int) and found > SCHEMA_VERSION:
        raise SettingError(
            f"{origin}: {place} has report format {found}, this version reads up to "
            f"{SCHEMA_VERSION}; upgrade pytest-sessioneval"
        )
    try:
        return Report.model_validate(value)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(map(str, fault["loc"]))
        reason = f"{where}: {fault['msg'][:1].lower()}{fault['msg'][1:]}"
    raise SettingError(f"{origin}: {place} is no report.json ({reason}); name one that a run wrote")


def escaped(text: str) -> str:
    """Return JSON with what steers a terminal or reorders text written as escapes."""
    return text if text.isascii() else _STEERING.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    units = found.group(0).encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))

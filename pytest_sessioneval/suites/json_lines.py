"""Reads JSON Lines that people write, and says by file and line what is wrong with one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pytest_sessioneval.errors import Place, SuiteError
from pytest_sessioneval.suites.wording import found, nearest

__all__ = ["not_accepted", "read_as", "records"]

ModelT = TypeVar("ModelT", bound=BaseModel)


def records(text: str, name: str, *, accepted: str) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield every line's object with its place; empty lines are left out.

    ``accepted`` says what a line is. Raises ``SuiteError`` for a line that is no
    JSON object, or that has a key twice.
    """
    # Not splitlines(): a JSON string may hold U+2028 and its like.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            place = Place(name, number)
            yield place, _record(line, place, accepted)


def read_as(
    model: type[ModelT], record: Mapping[str, Any], place: Place, *, accepted: Mapping[str, str]
) -> ModelT:
    """Return a line as a model, types exact; raises ``SuiteError`` with the first mistake.

    ``accepted`` says per key what its value may be.
    """
    try:
        return model.model_validate_json(json.dumps(record), strict=True)
    except ValidationError as error:
        reason = _reason(error, tuple(model.model_fields), accepted)
        raise SuiteError(reason, place=place) from None


def not_accepted(key: str, value: object, accepted: Mapping[str, str]) -> str:
    """Return that a key's value is not accepted, and what is."""
    what = accepted.get(key, "another value")
    return f"{key} is {found(value)}; accepted: {what}"


def _record(line: str, place: Place, accepted: str) -> dict[str, Any]:
    try:
        record = json.loads(line, object_pairs_hook=_without_duplicates)
    except RecursionError:
        raise SuiteError("this line is nested too deeply", place=place) from None
    except ValueError as error:
        raise SuiteError(f"this line is not JSON: {error}", place=place) from None
    if not isinstance(record, dict):
        raise SuiteError(f"this line is {found(record)}; accepted: {accepted}", place=place)
    return record


def _reason(error: ValidationError, known: tuple[str, ...], accepted: Mapping[str, str]) -> str:
    first = error.errors()[0]
    if not first["loc"]:  # half a surrogate pair, or nesting beyond what the parser takes
        return f"this line is not accepted: {first['msg']}"
    key = str(first["loc"][0])
    if first["type"] == "missing" and len(first["loc"]) == 1:
        return f"this line lacks the key {key!r}"
    if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
        return f"unknown key {key!r}{nearest(key, known)}; accepted: {', '.join(known)}"
    return not_accepted(key, first["input"], accepted)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for key, value in pairs:
        if key in record:
            raise ValueError(f"the key {key!r} is there twice")
        record[key] = value
    return record

"""Reads a TOML file into a model, and says by file and line what is wrong with it."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pytest_sessioneval.errors import Place, SuiteError
from pytest_sessioneval.suites.positions import KeyPath, key_positions
from pytest_sessioneval.suites.wording import accepted_at, dotted, found, known_keys, nearest

__all__ = ["MAX_BYTES", "Problem", "TomlFile", "parse_toml", "read_text", "read_toml"]

MAX_BYTES = 1024 * 1024
"""Largest suite file, rubric or profile: 1 MiB."""

_MOST_PROBLEMS = 10
_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the path of the key it is about, and a sentence."""

    path: KeyPath
    message: str


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A TOML file's values and its source, so that a problem can be given its line."""

    name: str
    """How messages call it."""
    source: str
    """Its text."""
    values: Mapping[str, Any]
    """What it holds: JSON values only, every number finite."""

    def read_as(self, model: type[ModelT]) -> ModelT:
        """Return the values as a model; raises ``SuiteError`` naming every line that is wrong.

        Types are exact: ``"3"``, ``3.0`` and ``true`` are no whole numbers.
        """
        try:
            return model.model_validate_json(json.dumps(self.values), strict=True)
        except ValidationError as error:
            schema = model.model_json_schema()
            problems = [_problem(dict(item), schema) for item in error.errors()]
            raise self.error(problems) from None

    def check(self, problems: Iterable[Problem]) -> None:
        """Raise ``SuiteError`` with all the problems, if there are any."""
        listed = list(problems)
        if listed:
            raise self.error(listed)

    def error(self, problems: list[Problem]) -> SuiteError:
        """Return one error for all the problems, a line each, in the file's order."""
        positions = key_positions(self.source)
        lines = sorted((positions.line(problem.path), problem.message) for problem in problems)
        first = Place(self.name, lines[0][0])
        others = [f"{Place(self.name, line)}: {text}" for line, text in lines[1:_MOST_PROBLEMS]]
        if len(lines) > _MOST_PROBLEMS:
            others.append(f"and {len(lines) - _MOST_PROBLEMS} more problems in {self.name}")
        return SuiteError("\n".join([lines[0][1], *others]), place=first)


def read_text(path: Path, *, what: str, max_bytes: int = MAX_BYTES) -> str:
    """Return a file's text, without a byte order mark.

    Raises ``SuiteError`` when it cannot be read, is larger than ``max_bytes``,
    or is not UTF-8; ``what`` is how the message calls it, such as ``profile``.
    """
    place = Place(str(path))
    try:
        with path.open("rb") as stream:
            content = stream.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SuiteError(f"cannot read this {what}: {reason}", place=place) from None
    if len(content) > max_bytes:
        raise SuiteError(
            f"this {what} is larger than the {max_bytes:,} bytes accepted", place=place
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SuiteError(
            f"this {what} is not UTF-8: byte 0x{content[error.start]:02x}; save it as UTF-8",
            place=Place(str(path), line),
        ) from None


def read_toml(path: Path, *, what: str) -> TomlFile:
    """Return a file's TOML; raises ``SuiteError`` with the line where it is none."""
    return parse_toml(read_text(path, what=what), name=str(path))


def parse_toml(source: str, *, name: str) -> TomlFile:
    """Return a source's TOML; raises ``SuiteError`` with the line where it is none."""
    try:
        values = tomllib.loads(source)
        file = TomlFile(name, source, values)
        file.check(_no_json(values, ()))
    except ValueError as error:  # a number of too many digits is no TOMLDecodeError
        reason, line = _syntax(str(error), source)
        raise SuiteError(f"this is not TOML: {reason}", place=Place(name, line)) from None
    except RecursionError:
        raise SuiteError("values are nested too deeply", place=Place(name)) from None
    return file


def _syntax(message: str, source: str) -> tuple[str, int]:
    """Return tomllib's reason and its line, which it says in the message only before 3.14."""
    match = _TOML_PLACE.search(message)
    if match is None:
        return message, 1
    line = int(match[1]) if match[1] else source.count("\n", 0, max(len(source) - 1, 0)) + 1
    return message[: match.start()], line


def _no_json(value: object, path: KeyPath) -> Iterator[Problem]:
    """Yield what JSON cannot carry: dates, times, nan, inf, and numbers beyond 64 bits."""
    match value:
        case dict():
            for key, child in value.items():
                yield from _no_json(child, (*path, key))
        case list():
            for index, child in enumerate(value):
                yield from _no_json(child, (*path, index))
        case str():
            return
        case int() if -(2**63) <= value < 2**63:
            return
        case int():
            yield Problem(path, f"{dotted(path)} is a whole number of more than 64 bits")
        case float() if math.isfinite(value):
            return
        case float():
            yield Problem(path, f"{dotted(path)} is {value}; accepted: a finite number")
        case _:
            yield Problem(path, f"{dotted(path)} is the date or time {value}; write it as a string")


def _problem(error: Mapping[str, Any], schema: Mapping[str, Any]) -> Problem:
    """Return one of pydantic's errors in our words."""
    path: KeyPath = error["loc"]
    match error["type"]:
        case "extra_forbidden":
            return Problem(path, _unknown_key(path, schema))
        case "missing":
            return Problem(path, f"{_table(path[:-1])} lacks the key {path[-1]!r}")
        case "json_invalid":
            return Problem((), f"these values are not accepted: {error['msg']}")
        case "value_error":
            return Problem(path, f"{dotted(path)}: {error['ctx']['error']}")
        case _:
            accepted = accepted_at(schema, path)
            return Problem(path, f"{dotted(path)} is {found(error['input'])}; accepted: {accepted}")


def _unknown_key(path: KeyPath, schema: Mapping[str, Any]) -> str:
    key, known = str(path[-1]), known_keys(schema, path[:-1])
    hint = nearest(key, known)
    if not hint:
        homes = [name for name in known_keys(schema, ()) if key in known_keys(schema, (name,))]
        hint = f" (did you mean it in [{homes[0]}]?)" if homes else ""
    listed = f"; accepted: {', '.join(known)}" if known else ""
    return f"{_table(path[:-1])} has no key {key!r}{hint}{listed}"


def _table(path: KeyPath) -> str:
    """Return how the table at a path is written in the file."""
    names = ".".join(str(part) for part in path if isinstance(part, str))
    if not path:
        return "the top level"
    return f"[[{names}]]" if isinstance(path[-1], int) else f"[{names}]"

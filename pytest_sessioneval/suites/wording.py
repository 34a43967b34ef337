"""How errors name what was found and what is accepted."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_sessioneval.suites.positions import KeyPath

__all__ = ["accepted_at", "dotted", "found", "known_keys", "nearest", "schema_at"]

_LONGEST = 60
_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a string",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table",
}

JsonSchema = Mapping[str, Any]


def dotted(path: KeyPath) -> str:
    """Return a path as people write it: ``judge.experts[0].axes``; empty for the whole file."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def found(value: object) -> str:
    """Return what was found, with its TOML type where the value alone does not show it."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"the string {json.dumps(_shortened(value), ensure_ascii=False)}"
        case int() | float():
            return f"the number {_shortened(str(value))}"
        case list() | tuple():
            return "a list"
        case dict():
            return "a table"
        case _:
            return _shortened(str(value))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``(did you mean 'x'?)`` for the known word nearest to this one, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


def known_keys(schema: JsonSchema, path: KeyPath) -> tuple[str, ...]:
    """Return the keys that the table at a path may hold, in order; none for a free table."""
    return tuple(_table(schema, schema_at(schema, path)).get("properties", {}))


def accepted_at(schema: JsonSchema, path: KeyPath) -> str:
    """Return what the value at a path may be, in words."""
    return _accepted(schema, schema_at(schema, path))


def schema_at(schema: JsonSchema, path: KeyPath) -> JsonSchema:
    """Return the part of a JSON Schema that describes the value at a path; empty: anything."""
    node = schema
    for part in path:
        table = _table(schema, node)
        if isinstance(part, int):
            child = table.get("items")
        else:
            child = table.get("properties", {}).get(part) or table.get("additionalProperties")
        node = child if isinstance(child, Mapping) else {}
    return node


def _alternatives(schema: JsonSchema, node: JsonSchema) -> list[JsonSchema]:
    """Return what a node may be, behind references; TOML has no null, so neither has this."""
    if "$ref" in node:
        return _alternatives(schema, schema["$defs"][node["$ref"].rsplit("/", 1)[-1]])
    if "anyOf" in node:
        return [leaf for option in node["anyOf"] for leaf in _alternatives(schema, option)]
    return [] if node.get("type") == "null" else [node]


def _table(schema: JsonSchema, node: JsonSchema) -> JsonSchema:
    """Return the alternative that holds other values: the one with keys, else the last."""
    options = _alternatives(schema, node) or [{}]
    return next((option for option in options if "properties" in option), options[-1])


def _accepted(schema: JsonSchema, node: JsonSchema) -> str:
    options = _alternatives(schema, node)
    return " or ".join(dict.fromkeys(_in_words(option) for option in options)) or "any value"


def _in_words(node: JsonSchema) -> str:
    if "examples" in node:
        return ", ".join(node["examples"])
    if "enum" in node:
        return " or ".join(json.dumps(value) for value in node["enum"])
    if "pattern" in node:
        return f"a string matching {node['pattern']}"
    low, high = node.get("minimum"), node.get("maximum")
    if low is not None and high is not None:
        limits = f" from {low:g} to {high:g}"
    else:
        limits = f" of at least {low:g}" if low is not None else ""
    return _KINDS.get(str(node.get("type")), "any value") + limits


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

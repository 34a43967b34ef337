r"""Strict JSON from text of unknown origin: what RFC 8259 leaves open is refused.

``json.loads`` takes ``NaN``, lets the last of two equal keys win, returns
infinity for ``1e999`` and leaves half surrogate pairs in strings. Here the
first three are faults with their place, and the last becomes U+FFFD, as does
``\u0000`` (which no database text column holds). The C scanner of the standard
library does the work; only a text that has a fault is walked again, in Python,
to find where the fault is.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

__all__ = ["JsonError", "decode_value", "parse_strict"]

_SPACE = re.compile(r"[ \t\n\r]*")
_REPLACEMENT = "�"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SUSPICIOUS_ESCAPES = ("\\u0000", "\\ud", "\\uD")
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|-?Infinity|NaN|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?', re.DOTALL
)


class JsonError(ValueError):
    """A text is no strict JSON: ``reason``, and ``offset`` in characters where it is.

    ``is_syntax``: other programs could not read it either.
    """

    def __init__(self, reason: str, offset: int, *, is_syntax: bool = False) -> None:
        super().__init__(f"{reason} (character {offset})")
        self.reason = reason
        self.offset = offset
        self.is_syntax = is_syntax


class _RefusedError(ValueError):
    """Raised from within the scanner, which knows no position."""


def _refuse_constant(name: str) -> Any:
    raise _RefusedError(name)


def _finite(literal: str) -> float:
    number = float(literal)
    if math.isinf(number):
        raise _RefusedError(literal)
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _RefusedError("duplicate key")
    return value


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite
)


def parse_strict(text: str, *, depth: int) -> Any:
    """Return the one JSON value of ``text``; raises ``JsonError`` where there is none or more."""
    start = _after_space(text, 0)
    value, end = decode_value(text, start, depth=depth)
    end = _after_space(text, end)
    if end != len(text):
        raise JsonError("more text follows the value", end)
    return value


def decode_value(text: str, start: int, *, depth: int) -> tuple[Any, int]:
    """Return the value that begins at ``start`` and the offset just after it.

    ``depth`` is the deepest nesting accepted: ``[]`` has depth 1. Raises
    ``JsonError`` with the offset, in characters of ``text``, of what is wrong.
    """
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        told = _described(error.msg, text, error.pos)
        raise JsonError(told, error.pos, is_syntax=True) from None
    except RecursionError:
        raise _located(text, start, depth, f"nested deeper than {depth} levels") from None
    except ValueError as error:  # ours from a hook, or an integer too long for int()
        raise _located(text, start, depth, str(error)) from None
    repair = any(text.find(escape, start, end) >= 0 for escape in _SUSPICIOUS_ESCAPES)
    if not _settle(value, depth, repair=repair):
        raise _located(text, start, depth, f"nested deeper than {depth} levels")
    return (_clean(value) if repair and isinstance(value, str) else value), end


def _after_space(text: str, start: int) -> int:
    found = _SPACE.match(text, start)
    return start if found is None else found.end()


def _described(message: str, text: str, offset: int) -> str:
    message = message.removesuffix(" starting at")  # the place is told apart, or not at all
    if text[offset : offset + 1] == "\0":
        return "a NUL byte"
    if _after_space(text, offset) == len(text):
        return f"the text ends too early ({message[0].lower()}{message[1:]})"
    return message[0].lower() + message[1:]


def _clean(text: str) -> str:
    return _UNSTORABLE.sub(_REPLACEMENT, text) if _UNSTORABLE.search(text) else text


def _settle(value: Any, depth: int, *, repair: bool) -> bool:
    """Clean the strings where asked to; return whether the nesting stays within ``depth``.

    Level by level and without recursion: hostile nesting cannot exhaust the stack.
    """
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(depth):
        if not level:
            return True
        if repair:
            for container in level:
                _clean_strings(container)
        level = [
            child
            for container in level
            for child in (container.values() if type(container) is dict else container)
            if type(child) is dict or type(child) is list
        ]
    return not level


def _clean_strings(container: dict[str, Any] | list[Any]) -> None:
    if isinstance(container, list):
        for position, child in enumerate(container):
            if type(child) is str:
                container[position] = _clean(child)
        return
    cleaned = {
        _clean(key): _clean(child) if type(child) is str else child
        for key, child in container.items()
    }
    container.clear()
    container.update(cleaned)


def _located(text: str, start: int, depth: int, reason: str) -> JsonError:
    """Return the fault with its place, found by walking the tokens from ``start``."""
    keys: list[set[str] | None] = []  # one per open container: an object's keys, None for a list
    previous = ""
    for token in _TOKEN.finditer(text, start):
        word = token.group()
        if word in "{[":
            keys.append(set() if word == "{" else None)
            if len(keys) > depth:
                return JsonError(f"nested deeper than {depth} levels", token.start())
        elif word in "}]":
            keys.pop()
            if not keys:
                break
        elif word[0] == '"' and keys and keys[-1] is not None and previous in "{,":
            key = json.loads(word, strict=False)
            if key in keys[-1]:
                return JsonError(f"duplicate key {_short(word)}", token.start())
            keys[-1].add(key)
        elif word[-1] in "yN":
            return JsonError(f"{word} is no JSON number", token.start())
        elif word[0] in "-0123456789" and _too_large(word):
            return JsonError(f"the number {_short(word)} is too large", token.start())
        previous = word
    return JsonError(reason, start)


def _too_large(literal: str) -> bool:
    try:
        return math.isinf(float(literal)) or len(literal) > _LONGEST_INTEGER
    except OverflowError:
        return True


_LONGEST_INTEGER = 4300
"""Digits that int() accepts (CPython's own limit against quadratic conversion)."""


def _short(word: str) -> str:
    return word if len(word) <= 40 else f"{word[:36]}…"  # noqa: PLR2004

"""On which line each key of a TOML file stands.

``tomllib`` gives values without positions. This scanner reads a source that
``tomllib`` has already accepted, so it needs to find keys, not to judge syntax.
Grammar: TOML 1.0 (2021-01-11), and the line breaks in inline tables of 1.1.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["KeyPath", "Positions", "key_positions"]

KeyPath = tuple[str | int, ...]
"""What leads to a value: keys, and indexes within arrays and arrays of tables, from 0."""


@dataclass(frozen=True, slots=True)
class Positions:
    """The lines of a TOML file's keys and array elements, from 1."""

    lines: Mapping[KeyPath, int]

    def line(self, path: KeyPath) -> int:
        """Return the line of the path, or of the nearest table around it; 1 when there is none."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


def key_positions(source: str) -> Positions:
    """Return the line of every key and array element of a source that ``tomllib`` accepts."""
    scanner = _Scanner(source.replace("\r\n", "\n"))
    scanner.document()
    return Positions(scanner.lines)


_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_STRINGS = (
    # A multi-line string may end in up to two quotes of its own before the closing three.
    ('"""', re.compile(r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}', re.DOTALL)),
    ("'''", re.compile(r"'''(?:[^']|'{1,2}(?!'))*'{3,5}")),
    ('"', re.compile(r'"(?:[^"\\\n]|\\.)*"')),
    ("'", re.compile(r"'[^'\n]*'")),
)


class _Scanner:
    """Walks a source once, from key to key."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self._breaks = [index for index, char in enumerate(source) if char == "\n"]
        self._elements: dict[KeyPath, int] = {}

    def document(self) -> None:
        """Walk all of it: headers set the table that the keys beneath them belong to."""
        table: KeyPath = ()
        self._skip(_BLANK)
        while self.at < len(self.source):
            if self._peek("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _header(self) -> KeyPath:
        line = self._line()
        brackets = 2 if self._peek("[[") else 1
        self.at += brackets
        self._skip(_SPACE)
        keys = self._key()
        self.at += brackets
        path: KeyPath = ()
        for key in keys[:-1]:
            path = self._current((*path, key))
        path = (*path, keys[-1])
        if brackets == 1:
            path = self._current(path)
            self.lines.setdefault(path, line)
            return path
        self.lines.setdefault(path, line)
        index = self._elements.get(path, 0)
        self._elements[path] = index + 1
        self.lines[(*path, index)] = line
        return (*path, index)

    def _current(self, path: KeyPath) -> KeyPath:
        """Return the path; of an array of tables, that of its latest element."""
        count = self._elements.get(path)
        return path if count is None else (*path, count - 1)

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        path = table
        for key in self._key():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> list[str]:
        """Return the parts of a key, dotted or not, and stop behind it."""
        parts = []
        while True:
            text = self._string() or self._skip(_BARE_KEY)
            quoted = text[:1] in ("'", '"')
            parts.append(tomllib.loads(f"key = {text}")["key"] if quoted else text)
            self._skip(_SPACE)
            if not self._peek("."):
                return parts
            self.at += 1
            self._skip(_SPACE)

    def _value(self, path: KeyPath) -> None:
        if self._string():
            return
        if self._peek("["):
            self._array(path)
        elif self._peek("{"):
            self._inline_table(path)
        else:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        self._skip(_BLANK)
        index = 0
        while not self._peek("]"):
            self.lines[(*path, index)] = self._line()
            self._value((*path, index))
            self._separator()
            index += 1
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        self._skip(_BLANK)
        while not self._peek("}"):
            self._pair(path)
            self._separator()
        self.at += 1

    def _separator(self) -> None:
        self._skip(_BLANK)
        if self._peek(","):
            self.at += 1
        self._skip(_BLANK)

    def _string(self) -> str:
        for quotes, pattern in _STRINGS:
            if self._peek(quotes):
                return self._skip(pattern)
        return ""

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.source, self.at)
        if match is None:
            raise ValueError(f"no TOML at line {self._line()}")
        self.at = match.end()
        return match.group()

    def _peek(self, text: str) -> bool:
        return self.source.startswith(text, self.at)

    def _line(self) -> int:
        return bisect_right(self._breaks, self.at - 1) + 1

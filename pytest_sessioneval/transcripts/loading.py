"""A file's bytes to its JSON values: strictly, within limits, and saying what was left out.

What a file is called does not decide what it holds. One JSON value over the
whole file is a ``json`` document, also in a file named ``.jsonl``; several
values are a ``jsonl`` document, also in a file named ``.json`` and also when
two of them share a line. Where a file holds one record per line, a line that
is broken is left out and counted; everywhere else what is broken is an error.
Only of a file without any sound record does the name tell whether it is a
broken transcript or, like a README beside them, none at all.
"""

from __future__ import annotations

import errno
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pytest_sessioneval.errors import Place, TranscriptError, UnrecognisedError
from pytest_sessioneval.transcripts.reader import Document, Limits, Record, SkippedLine
from pytest_sessioneval.transcripts.sample_columns import TABLE_SUFFIX, begins_like_samples
from pytest_sessioneval.transcripts.strict_json import JsonError, decode_value
from pytest_sessioneval.transcripts.tables import table_document

__all__ = [
    "COMMENT",
    "DEFAULT_LIMITS",
    "JSON_SUFFIXES",
    "LOADING_VERSION",
    "load_document",
    "parse_data",
    "parse_document",
]

LOADING_VERSION = 1
"""Raised whenever the same bytes may give another document."""

DEFAULT_LIMITS = Limits()
"""The limits that hold where none are given."""

JSON_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson", ".traj"})
"""Names that say a file is JSON: broken, it is an error rather than no session."""

COMMENT = "comment"
"""The reason given for a skipped line that begins with ``//``."""

_BLANK = " \t\r\n"
_BLANKS = re.compile(r"[ \t\r\n]*")
_CHUNK = 1024 * 1024
_PEEK = 4096
_MARK = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}

_ACCEPTED = "a transcript is a JSON object or list, or one such record per line"
_NO_JSON = f": this is no JSON; {_ACCEPTED}"


def load_document(path: Path, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Return the JSON values of the file at ``path``; raises ``TranscriptError`` in one line.

    Raises ``UnrecognisedError`` for a file without a sound record whose name
    does not say that it is JSON.
    """
    if path.suffix.lower() == TABLE_SUFFIX:
        return _table(_read_bytes(path, limits), path, limits)
    if path.suffix.lower() in JSON_SUFFIXES:
        return parse_document(_read_bytes(path, limits), path, limits)
    data = _read_bytes(path, limits, peek=True)
    _check_sizes(data, path, limits)
    try:
        return _parsed(data, path, limits)
    except TranscriptError as error:
        reason = f"no JSON: {error.reason.removesuffix(_NO_JSON)}"
        raise UnrecognisedError(reason, place=error.place, parsed=False) from None


def _table(data: bytes, path: Path, limits: Limits) -> Document:
    _check_sizes(data, path, limits)
    text, misfit = _decoded(data, path)
    if not begins_like_samples(data):
        raise UnrecognisedError(
            "the table's first line names no question and answer (docs/rag.md has the columns)",
            place=Place(str(path), 1),
        )
    if misfit is not None:
        raise misfit
    return table_document(text, path, limits)


def parse_data(data: bytes, path: Path, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Return the values of ``data`` as ``load_document`` does of a file of that name."""
    if path.suffix.lower() == TABLE_SUFFIX:
        return _table(data, path, limits)
    return parse_document(data, path, limits)


def parse_document(data: bytes, path: Path, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Return the JSON values of ``data``; ``path`` is only what errors and skips name.

    Records come in file order with the line each starts on, from 1. Raises
    ``TranscriptError`` when there is no sound record, when the text is one
    broken value rather than one record per line, or when a limit is passed.
    """
    _check_sizes(data, path, limits)
    return _parsed(data, path, limits)


def _parsed(data: bytes, path: Path, limits: Limits) -> Document:
    text, misfit = _decoded(data, path)
    cursor = _Cursor(text, str(path))
    comments = cursor.pass_comments()
    if cursor.at_end():
        raise TranscriptError("the file is empty", place=Place(str(path)))
    start, line = cursor.position, cursor.line
    try:
        value, end = decode_value(text, start, depth=limits.depth)
    except JsonError as fault:
        error = misfit or _error(fault, text, path)
        return _one_per_line(text, path, limits, sole_error=error)
    cursor.move_to(end)
    comments += cursor.pass_comments()
    if cursor.at_end():
        if misfit is not None:
            raise misfit
        _refuse_scalar(value, path, line)
        return Document(path, "json", (Record(value, line),), comments)
    if "\n" in text[start:end]:
        return _one_after_another(text, path, limits)
    return _one_per_line(text, path, limits)


@dataclass(slots=True)
class _Cursor:
    """A place in a text that only moves on, and the line it is on (counted once)."""

    text: str
    path: str
    position: int = 0
    line: int = 1

    def at_end(self) -> bool:
        return self.position == len(self.text)

    def move_to(self, position: int) -> None:
        self.line += self.text.count("\n", self.position, position)
        self.position = position

    def pass_comments(self) -> tuple[SkippedLine, ...]:
        """Move to the next value, or the end; return the comment lines passed."""
        comments: list[SkippedLine] = []
        while True:
            blank = _BLANKS.match(self.text, self.position)
            self.move_to(self.position if blank is None else blank.end())
            if not self.text.startswith("//", self.position):
                return tuple(comments)
            comments.append(SkippedLine(self.path, self.line, COMMENT))
            end = self.text.find("\n", self.position)
            self.move_to(len(self.text) if end < 0 else end)


def _read_bytes(path: Path, limits: Limits, *, peek: bool = False) -> bytes:
    """Return the file's bytes; with ``peek`` refuse what cannot be JSON by its first bytes."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise TranscriptError("is a directory, not a file", place=Place(str(path)))
        if not stat.S_ISREG(status.st_mode):
            raise TranscriptError(
                "is no regular file (a pipe, a socket or a device)", place=Place(str(path))
            )
        if peek:
            _require_json_start(path)
        if status.st_size > limits.file_bytes:
            raise _file_too_large(path, status.st_size, limits)
        with path.open("rb") as stream:
            if status.st_size > limits.line_bytes:
                _check_lines(stream, path, limits)
                stream.seek(0)
            return stream.read(limits.file_bytes + 1)
    except OSError as error:
        raise TranscriptError(_os_reason(error, path), place=Place(str(path))) from error


def _require_json_start(path: Path) -> None:
    with path.open("rb") as stream:
        beginning = stream.read(_PEEK).removeprefix(_MARK).lstrip()
    if not beginning.startswith((b"{", b"[", b"//")):
        raise UnrecognisedError(
            f"no JSON: the file begins with {beginning[:12]!r}"[:80],
            place=Place(str(path)),
            parsed=False,
        )


def _os_reason(error: OSError, path: Path) -> str:
    if isinstance(error, FileNotFoundError):
        try:
            return f"is a dangling link to {path.readlink()}"
        except OSError:
            return "there is no such file"
    if isinstance(error, PermissionError):
        return "may not be read: permission denied"
    if error.errno == errno.ELOOP:
        return "is a link that leads back to itself"
    return f"cannot be read: {error.strerror or error}"


def _check_lines(stream: BinaryIO, path: Path, limits: Limits) -> None:
    """Refuse an over-long line while holding no more than one chunk of it."""
    line, length = 1, 0
    while chunk := stream.read(_CHUNK):
        pieces = chunk.split(b"\n")
        for position, piece in enumerate(pieces):
            if position:
                line, length = line + 1, 0
            length += len(piece)
            if length > limits.line_bytes:
                raise _line_too_long(path, line, limits)


def _check_sizes(data: bytes, path: Path, limits: Limits) -> None:
    if len(data) > limits.file_bytes:
        raise _file_too_large(path, len(data), limits)
    if len(data) <= limits.line_bytes:
        return
    line, start = 1, 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        if end - start > limits.line_bytes:
            raise _line_too_long(path, line, limits)
        line, start = line + 1, end + 1


def _file_too_large(path: Path, size: int, limits: Limits) -> TranscriptError:
    return TranscriptError(
        f"{size:,} bytes are more than the limit of {limits.file_bytes:,} bytes per file",
        place=Place(str(path)),
    )


def _line_too_long(path: Path, line: int, limits: Limits) -> TranscriptError:
    return TranscriptError(
        f"the line is longer than the limit of {limits.line_bytes:,} bytes per line",
        place=Place(str(path), line),
    )


def _decoded(data: bytes, path: Path) -> tuple[str, TranscriptError | None]:
    """Return the text, and the error it is if the file holds a single value.

    Bytes that are no UTF-8 are kept as lone surrogates: no decoded UTF-8
    contains one, so lines with them can be told from sound ones.
    """
    for mark, name in _OTHER_ENCODINGS.items():
        if data.startswith(mark):
            raise TranscriptError(
                f"the text is {name}; save the file as UTF-8", place=Place(str(path), 1)
            )
    data = data.removeprefix(_MARK)
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = f"byte {error.start + 1} (0x{data[error.start]:02x}) is no UTF-8"
        misfit = TranscriptError(reason, place=Place(str(path), line))
        return data.decode("utf-8", "surrogateescape"), misfit


def _one_after_another(text: str, path: Path, limits: Limits) -> Document:
    """Return values that span lines: what follows a broken one cannot be told apart."""
    records: list[Record] = []
    cursor = _Cursor(text, str(path))
    skipped = list(cursor.pass_comments())
    while not cursor.at_end():
        line = cursor.line
        try:
            value, end = decode_value(text, cursor.position, depth=limits.depth)
        except JsonError as fault:
            reason = f"{_told(fault, text)}; the rest of the file was left out"
            skipped.append(SkippedLine(str(path), line, reason))
            break
        if not _sound(text[cursor.position : end]):
            skipped.append(SkippedLine(str(path), line, _NO_UTF8))
        elif not isinstance(value, dict | list):
            skipped.append(SkippedLine(str(path), line, _NO_RECORD))
        else:
            records.append(Record(value, line))
        cursor.move_to(end)
        skipped += cursor.pass_comments()
    if not records:
        raise TranscriptError(skipped[0].reason, place=_place(skipped[0]))
    return Document(path, "jsonl", tuple(records), tuple(skipped))


def _one_per_line(
    text: str, path: Path, limits: Limits, *, sole_error: TranscriptError | None = None
) -> Document:
    """Return one record per line, or more; broken lines are counted.

    ``sole_error`` is what is wrong if the text is one value over several lines
    after all. It is raised when the lines do not look like records: the first
    one ends in the middle of a structure, or most of them are broken.
    """
    records: list[Record] = []
    skipped: list[SkippedLine] = []
    broken = sound = 0
    for number, line in enumerate(text.split("\n"), start=1):
        content = line.strip(_BLANK)
        if not content:
            continue
        if content.startswith("//"):
            skipped.append(SkippedLine(str(path), number, COMMENT))
            continue
        if sole_error is not None and not records and not broken and content[-1] in "[{,:":
            raise sole_error
        found = len(records)
        reason = _read_line(content, number, limits, records)
        if reason is None:
            sound += 1
        else:
            broken += len(records) == found
            skipped.append(SkippedLine(str(path), number, reason))
    if not records or (sole_error is not None and broken > sound):
        raise sole_error or TranscriptError(skipped[0].reason, place=_place(skipped[0]))
    return Document(path, "jsonl", tuple(records), tuple(skipped))


_NO_UTF8 = "not UTF-8"
_NO_RECORD = "neither an object nor a list"


def _read_line(content: str, number: int, limits: Limits, records: list[Record]) -> str | None:
    """Append the line's records; return why the line, or its end, was left out, else null."""
    if not _sound(content):
        return _NO_UTF8
    for value, fault in _values(content, limits.depth):
        if fault is not None:
            return fault.reason
        if not isinstance(value, dict | list):
            return _NO_RECORD
        records.append(Record(value, number))
    return None


def _values(content: str, depth: int) -> Iterator[tuple[Any, JsonError | None]]:
    position = 0
    while position < len(content):
        try:
            value, position = decode_value(content, position, depth=depth)
        except JsonError as fault:
            yield None, fault
            return
        yield value, None
        while position < len(content) and content[position] in _BLANK:
            position += 1


def _sound(text: str) -> bool:
    """Return whether the text came from UTF-8 (see ``_decoded``)."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_scalar(value: Any, path: Path, line: int) -> None:
    if not isinstance(value, dict | list):
        raise TranscriptError(
            f"the file holds {type(value).__name__} {str(value)[:40]!r} only; {_ACCEPTED}",
            place=Place(str(path), line),
        )


def _error(fault: JsonError, text: str, path: Path) -> TranscriptError:
    line = _line_of(text, fault.offset)
    told = _told(fault, text) + (_NO_JSON if fault.is_syntax else "")
    return TranscriptError(told, place=Place(str(path), line))


def _told(fault: JsonError, text: str) -> str:
    column = fault.offset - text.rfind("\n", 0, fault.offset)
    return f"{fault.reason} (column {column})"


def _line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def _place(skipped: SkippedLine) -> Place:
    return Place(skipped.path, skipped.line)

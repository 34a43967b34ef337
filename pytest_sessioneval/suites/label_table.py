"""Reads people's scores from CSV: a table with a heading, one score per row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pytest_sessioneval.errors import Place, SuiteError
from pytest_sessioneval.suites.json_lines import read_as
from pytest_sessioneval.suites.labels import MAX_BYTES, HumanLabel
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.suites.tomlfile import read_text
from pytest_sessioneval.suites.wording import nearest

__all__ = ["read_label_table"]

_NEEDED = ("session", "axis", "score")
_WISHED = ("by", "comment")
_ACCEPTED = {"score": "a number from 0 to 100", "axis": "text"}


def read_label_table(
    path: Path, sessions: Sequence[SuiteSession]
) -> tuple[tuple[HumanLabel, ...], tuple[str, ...]]:
    """Return the table's labels of the suite's sessions, and the other sessions it names, sorted.

    The heading names the columns ``session`` (a session's key in the suite, else
    its id), ``axis`` and ``score`` (0–100), and if wished ``by`` and ``comment``,
    in any order. A person's later score of the same session and axis replaces an
    earlier one; where a label comes from is unknown. Raises ``SuiteError`` naming
    the first row that is not accepted, and an id that several sessions share.
    """
    text = read_text(path, what="label table", max_bytes=MAX_BYTES)
    digests = {session.key: session.summary.digest for session in sessions}
    keys: dict[str, list[str]] = {}
    for session in sessions:
        keys.setdefault(session.session_id, []).append(session.key)
    labels: dict[tuple[str, str, str], HumanLabel] = {}
    unknown = set()
    for place, row in _rows(text, path):
        name = str(row.pop("session"))
        owners = [name] if name in digests else keys.get(name, [])
        if len(owners) > 1:
            raise SuiteError(
                f"{len(owners)} sessions have the id {name!r}: name them by their keys, such as "
                f"{owners[0]!r}",
                place=place,
            )
        record = {**row, "digest": digests[owners[0]] if owners else name, "session_id": name}
        label = read_as(HumanLabel, record, place, accepted=_ACCEPTED)
        if owners:
            labels[label.digest, label.axis, label.by] = label
        else:
            unknown.add(name)
    return tuple(labels.values()), tuple(sorted(unknown))


def _rows(text: str, path: Path) -> Iterator[tuple[Place, dict[str, object]]]:
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        columns = [name.strip() for name in next(lines, [])]
        _check_heading(columns, Place(str(path), 1))
        for cells in lines:
            place = Place(str(path), lines.line_num)
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(columns):
                raise SuiteError(
                    f"this row has {len(cells)} cells, and the heading has {len(columns)}",
                    place=place,
                )
            yield place, _record(dict(zip(columns, cells, strict=True)))
    except csv.Error as error:
        raise SuiteError(f"no CSV: {error}", place=Place(str(path), lines.line_num)) from None


def _check_heading(columns: Sequence[str], place: Place) -> None:
    accepted = f"accepted: {', '.join(_NEEDED)} and, if wished, {' and '.join(_WISHED)}"
    for column in columns:
        if column not in {*_NEEDED, *_WISHED}:
            close = nearest(column, (*_NEEDED, *_WISHED))
            raise SuiteError(f"unknown column {column!r}{close}; {accepted}", place=place)
    if len(set(columns)) < len(columns) or not {*_NEEDED} <= {*columns}:
        raise SuiteError(f"the heading is {','.join(columns)!r}; {accepted}", place=place)


def _record(row: Mapping[str, str]) -> dict[str, object]:
    record: dict[str, object] = dict(row)
    try:
        record["score"] = float(row["score"])
    except ValueError:
        record["score"] = row["score"]  # told with its place as what it is
    return record

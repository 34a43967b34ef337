"""What a run is compared with: a baseline file, the report of a run, a git revision."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_sessioneval.errors import BaselineError, SettingError
from pytest_sessioneval.evaluation.baselines import read_baseline
from pytest_sessioneval.evaluation.report_scores import (
    reported_baseline,
    reported_candidate,
    suite_of,
)
from pytest_sessioneval.evaluation.revisions import Revision
from pytest_sessioneval.gate.baseline import parse_baseline
from pytest_sessioneval.gate.model import Baseline, Candidate, anchor_name
from pytest_sessioneval.reports.json_file import read_report
from pytest_sessioneval.reports.model import Report

__all__ = [
    "FileSource",
    "GitSource",
    "Source",
    "baselines_at",
    "baselines_beside",
    "file_baselines",
    "file_candidate",
    "named_report",
    "parse_source",
    "side_of",
]

_GIT = "git:"
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_ACCEPTED = "accepted: git:REF, a baseline or report.json file, the id of a run"
_REPORTS = "accepted: a report.json, the id of a run"


@dataclass(frozen=True, slots=True)
class GitSource:
    """A git revision to compare with; nothing has been read."""

    text: str
    """As it was typed: ``git:origin/main``."""
    origin: str
    """Where it was typed, for messages: ``--sessioneval-compare git:origin/main``."""

    @property
    def revision(self) -> str:
        """What stands after ``git:``."""
        return self.text.removeprefix(_GIT)


@dataclass(frozen=True, slots=True)
class FileSource:
    """A baseline or report file to compare with; nothing has been read."""

    text: str
    """As it was typed: a path or a run's id."""
    origin: str
    """Where it was typed, for messages."""
    path: Path
    """The file."""


Source = GitSource | FileSource


def parse_source(text: str, *, option: str, where: Path, out: Path) -> Source:
    """Return the source that a text names.

    ``where`` is what a file is relative to; ``out`` is the folder whose ``runs/``
    holds reports. What begins with ``git:`` is a revision; then a file counts
    before a run of the same name. Raises ``SettingError`` naming ``option`` when
    there is neither.
    """
    if text.startswith(_GIT):
        return GitSource(text=text, origin=f"{option} {text}")
    return _file_named(text, option=option, where=where, out=out, accepted=_ACCEPTED)


def named_report(text: str, *, option: str, out: Path) -> tuple[FileSource, Report]:
    """Return the report that a text names, by its file or its run's id, and where it is.

    ``out`` is the folder whose ``runs/`` holds reports. Raises ``SettingError``
    naming ``option`` when there is no such report.
    """
    source = _file_named(text, option=option, where=Path(), out=out, accepted=_REPORTS)
    try:
        found = _content(source)
    except BaselineError:
        raise SettingError(f"{source.origin}: {source.path} is no report; {_REPORTS}") from None
    if isinstance(found, Baseline):
        raise SettingError(f"{source.origin}: {source.path} is a baseline; {_REPORTS}")
    return source, found


def _file_named(text: str, *, option: str, where: Path, out: Path, accepted: str) -> FileSource:
    origin = f"{option} {text}"
    path = where / text
    if text and path.is_file():
        return FileSource(text=text, origin=origin, path=path)
    looked = f"looked for {path}"
    if _RUN_ID.fullmatch(text):
        report = out / "runs" / text / "report.json"
        if report.is_file():
            return FileSource(text=text, origin=origin, path=report)
        looked += f" and {report}"
    raise SettingError(f"{option}: {text!r} is neither a file nor a run ({looked}); {accepted}")


def baselines_beside(path: Path) -> dict[str, Baseline]:
    """Return the baseline of a file and the anchor beside it, by name; empty without a baseline.

    An anchor alone counts for nothing: who removes the baseline has none.
    Raises ``BaselineError``.
    """
    baseline = read_baseline(path)
    if baseline is None:
        return {}
    anchor = read_baseline(path.with_name(anchor_name(path.name)))
    return {"baseline": baseline} if anchor is None else {"baseline": baseline, "anchor": anchor}


def baselines_at(revision: Revision, name: str) -> dict[str, Baseline]:
    """Return baseline and anchor as they are in a revision; ``name`` is relative to its folder.

    Empty where the revision has no baseline. Raises ``BaselineError`` and ``SettingError``.
    """
    found: dict[str, Baseline] = {}
    for label, place in (("baseline", name), ("anchor", anchor_name(name))):
        text = revision.text(place)
        if text is None:
            break
        found[label] = parse_baseline(text, place=revision.place(place))
    return found


def file_baselines(source: FileSource, *, suite: str | None) -> dict[str, Baseline]:
    """Return what a file has to compare with, by name; ``suite`` chooses in a report of several.

    A baseline brings the anchor beside it; a report has none. Raises
    ``SettingError`` and ``BaselineError``.
    """
    found = _content(source)
    if isinstance(found, Baseline):
        return baselines_beside(source.path)
    chosen = suite_of(found, suite, place=str(source.path), origin=source.origin)
    baseline = reported_baseline(chosen, place=str(source.path), origin=source.origin)
    return {"baseline": baseline}


def file_candidate(source: FileSource, *, suite: str | None) -> Candidate:
    """Return what a file has as the side to decide on; see ``file_baselines``."""
    found = _content(source)
    if isinstance(found, Baseline):
        return side_of(found)
    chosen = suite_of(found, suite, place=str(source.path), origin=source.origin)
    return reported_candidate(chosen, partial=found.partial)


def side_of(baseline: Baseline) -> Candidate:
    """Return a baseline as the side to decide on: all of its suite, by its own word."""
    return Candidate(
        suite=baseline.suite,
        versions=baseline.versions,
        axes=baseline.axes,
        sessions=baseline.sessions,
        canaries=baseline.canaries,
    )


def _content(source: FileSource) -> Report | Baseline:
    """Return the file's report where it says that it is one, else its baseline."""
    try:
        text = source.path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise SettingError(f"{source.origin}: {source.path} cannot be read: {why}") from None
    if '"schema_version"' in text:
        value = _json(text)
        if isinstance(value, Mapping) and "schema_version" in value:
            return read_report(value, place=str(source.path), origin=source.origin)
    try:
        return parse_baseline(text, place=str(source.path))
    except BaselineError as error:
        raise BaselineError(f"{source.origin}: {error}") from None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None

"""A baseline's sessions scored again by today's judge: never others, and never silently fewer.

A baseline holds no transcript text. Its sessions are looked for in a folder or
in a git revision, and each is told by its key and its transcript's digest.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_sessioneval.errors import BaselineError, SettingError
from pytest_sessioneval.evaluation.baselines import (
    BaselineWritten,
    baseline_path,
    read_baseline,
    reader_versions,
    update_baseline,
    write_baseline,
)
from pytest_sessioneval.evaluation.direct import Announce, DirectRun
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.revisions import find_revision
from pytest_sessioneval.evaluation.scanning import Scan
from pytest_sessioneval.gate.baseline import session_scores, unjudged
from pytest_sessioneval.gate.canaries import check_canaries
from pytest_sessioneval.gate.model import Baseline, SessionScores, Versions, anchor_name
from pytest_sessioneval.gate.moves import moved
from pytest_sessioneval.judging.panel import SCORING_VERSION
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.verdicts.run import Sources

__all__ = ["Rejudged", "Unmatched", "rejudge", "score_canaries", "sessions_at"]

_GIT = "git:"
_LISTED = 20
_WRITE = "--sessioneval-update-baseline"


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A session of a baseline that is not there as it was."""

    key: str
    why: str


@dataclass(frozen=True, slots=True)
class Rejudged:
    """What scoring a baseline again has done."""

    path: Path
    written: BaselineWritten | None
    """What moved; null: it has today's versions, and nobody was asked."""
    dropped: tuple[Unmatched, ...] = ()
    """What was left out because it could not be found."""
    others: int = 0
    """Sessions found that the baseline does not have; they were not judged."""


def rejudge(
    suite: Suite,
    run: DirectRun,
    *,
    place: Path,
    anchor: bool = False,
    fresh: bool = False,
    drop: bool = False,
    announce: Announce,
) -> Rejudged:
    """Score the baseline's sessions, found in ``place``, by the suite's judge; write it whole.

    ``anchor``: the pinned baseline instead. ``fresh``: also where versions are
    the same, because the judge moved. ``drop`` leaves out sessions that are not
    there as they were; without it they are listed and nothing is judged. Raises
    ``BaselineError``, and writes nothing, unless every session was judged.
    """
    path = _path(suite, anchor=anchor)
    old = _read(path, suite)
    if old.versions == _today(suite, run) and not fresh:
        return Rejudged(path=path, written=None)
    found = _found(suite, run, place)
    matched, unmatched = _matched(old.sessions, found.members, run.readers)
    if unmatched and not drop:
        raise BaselineError(_refusal(path, old, unmatched, place))
    if not matched:
        raise BaselineError(
            f"{path}: no session of this baseline is in {place}; nothing was judged"
        )
    chosen = replace(found, members=matched, problems=(), sources=Sources(sessions=len(matched)))
    done = run.judge(chosen, matched, suite=suite, announce=announce)
    return Rejudged(
        path=path,
        written=update_baseline(done, suite=suite, given=path),
        dropped=unmatched,
        others=len(found.members) - len(matched),
    )


def score_canaries(suite: Suite, run: DirectRun, *, announce: Announce) -> BaselineWritten:
    """Have the suite's new canaries judged and write their scores into its baseline.

    All are judged, so that a judge that moved is noticed; those that the baseline
    has keep their scores, so that small moves cannot add up. Raises
    ``SettingError`` when the suite has none, and ``BaselineError``, with nothing
    written, when the baseline was made by another judge or by this one before it
    moved, or when a canary was not judged.
    """
    path = _path(suite, anchor=False)
    if suite.settings.gate is None or not suite.settings.gate.canaries:
        raise SettingError(
            f"{suite.root}: the suite has no canaries; name files of 10 to 20 frozen sessions "
            "under [gate] canaries"
        )
    old = _read(path, suite)
    if old.versions != _today(suite, run):
        raise BaselineError(
            f"{path}: the baseline was made with another judge, rubric or scoring version: score "
            f"it again, canaries included: `sessioneval baseline rejudge {suite.root}`"
        )
    found = run.scan(suite)
    known = {(session.key, session.digest): session for session in old.canaries}
    if known.keys() == {_name(member) for member in found.canaries}:
        return BaselineWritten(path=path, changed=False, move=moved(old, old))
    done = run.judge(found, (), suite=suite, announce=announce)
    canaries = session_scores(done.canaries, done.axes, readers=reader_versions(done))
    for problem in unjudged(canaries):
        raise BaselineError(f"{path}: nothing is written: canaries {problem}")
    shifted = check_canaries("baseline", old.canaries, canaries, old.axes).moved
    if shifted:
        raise BaselineError(
            f"{path}: nothing is written: the judge moved since this baseline was made (its "
            f"canaries' scores of {', '.join(shifted)} shifted), and new ones would hide that. "
            f"Score all of it again: `sessioneval baseline rejudge --fresh {suite.root}`"
        )
    kept = tuple(known.get((one.key, one.digest), one) for one in canaries)
    new = old.model_copy(update={"format": 2, "canaries": kept})
    write_baseline(path, new)
    return BaselineWritten(path=path, changed=True, move=moved(old, new))


@contextmanager
def sessions_at(suite: Suite, source: str | None) -> Iterator[Path]:
    """Return the folder in which a baseline's sessions are looked for, while the block lasts.

    ``source`` is a folder, or ``git:REF`` for the suite's folder as it is in that
    revision; None: the suite's own. Raises ``SettingError``.
    """
    if source is None:
        yield suite.root
    elif source.startswith(_GIT):
        revision = find_revision(
            suite.root, source.removeprefix(_GIT), origin=f"--sessions {source}"
        )
        with tempfile.TemporaryDirectory(prefix="sessioneval-") as made:
            folder = Path(made).resolve()
            revision.export(folder)
            yield folder
    elif not Path(source).is_dir():
        raise SettingError(f"--sessions: {source} is no folder; accepted: a folder, or git:REF")
    else:
        yield Path(source).resolve()


def _name(member: Member) -> tuple[str, str]:
    return member.session.key, member.session.summary.digest


def _path(suite: Suite, *, anchor: bool) -> Path:
    path = baseline_path(suite)
    return path.with_name(anchor_name(path.name)) if anchor else path


def _read(path: Path, suite: Suite) -> Baseline:
    baseline = read_baseline(path)
    if baseline is None:
        raise BaselineError(
            f"{path}: there is no baseline to score again; write one with pytest {suite.root} "
            f"{_WRITE}"
        )
    return baseline


def _today(suite: Suite, run: DirectRun) -> Versions:
    panel = run.evaluation.panel(suite)
    return Versions(rubric=panel.rubric_version, judge=panel.version, scoring=SCORING_VERSION)


def _found(suite: Suite, run: DirectRun, place: Path) -> Scan:
    """Return the sessions in ``place`` beside today's canaries, which are in the suite's folder.

    A revision may be older than the canaries, or have others.
    """
    gate = suite.settings.gate
    globs = () if gate is None else gate.canaries
    if place == suite.root or gate is None or not globs:
        return run.scan(_only_sessions(suite, place))
    canaries = run.scan(_only_sessions(suite, suite.root)).canaries
    settings = suite.settings.model_copy(update={"gate": gate.model_copy(update={"canaries": ()})})
    there = _only_sessions(suite.model_copy(update={"settings": settings}), place)
    frozen = {path for pattern in globs for path in place.glob(pattern)}
    return replace(run.scan(there, left_out=frozen), canaries=canaries)


def _only_sessions(suite: Suite, place: Path) -> Suite:
    """Return the suite as it finds sessions in another folder: what it expects is not asked."""
    settings = suite.settings.model_copy(update={"expect": ()})
    file = place / suite.file.name if suite.file is not None else None
    return suite.model_copy(update={"root": place, "file": file, "settings": settings})


def _matched(
    sessions: Sequence[SessionScores], members: Sequence[Member], readers: Mapping[str, int]
) -> tuple[tuple[Member, ...], tuple[Unmatched, ...]]:
    """Return the members that are the baseline's sessions, and those it has and they have not."""
    by_key = {member.session.key: member for member in members}
    matched: list[Member] = []
    unmatched: list[Unmatched] = []
    for session in sessions:
        member = by_key.get(session.key)
        if member is None:
            unmatched.append(Unmatched(session.key, "not there"))
            continue
        summary = member.session.summary
        if summary.digest == session.digest:
            matched.append(member)
            continue
        reader = f"{summary.source}@{readers.get(summary.source, '?')}"
        why = "recorded anew since"
        if reader != session.reader:
            why = f"read by {reader} now and by {session.reader} then: it cannot be recognised"
        unmatched.append(Unmatched(session.key, why))
    return tuple(matched), tuple(unmatched)


def _refusal(path: Path, old: Baseline, unmatched: Sequence[Unmatched], place: Path) -> str:
    listed = "; ".join(f"{one.key} ({one.why})" for one in unmatched[:_LISTED])
    more = f" and {len(unmatched) - _LISTED} more" if len(unmatched) > _LISTED else ""
    return (
        f"{path}: {len(unmatched)} of {len(old.sessions)} sessions of this baseline are not in "
        f"{place} as they were: {listed}{more}. Nothing was judged. Name where they are with "
        "--sessions git:REF or a folder, or leave them out with --drop-unmatched"
    )

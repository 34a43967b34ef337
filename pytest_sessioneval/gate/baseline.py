"""Baselines: built from a run, written as text that diffs well, read back strictly."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from pydantic import ValidationError

from pytest_sessioneval.errors import BaselineError
from pytest_sessioneval.gate.model import (
    FORMAT,
    AxisPoint,
    AxisScore,
    Baseline,
    Candidate,
    NoScore,
    SessionScores,
    Versions,
)
from pytest_sessioneval.gate.pairing import UNJUDGED, require_unique
from pytest_sessioneval.transcripts.strict_json import JsonError, parse_strict
from pytest_sessioneval.verdicts.model import Opinion, UnscoredReason, Verdict
from pytest_sessioneval.verdicts.run import SessionResult, SuiteRun

__all__ = [
    "axis_points",
    "baseline_of",
    "baseline_text",
    "candidate_of",
    "check_baseline",
    "parse_baseline",
    "session_scores",
    "unjudged",
    "unwritable",
    "versions_of",
]

_DECIMALS = 4
_DEPTH = 8
_NAMED = 5


def versions_of(run: SuiteRun, *, scoring: str) -> Versions:
    """Return what the run's scores were made with; ``scoring`` is the package's own version."""
    return Versions(rubric=run.rubric_version, judge=run.judge.version, scoring=scoring)


def session_scores(
    results: Sequence[SessionResult], axes: Sequence[str], *, readers: Mapping[str, str]
) -> tuple[SessionScores, ...]:
    """Return one SessionScores per result, sorted by key.

    ``readers`` maps a reader's name to its version. A session without a verdict
    has no score on any axis: ``skipped`` where the run ended before its turn,
    else ``failed``.
    """
    scored = [_scores_of(result, axes, readers) for result in results]
    return tuple(sorted(scored, key=lambda session: session.key))


def axis_points(
    verdict: Verdict | None, axes: Sequence[str], *, missing: UnscoredReason
) -> dict[str, AxisPoint]:
    """Return per axis the verdict's score or why there is none; ``missing``: without a verdict."""
    return {axis: _point(verdict, axis, missing) for axis in axes}


def baseline_of(
    run: SuiteRun, *, scoring: str, readers: Mapping[str, str], partial: str = ""
) -> Baseline:
    """Return the baseline that blesses this run.

    Raises ``BaselineError`` unless the run is complete: every selected session
    judged on every axis or excused from it, none left out, none unreadable.
    """
    baseline = _as_baseline(run, scoring=scoring, readers=readers)
    problems = unwritable(run, baseline.sessions, canaries=baseline.canaries, partial=partial)
    if problems:
        raise BaselineError(
            f"the baseline of suite {run.suite!r} is not written: {'; '.join(problems)}. "
            "A baseline is written only from a whole suite judged without error"
        )
    return baseline


def unwritable(
    run: SuiteRun,
    sessions: Sequence[SessionScores],
    *,
    canaries: Sequence[SessionScores] = (),
    partial: str = "",
) -> tuple[str, ...]:
    """Return why a run may not become a baseline, one reason each; empty: it may."""
    reasons = []
    if partial:
        reasons.append(f"only a part of the suite was selected ({partial})")
    elif run.sources.deselected:
        reasons.append(f"{run.sources.deselected} sessions were deselected")
    if run.sources.problems:
        first = run.sources.problems[0]
        reasons.append(f"{len(run.sources.problems)} could not be read, first {first.path}")
    reasons += unjudged(sessions)
    reasons += [f"canaries {reason}" for reason in unjudged(canaries)]
    return tuple(reasons)


def unjudged(sessions: Sequence[SessionScores]) -> tuple[str, ...]:
    """Return that some were not scored, and which; empty: all were, or were excused."""
    keys = [
        session.key
        for session in sessions
        if any(
            isinstance(point, NoScore) and point.unscored in UNJUDGED
            for point in session.axes.values()
        )
    ]
    return (f"not scored: {_listed(keys)}",) if keys else ()


def candidate_of(
    run: SuiteRun,
    *,
    scoring: str,
    readers: Mapping[str, str],
    left_out: Collection[str] | None = frozenset(),
    partial: str = "",
) -> Candidate:
    """Return the run as the side to decide on; see ``Candidate`` for the last two.

    Raises ``SuiteError`` when two sessions have one key.
    """
    require_unique([result.session.key for result in run.results], suite=run.suite)
    return Candidate(
        suite=run.suite,
        versions=versions_of(run, scoring=scoring),
        axes=run.axes,
        sessions=session_scores(run.results, run.axes, readers=readers),
        left_out=None if left_out is None else frozenset(left_out),
        partial=partial,
        unreadable=len(run.sources.problems),
        canaries=session_scores(run.canaries, run.axes, readers=readers),
    )


def check_baseline(
    baseline: Baseline, gated: Sequence[str], versions: Versions, *, place: str = "the baseline"
) -> None:
    """Raise ``BaselineError`` unless every gated axis was scored in the baseline.

    ``versions`` are today's. A baseline of another rubric or judge is not
    checked: it is not comparable, and the decision says so.
    """
    was = baseline.versions
    if (was.rubric, was.judge) != (versions.rubric, versions.judge):
        return
    again = "write the baseline again with --sessioneval-update-baseline"
    for axis in gated:
        if axis not in baseline.axes:
            raise BaselineError(
                f"{place}: [gate] axes names {axis!r}, which this baseline does not hold "
                f"(it holds {', '.join(baseline.axes) or 'none'}); remove the axis from the "
                f"gate, or {again}"
            )
        if not any(isinstance(session.axes.get(axis), AxisScore) for session in baseline.sessions):
            raise BaselineError(
                f"{place}: no session has a score on the gated axis {axis!r}; remove the axis "
                f"from [gate] axes, or get it scored and {again}"
            )


def baseline_text(baseline: Baseline) -> str:
    """Return the baseline as JSON: sorted, one line per session, ending in a newline.

    Equal baselines give equal bytes: there is no date in it, and the order of
    sessions and axes is that of their names. Without canaries it is format 1,
    which older versions read.
    """
    head = {
        "format": 2 if baseline.canaries else 1,
        "suite": baseline.suite,
        "versions": baseline.versions.model_dump(),
        "axes": list(baseline.axes),
    }
    lines = [f" {json.dumps(name)}: {_compact(value)},\n" for name, value in head.items()]
    parts = [_rows("sessions", baseline.sessions)]
    if baseline.canaries:
        parts.append(_rows("canaries", baseline.canaries))
    return "{\n" + "".join(lines) + ",\n".join(parts) + "\n}\n"


def parse_baseline(text: str, *, place: str = "baseline.json") -> Baseline:
    """Return the baseline a text holds; ``place`` names it in errors.

    Raises ``BaselineError`` when it is empty, no strict JSON, from a newer
    format, has two sessions with one key, or holds anything unknown.
    """
    repair = (
        "restore the file from version control, or write it again with "
        "--sessioneval-update-baseline"
    )
    if not text.strip():
        raise BaselineError(f"{place}: the baseline is empty; {repair}")
    try:
        value = parse_strict(text, depth=_DEPTH)
    except JsonError as error:
        line = text.count("\n", 0, error.offset) + 1
        if any(row.startswith(("<<<<<<<", ">>>>>>>")) for row in text.splitlines()):
            raise BaselineError(
                f"{place}: the baseline holds an unresolved merge; take one side, or write it "
                "again with --sessioneval-update-baseline"
            ) from None
        raise BaselineError(
            f"{place}:{line}: the baseline is no JSON ({error.reason}); {repair}"
        ) from None
    found = value.get("format") if isinstance(value, dict) else None
    if isinstance(found, bool) or not isinstance(found, int):
        raise BaselineError(
            f'{place}: this is no baseline (no whole number under "format"); {repair}'
        )
    if found > FORMAT:
        raise BaselineError(
            f"{place}: the baseline has format {found}, this version reads up to {FORMAT}; "
            "upgrade pytest-sessioneval"
        )
    try:
        baseline = Baseline.model_validate(value)
    except ValidationError as error:
        raise BaselineError(f"{place}{_first_fault(error, value, text)}; {repair}") from None
    for part in (baseline.sessions, baseline.canaries):
        seen: set[str] = set()
        for session in part:
            if session.key in seen:
                raise BaselineError(f"{place}: the key {session.key!r} is there twice; {repair}")
            seen.add(session.key)
    return baseline


def _as_baseline(run: SuiteRun, *, scoring: str, readers: Mapping[str, str]) -> Baseline:
    require_unique([result.session.key for result in run.results], suite=run.suite)
    if not run.results:
        raise BaselineError(
            f"the baseline of suite {run.suite!r} is not written: the run holds no session"
        )
    return Baseline(
        suite=run.suite,
        versions=versions_of(run, scoring=scoring),
        axes=run.axes,
        format=2 if run.canaries else 1,
        sessions=session_scores(run.results, run.axes, readers=readers),
        canaries=session_scores(run.canaries, run.axes, readers=readers),
    )


def _scores_of(
    result: SessionResult, axes: Sequence[str], readers: Mapping[str, str]
) -> SessionScores:
    session, verdict = result.session, result.verdict
    missing: UnscoredReason = "skipped" if result.state == "not_run" else "failed"
    return SessionScores(
        key=session.key,
        digest=session.summary.digest if verdict is None else verdict.digest,
        cluster=session.cluster,
        reader=f"{session.summary.source}@{readers.get(session.summary.source, '?')}",
        coverage=1.0 if verdict is None else round(verdict.coverage, _DECIMALS),
        axes=axis_points(verdict, axes, missing=missing),
    )


def _point(verdict: Verdict | None, axis: str, missing: UnscoredReason) -> AxisPoint:
    result = None if verdict is None else verdict.axes.get(axis)
    if verdict is None or result is None:
        return NoScore(unscored=missing)
    if result.kind == "unscored":
        return NoScore(unscored=result.reason)
    by_repeat = _by_repeat(verdict.opinions, axis)
    return AxisScore(
        score=round(result.score, _DECIMALS),
        spread=round(result.spread, _DECIMALS),
        repeats=max(1, len(by_repeat)),
        noise=round(stdev(by_repeat), _DECIMALS) if len(by_repeat) > 1 else None,
    )


def _by_repeat(opinions: Sequence[Opinion], axis: str) -> list[float]:
    """Return the panel's score of each repeat, in order."""
    scores: dict[int, list[int]] = {}
    for opinion in opinions:
        given = opinion.axes.get(axis)
        if given is not None and given.kind == "scored":
            scores.setdefault(opinion.repeat, []).append(given.score)
    return [fmean(scores[repeat]) for repeat in sorted(scores)]


def _rows(name: str, sessions: Sequence[SessionScores]) -> str:
    ordered = sorted(sessions, key=lambda session: session.key)
    rows = ",\n".join(f"  {_compact(_row(session))}" for session in ordered)
    return f' "{name}": [\n{rows}\n ]'


def _row(session: SessionScores) -> dict[str, Any]:
    row = session.model_dump(exclude={"axes"}, exclude_defaults=True)
    axes = {
        axis: {
            name: _short(value)
            for name, value in session.axes[axis].model_dump(exclude_none=True).items()
        }
        for axis in sorted(session.axes)
    }
    return {**row, "axes": axes}


def _short(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _listed(keys: Sequence[str]) -> str:
    shown = ", ".join(keys[:_NAMED])
    rest = len(keys) - _NAMED
    return f"{shown} and {rest} more" if rest > 0 else shown


def _first_fault(error: ValidationError, value: Mapping[str, Any], text: str) -> str:
    """Return ``:line`` where it is known, and what is wrong there."""
    fault = error.errors(include_url=False)[0]
    where, line = ".".join(str(part) for part in fault["loc"]), ""
    match fault["loc"]:
        case ("sessions" | "canaries" as part, int(position), *rest):
            row = value[part][position]
            key = row.get("key") if isinstance(row, dict) else None
            within = [str(part) for part in rest if part not in {"AxisScore", "NoScore"}]
            where = f"session {key!r}" if isinstance(key, str) else f"session number {position + 1}"
            where += f", {'.'.join(within)}" if within else ""
            offset = text.find(f'"key": {_compact(key)}')
            line = f":{text.count(chr(10), 0, offset) + 1}" if offset >= 0 else ""
    return f"{line}: {where}: {fault['msg'][:1].lower()}{fault['msg'][1:]}"

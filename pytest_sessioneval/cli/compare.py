"""Compares two sets of scores that are there already: the gate's decision outside of pytest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.gating import reference_of
from pytest_sessioneval.evaluation.revisions import find_revision
from pytest_sessioneval.evaluation.rules import baseline_name
from pytest_sessioneval.evaluation.sources import (
    FileSource,
    GitSource,
    Source,
    baselines_at,
    file_baselines,
    file_candidate,
    parse_source,
    side_of,
)
from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.model import AxisScore, Baseline, Candidate, SessionScores
from pytest_sessioneval.gate.outcome import Against, Decision
from pytest_sessioneval.gate.people import People
from pytest_sessioneval.gate.saying import said
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.suites.discovery import SUITE_FILE, find_suite_file
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.suites.model import GateSettings, Suite
from pytest_sessioneval.suites.rubric import builtin_rubrics, load_rubric

__all__ = ["compare_scores", "decision_lines"]

_AXIS = re.compile(r"([a-z][a-z0-9_]*)(?::([0-9]{1,3}(?:\.[0-9]+)?))?")
_HIGHEST = 100


@dataclass(frozen=True, slots=True)
class _Before:
    """The side that is held against: its scores, and the rules that come with it."""

    baselines: Mapping[str, Baseline]
    against: Against | None
    gate: GateSettings | None = None


def compare_scores(
    before: str,
    after: str,
    *,
    folder: str | None,
    axes: Sequence[str],
    common: bool,
    unpaired: bool,
    out: Path,
    people: People | None = None,
) -> Decision:
    """Return what the gate says of ``after``, held against ``before``.

    ``folder`` is --suite: its ``[gate]`` decides, as in pytest. Without one the
    default settings do, on ``axes`` (``NAME`` or ``NAME:MARGIN``), or on every
    axis that both sides score. ``common`` compares the sessions that both have,
    so that none counts as lost; ``unpaired`` compares two groups. ``out`` is the
    folder that holds runs; ``people`` holds labels of the sessions. Raises ``UsageError``.
    """
    if common and unpaired:
        raise SettingError(
            "compare: --common pairs sessions and --unpaired does not; choose one of them"
        )
    first, second = (
        parse_source(text, option="compare", where=Path(), out=out) for text in (before, after)
    )
    suite = _suite(folder, (first, second))
    held = _before(first, suite)
    baseline = held.baselines.get("baseline")
    name = suite.name if suite is not None else baseline.suite if baseline is not None else None
    candidate = _after(second, suite, name)
    settings = _settings(held, axes, baseline, candidate)
    if common:
        kept = candidate.partial or "--common"
        candidate = candidate.model_copy(update={"left_out": None, "partial": kept})
    decision = decide(candidate, held.baselines, settings, unpaired=unpaired, people=people)
    return decision.model_copy(update={"against": held.against})


def decision_lines(decision: Decision) -> Iterator[str]:
    """Yield the decision in words, a line each, safe to print."""
    for line in said(decision):
        yield one_line(line)
    use = decision.baselines[0] if decision.baselines else None
    if use is not None and use.lost and not decision.partial:
        flag = "--common compares those that both have" if use.pairs else "--unpaired compares them"
        yield f"Where the two hold different sessions on purpose, {flag}."


def _suite(folder: str | None, sources: Sequence[Source]) -> Suite | None:
    if folder is not None:
        return load_suite(Path(folder))
    if not any(isinstance(source, GitSource) for source in sources):
        return None
    if find_suite_file(Path()) is None:
        raise SettingError(
            "compare: git:REF is read from a suite's folder: name it with --suite DIR (there is "
            f"no {SUITE_FILE} here)"
        )
    return load_suite(Path())


def _before(source: Source, suite: Suite | None) -> _Before:
    if suite is not None:
        reference = reference_of(suite, source)
        return _Before(reference.baselines, reference.against, reference.suite.settings.gate)
    if isinstance(source, GitSource):
        raise SettingError(f"{source.origin}: name the suite's folder with --suite DIR")
    return _Before(file_baselines(source, suite=None), Against(source=source.text))


def _after(source: Source, suite: Suite | None, name: str | None) -> Candidate:
    if isinstance(source, FileSource):
        return file_candidate(source, suite=name)
    if suite is None:
        raise SettingError(f"{source.origin}: name the suite's folder with --suite DIR")
    revision = find_revision(suite.root, source.revision, origin=source.origin)
    place = baseline_name(suite)
    baseline = baselines_at(revision, place).get("baseline")
    if baseline is None:
        raise SettingError(f"{source.origin}: there is no baseline {revision.place(place)}")
    return side_of(baseline)


def _settings(
    held: _Before, axes: Sequence[str], baseline: Baseline | None, candidate: Candidate
) -> GateSettings:
    """Return the gate's settings: the suite's, those of --axis, or the defaults."""
    if not axes and held.gate is not None:
        return held.gate
    settings = held.gate or GateSettings()
    if not axes:
        return settings.model_copy(update={"axes": _comparable(baseline, candidate)})
    margins = dict(settings.margins)
    chosen: list[str] = []
    for text in axes:
        found = _AXIS.fullmatch(text)
        margin = float(found[2]) if found is not None and found[2] is not None else None
        if found is None or (margin is not None and margin > _HIGHEST):
            raise SettingError(
                f"--axis: {text!r} is not accepted; give NAME, or NAME:MARGIN with 0 to 100 "
                "points, such as goal_completion:3"
            )
        if found[1] not in candidate.axes:
            raise SettingError(
                f"--axis: there is no axis {found[1]!r}; there are {', '.join(candidate.axes)}"
            )
        chosen.append(found[1])
        if margin is not None:
            margins[found[1]] = margin
    return settings.model_copy(update={"axes": tuple(dict.fromkeys(chosen)), "margins": margins})


def _comparable(baseline: Baseline | None, candidate: Candidate) -> tuple[str, ...]:
    """Return the axes that both sides score, without those that only describe."""
    name = candidate.versions.rubric.partition("@")[0]
    describing: set[str] = set()
    if name in builtin_rubrics():
        rubric = load_rubric(name, base=Path())
        describing = {axis.name for axis in rubric.axes if not axis.gated}
    sides = [candidate.sessions] if baseline is None else [baseline.sessions, candidate.sessions]
    axes = tuple(
        axis
        for axis in candidate.axes
        if axis not in describing and all(_scores(side, axis) for side in sides)
    )
    if not axes:
        raise SettingError(
            "compare: no axis has a score on both sides, so there is nothing to compare; the axes "
            f"are {', '.join(candidate.axes) or 'none'}"
        )
    return axes


def _scores(sessions: Sequence[SessionScores], axis: str) -> bool:
    return any(isinstance(session.axes.get(axis), AxisScore) for session in sessions)

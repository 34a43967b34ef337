"""The decision: every gated axis against every baseline, and what it means for the merge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.gate.baseline import check_baseline
from pytest_sessioneval.gate.canaries import CanaryCheck, check_canaries
from pytest_sessioneval.gate.comparison import (
    Measured,
    Part,
    conclude,
    measure,
    measure_unpaired,
)
from pytest_sessioneval.gate.drifted import unchecked_canaries, with_drift
from pytest_sessioneval.gate.model import AxisScore, Baseline, Candidate, NoScore, SessionScores
from pytest_sessioneval.gate.outcome import (
    AxisDecision,
    BaselineUse,
    Comparison,
    Decision,
    Mismatch,
)
from pytest_sessioneval.gate.pairing import (
    UNJUDGED,
    AxisPairs,
    Gap,
    Pairing,
    Unit,
    axis_pairs,
    pair_sessions,
    require_unique,
    unit_of,
)
from pytest_sessioneval.gate.people import People, random_draws
from pytest_sessioneval.gate.rules import (
    Status,
    check_gate,
    margin_of,
    status_blocks,
    worst,
)
from pytest_sessioneval.gate.statistics import ALPHA, holm
from pytest_sessioneval.suites.model import GateSettings

__all__ = ["decide", "mismatches"]


@dataclass(frozen=True, slots=True)
class _Side:
    """One baseline as the run lies against it."""

    name: str
    baseline: Baseline
    pairing: Pairing
    retired: tuple[str, ...]
    mismatches: tuple[Mismatch, ...]


def decide(
    candidate: Candidate,
    baselines: Mapping[str, Baseline],
    settings: GateSettings,
    *,
    alpha: float = ALPHA,
    unpaired: bool = False,
    required: bool = False,
    people: People | None = None,
) -> Decision:
    """Return what the gate says of a run.

    ``baselines`` holds the current one first and the pinned anchor after it,
    by name; the run must hold against each (an anchor equal to the current one
    counts once). Empty: there is none. An axis passes
    when its drop is shown to be smaller than its margin (one-sided level
    ``alpha``, each axis for itself: an intersection–union test, Berger 1982);
    an axis regressed when a drop is shown after Holm's correction over all
    gated tests and reaches the margin. ``unpaired`` compares runs of different
    sessions (Welch). ``required`` makes a gate that did not run stop the merge.
    ``people`` holds labels: the random ones correct each mean, and decide in its
    place where the settings say so.

    Raises ``SuiteError`` when the gate names no axis of the rubric or two
    sessions have one key, and ``BaselineError`` when a comparable baseline lacks a gated axis.
    """
    check_gate(settings, candidate.axes)
    if unpaired and settings.decide_on == "corrected":
        raise SuiteError(
            '[gate] decide_on = "corrected" needs pairs: people\'s labels correct the difference '
            "of two recordings of one session; decide on the raw scores, or compare pairs"
        )
    require_unique((session.key for session in candidate.sessions), suite=candidate.suite)
    for name, baseline in baselines.items():
        check_baseline(baseline, settings.axes, candidate.versions, place=f"the {name}")
    sides = _sides(candidate, baselines, unpaired=unpaired)
    canaries = _canaries(candidate, sides, settings)
    whole = _whole_status(candidate, sides)
    axes: tuple[AxisDecision, ...]
    if whole is None:
        axes = _axis_decisions(
            candidate, sides, settings, alpha=alpha, unpaired=unpaired, people=people or People()
        )
        axes = tuple(with_drift(axis, canaries) for axis in axes)
        status = worst(axis.status for axis in axes if axis.status is not None)
        unchecked = candidate.unreadable > 0 or unchecked_canaries(canaries, sides[0].name)
        if unchecked:
            status = worst([status, "incomplete"])
        blocks = any(axis.blocks for axis in axes) or unchecked
    else:
        status = whole
        blocks = status_blocks(whole, settings, required=required)
        axes = _undecided_axes(candidate, settings, whole, blocks=blocks)
    return Decision(
        suite=candidate.suite,
        status=status,
        blocks=blocks,
        axes=axes,
        baselines=tuple(_use(side, candidate.suite, unpaired=unpaired) for side in sides),
        sessions=len(candidate.sessions),
        unreadable=candidate.unreadable,
        partial=candidate.partial,
        alpha=alpha,
        min_pairs=settings.min_pairs,
        break_points=settings.break_,
        strict=settings.strict,
        on_inconclusive=settings.on_inconclusive,
        decide_on=settings.decide_on,
        canaries=canaries if whole is None else (),
    )


def _canaries(
    candidate: Candidate, sides: Sequence[_Side], settings: GateSettings
) -> tuple[CanaryCheck, ...]:
    """Return what the canaries say, for each baseline that can be compared with at all."""
    if not settings.canaries:
        return ()
    others = (axis for axis in candidate.axes if axis not in settings.axes)
    axes = (*settings.axes, *others)
    return tuple(
        check_canaries(side.name, side.baseline.canaries, candidate.canaries, axes)
        for side in sides
        if not side.mismatches
    )


def _whole_status(candidate: Candidate, sides: Sequence[_Side]) -> Status | None:
    """Return the status of a suite none of whose axes can be compared; None: compare them."""
    lost = any(side.pairing.lost for side in sides)
    deselected = bool(candidate.partial or candidate.left_out or candidate.left_out is None)
    if not candidate.sessions and deselected and not lost and not candidate.unreadable:
        return "not_run"
    return None if sides else "no_baseline"


def _sides(
    candidate: Candidate, baselines: Mapping[str, Baseline], *, unpaired: bool
) -> tuple[_Side, ...]:
    present = {session.key for session in candidate.sessions}
    current: set[str] | None = None
    sides: list[_Side] = []
    for name, baseline in baselines.items():
        if any(baseline == side.baseline for side in sides):
            continue  # testing against the same scores twice would only cost power
        sessions: Sequence[SessionScores] = baseline.sessions
        retired: tuple[str, ...] = ()
        if current is None:
            current = {session.key for session in sessions}
        else:
            # What the reviewed, newer baseline gave up is no longer owed to the anchor.
            owed = current | present
            retired = tuple(s.key for s in sessions if s.key not in owed)
            sessions = [session for session in sessions if session.key in owed]
        left_out = None if unpaired else candidate.left_out
        pairing = pair_sessions(sessions, candidate.sessions, left_out=left_out)
        differ = mismatches(baseline, candidate, pairing)
        sides.append(_Side(name, baseline, pairing, retired, differ))
    return tuple(sides)


def mismatches(baseline: Baseline, candidate: Candidate, pairing: Pairing) -> tuple[Mismatch, ...]:
    """Return the versions that differ, so that scores cannot be compared; empty: they can."""
    before, after = baseline.versions, candidate.versions
    found = []
    if before.rubric != after.rubric:
        found.append(Mismatch(what="rubric", before=before.rubric, after=after.rubric))
    if before.judge != after.judge:
        found.append(Mismatch(what="judge", before=before.judge, after=after.judge))
    if before.scoring != after.scoring:
        found.append(Mismatch(what="scoring", before=before.scoring, after=after.scoring))
    readers = {(was.reader, now.reader) for was, now in pairing.pairs if was.reader != now.reader}
    found.extend(Mismatch(what="reader", before=was, after=now) for was, now in sorted(readers))
    return tuple(found)


def _axis_decisions(
    candidate: Candidate,
    sides: Sequence[_Side],
    settings: GateSettings,
    *,
    alpha: float,
    unpaired: bool,
    people: People,
) -> tuple[AxisDecision, ...]:
    """Return gated axes, then the others: measure all, correct for their number, conclude."""
    others = tuple(axis for axis in candidate.axes if axis not in settings.axes)
    measured = _measured(candidate, sides, settings, unpaired=unpaired, people=people)
    p_values: dict[Part, float] = {}
    for (axis, _), one in measured.items():
        if axis in settings.axes:
            p_values |= one.p_values(settings)
    adjusted = holm(p_values)
    decisions = []
    for axis in (*settings.axes, *others):
        gated = axis in settings.axes
        compared = []
        for side in sides:
            if (axis, side.name) in measured:
                one = measured[axis, side.name]
                family = adjusted if gated else None
                compared.append(conclude(one, settings, family, alpha=alpha))
            elif gated:
                compared.append(_not_comparable(side.name))
        decisions.append(_axis_decision(axis, tuple(compared), settings, gated=gated))
    return tuple(decisions)


def _measured(
    candidate: Candidate,
    sides: Sequence[_Side],
    settings: GateSettings,
    *,
    unpaired: bool,
    people: People,
) -> dict[tuple[str, str], Measured]:
    """Return what can be measured, by axis and baseline."""
    others = tuple(axis for axis in candidate.axes if axis not in settings.axes)
    measured: dict[tuple[str, str], Measured] = {}
    for axis in (*settings.axes, *others):
        for side in sides:
            if side.mismatches or not (axis in settings.axes or axis in side.baseline.axes):
                continue
            if unpaired:
                measured[axis, side.name] = _measure_unpaired(candidate, side, axis, settings)
            else:
                measured[axis, side.name] = _measure(candidate, side, axis, settings, people)
    return measured


def _not_comparable(name: str) -> Comparison:
    return Comparison(
        baseline=name, status="not_comparable", blocks=True, reasons=("not_comparable",)
    )


def _axis_decision(
    axis: str, comparisons: tuple[Comparison, ...], settings: GateSettings, *, gated: bool
) -> AxisDecision:
    statuses = [one.status for one in comparisons if one.status is not None]
    status = worst(statuses) if gated else None
    improved = bool(comparisons) and all(one.improved for one in comparisons)
    return AxisDecision(
        axis=axis,
        gated=gated,
        margin=margin_of(settings, axis) if gated else None,
        status=status,
        blocks=any(one.blocks for one in comparisons),
        improved=improved and status in {None, "passed"},
        comparisons=comparisons,
    )


def _undecided_axes(
    candidate: Candidate, settings: GateSettings, status: Status, *, blocks: bool
) -> tuple[AxisDecision, ...]:
    others = [axis for axis in candidate.axes if axis not in settings.axes]
    gated = [
        AxisDecision(
            axis=axis,
            gated=True,
            margin=margin_of(settings, axis),
            status=status,
            blocks=blocks,
        )
        for axis in settings.axes
    ]
    return (*gated, *(AxisDecision(axis=axis, gated=False) for axis in others))


def _measure(
    candidate: Candidate,
    side: _Side,
    axis: str,
    settings: GateSettings,
    people: People,
) -> Measured:
    new = set(side.pairing.added)
    added = [session for session in candidate.sessions if session.key in new]
    return measure(
        axis,
        side.name,
        axis_pairs(side.pairing, added, axis),
        margin=margin_of(settings, axis),
        sessions=len(candidate.sessions),
        lost=len(side.pairing.lost),
        strict=settings.strict and axis in settings.axes,
        judge_sd=candidate.judge_sd.get(axis),
        draws=random_draws(people, axis, rubric=candidate.versions.rubric),
    )


def _measure_unpaired(
    candidate: Candidate, side: _Side, axis: str, settings: GateSettings
) -> Measured:
    gaps, unverified = [], []
    for session in candidate.sessions:
        point = session.axes.get(axis, NoScore(unscored="failed"))
        if isinstance(point, NoScore) and point.unscored in UNJUDGED:
            gaps.append(Gap(session.key, point.unscored))
        elif isinstance(point, NoScore) and point.unscored == "unverified":
            unverified.append(session.key)
    return measure_unpaired(
        axis,
        side.name,
        _scored(side.baseline.sessions, axis),
        _scored(candidate.sessions, axis),
        AxisPairs((), tuple(gaps), tuple(unverified), (), (), ()),
        margin=margin_of(settings, axis),
    )


def _scored(sessions: Sequence[SessionScores], axis: str) -> list[tuple[AxisScore, Unit]]:
    points = ((session.axes.get(axis), unit_of(session)) for session in sessions)
    return [(point, unit) for point, unit in points if isinstance(point, AxisScore)]


def _use(side: _Side, suite: str, *, unpaired: bool) -> BaselineUse:
    pairing = side.pairing
    other = side.baseline.suite if side.baseline.suite != suite else None
    if unpaired:  # two groups: no session of either is missing from the other
        return BaselineUse(
            name=side.name,
            suite=other,
            sessions=len(side.baseline.sessions),
            pairs=0,
            changed=0,
            mismatches=side.mismatches,
        )
    return BaselineUse(
        name=side.name,
        suite=other,
        sessions=len(side.baseline.sessions),
        pairs=len(pairing.pairs),
        changed=sum(was.digest != now.digest for was, now in pairing.pairs),
        lost=pairing.lost,
        left_out=pairing.left_out,
        added=pairing.added,
        retired=side.retired,
        mismatches=side.mismatches,
        coverage_before=_mean_coverage(was for was, _ in pairing.pairs),
        coverage_after=_mean_coverage(now for _, now in pairing.pairs),
    )


def _mean_coverage(sessions: Iterable[SessionScores]) -> float:
    shares = [session.coverage for session in sessions]
    return fsum(shares) / len(shares) if shares else 1.0

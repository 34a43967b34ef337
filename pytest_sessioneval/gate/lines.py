"""One axis of a decision on one line."""

from __future__ import annotations

import math

from pytest_sessioneval.gate.figures import confidence, count, p_value, percent, signed, words
from pytest_sessioneval.gate.outcome import AxisDecision, Comparison, Decision, MeanTest, Reason
from pytest_sessioneval.gate.rules import FEWEST_LABELS

__all__ = ["axis_line", "unlabelled"]

_WHOLE_SCALE = 100
_PLAIN: dict[Reason, str] = {
    "not_comparable": "made with other versions",
    "judge_moved": "the judge moved, not the agent",
    "lost_sessions": "sessions of the baseline are missing",
    "all_null": "no session has a score any more",
    "nothing_paired": "no session is scored on both sides",
}


def axis_line(axis: AxisDecision, decision: Decision) -> str:
    """Return one axis on one line: change, interval, pairs, verdict, and how sharp it is."""
    shown = axis.shown
    if shown is None:
        return f"{axis.axis}: {words(axis.status or 'not_run')}"
    raw = shown.overall
    parts = [_numbers(raw, decision), _pairs(shown), _people(shown, decision)]
    parts.append(_verdict(axis, shown, decision))
    if shown.overall is not None:
        sharpness = shown.deciding or shown.overall
        if sharpness.detectable is not None:
            seen = sharpness.detectable
            visible = f"smallest visible drop {seen:.1f}" if seen <= _WHOLE_SCALE else ""
            parts.append(visible or "no drop is visible with so few")
        if shown.judge_noise_share is not None:
            parts.append(_noise(shown.judge_noise_share, shown.overall.detectable))
        parts.append(f"up to {percent(shown.overall.unseen_share)} could break unseen")
    for other in axis.comparisons[1:]:
        change = f" {signed(other.deciding.difference)}" if other.deciding else ""
        parts.append(f"{other.baseline}{change} {words(other.status or 'not_run')}")
    return f"{axis.axis}: " + " · ".join(part for part in parts if part)


def _numbers(test: MeanTest | None, decision: Decision) -> str:
    if test is None:
        return ""
    if test.low is None or test.high is None:
        return signed(test.difference)
    inside = f"[{signed(test.low)}, {signed(test.high)}] {confidence(decision.alpha)} CI"
    return f"{signed(test.difference)} {inside}"


def _noise(share: float, detectable: float | None) -> str:
    """Return the judge's part of the uncertainty, and what would be visible without it."""
    said = f"judge noise {percent(share)} of the uncertainty"
    if detectable is None:
        return said
    return f"{said} ({detectable * math.sqrt(1 - share):.1f} visible without it)"


def _pairs(shown: Comparison) -> str:
    test = shown.overall
    if test is None:
        missing = f"{percent(shown.missing_share)} of the sessions missing: no mean shown"
        return missing if shown.missing_share else ""
    if shown.method == "welch":
        return f"{count(test.pairs, 'unpaired session')} or more on each side"
    inside = [f"{shown.changed} changed"]
    if test.units < test.pairs:
        inside.append(count(test.units, "task"))
    nulls = len(shown.nulls.newly_null) + len(shown.nulls.newly_scored) + shown.nulls.both
    if nulls:
        inside.append(f"{nulls} more without a score")
    return f"n={count(test.pairs, 'pair')} ({', '.join(inside)})"


def _people(shown: Comparison, decision: Decision) -> str:
    """Return the mean corrected by people's labels; empty where there is none."""
    if shown.corrected is None or shown.corrected.overall is None:
        return ""
    labels = count(shown.corrected.labelled, "labelled session")
    decides = ", which decides" if shown.decided_on == "corrected" else ""
    return f"corrected by {labels} {_numbers(shown.corrected.overall, decision)}{decides}"


def unlabelled(one: Comparison) -> str:
    """Return what people's labels lack for the corrected mean to decide."""
    if one.corrected is None:
        return (
            "no compared session was drawn for people to label; draw some with sessioneval "
            "label-queue"
        )
    found = one.corrected
    done = f"{found.labelled} of {count(found.drawn, 'drawn session')}"
    tests = [found.overall, *([found.changed_only] if one.changed_only is not None else [])]
    fewest = min((test.units if test is not None else 0) for test in tests)
    short = ""
    if fewest < FEWEST_LABELS:
        kind = "tasks" if one.method == "clustered" else "sessions"
        where = " re-recorded" if found.overall and found.overall.units >= FEWEST_LABELS else ""
        short = f", {fewest} labelled{where} {kind} where {FEWEST_LABELS} are needed"
        if fewest == found.labelled and not where:
            short = f", and {FEWEST_LABELS} are needed"
    return (
        f"{done} {'has' if found.labelled == 1 else 'have'} people's labels of both recordings"
        f"{short}; go on with sessioneval label-queue --again {found.draw}"
    )


def _verdict(axis: AxisDecision, shown: Comparison, decision: Decision) -> str:
    if axis.status is None:
        return ""
    label = words(axis.status)
    test, margin = shown.deciding, f"{axis.margin:g}"
    if axis.status == "passed" and test is not None:
        better = ", improved" if axis.improved else ""
        return f"{label}{better}: a drop of {margin} is ruled out ({p_value(test.p_noninferior)})"
    worst = axis.worst
    why = [_why(reason, worst, margin, decision) for reason in worst.reasons] if worst else []
    stops = "" if axis.blocks else ", advisory"
    return f"{label}{stops}: {'; '.join(why)}" if why else f"{label}{stops}"


def _why(reason: Reason, one: Comparison, margin: str, decision: Decision) -> str:
    overall, changed = one.deciding, one.deciding_changed
    match reason:
        case "regressed":
            return f"fell by {margin} or more, beyond chance{_holm(overall)}"
        case "changed_regressed":
            fell = f"the {one.changed} changed sessions fell by {margin} or more"
            return f"{fell}, beyond chance{_holm(changed)}"
        case "too_few":
            units = 0 if one.overall is None else one.overall.units
            needed = f"{decision.min_pairs} needed{_missing(one.overall)}"
            return f"{count(units, 'independent pair')}, {needed}"
        case "straddles":
            return f"neither a drop of {margin} nor its absence is shown{_missing(overall)}"
        case "unproven":
            return f"strict: not shown without assumptions{_free(overall)}{_missing(overall)}"
        case "changed_undecided":
            alone = f"the {one.changed} changed sessions alone do not rule out a drop of {margin}"
            return f"{alone}{_missing(changed)}"
        case _:
            return _why_missing(reason, one, decision)


def _why_missing(reason: Reason, one: Comparison, decision: Decision) -> str:
    match reason:
        case "broken_session":
            broken = count(len(one.broken), "session")
            return f"{broken} fell by more than {decision.break_points:g}"
        case "unjudged":
            return f"{count(len(one.unjudged), 'session')} not judged"
        case "unverified":
            return f"{count(len(one.unverified), 'session')} without evidence that checks out"
        case "too_few_labels" | "labels_missing":
            return unlabelled(one)
        case "nulls_moved":
            nulls = one.nulls
            moved = f"{len(nulls.newly_null)} lost and {len(nulls.newly_scored)} gained a score"
            at_worst = nulls.worst_difference
            end = "" if at_worst is None else f", at worst a change of {signed(at_worst)}"
            return f"{moved} ({p_value(nulls.p_value)}){end}"
        case _:
            return _PLAIN.get(reason, words(reason))


def _holm(test: MeanTest | None) -> str:
    if test is None or test.p_drop_adjusted is None:
        return ""
    return f" ({p_value(test.p_drop_adjusted)})"


def _missing(test: MeanTest | None) -> str:
    return f", {test.units_missing} missing" if test is not None and test.units_missing else ""


def _free(test: MeanTest | None) -> str:
    return f" (bound {signed(test.free_bound)})" if test and test.free_bound is not None else ""

"""The decision in words: a first sentence anybody understands, then one line per axis.

Text of sessions' keys stands here as it is recorded; whoever renders it
neutralises it for its medium.
"""

from __future__ import annotations

import math

from pytest_sessioneval.gate.canary_notes import drift_sentence, unchecked_canaries
from pytest_sessioneval.gate.figures import count, listed, signed
from pytest_sessioneval.gate.lines import axis_line, unlabelled
from pytest_sessioneval.gate.notes import fall_lines, notes
from pytest_sessioneval.gate.outcome import AxisDecision, Comparison, Decision, MeanTest, Reason
from pytest_sessioneval.gate.rules import SEVERITY

__all__ = ["axis_line", "first_sentence", "in_brief", "notes", "said"]

_UNLABELLED: set[Reason] = {"too_few_labels", "labels_missing"}


def said(decision: Decision) -> tuple[str, ...]:
    """Return the whole decision as lines: first sentence, gated axes, what fell most, notes."""
    lines = [axis_line(axis, decision) for axis in decision.gated if axis.comparisons]
    return (first_sentence(decision), *lines, *fall_lines(decision), *notes(decision))


def in_brief(decision: Decision) -> str:
    """Return the decision in a few words for a headline: ``goal_completion (-6.1) regressed``."""
    axes = [axis for axis in decision.gated if axis.status == decision.status]
    names = " and ".join(_with_change(axis) for axis in axes)
    match decision.status:
        case "regressed" | "passed":
            return f"{names} {decision.status}"
        case "inconclusive":
            return f"it cannot be told whether {names} got worse"
        case "incomplete":
            return "the comparison is incomplete"
        case "not_comparable":
            return "the scores cannot be compared with the baseline"
        case "no_baseline":
            return "there is no baseline"
    return "the gate did not run"


def _with_change(axis: AxisDecision) -> str:
    test = axis.worst.deciding if axis.worst is not None else None
    return axis.axis if test is None else f"{axis.axis} ({signed(test.difference)})"


def first_sentence(decision: Decision) -> str:
    """Return what happened and what it means for the merge, without a technical term."""
    return f"{_happened(decision)} {_consequence(decision)}"


def _happened(decision: Decision) -> str:
    match decision.status:
        case "not_run":
            return f"The gate did not run: no session of {decision.suite} was selected."
        case "no_baseline":
            return (
                "There is no baseline to compare with; write one with "
                "--sessioneval-update-baseline and commit it."
            )
        case "not_comparable":
            return drift_sentence(decision) if _only_drifted(decision) else _mismatched(decision)
        case "incomplete":
            return _incomplete(decision)
        case "passed":
            return _held(decision)
    axis, worst = _worst(decision)
    return (
        _regressed(axis, worst, decision) if decision.status == "regressed" else _open(axis, worst)
    )


def _consequence(decision: Decision) -> str:
    match decision.status:
        case "passed":
            return "The merge may go ahead."
        case "inconclusive" if decision.blocks:
            return f"The merge is stopped{_why_stopped(decision)}."
        case "inconclusive":
            return "This is a warning only: the merge may go ahead, but nothing vouches for it."
    return "The merge is stopped." if decision.blocks else "The merge may go ahead, unchecked."


def _why_stopped(decision: Decision) -> str:
    """Return ``: `` and why an undecided comparison stops the merge; empty: as said before."""
    _, worst = _worst(decision)
    if decision.on_inconclusive == "fail":
        return ": [gate] on_inconclusive is fail"
    if "nulls_moved" in worst.reasons:
        return ""
    if _UNLABELLED & {*worst.reasons}:
        return ': [gate] decide_on = "corrected" decides nothing without them'
    if "unproven" in worst.reasons:
        return ": [gate] strict asks for a proof that holds for every kind of failure"
    undecided = [
        test
        for test in (worst.deciding, worst.deciding_changed)
        if test is not None and test.status == "inconclusive"
    ]
    if any(test.powered for test in undecided):
        return ": this suite is large enough to have shown that nothing got worse"
    return ": what was seen is as bad as what is too much"


def _held(decision: Decision) -> str:
    changes = [
        f"{axis.axis} changed by {signed(axis.shown.deciding.difference)} points"
        f"{_by_labels(axis.shown)} (a drop of {axis.margin:g} would be too much)"
        for axis in decision.gated
        if axis.shown is not None and axis.shown.deciding is not None
    ]
    sessions = max((use.pairs for use in decision.baselines), default=0) or decision.sessions
    improved = bool(decision.gated) and all(axis.improved for axis in decision.gated)
    opening = "Scores rose" if improved else "Nothing got worse by as much as matters"
    compared = f"over {count(sessions, 'session')} compared with the baseline"
    return f"{opening}: {compared}, {', '.join(changes)}."


def _regressed(axis: AxisDecision, worst: Comparison, decision: Decision) -> str:
    if "broken_session" in worst.reasons:
        fall = worst.broken[0]
        more = len(worst.broken) - 1
        others = f", and {count(more, 'other session')} fell as badly" if more else ""
        average = ""
        if worst.overall is not None:
            change = worst.overall.difference
            moved = f"{'fell' if change < 0 else 'rose'} by {abs(change):.1f} points"
            average = f" Over {count(worst.overall.pairs, 'session')}, the average {moved}."
        return (
            f"Session {fall.key} fell from {fall.before:.0f} to {fall.after:.0f} on {axis.axis}"
            f"{others}: no single session may fall by more than {decision.break_points:g} points."
            f"{average}"
        )
    on_changed = "regressed" not in worst.reasons
    test = worst.deciding_changed if on_changed else worst.deciding
    if test is None:
        return f"{axis.axis} got worse."
    where = (
        f"on the {test.pairs} re-recorded sessions"
        if on_changed
        else f"over {count(test.pairs, 'session')} compared with the {worst.baseline}"
    )
    means = ""
    if worst.decided_on == "corrected":
        means = f"{_by_labels(worst)},"
    elif not on_changed and worst.baseline_mean is not None and worst.candidate_mean is not None:
        means = f", from {worst.baseline_mean:.1f} to {worst.candidate_mean:.1f},"
    return (
        f"{axis.axis} got worse: its average fell by {-test.difference:.1f} points{means} {where}. "
        f"That is more than chance explains, and a drop of {axis.margin:g} is too much."
    )


def _open(axis: AxisDecision, worst: Comparison) -> str:
    about, test = f"{axis.axis} got worse", worst.deciding
    others_hold = test is None or test.status == "passed"
    if "changed_undecided" in worst.reasons and others_hold:
        about, test = f"the re-recorded sessions got worse on {axis.axis}", worst.deciding_changed
    opening = f"It cannot be told whether {about}:"
    if _UNLABELLED & {*worst.reasons}:
        return f"{opening} {unlabelled(worst)}."
    if test is None:
        return f"{opening} no session has a score both in the {worst.baseline} and now."
    if "nulls_moved" in worst.reasons and test.status == "passed":
        lost, gained = len(worst.nulls.newly_null), len(worst.nulls.newly_scored)
        moved = f"{count(lost, 'session')} lost the score on it and {gained} gained one"
        return f"{opening} {moved}, which chance does not explain."
    change = f"over {count(test.pairs, 'session')} its average changed by "
    change += f"{signed(test.difference)} points{_by_labels(worst)}"
    if test.low is None or test.high is None:
        spread = "and one alone does not show how much that varies"
    elif "unproven" in worst.reasons:
        spread = "and a rare total failure could have gone unseen"
    elif test.low > -(axis.margin or 0) and test.units_missing:
        spread = "and that many are too few to vouch for the rest"
    else:
        spread = f"and the true change may lie anywhere from {signed(test.low)} to "
        spread += f"{signed(test.high)}, where a drop of {axis.margin:g} is too much"
    return f"{opening} {change}, {spread}.{_wanted(worst, test)}"


def _wanted(worst: Comparison, test: MeanTest) -> str:
    if test.units_missing:
        kind = "task" if worst.method == "clustered" else "session"
        if worst.decided_on == "corrected":
            kind = f"labelled {kind}"
        return f" About {count(test.units_missing, f'more {kind}')} would settle it."
    return ""


def _by_labels(one: Comparison) -> str:
    """Return what corrected the mean that decides; empty: nothing did."""
    if one.decided_on == "raw" or one.corrected is None:
        return ""
    return f" by people's labels of {count(one.corrected.labelled, 'session')}"


def _incomplete(decision: Decision) -> str:
    missing = unchecked_canaries(decision)
    lost = sorted({key for use in decision.baselines for key in use.lost})
    if lost:
        missing.append(f"{count(len(lost), 'session')} of the baseline missing ({listed(lost)})")
    shown = [one for axis in decision.gated for one in axis.comparisons]
    unjudged = sorted({gap.key for one in shown for gap in one.unjudged})
    if unjudged:
        missing.append(f"{count(len(unjudged), 'session')} not judged ({listed(unjudged)})")
    if decision.unreadable:
        missing.append(f"{decision.unreadable} unreadable")
    for axis in decision.gated:
        reasons = {reason for one in axis.comparisons for reason in one.reasons}
        if "unverified" in reasons:
            unverified = {key for one in axis.comparisons for key in one.unverified}
            missing.append(f"{len(unverified)} without evidence on {axis.axis}")
        if "all_null" in reasons:
            missing.append(f"no session has a score on {axis.axis} any more")
    return f"The comparison is incomplete: {', '.join(missing)}."


def _only_drifted(decision: Decision) -> bool:
    return not any(use.mismatches for use in decision.baselines)


def _mismatched(decision: Decision) -> str:
    changes = [
        f"the {one.what} changed from {one.before} to {one.after}"
        for use in decision.baselines
        for one in use.mismatches
    ]
    return (
        f"The scores cannot be compared with the baseline: {', '.join(dict.fromkeys(changes))}. "
        "Score the baseline's sessions again with `sessioneval baseline rejudge`, or with "
        "--sessioneval-update-baseline at its commit."
    )


def _worst(decision: Decision) -> tuple[AxisDecision, Comparison]:
    """Return the axis and comparison that the first sentence is about."""
    candidates = [(axis, one) for axis in decision.gated for one in axis.comparisons]

    def badness(item: tuple[AxisDecision, Comparison]) -> tuple[int, bool, float]:
        one = item[1]
        drop = -one.deciding.difference if one.deciding is not None else math.inf
        return SEVERITY.index(one.status or "passed"), one.blocks, drop

    return max(candidates, key=badness)

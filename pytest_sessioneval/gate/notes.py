"""What else a reader of a decision should know."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_sessioneval.gate.canary_notes import canary_notes
from pytest_sessioneval.gate.figures import count, listed, signed
from pytest_sessioneval.gate.outcome import (
    Against,
    AxisDecision,
    BaselineUse,
    Comparison,
    Decision,
    LookTaken,
)
from pytest_sessioneval.gate.rules import FEWEST_LABELS
from pytest_sessioneval.gate.statistics import ALPHA

__all__ = ["fall_lines", "notes"]

_FEW_CHANGED = 5
_FEW_CLUSTERS = 10
_NOISY = 0.5
_DEEPEST = 3
_COVERAGE = 0.05


def notes(decision: Decision) -> tuple[str, ...]:
    """Return what else a reader should know, a sentence each."""
    found: list[str] = [] if decision.against is None else _against_notes(decision.against)
    if decision.partial:
        found.append(f"Only a part of the suite was selected ({decision.partial}).")
    if decision.look is not None:
        found.append(_look_note(decision.look))
    for position, use in enumerate(decision.baselines):
        found.extend(_use_notes(use, decision.suite, first=position == 0))
    found.extend(canary_notes(decision))
    for axis in decision.gated:
        found.extend(_axis_notes(axis, decision))
    return tuple(found)


def _look_note(taken: LookTaken) -> str:
    order = f"in a random order fixed beforehand (seed {taken.seed})"
    if not taken.early:
        looks = f"at the last of {count(taken.looks, 'look')}"
        return f"Decided {looks}, after all {taken.planned} sessions, judged {order}."
    left = count(taken.planned - taken.judged, "session")
    return (
        f"Decided early, after {taken.judged} of {taken.planned} sessions (look {taken.look} of "
        f"{taken.looks}), judged {order}: the other {left} were not judged, so that nothing is "
        "said of any single one of them."
    )


def _against_notes(against: Against) -> list[str]:
    if against.commit is None:
        return [f"Compared with {against.source}."]
    place = f"{against.source} (commit {against.commit[:12]})"
    if against.new_suite:
        return [f"{place} does not have this suite yet: the working tree's own rules count."]
    if not against.overruled:
        same = "the working tree changes neither the baseline nor the rules"
        found = [f"Held against {place}: {same}."]
    else:
        changed = _and(against.overruled)
        found = [f"The working tree changes {changed}: what counts is as in {place}."]
    if against.followed:
        changed = _and(against.followed)
        found.append(f"The working tree changes {changed}, which count as changed: review them.")
    return found


def _and(names: Sequence[str]) -> str:
    return " and ".join([*([", ".join(names[:-1])] if names[:-1] else []), names[-1]])


def _use_notes(use: BaselineUse, suite: str, *, first: bool) -> list[str]:
    found: list[str] = []
    if use.suite is not None:
        found.append(
            f"The {use.name} says that it is of suite {use.suite}, and this is {suite}: sessions "
            "of the same key are compared all the same. After a new name, write the baseline "
            "again; else see that [gate] names the right file."
        )
    if use.lost:
        found.append(
            f"{count(len(use.lost), 'session')} of the {use.name} did not turn up: "
            f"{listed(use.lost)}. If they moved, set [suite] key; if they are gone for good, "
            "write the baseline again."
        )
    if use.left_out:
        were = "was" if len(use.left_out) == 1 else "were"
        found.append(
            f"{count(len(use.left_out), 'session')} of the {use.name} {were} left out by selection."
        )
    if use.added and first:
        are = "is new and has" if len(use.added) == 1 else "are new and have"
        found.append(
            f"{count(len(use.added), 'session')} {are} nothing to be compared with: "
            f"{listed(use.added)}."
        )
    if use.retired:
        are = "is" if len(use.retired) == 1 else "are"
        found.append(
            f"{count(len(use.retired), 'session')} of the {use.name} {are} retired: the newer "
            "baseline does not have them either."
        )
    if abs(use.coverage_after - use.coverage_before) > _COVERAGE:
        found.append(
            f"Judges were shown {use.coverage_after:.0%} of these sessions on average, and "
            f"{use.coverage_before:.0%} of those of the {use.name}: a difference in scores may "
            "come from what they could not see. Give them a larger context, or record less."
        )
    if first and use.pairs and use.changed < min(_FEW_CHANGED, use.pairs):
        few, mostly = (f"Only {use.changed}", "mostly ") if use.changed else ("None", "")
        found.append(
            f"{few} of {use.pairs} transcripts differ from the {use.name}: this {mostly}compares "
            "identical files."
        )
    return found


def _label_notes(axis: AxisDecision, shown: Comparison) -> list[str]:
    """Return what people's labels say beside the decision."""
    corrected = shown.corrected
    if corrected is None or corrected.overall is None or axis.margin is None:
        return []
    test = corrected.overall
    found: list[str] = []
    if corrected.human is not None and corrected.judge is not None:
        found.append(
            f"{axis.axis}: on {count(corrected.labelled, 'session')} that people labelled they "
            f"saw a change of {signed(corrected.human)}, the judge {signed(corrected.judge)}."
        )
    enough = test.units >= FEWEST_LABELS and test.low is not None
    borne_out = test.p_noninferior < ALPHA
    if shown.decided_on == "raw" and axis.status == "passed" and enough and not borne_out:
        found.append(
            f"{axis.axis} passed by the judge's scores, and people's labels do not bear it out: "
            '[gate] decide_on = "corrected" would decide by them.'
        )
    return found


def fall_lines(decision: Decision) -> tuple[str, ...]:
    """Return, per gated axis that did not pass, how many fell and rose, and the deepest falls."""
    return tuple(
        f"{axis.axis}: {_falls(axis.worst)}."
        for axis in decision.gated
        if axis.status != "passed" and axis.worst is not None and axis.worst.falls
    )


def _falls(one: Comparison) -> str:
    deepest = [f"{fall.key} {fall.before:.0f} to {fall.after:.0f}" for fall in one.falls[:_DEEPEST]]
    of_all = (
        f"{one.fell} of {count(one.overall.pairs, 'session')}" if one.overall else f"{one.fell}"
    )
    return f"{of_all} fell and {one.rose} rose; the deepest falls: {', '.join(deepest)}"


def _axis_notes(axis: AxisDecision, decision: Decision) -> list[str]:
    found: list[str] = []
    shown = axis.shown
    if shown is not None and shown.broken and shown.risen >= len(shown.broken):
        found.append(
            f"{axis.axis}: {count(shown.risen, 'session')} rose by more than "
            f"{decision.break_points:g} too, so that is how much single scores vary here: "
            "consider more repeats, or a larger [gate] break."
        )
    if shown is None or shown.overall is None:
        return found
    test = shown.overall
    found.extend(_label_notes(axis, shown))
    if shown.method == "clustered" and test.units < _FEW_CLUSTERS:
        found.append(
            f"{axis.axis}: its sessions share {count(test.units, 'task')}, and that few tell "
            "little about other tasks."
        )
    if shown.judge_noise_share is not None and shown.judge_noise_share > _NOISY:
        found.append(
            f"{axis.axis}: most of the uncertainty is the judge's own; more repeats help more "
            "than more sessions."
        )
    if shown.nulls.newly_null and shown.nulls.worst_difference is not None:
        found.append(
            f"{axis.axis}: {count(len(shown.nulls.newly_null), 'session')} had a score before "
            f"and have none now; had they scored 0, the change would be "
            f"{signed(shown.nulls.worst_difference)}."
        )
    if axis.status == "passed" and not decision.strict and shown.falls:
        fall = shown.falls[0]
        found.append(
            f"{axis.axis}: deepest fall {fall.key}, {fall.before:.0f} to {fall.after:.0f}."
        )
    return found

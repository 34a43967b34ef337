"""What the canaries say of the judge, in words."""

from __future__ import annotations

from pytest_sessioneval.gate.canaries import CanaryCheck
from pytest_sessioneval.gate.drift import FEWEST_CANARIES, AxisDrift
from pytest_sessioneval.gate.figures import count, listed, p_value, signed
from pytest_sessioneval.gate.outcome import Decision

__all__ = ["canary_notes", "drift_sentence", "unchecked_canaries"]

_WRITE = "`sessioneval baseline canaries`"


def drift_sentence(decision: Decision) -> str:
    """Return that the judge moved, on which gated axes, and what to do."""
    gated = {axis.axis for axis in decision.gated}
    check = next(one for one in decision.canaries if gated.intersection(one.moved))
    shifts = [
        f"{drift.axis} by {signed(drift.shift or 0.0)} points"
        for drift in check.drifts
        if drift.axis in gated and drift.status == "moved"
    ]
    return (
        f"The judge moved, not the agent: the {count(check.canaries, 'canary session')}, whose "
        f"transcripts have not changed, score differently than when the {check.baseline} was "
        f"written ({', '.join(shifts)}), beyond chance: scores cannot be compared with it. Name a "
        "dated version of the judge's model if there is one, and score the baseline again with "
        "`sessioneval baseline rejudge --fresh`."
    )


def unchecked_canaries(decision: Decision) -> list[str]:
    """Return why the canaries vouch for nothing, a clause each; empty: they do, or may not."""
    if not decision.canaries or not decision.baselines:
        return []
    check = decision.canaries[0]
    if check.baseline != decision.baselines[0].name:
        return []
    if check.state == "no_scores":
        return [f"the baseline has no scores of the canaries (write them with {_WRITE})"]
    kinds = (
        (check.lost, "missing"),
        (check.changed, "no longer as they were"),
        (check.unjudged, "not judged"),
    )
    return [
        f"{count(len(keys), 'canary session')} {kind} ({listed(keys)})"
        for keys, kind in kinds
        if keys
    ]


def canary_notes(decision: Decision) -> list[str]:
    """Return what a reader should know of the canaries, a sentence each."""
    gated = {axis.axis for axis in decision.gated}
    found = []
    for position, check in enumerate(decision.canaries):
        if check.state == "checked":
            found += _checked(check, gated, first=position == 0)
        elif check.state == "not_asked":
            found.append(
                "The canaries were not judged in this run: it cannot say whether the judge moved "
                f"since the {check.baseline} was written."
            )
        elif position:
            found.append(
                f"The {check.baseline} has no scores of canaries: whether the judge moved since it "
                "was pinned is not known."
            )
    return list(dict.fromkeys(found))


def _checked(check: CanaryCheck, gated: set[str], *, first: bool) -> list[str]:
    found = [
        f"{drift.axis}: the judge moved, not the agent. The {check.canaries} canaries score "
        f"{_shift(drift)} against the {check.baseline}'s ({p_value(drift.p_value or 0.0)})."
        for drift in check.drifts
        if drift.status == "moved" and drift.axis in gated
    ]
    beside = [
        f"{drift.axis} {signed(drift.shift or 0.0)}"
        for drift in check.drifts
        if drift.status == "moved" and drift.axis not in gated
    ]
    if beside:
        found.append(
            f"The judge moved since the {check.baseline} was written on axes that decide nothing, "
            f"too: {', '.join(beside)}."
        )
    steady = [drift for drift in check.drifts if drift.status == "steady" and drift.axis in gated]
    if steady:
        said = ", ".join(f"{drift.axis} {_shift(drift)}" for drift in steady)
        found.append(
            f"The judge did not move since the {check.baseline} was written, as "
            f"{count(check.canaries, 'canary session')} judged again show: {said}."
        )
    few = [drift for drift in check.drifts if drift.status == "too_few" and drift.axis in gated]
    found += [
        f"{drift.axis}: {count(drift.canaries, 'canary session')} with a score cannot tell whether "
        f"the judge moved; {FEWEST_CANARIES} can."
        for drift in few
    ]
    if check.added and first:
        found.append(
            f"{count(len(check.added), 'canary session')} without a score in the {check.baseline}: "
            f"{listed(check.added)}. Write it with {_WRITE}."
        )
    return found


def _shift(drift: AxisDrift) -> str:
    said = signed(drift.shift or 0.0)
    if drift.low is None or drift.high is None:
        return said
    return f"{said} [{signed(drift.low)}, {signed(drift.high)}]"

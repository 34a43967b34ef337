"""One session measured: what the embedded judge says on every axis it is asked about."""

from __future__ import annotations

from pytest_sessioneval.judging.model import Case
from pytest_sessioneval.judging.process.estimate import estimate_goal
from pytest_sessioneval.judging.process.goal import score_goal
from pytest_sessioneval.judging.process.reading import read
from pytest_sessioneval.judging.process.scope import (
    NO_SELF_EXTENSION,
    SCORED_AXES,
    TEXT_CAP,
    UNKNOWN_AXIS,
)
from pytest_sessioneval.judging.process.scoring import score_axis
from pytest_sessioneval.judging.process.signals import Signals, measure
from pytest_sessioneval.suites.calibration import Calibration
from pytest_sessioneval.suites.model import Axis
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import AxisOpinion, Evidence, Scored, Unscored

__all__ = ["opinions", "signals_of"]


def signals_of(transcript: Transcript, max_chars: int, profile: str) -> Signals:
    """Return what the judge measures of a session; ``max_chars`` and ``profile`` as in a case."""
    return measure(read(transcript, min(TEXT_CAP, max_chars), profile))


def opinions(
    case: Case, signals: Signals, calibration: Calibration | None
) -> dict[str, AxisOpinion]:
    """Return the opinion on each of the case's axes.

    ``calibration`` estimates goal_completion where neither an expectation nor an
    outcome decides it.
    """
    return {axis.name: _opinion(axis, case, signals, calibration) for axis in case.axes}


def _opinion(
    axis: Axis, case: Case, signals: Signals, calibration: Calibration | None
) -> AxisOpinion:
    if axis.name in SCORED_AXES:
        return score_axis(axis, signals)
    if axis.name == "goal_completion":
        decided = score_goal(axis, case.transcript, case.expectations, use_outcome=case.use_outcome)
        if calibration is None or isinstance(decided, Scored):
            return decided
        return estimate_goal(calibration, case.transcript, signals)
    if axis.name == "self_extension":
        return _self_extension(signals)
    return Unscored(reason="unsupported", detail=UNKNOWN_AXIS)


def _self_extension(signals: Signals) -> Unscored:
    if not signals.extensions:
        return Unscored(
            reason="not_applicable",
            detail="no skill, instruction, hook or memory file was written in this session",
        )
    named = ", ".join(finding.text for finding in signals.extensions[:5])
    return Unscored(
        reason="unsupported",
        detail=f"{NO_SELF_EXTENSION} (written: {named})",
        evidence=tuple(
            Evidence(
                message=cite.message,
                agent_id=cite.agent_id,
                polarity="positive",
                note=f"writes {finding.text}",
            )
            for finding in signals.extensions[:12]
            for cite in finding.cites
        ),
    )

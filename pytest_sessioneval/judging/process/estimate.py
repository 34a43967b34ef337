"""Goal completion as an estimated probability, from a calibration on the user's own labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_sessioneval.judging.process.features import FEATURES, Feature, feature_values
from pytest_sessioneval.judging.process.signals import Signals
from pytest_sessioneval.suites.calibration import Calibration, kind_of
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import AxisOpinion, Evidence, Scored, Unscored

__all__ = ["estimate_goal", "estimate_notice"]

_LEAST_TOLD = 0.1
_MOST_TOLD = 3
_MOST_CITED = 4


def estimate_notice(calibration: Calibration) -> str:
    """Return what a report says of estimated scores."""
    return (
        "Where nothing written or recorded decides it, goal_completion is an estimate: the "
        f"probability of success by the calibration {calibration.version}, fitted to "
        f"{calibration.labels:,} labelled sessions of which {calibration.successes:,} "
        f"succeeded (AUC {calibration.auc} on tasks held out; 0.5 is a coin). It "
        "rests on process; nobody looked at the result."
    )


def estimate_goal(
    calibration: Calibration, transcript: Transcript, signals: Signals
) -> AxisOpinion:
    """Return 100 × the estimated probability that the session succeeded, rounded.

    ``unsupported`` where the session is of a kind of task that the labels did not
    hold, unless the fit was shown to hold for new kinds.
    """
    kind = kind_of(transcript.metadata, calibration.kind_key)
    if not calibration.knows(kind):
        return Unscored(reason="unsupported", detail=_unknown_kind(calibration, kind))
    values = feature_values(signals)
    chance = calibration.probability(values)
    usual = calibration.successes / calibration.labels
    lowered, raised = _reasons(calibration, values)
    said = (
        f"Estimated, not observed: a probability of success of {chance:.0%} by "
        f"{calibration.version} (AUC {calibration.auc} on tasks held out; of the labelled "
        f"sessions {usual:.0%} succeeded)."
    )
    for word, reasons in (("Lowered", lowered), ("Raised", raised)):
        if reasons:
            said += f" {word} by {', '.join(reason.text for reason in reasons)}."
    return Scored(score=round(100 * chance), comment=said, evidence=_evidence(lowered, signals))


@dataclass(frozen=True, slots=True)
class _Reason:
    feature: Feature
    odds: float
    """What it adds to the log odds."""
    text: str


def _reasons(
    calibration: Calibration, values: Sequence[float]
) -> tuple[list[_Reason], list[_Reason]]:
    """Return what lowers the estimate most, and what raises it most."""
    found = [
        _Reason(
            feature,
            weighed.contribution(value),
            f"{feature.says} {'above' if value > weighed.mean else 'below'} average",
        )
        for feature, weighed, value in zip(FEATURES, calibration.features, values, strict=True)
    ]
    found.sort(key=lambda reason: reason.odds)
    lowered = [reason for reason in found if reason.odds <= -_LEAST_TOLD]
    raised = [reason for reason in reversed(found) if reason.odds >= _LEAST_TOLD]
    return lowered[:_MOST_TOLD], raised[:_MOST_TOLD]


def _unknown_kind(calibration: Calibration, kind: str | None) -> str:
    known = ", ".join(known.name or "none" for known in calibration.kinds)
    return (
        f"{calibration.version} was fitted to sessions whose {calibration.kind_key} is {known}, "
        f"and this one's is {kind or 'none'}: what tells success from failure there says nothing "
        "here; label some of these, too, and calibrate again"
    )


def _evidence(lowered: Sequence[_Reason], signals: Signals) -> tuple[Evidence, ...]:
    """Return where the findings are that lowered the estimate."""
    kinds = dict.fromkeys(kind for reason in lowered for kind in reason.feature.kinds)
    findings = [finding for kind in kinds for finding in signals.of(kind)]
    return tuple(
        Evidence(
            message=cite.message,
            quote=cite.quote,
            agent_id=cite.agent_id,
            note=f"counts towards the estimate: {finding.kind.replace('_', ' ')}",
        )
        for finding in findings[:_MOST_CITED]
        for cite in finding.cites[:1]
    )

"""One axis of one run against people's random labels: bias, corrected mean, calibration, passes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.calibration import FEWEST_LABELS, calibrate, corrected_rate
from pytest_sessioneval.gate.correction import Labelled, Unlabelled, corrected_estimate
from pytest_sessioneval.gate.pairing import Unit
from pytest_sessioneval.gate.people import DrawScores
from pytest_sessioneval.gate.statistics import interval

__all__ = ["CalibratedMean", "CorrectedPasses", "LabelCheck", "ScoredSession", "check_labels"]

_SCALE = (0.0, 100.0)


@dataclass(frozen=True, slots=True)
class ScoredSession:
    """One session with the judge's score on the axis."""

    digest: str
    score: float
    unit: Unit


class CalibratedMean(Frozen):
    """An isotonic calibration of the judge's scores to people's: shown, and applied to none."""

    version: str
    """``isotonic@1#digest``: other labels, another version."""
    knots: tuple[tuple[float, float], ...]
    """(judge's score, people's score); between them the line is straight."""
    mean: float
    """Mean of the calibrated scores over all sessions, 0–100."""
    error: float
    """Mean distance of calibrated scores from people's, in points, on labels held out."""


class CorrectedPasses(Frozen):
    """The share of sessions at or above a threshold, corrected for the judge's mistakes."""

    threshold: float
    """The threshold, 0–100."""
    raw: float
    """The share that the judge passes, 0–1."""
    share: float | None
    """The corrected share (Rogan–Gladen); null: the judge tells pass from fail no better than
    chance, or people passed all or none."""
    low: float | None
    """Lower limit of its 90 % interval."""
    high: float | None
    """Upper limit."""


class LabelCheck(Frozen):
    """One axis of a run, held against people's labels of one random draw."""

    axis: str
    """The axis."""
    draw: str
    """The draw: the name of a queue."""
    sessions: int
    """Scored sessions."""
    drawn: int
    """Those of them that were drawn."""
    labels: int
    """Those of these that people scored."""
    people: float
    """People's mean over the labelled, 0–100."""
    judge: float
    """The judge's mean over the same."""
    error: float
    """Mean distance of judge and people, in points."""
    raw_mean: float
    """The judge's mean over all sessions."""
    mean: float
    """The same corrected by people's labels (PPI++)."""
    low: float | None
    """Lower limit of its 90 % interval; null: one label."""
    high: float | None
    """Upper limit."""
    calibrated: CalibratedMean | None
    """Null: fewer than 50 labels, or labels of a single task."""
    passes: CorrectedPasses | None
    """Null: the axis has no threshold for sessions."""

    @property
    def labels_missing(self) -> int:
        """How many more labels a calibration needs; 0: none."""
        return max(0, FEWEST_LABELS - self.labels)


def check_labels(
    axis: str,
    sessions: Sequence[ScoredSession],
    draws: Sequence[DrawScores],
    *,
    threshold: float | None = None,
) -> LabelCheck | None:
    """Return how the axis stands against the draw with the most labels; None without a label."""
    digests = {one.digest for one in sessions}
    labelled_by = {draw.name: len(digests & draw.scores.keys()) for draw in draws}
    best = max(draws, key=lambda draw: labelled_by[draw.name], default=None)
    if best is None or not labelled_by[best.name]:
        return None
    known = [
        Labelled(best.scores[one.digest], one.score, one.unit)
        for one in sessions
        if one.digest in best.scores
    ]
    rest = [one for one in sessions if one.digest not in best.scores]
    corrected = corrected_estimate(known, [Unlabelled(one.score, one.unit) for one in rest])
    if corrected is None:
        return None
    calibration = calibrate(known, [one.score for one in rest])
    low, high = interval(corrected.estimate)
    sure = math.isfinite(low)
    return LabelCheck(
        axis=axis,
        draw=best.name,
        sessions=len(sessions),
        drawn=sum(one.digest in best.digests for one in sessions),
        labels=len(known),
        people=corrected.human,
        judge=corrected.judge,
        error=fmean(abs(one.judge - one.human) for one in known),
        raw_mean=fmean(one.score for one in sessions),
        mean=min(max(corrected.estimate.mean, _SCALE[0]), _SCALE[1]),
        low=max(low, _SCALE[0]) if sure else None,
        high=min(high, _SCALE[1]) if sure else None,
        calibrated=None
        if calibration is None
        else CalibratedMean(
            version=calibration.version,
            knots=calibration.function.knots,
            mean=calibration.mean,
            error=calibration.error,
        ),
        passes=None if threshold is None else _passes(sessions, known, threshold),
    )


def _passes(
    sessions: Sequence[ScoredSession], known: Sequence[Labelled], threshold: float
) -> CorrectedPasses:
    passed = sum(one.score >= threshold for one in sessions)
    good = [one.judge >= threshold for one in known if one.human >= threshold]
    bad = [one.judge < threshold for one in known if one.human < threshold]
    rate = corrected_rate(
        passed=(passed, len(sessions)),
        true_passes=(sum(good), len(good)),
        true_fails=(sum(bad), len(bad)),
    )
    return CorrectedPasses(
        threshold=threshold,
        raw=passed / len(sessions),
        share=None if rate is None else rate.share,
        low=None if rate is None else rate.low,
        high=None if rate is None else rate.high,
    )

"""Fits the embedded judge to labels, and tells whether the fit is worth using."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.labelling import LabelledSession
from pytest_sessioneval.gate.fitting.discrimination import (
    Cases,
    HeldOut,
    kinds_held_out,
    tasks_held_out,
)
from pytest_sessioneval.gate.fitting.logistic import fit_logistic
from pytest_sessioneval.judging.evidence_judge import VERSION
from pytest_sessioneval.judging.process.features import FEATURES
from pytest_sessioneval.suites.calibration import (
    Calibration,
    Estimate,
    FeatureWeight,
    KindOfTask,
)

__all__ = ["FEWEST_FAILURES", "FEWEST_LABELS", "FEWEST_TASKS", "RIDGE", "Attempt", "calibrate"]

FEWEST_LABELS = 40
FEWEST_FAILURES = 8
"""Failures, and successes: with fewer, which ones they are decides the figures."""
FEWEST_TASKS = 10
"""Tasks are what is held out and resampled."""
RIDGE = 5.0
"""A normal prior with a standard deviation of 0.45 on what a feature weighs. Between 1 and 10 it
hardly matters (docs/judges.md); it is fixed, because choosing it would take labels, too."""
_SEED = 20_261_122
_COIN = 0.5
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Attempt:
    """What calibrating came to."""

    held_out: HeldOut
    """On tasks that were held out."""
    new_kinds: HeldOut | None
    """On kinds of task that were held out; None: fewer than two could be."""
    calibration: Calibration
    """The fit to all labels."""

    @property
    def holds(self) -> bool:
        """Whether the fit may be used: its interval lies above 0.5."""
        return self.held_out.low > _COIN


def calibrate(sessions: Sequence[LabelledSession], *, kind_key: str | None) -> Attempt:
    """Return the fit, and how well fits predict what was held out of them.

    Deterministic. Raises ``SettingError`` where the labels are too few to tell.
    """
    _check_enough(sessions)
    cases = Cases(
        rows=[one.values for one in sessions],
        labels=[one.success for one in sessions],
        tasks=[one.task for one in sessions],
        kinds=[one.kind for one in sessions],
    )
    held_out = tasks_held_out(cases, ridge=RIDGE, seed=_SEED)
    if held_out is None:
        raise SettingError(
            "no kind of task has both successes and failures among its labels, so nothing can be "
            "compared; label sessions of both kinds of outcome"
        )
    several = len(set(cases.kinds)) > 1
    new_kinds = kinds_held_out(cases, ridge=RIDGE, seed=_SEED) if several else None
    return Attempt(
        held_out=held_out,
        new_kinds=new_kinds,
        calibration=_calibration(cases, held_out, new_kinds, kind_key),
    )


def _check_enough(sessions: Sequence[LabelledSession]) -> None:
    successes = sum(one.success for one in sessions)
    for found, wanted, what in (
        (len(sessions), FEWEST_LABELS, "labelled sessions"),
        (successes, FEWEST_FAILURES, "labelled successes"),
        (len(sessions) - successes, FEWEST_FAILURES, "labelled failures"),
        (len({one.task for one in sessions}), FEWEST_TASKS, "labelled tasks"),
    ):
        if found < wanted:
            raise SettingError(
                f"{found} {what}, and a calibration needs at least {wanted}: with fewer nobody "
                "can tell whether it means anything; label more sessions (--labels FILE), or "
                "give a folder whose transcripts record outcomes"
            )


def _calibration(
    cases: Cases, held_out: HeldOut, new_kinds: HeldOut | None, kind_key: str | None
) -> Calibration:
    fit = fit_logistic(cases.rows, cases.labels, ridge=RIDGE)
    columns = zip(FEATURES, fit.means, fit.scales, fit.weights, strict=True)
    labelled = Counter(cases.kinds)
    succeeded = Counter(
        kind for kind, label in zip(cases.kinds, cases.labels, strict=True) if label
    )
    return Calibration(
        measures=VERSION,
        features=tuple(
            FeatureWeight(
                name=feature.name,
                mean=round(mean, _DIGITS),
                scale=round(scale, _DIGITS),
                weight=round(weight, _DIGITS),
            )
            for feature, mean, scale, weight in columns
        ),
        intercept=round(fit.intercept, _DIGITS),
        ridge=RIDGE,
        labels=len(cases.labels),
        successes=sum(cases.labels),
        tasks=len(set(cases.tasks)),
        auc=_estimate(held_out),
        kind_key=kind_key,
        kinds=()
        if kind_key is None
        else tuple(
            KindOfTask(name=kind, labels=labelled[kind], successes=succeeded[kind])
            for kind in sorted(labelled, key=lambda kind: (kind is None, kind))
        ),
        auc_new_kinds=None if new_kinds is None else _estimate(new_kinds),
    )


def _estimate(found: HeldOut) -> Estimate:
    return Estimate(
        value=round(found.auc, _DIGITS),
        low=round(found.low, _DIGITS),
        high=round(found.high, _DIGITS),
    )

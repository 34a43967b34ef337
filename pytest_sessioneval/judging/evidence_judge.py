"""The embedded judge: measures evidence of process and checks written expectations.

Deterministic, standard library only, no network, one seat. It does not know
whether a task was solved, and says so; docs/evidence-judge.md holds what it
measures, how, and how far that can be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.judging.model import Answer, Case
from pytest_sessioneval.judging.process.scope import (
    HOW_TO_SCORE_GOAL,
    MEASURED_METRICS,
    NO_SELF_EXTENSION,
    SCORED_AXES,
    TEXT_CAP,
    UNKNOWN_AXIS,
    UNMEASURED,
)
from pytest_sessioneval.suites.calibration import Calibration
from pytest_sessioneval.suites.model import Suite

__all__ = ["NOTICE", "NOTICE_OF_METRICS", "TEXT_CAP", "VERSION", "EvidenceJudge"]

VERSION = 2
"""Raised whenever the same session may get another score; goes into every verdict key."""

NOTICE = (
    "The embedded judge measures evidence of process (errors, repetition, unanswered turns, "
    "figures from nowhere) and checks written expectations; it does not know whether a task was "
    "solved, and its scores are no judgement of quality."
)
"""What every report says of these scores."""

NOTICE_OF_METRICS = (
    "Of an answer and its contexts the embedded judge compares words, ids and calls; it does not "
    "understand them: an answer in other words scores low, and one that turns the meaning round "
    "may score high."
)
"""The same of a rubric's metrics."""


class EvidenceJudge:
    """Scores sessions by evidence of process; safe to call from several threads at once.

    Scores are integers 0–100 whatever the rubric's score mode: they are measured,
    not chosen among its levels. With a ``calibration`` it estimates
    goal_completion where neither an expectation nor an outcome decides it; raises
    ``SuiteError`` when that was fitted to other measures than today's.
    """

    name = "evidence"
    sees_metadata = True  # an id or a figure that stands there is not made up
    shares_prefix = False

    def __init__(self, calibration: Calibration | None = None) -> None:
        if calibration is not None:
            _check_measures(calibration)
        self._calibration = calibration
        self._estimates = ""
        self._model = f"{self.name}@{VERSION}"
        if calibration is not None:
            from pytest_sessioneval.judging.process.estimate import estimate_notice  # noqa: PLC0415

            self._estimates = f" {estimate_notice(calibration)}"
            self._model += f"+{calibration.version}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Return the judge's name, version, reading limit, and calibration if it has one."""
        known: dict[str, Any] = {"name": self.name, "version": VERSION, "text_cap": TEXT_CAP}
        if self._calibration is not None:
            known["calibration"] = self._calibration.version
        return known

    def notice(self, suite: Suite) -> str:
        """Return what its scores of that suite's rubric are worth, in plain words."""
        compared = [axis.metric is not None for axis in suite.rubric.axes]
        of_process = "" if all(compared) else f"{NOTICE}{self._estimates}"
        return " ".join(filter(None, (of_process, NOTICE_OF_METRICS if any(compared) else "")))

    def unsupported(self, suite: Suite) -> Mapping[str, str]:
        """Return the axes that no session of the suite gets a score on, and what would help."""
        found: dict[str, str] = {}
        settings = suite.settings
        for each in suite.rubric.axes:
            axis = each.name
            if each.metric is not None:
                if each.metric not in MEASURED_METRICS:
                    found[axis] = UNMEASURED
            elif axis in SCORED_AXES:
                continue
            elif axis == "goal_completion":
                decided = settings.expect or settings.suite.use_outcome
                if not (decided or self._calibration):
                    found[axis] = HOW_TO_SCORE_GOAL
            else:
                found[axis] = NO_SELF_EXTENSION if axis == "self_extension" else UNKNOWN_AXIS
        return found

    def judge(self, case: Case) -> Answer:
        """Return the scores of one session; the same case always gets the same answer."""
        # Where every verdict is stored, nothing is measured: see ``process.scope``.
        names = {axis.name: axis.metric for axis in case.axes if axis.metric is not None}
        if not names:
            return self._of_process(case)
        from pytest_sessioneval.judging.metrics.measured import measured  # noqa: PLC0415

        axes, coverage = measured(names, case.transcript, min(TEXT_CAP, case.max_chars))
        rest = tuple(axis for axis in case.axes if axis.metric is None)
        if not rest:
            return Answer(axes=axes, model=self._model, coverage=coverage)
        of_process = self._of_process(replace(case, axes=rest))
        return replace(
            of_process,
            axes={**of_process.axes, **axes},
            coverage=min(coverage, of_process.coverage),
        )

    def _of_process(self, case: Case) -> Answer:
        from pytest_sessioneval.judging.process.opinions import opinions, signals_of  # noqa: PLC0415

        signals = signals_of(case.transcript, case.max_chars, case.profile)
        return Answer(
            axes=opinions(case, signals, self._calibration),
            model=self._model,
            coverage=signals.coverage,
        )

    def close(self) -> None:
        """Release nothing: the judge holds nothing."""


def _check_measures(calibration: Calibration) -> None:
    from pytest_sessioneval.judging.process.features import FEATURES  # noqa: PLC0415

    names = [feature.name for feature in calibration.features]
    if calibration.measures != VERSION or names != [feature.name for feature in FEATURES]:
        raise SuiteError(
            f"[judge] calibration: {calibration.version} was fitted to version "
            f"{calibration.measures} of what the embedded judge measures, and this is version "
            f"{VERSION}: write it again with `sessioneval calibrate`"
        )

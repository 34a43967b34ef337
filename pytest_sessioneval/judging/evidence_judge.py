"""The embedded judge: measures evidence of process and checks written expectations.

Deterministic, standard library only, no network, one seat. It does not know
whether a task was solved, and says so; docs/evidence-judge.md holds what it
measures, how, and how far that can be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.judging.model import Answer, Case
from pytest_sessioneval.judging.process.estimate import estimate_goal, estimate_notice
from pytest_sessioneval.judging.process.features import FEATURES
from pytest_sessioneval.judging.process.goal import HOW_TO_SCORE_GOAL, score_goal
from pytest_sessioneval.judging.process.reading import read
from pytest_sessioneval.judging.process.scoring import SCORED_AXES, score_axis
from pytest_sessioneval.judging.process.signals import Signals, measure
from pytest_sessioneval.suites.calibration import Calibration
from pytest_sessioneval.suites.model import Axis, Suite
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import AxisOpinion, Evidence, Scored, Unscored

__all__ = ["NOTICE", "TEXT_CAP", "VERSION", "EvidenceJudge", "signals_of"]

VERSION = 2
"""Raised whenever the same session may get another score; goes into every verdict key."""

TEXT_CAP = 400_000
"""Most characters of one session that are read; a longer session is shortened and says so."""

NOTICE = (
    "The embedded judge measures evidence of process (errors, repetition, unanswered turns, "
    "figures from nowhere) and checks written expectations; it does not know whether a task was "
    "solved, and its scores are no judgement of quality."
)
"""What every report says of these scores."""

_SELF_EXTENSION = (
    "evidence of process cannot tell whether a change to the agent's own means will serve: ask a "
    "judge model"
)
_UNKNOWN_AXIS = "the embedded judge has no measure for this axis: ask a judge model"


class EvidenceJudge:
    """Scores sessions by evidence of process; safe to call from several threads at once.

    Scores are integers 0–100 whatever the rubric's score mode: they are measured,
    not chosen among its levels. With a ``calibration`` it estimates
    goal_completion where neither an expectation nor an outcome decides it; raises
    ``SuiteError`` when that was fitted to other measures than today's.
    """

    name = "evidence"
    sees_metadata = True  # an id or a figure that stands there is not made up

    def __init__(self, calibration: Calibration | None = None) -> None:
        if calibration is not None:
            _check_measures(calibration)
        self._calibration = calibration
        self.notice = NOTICE
        self._model = f"{self.name}@{VERSION}"
        if calibration is not None:
            self.notice += f" {estimate_notice(calibration)}"
            self._model += f"+{calibration.version}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Return the judge's name, version, reading limit, and calibration if it has one."""
        known: dict[str, Any] = {"name": self.name, "version": VERSION, "text_cap": TEXT_CAP}
        if self._calibration is not None:
            known["calibration"] = self._calibration.version
        return known

    def unsupported(self, suite: Suite) -> Mapping[str, str]:
        """Return the axes that no session of the suite gets a score on, and what would help."""
        found: dict[str, str] = {}
        settings = suite.settings
        for axis in suite.rubric.axis_names:
            if axis in SCORED_AXES:
                continue
            if axis == "goal_completion":
                decided = settings.expect or settings.suite.use_outcome
                if not (decided or self._calibration):
                    found[axis] = HOW_TO_SCORE_GOAL
            else:
                found[axis] = _SELF_EXTENSION if axis == "self_extension" else _UNKNOWN_AXIS
        return found

    def judge(self, case: Case) -> Answer:
        """Return the scores of one session; the same case always gets the same answer."""
        signals = signals_of(case.transcript, case.max_chars, case.profile)
        return Answer(
            axes={axis.name: self._opinion(axis, case, signals) for axis in case.axes},
            model=self._model,
            coverage=signals.coverage,
        )

    def close(self) -> None:
        """Release nothing: the judge holds nothing."""

    def _opinion(self, axis: Axis, case: Case, signals: Signals) -> AxisOpinion:
        if axis.name in SCORED_AXES:
            return score_axis(axis, signals)
        if axis.name == "goal_completion":
            return self._goal(axis, case, signals)
        if axis.name == "self_extension":
            return _self_extension(signals)
        return Unscored(reason="unsupported", detail=_UNKNOWN_AXIS)

    def _goal(self, axis: Axis, case: Case, signals: Signals) -> AxisOpinion:
        decided = score_goal(axis, case.transcript, case.expectations, use_outcome=case.use_outcome)
        if self._calibration is None or isinstance(decided, Scored):
            return decided
        return estimate_goal(self._calibration, case.transcript, signals)


def signals_of(transcript: Transcript, max_chars: int, profile: str) -> Signals:
    """Return what the judge measures of a session; ``max_chars`` and ``profile`` as in a case."""
    return measure(read(transcript, min(TEXT_CAP, max_chars), profile))


def _check_measures(calibration: Calibration) -> None:
    names = [feature.name for feature in calibration.features]
    if calibration.measures != VERSION or names != [feature.name for feature in FEATURES]:
        raise SuiteError(
            f"{calibration.version} was fitted to version {calibration.measures} of what the "
            f"embedded judge measures, and this is version {VERSION}: write it again with "
            "`sessioneval calibrate`"
        )


def _self_extension(signals: Signals) -> Unscored:
    if not signals.extensions:
        return Unscored(
            reason="not_applicable",
            detail="no skill, instruction, hook or memory file was written in this session",
        )
    named = ", ".join(finding.text for finding in signals.extensions[:5])
    return Unscored(
        reason="unsupported",
        detail=f"{_SELF_EXTENSION} (written: {named})",
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

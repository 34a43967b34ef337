"""Which axes the embedded judge scores, and what it says of the others.

Apart from the measuring, whose patterns take a tenth of a second to compile:
a run whose verdicts are all stored needs only this.
"""

from __future__ import annotations

from pytest_sessioneval.judging.process.rules import RULES
from pytest_sessioneval.suites.metrics import MetricName

__all__ = [
    "HOW_TO_SCORE_GOAL",
    "MEASURED_METRICS",
    "NO_SELF_EXTENSION",
    "SCORED_AXES",
    "TEXT_CAP",
    "UNKNOWN_AXIS",
    "UNMEASURED",
]

SCORED_AXES = ("task_complexity", *RULES)
"""The axes that evidence of process scores."""

MEASURED_METRICS: frozenset[MetricName] = frozenset(
    {
        "faithfulness",
        "id_based_context_precision",
        "id_based_context_recall",
        "tool_call_f1",
    }
)
"""The metrics that words, ids and calls give without a model."""

UNMEASURED = (
    "the embedded judge compares words, ids and calls only: ask a judge model for this metric"
)
"""What a report says of the other metrics."""

HOW_TO_SCORE_GOAL = (
    "the embedded judge does not know whether a task was solved: write [[expect]] entries, set "
    "use_outcome = true where the transcripts record an outcome, have it estimated after "
    "`sessioneval calibrate`, or ask a judge model"
)
"""What a report says where goal_completion has no score."""

NO_SELF_EXTENSION = (
    "evidence of process cannot tell whether a change to the agent's own means will serve: ask a "
    "judge model"
)
"""What a report says where self_extension has no score."""

UNKNOWN_AXIS = "the embedded judge has no measure for this axis: ask a judge model"
"""What a report says of an axis that a rubric added."""

TEXT_CAP = 400_000
"""Most characters of one session that are read; a longer session is shortened and says so."""

"""What code knows of a session stands before what a judge says of it (METHOD section 4.2).

Written expectations, and with ``use_outcome`` the recorded outcome, are checked
without a model: no text in the session can talk them away.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_sessioneval.judging.model import Case
from pytest_sessioneval.judging.process.goal import score_goal
from pytest_sessioneval.verdicts.model import AxisOpinion, Scored

__all__ = ["held_to_checks"]

_GOAL = "goal_completion"


def held_to_checks(axes: Mapping[str, AxisOpinion], case: Case) -> dict[str, AxisOpinion]:
    """Return a judge's answer with goal_completion no higher than what was checked in code.

    A lower score of the judge's stands: that everything expected happened does
    not say that it was enough. Without anything to check the answer is as it was.
    """
    given = axes.get(_GOAL)
    if not isinstance(given, Scored) or not (case.expectations or case.use_outcome):
        return dict(axes)
    checked = score_goal(
        next(axis for axis in case.axes if axis.name == _GOAL),
        case.transcript,
        case.expectations,
        use_outcome=case.use_outcome,
    )
    if not isinstance(checked, Scored) or checked.score >= given.score:
        return dict(axes)
    held = Scored(
        score=checked.score,
        comment=f"{checked.comment} The judge said {given.score}: {given.comment}",
        evidence=(*checked.evidence, *given.evidence),
        failure_tag=checked.failure_tag,
    )
    return {**axes, _GOAL: held}

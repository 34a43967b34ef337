"""What code knows of a session stands before what a judge says of it (METHOD section 4.2).

Written expectations, with ``use_outcome`` the recorded outcome, and whether the
agent did anything at all are checked without a model: no text in the session
can talk them away.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_sessioneval.judging.model import Case
from pytest_sessioneval.judging.process.goal import score_goal
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import AxisOpinion, Scored

__all__ = ["held_to_checks"]

_GOAL = "goal_completion"
_NOTHING = Scored(
    score=0, comment="The agent said nothing and called nothing.", failure_tag="other"
)


def held_to_checks(axes: Mapping[str, AxisOpinion], case: Case) -> dict[str, AxisOpinion]:
    """Return a judge's answer with goal_completion no higher than what was checked in code.

    A lower score of the judge's stands: that everything expected happened does
    not say that it was enough. Without anything to check the answer is as it was.
    """
    given = axes.get(_GOAL)
    if not isinstance(given, Scored):
        return dict(axes)
    checked = _NOTHING if _did_nothing(case.transcript) else _checked(case)
    if checked is None or checked.score >= given.score:
        return dict(axes)
    held = Scored(
        score=checked.score,
        comment=f"{checked.comment} The judge said {given.score}: {given.comment}",
        evidence=(*checked.evidence, *given.evidence),
        failure_tag=checked.failure_tag,
    )
    return {**axes, _GOAL: held}


def _checked(case: Case) -> Scored | None:
    """Return what expectations and outcome say; None where there is nothing to check."""
    if not (case.expectations or case.use_outcome):
        return None
    axis = next(axis for axis in case.axes if axis.name == _GOAL)
    use = case.use_outcome
    found = score_goal(axis, case.transcript, case.expectations, use_outcome=use)
    return found if isinstance(found, Scored) else None


def _did_nothing(transcript: Transcript) -> bool:
    parts = (transcript.messages, *(part.messages for part in transcript.subsessions))
    return not any(
        message.role == "assistant" and (message.tool_calls or message.text.strip())
        for part in parts
        for message in part
    )

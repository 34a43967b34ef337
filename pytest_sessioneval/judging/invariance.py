"""Whether a score survives the removal of the text that addresses its judge (METHOD section 4.2).

A session with such text is judged twice: as it is, and with the passages
masked. An axis whose score falls by ``LARGEST_DROP`` points or more was raised
by them: it is ``tampered``, and has no score. Where nothing is flagged nobody
is asked twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pytest_sessioneval.verdicts.model import AxisOpinion, Evidence, Scored, Unscored

__all__ = ["LARGEST_DROP", "can_have_been_raised", "steering_note", "survived"]

LARGEST_DROP = 10
"""From this fall on, in points, a score was raised by what was masked."""


def can_have_been_raised(axes: Mapping[str, AxisOpinion]) -> bool:
    """Return whether asking again could find an axis tampered with.

    A score below ``LARGEST_DROP`` cannot fall by so much; an axis may also have
    been talked away.
    """
    return any(
        opinion.score >= LARGEST_DROP
        if isinstance(opinion, Scored)
        else opinion.reason == "not_applicable"
        for opinion in axes.values()
    )


def survived(
    first: Mapping[str, AxisOpinion],
    second: Mapping[str, AxisOpinion],
    passages: Sequence[Evidence],
) -> dict[str, AxisOpinion]:
    """Return the first answer, without the scores that the second does not bear out.

    ``second`` answers the same session with ``passages`` masked. A score that
    fell is ``tampered`` and the lower one kept as information; one that is not
    proven any more is what the second answer says.
    """
    return {
        name: _survived(opinion, second[name], tuple(passages)) for name, opinion in first.items()
    }


def _survived(
    first: AxisOpinion, second: AxisOpinion, passages: tuple[Evidence, ...]
) -> AxisOpinion:
    if isinstance(first, Scored):
        if not isinstance(second, Scored):
            return second
        if first.score - second.score < LARGEST_DROP:
            return first
        raised = str(first.score)
    elif first.reason == "not_applicable" and isinstance(second, Scored):
        raised = "not applicable"
    else:
        return first
    return Unscored(
        reason="tampered",
        detail=f"{raised} as recorded, {second.score} without the text in {_places(passages)} that "
        "addresses the judge",
        evidence=passages,
        masked_score=second.score,
    )


def steering_note(
    passages: Sequence[Evidence], asked: Literal["asked", "unneeded", "impossible"]
) -> str:
    """Return what a report says of a session with such text; ``asked``: whether twice."""
    said = {
        "asked": "; the session was also judged without it.",
        "unneeded": ".",
        "impossible": "; no reply is recorded that judges the session without it.",
    }
    return f"Text in {_places(passages)} addresses the judge: it counts as no evidence{said[asked]}"


def _places(passages: Sequence[Evidence]) -> str:
    """Return what holds the passages: ``messages 3, 7 of sub-agent a``; none: what is beside."""
    if not passages:
        return "its profile or people's comments"
    named = dict.fromkeys(
        f"{one.message}" + (f" of sub-agent {one.agent_id}" if one.agent_id else "")
        for one in passages
    )
    return f"message{'' if len(named) == 1 else 's'} {', '.join(named)}"

"""A verdict as the store keeps it beside the opinions: what each expert answered, axis by axis.

It is made out of opinions as they are put, so that listings and trends need
not read opinions: those are a hundred times as much text. The means are those
of ``judging.panel.combine``; they are kept as whole totals and counts, so that
no order of adding decides how a half is rounded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pytest_sessioneval.stores.rows import instant
from pytest_sessioneval.verdicts.model import WITHHELD, Opinion, UnscoredReason

__all__ = [
    "Answer",
    "answer_of",
    "axis_totals",
    "experts_text",
    "merged",
    "parsed",
    "rounded_means",
    "written",
]

AxisAnswer = int | UnscoredReason
"""A score, or the reason why there is none."""


class Answer(NamedTuple):
    """One expert's answer, once. Trends read hundreds of thousands: a tuple is made quickest."""

    expert: str
    repeat: int
    at: str
    """When, as ``rows.instant`` writes it."""
    axes: Mapping[str, AxisAnswer]


def answer_of(opinion: Opinion) -> Answer:
    """Return what an opinion says, without its words."""
    axes: dict[str, AxisAnswer] = {
        name: axis.score if axis.kind == "scored" else axis.reason
        for name, axis in opinion.axes.items()
    }
    return Answer(opinion.expert_id, opinion.repeat, instant(opinion.judged_at), axes)


def merged(known: Iterable[Answer], fresh: Iterable[Answer]) -> tuple[Answer, ...]:
    """Return one answer per expert and repeat, the newest, in the order of experts and repeats."""
    kept: dict[tuple[str, int], Answer] = {}
    for answer in (*known, *fresh):
        earlier = kept.get((answer.expert, answer.repeat))
        if earlier is None or earlier.at <= answer.at:
            kept[answer.expert, answer.repeat] = answer
    return tuple(kept[place] for place in sorted(kept))


def experts_text(experts: Iterable[str]) -> str:
    """Return a set of experts as text that is equal for equal sets."""
    return json.dumps(sorted(set(experts)))


def written(answers: Sequence[Answer]) -> str:
    """Return answers as JSON."""
    rows = [[answer.expert, answer.repeat, answer.at, answer.axes] for answer in answers]
    return json.dumps(rows, separators=(",", ":"))


def parsed(text: str) -> tuple[Answer, ...]:
    """Return the answers of a JSON text; raises ``ValueError`` for another text."""
    try:
        return tuple(Answer(*row) for row in json.loads(text))
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def axis_totals(answers: Iterable[Answer]) -> dict[str, tuple[int, int]]:
    """Return each axis's total of scores and how many there are: (0, 0) where it has no mean.

    An axis that one expert could not vouch for has no mean over the others; an
    expert for whom it does not apply has no part in it.
    """
    totals: dict[str, int] = {}
    counts: dict[str, int] = {}
    withheld: set[str] = set()
    for answer in answers:
        for axis, said in answer.axes.items():
            if isinstance(said, int):
                totals[axis] = totals.get(axis, 0) + said
                counts[axis] = counts.get(axis, 0) + 1
            else:
                totals.setdefault(axis, 0)
                if said in WITHHELD:
                    withheld.add(axis)
    return {
        axis: (0, 0) if axis in withheld else (total, counts.get(axis, 0))
        for axis, total in totals.items()
    }


def rounded_means(totals: Mapping[str, tuple[int, int]]) -> dict[str, int | None]:
    """Return each axis's mean as an integer, rounded as Python does; None where there is none."""
    return {
        axis: round(total / count) if count else None for axis, (total, count) in totals.items()
    }

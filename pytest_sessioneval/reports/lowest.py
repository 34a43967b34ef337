"""The lowest scores of a suite: what a green run has that is worth reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nsmallest

from pytest_sessioneval.reports.model import SessionReport, SuiteReport
from pytest_sessioneval.reports.wording import experts_on
from pytest_sessioneval.verdicts.model import Scored

__all__ = ["Low", "lowest_expert", "lowest_scores"]

_BEST = 100
_COMPLEXITY = "task_complexity"


@dataclass(frozen=True, slots=True)
class Low:
    """One session's score on one axis, among the lowest there."""

    session: SessionReport
    score: float
    """The panel's score, 0–100."""
    who: str
    """The expert with the lowest score on the axis."""
    said: Scored
    """What that expert said."""


def lowest_scores(suite: SuiteReport, most: int) -> dict[str, tuple[Low, ...]]:
    """Return at most ``most`` sessions per axis, the lowest first, else in order of collection.

    Left out are full marks, sessions that missed the axis's threshold (they are
    told as failures), and ``task_complexity``, of which low is not bad. An axis
    without any is left out.
    """
    found: dict[str, tuple[Low, ...]] = {}
    for axis in suite.axes:
        if axis == _COMPLEXITY:
            continue
        low = nsmallest(most, _scores(suite, axis), key=lambda scored: scored[0])
        told = tuple(told for score, session in low if (told := _low(session, axis, score)))
        if told:
            found[axis] = told
    return found


def lowest_expert(session: SessionReport, axis: str) -> tuple[str, Scored] | None:
    """Return who gave the lowest score on an axis, and what they said; None: nobody scored it."""
    if session.verdict is None:
        return None
    experts = experts_on(session.verdict, axis)
    scored = [(who, said) for who, said in experts if said.kind == "scored"]
    return min(scored, key=lambda one: one[1].score, default=None)


def _scores(suite: SuiteReport, axis: str) -> Iterator[tuple[float, SessionReport]]:
    for session in suite.sessions:
        result = session.verdict.axes.get(axis) if session.verdict is not None else None
        if result is None or result.kind != "scored" or result.score >= _BEST:
            continue
        if not any(fall.axis == axis for fall in session.shortfalls):
            yield result.score, session


def _low(session: SessionReport, axis: str, score: float) -> Low | None:
    told = lowest_expert(session, axis)
    return None if told is None else Low(session, score, *told)

"""The lowest scores of a suite: what a green run has that is worth reading."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nsmallest

from pytest_sessioneval.reports.model import SessionReport, SuiteReport
from pytest_sessioneval.reports.wording import experts_on
from pytest_sessioneval.verdicts.means import COMPLEXITY
from pytest_sessioneval.verdicts.model import Scored

__all__ = ["Low", "lowest_expert", "lowest_scores"]

_BEST = 100


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
    scores = _scores(suite)
    found: dict[str, tuple[Low, ...]] = {}
    for axis in suite.axes:
        low = nsmallest(most, scores.get(axis, ()), key=lambda scored: scored[0])
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


def _scores(suite: SuiteReport) -> dict[str, list[tuple[float, SessionReport]]]:
    """Return the scores that may be told, by axis, in order of collection."""
    found: dict[str, list[tuple[float, SessionReport]]] = {}
    for session in suite.sessions:
        if session.verdict is None:
            continue
        left_out = {COMPLEXITY, *(fall.axis for fall in session.shortfalls)}
        for axis, result in session.verdict.axes.items():
            if result.kind == "scored" and result.score < _BEST and axis not in left_out:
                found.setdefault(axis, []).append((result.score, session))
    return found


def _low(session: SessionReport, axis: str, score: float) -> Low | None:
    told = lowest_expert(session, axis)
    return None if told is None else Low(session, score, *told)

"""Signs that an axis's words are read differently: experts apart, or unsure where it applies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_sessioneval.gate.agreement.coefficients import krippendorff_alpha
from pytest_sessioneval.judging.panel import EMBEDDED
from pytest_sessioneval.reports.advice.model import AxisDoubt
from pytest_sessioneval.reports.model import SuiteReport
from pytest_sessioneval.verdicts.means import COMPLEXITY
from pytest_sessioneval.verdicts.model import AxisOpinion, Opinion

__all__ = ["doubts"]

_LOW_ALPHA = 0.667
"""Krippendorff's own limit, below which he draws no conclusion (METHOD §2.4)."""

_FEWEST = 10
_OFTEN = 0.5
_NOTABLE = 0.1
_DECIMALS = 4


def doubts(suite: SuiteReport) -> Iterator[AxisDoubt]:
    """Yield the doubts, in the rubric's order; the embedded judge gives rise to none.

    Each needs ten sessions: experts whose alpha is below 0.667; an axis that
    those asked find not applicable in half of the sessions or more, and scored
    in others; experts of whom some find it applicable and some do not in one
    session of ten, or more.
    """
    if suite.judge.model == EMBEDDED:
        return
    for axis in suite.axes:
        if axis != COMPLEXITY:
            yield from _of_axis(suite, axis)


def _of_axis(suite: SuiteReport, axis: str) -> Iterator[AxisDoubt]:
    units: list[list[float | None]] = []
    nulls = mixed = asked = several = 0
    for session in suite.sessions:
        given = _first_answers(session.verdict.opinions, axis) if session.verdict else []
        if not given:
            continue
        scores = [float(one.score) for one in given if one.kind == "scored"]
        null = len(given) - len(scores)
        asked += 1
        nulls += not scores
        several += len(given) > 1
        mixed += bool(scores) and bool(null)
        units.append([*scores])
    rated = sum(len(unit) > 1 for unit in units)
    if rated >= _FEWEST:
        alpha = krippendorff_alpha(units)
        if alpha is not None and alpha < _LOW_ALPHA:
            yield AxisDoubt(
                axis=axis,
                kind="experts_differ",
                sessions=rated,
                of=asked,
                alpha=round(alpha, _DECIMALS),
            )
    if asked >= _FEWEST and asked > nulls >= _OFTEN * asked:
        yield AxisDoubt(axis=axis, kind="often_null", sessions=nulls, of=asked)
    if several >= _FEWEST and mixed >= _NOTABLE * several:
        yield AxisDoubt(axis=axis, kind="null_or_not", sessions=mixed, of=several)


def _first_answers(opinions: Sequence[Opinion], axis: str) -> list[AxisOpinion]:
    """Return what each expert answered the first time; who did not answer is left out."""
    said = [opinion.axes.get(axis) for opinion in opinions if not opinion.repeat]
    return [
        one
        for one in said
        if one is not None and (one.kind == "scored" or one.reason == "not_applicable")
    ]

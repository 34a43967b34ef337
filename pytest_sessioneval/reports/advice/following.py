"""What became of earlier advice: the scores then, kept, and the scores of the same sessions now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.statistics import interval, mean_estimate
from pytest_sessioneval.reports.advice.model import Advisor, FollowUp, Suggestion
from pytest_sessioneval.reports.model import SuiteReport

__all__ = ["KeptAdvice", "KeptScore", "follow_ups", "kept_advice"]

_DECIMALS = 4
_FEWEST = 2


class KeptScore(Frozen):
    """One session as it was when advice was given."""

    digest: str
    """Of its transcript."""
    scores: dict[str, float]
    """By axis, those that some suggestion expects to rise."""


class KeptAdvice(Frozen):
    """What a model said of a suite, with what it takes to see later whether that helped."""

    rubric: str
    """The rubric's version."""
    judge: str
    """The judge's version."""
    advisor: Advisor
    """The answers."""
    members: dict[str, tuple[str, ...]]
    """Keys of the sessions of the clusters that suggestions are about, by the cluster's id."""
    sessions: dict[str, KeptScore]
    """Every scored session, by key."""


def kept_advice(
    suite: SuiteReport, advisor: Advisor, members: Mapping[str, tuple[str, ...]]
) -> KeptAdvice:
    """Return what to keep of a model's answers; ``members`` are the clusters' sessions."""
    axes = {one.expected_axis for one in advisor.suggestions}
    clusters = {one.cluster for one in advisor.suggestions}
    return KeptAdvice(
        rubric=suite.rubric_version,
        judge=suite.judge.version,
        advisor=advisor,
        members={one: members.get(one, ()) for one in sorted(clusters)},
        sessions={
            session.key: KeptScore(
                digest=session.verdict.digest,
                scores={
                    axis: score for axis, score in session.verdict.scores.items() if axis in axes
                },
            )
            for session in suite.sessions
            if axes and session.verdict is not None
        },
    )


def follow_ups(suite: SuiteReport, kept: KeptAdvice) -> Iterator[FollowUp]:
    """Yield what became of each suggestion: only of sessions recorded anew since.

    Nothing where rubric or judge are others: scores then mean something else.
    """
    if (kept.rubric, kept.judge) != (suite.rubric_version, suite.judge.version):
        return
    for one in kept.advisor.suggestions:
        changes = dict(_changes(suite, kept, one.expected_axis))
        within = set(kept.members.get(one.cluster, ()))
        yield _follow_up(
            one,
            sessions=len(within),
            inside=[change for key, change in changes.items() if key in within],
            outside=[change for key, change in changes.items() if key not in within],
        )


def _changes(suite: SuiteReport, kept: KeptAdvice, axis: str) -> Iterator[tuple[str, float]]:
    """Yield key and change of the sessions that were recorded anew and scored both times."""
    for session in suite.sessions:
        before, verdict = kept.sessions.get(session.key), session.verdict
        if before is None or verdict is None or before.digest == verdict.digest:
            continue
        was, now = before.scores.get(axis), verdict.axes.get(axis)
        if was is not None and now is not None and now.kind == "scored":
            yield session.key, now.score - was


def _follow_up(
    suggestion: Suggestion, *, sessions: int, inside: Sequence[float], outside: Sequence[float]
) -> FollowUp:
    low = high = change = None
    if inside:
        estimate = mean_estimate(inside)
        change = round(estimate.mean, _DECIMALS)
        if len(inside) >= _FEWEST:
            low, high = (round(limit, _DECIMALS) for limit in interval(estimate))
    return FollowUp(
        id=suggestion.id,
        suggested_change=suggestion.suggested_change,
        axis=suggestion.expected_axis,
        sessions=sessions,
        pairs=len(inside),
        change=change,
        low=low,
        high=high,
        others=len(outside),
        others_change=round(sum(outside) / len(outside), _DECIMALS) if outside else None,
    )

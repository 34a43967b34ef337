"""Advice as values: what ``report.json`` holds of it, and what ``advice.md`` shows."""

from __future__ import annotations

from typing import Literal

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.verdicts.model import CallCount

__all__ = [
    "TARGETS",
    "Advisor",
    "AxisDoubt",
    "AxisTrend",
    "Cause",
    "Cluster",
    "Example",
    "FollowUp",
    "Leftover",
    "Suggestion",
    "SuiteAdvice",
    "Target",
]

Cause = Literal["agent", "tool_outage", "judge"]
"""Whose fault lost points look like.

``agent``: what the agent did. ``tool_outage``: what is cited says that a tool
was out of order. ``judge``: the score itself is doubtful (experts far apart,
evidence that does not check out, text that addresses the judge, or people who
liked the session).
"""


Target = Literal["prompt", "tool", "rubric", "judge", "data"]
"""What a suggestion would have changed."""

TARGETS: tuple[Target, ...] = ("prompt", "tool", "rubric", "judge", "data")
"""Every target there is."""


class Example(Frozen):
    """One session of a cluster, with the place that tells most."""

    key: str
    """The session's key."""
    path: str
    """Its file, relative to the suite's folder."""
    score: float | None
    """Its score on the axis, four decimals; null: it has none."""
    message: int | None = None
    """Index of the cited message; null: nothing is cited."""
    agent_id: str | None = None
    """The sub-agent whose message it is; null: the main agent's."""
    quote: str = ""
    """The verified words; empty: the message as a whole."""
    said: str = ""
    """What the judge says of it, where no words are quoted."""


class Cluster(Frozen):
    """Sessions that lose points on one axis in the same way."""

    id: str
    """Eight hex digits of suite, cause, axis, tag and tool: the same one in every run."""
    cause: Cause
    """Whose fault it looks like."""
    axis: str
    """The axis."""
    tag: str
    """The failure tag, the kind of finding, or what makes a judgement doubtful; empty: none."""
    tool: str
    """The tool concerned; empty: none, several, or it is not known."""
    tools: tuple[str, ...] = ()
    """The tools, where each session has another one; empty: it is one, or none."""
    impact: float
    """Points of the axis's mean lost: sum of (reference - score) over these sessions, over all
    scored ones; four decimals."""
    sessions: int
    """How many sessions."""
    of: int
    """How many were judged on the axis."""
    low: float
    """Lower limit of their share, 0–1: Wilson, two-sided 90 %."""
    high: float
    """Upper limit."""
    mean: float | None
    """Mean of their scores, four decimals; null: none has one."""
    thumbs_down: int = 0
    """Sessions of it with more thumbs down than up."""
    rated: int = 0
    """Sessions of it with any thumb."""
    new: int | None = None
    """Sessions of it that were not below the reference in the baseline; null: no comparison."""
    persisting: int | None = None
    """Sessions of it that were below it there, too; null: no comparison."""
    errors: tuple[tuple[str, int], ...] = ()
    """What errors the sessions' most telling quotes report, identifiers and numbers left out,
    each with its number of sessions, most frequent first."""
    same_as: str | None = None
    """An earlier cluster of the same tool that holds four fifths of these sessions, or more."""
    examples: tuple[Example, ...] = ()
    """At most six sessions, the lowest first; advice cites them as F1, F2 and so on."""


class AxisTrend(Frozen):
    """How one axis moved over its reference since the baseline, over sessions scored in both."""

    axis: str
    """The axis."""
    pairs: int
    """Sessions scored in both."""
    new: int
    """Below the reference now, and not then."""
    persisting: int
    """Below it now, and then."""
    fixed: int
    """Below it then, and not now."""
    p: float
    """Exact two-sided McNemar p-value of new against fixed; independent sessions assumed."""


class AxisDoubt(Frozen):
    """A sign that an axis's words are read differently."""

    axis: str
    """The axis."""
    kind: Literal["experts_differ", "often_null", "null_or_not"]
    """``experts_differ``: low Krippendorff's alpha. ``often_null``: mostly found not applicable.
    ``null_or_not``: some experts found it applicable where others did not."""
    sessions: int
    """How many sessions it concerns."""
    of: int
    """Of how many."""
    alpha: float | None = None
    """Krippendorff's alpha between experts, interval data, four decimals."""


class Leftover(Frozen):
    """Points that an axis loses without anybody naming a fault."""

    axis: str
    """The axis."""
    impact: float
    """Points of mean lost, four decimals."""
    sessions: int
    """In how many sessions."""


class Suggestion(Frozen):
    """What a model makes of one cluster; kept only where it cites facts of two sessions."""

    id: str
    """Eight hex digits of suite, cluster, model and text."""
    cluster: str
    """The cluster's id."""
    hypothesis: str
    """Why it may happen; nobody has checked it."""
    suggested_change: str
    """What to change."""
    target: Target
    """What would be changed."""
    expected_axis: str
    """The axis that should rise."""
    evidence: tuple[str, ...]
    """The facts cited, such as F1: the cluster's examples, from 1."""
    test: str
    """How to see whether it helped."""


class Advisor(Frozen):
    """What came of asking a model about the costliest clusters."""

    model: str
    """The model as configured."""
    asked: int = 0
    """Clusters it was asked about, one call each."""
    suggestions: tuple[Suggestion, ...] = ()
    """What it said that cites known facts of at least two sessions, in order of clusters."""
    rejected: tuple[str, ...] = ()
    """Why other answers were left out, a line each."""
    failures: tuple[str, ...] = ()
    """Why there is no answer, a line each; a failing advisor fails no run."""
    reused: bool = False
    """Nobody was asked: the facts and the model are those of an earlier answer."""
    spent: CallCount = CallCount()
    """What asking took."""


class FollowUp(Frozen):
    """What became of the axis of an earlier suggestion: exploratory, for two reasons.

    Clusters are chosen for being low, so they rise by chance alone; and nobody
    knows whether the suggestion was followed.
    """

    id: str
    """The suggestion's id."""
    suggested_change: str
    """What it suggested."""
    axis: str
    """The axis that was to rise."""
    sessions: int
    """The cluster's sessions then."""
    pairs: int
    """Those of them that are recorded anew, and scored on the axis."""
    change: float | None = None
    """Mean change of their scores in points; null: none."""
    low: float | None = None
    """Lower limit of its interval (paired Student's t, two-sided 90 %); null: too few."""
    high: float | None = None
    """Upper limit."""
    others: int = 0
    """Sessions outside of the cluster that are recorded anew, and scored on the axis."""
    others_change: float | None = None
    """Their mean change in points: what chance and everything else did."""


class SuiteAdvice(Frozen):
    """What to look at first in one suite."""

    digest: str
    """16 hex digits of all that the advice is made of: equal for equal verdicts."""
    references: dict[str, float]
    """What scores are held against, by axis: the higher one of its thresholds, else 100."""
    clusters: tuple[Cluster, ...] = ()
    """At most twenty, by points lost, doubtful judgements without a score last."""
    more: int = 0
    """How many further clusters there are."""
    more_impact: float = 0.0
    """What those cost together, summed over axes."""
    leftovers: tuple[Leftover, ...] = ()
    """Points lost without a named fault, by axis."""
    doubts: tuple[AxisDoubt, ...] = ()
    """Axes whose words seem to be read differently."""
    trends: tuple[AxisTrend, ...] = ()
    """Against the baseline, by axis, in the rubric's order."""
    no_trend: str = ""
    """Why nothing is said of a baseline; empty: it is, in ``trends``."""
    advisor: Advisor | None = None
    """What a model made of it; null: none was asked, which is the rule."""
    follow_ups: tuple[FollowUp, ...] = ()
    """What became of the last suggestions that a model made for this suite."""

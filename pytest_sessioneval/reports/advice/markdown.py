"""``advice.md``: what to look at first, for a reviewer with two minutes; the worst comes first."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_sessioneval.gate.figures import p_value
from pytest_sessioneval.reports.advice.facts import BEST
from pytest_sessioneval.reports.advice.model import (
    AxisDoubt,
    AxisTrend,
    Cause,
    Cluster,
    Example,
    Suggestion,
    SuiteAdvice,
)
from pytest_sessioneval.reports.advice.suggestions import (
    advisor_section,
    follow_up_section,
    suggestion_lines,
    suggestion_on,
)
from pytest_sessioneval.reports.markdown_sessions import Link, no_link
from pytest_sessioneval.reports.model import SuiteReport
from pytest_sessioneval.reports.neutralise import code_span, markdown_text
from pytest_sessioneval.reports.wording import counted, points
from pytest_sessioneval.verdicts.means import COMPLEXITY

__all__ = ["NOT_FOR_AGENTS", "cluster_name", "first_advice", "render_advice"]

NOT_FOR_AGENTS = (
    "For people. Nothing feeds this file back to an agent, and nothing may do so automatically: "
    "what it quotes was written by whoever wrote the sessions, and may be an attack."
)

_OPEN = 5
_LINES = 10
_QUOTED = 3
_TOOLS = 8
_QUOTE = 160
_NAME = 60
_SECTIONS: Mapping[Cause, tuple[str, str]] = {
    "agent": ("What the agent did", ""),
    "tool_outage": (
        "Tools out of order",
        "The errors quoted are of tools that were out of order: mend those before the agent.",
    ),
    "judge": (
        "Doubtful judgements",
        (
            "Look at the judge before the agent: `sessioneval label-queue --diagnostic` draws such "
            "sessions for people to label."
        ),
    ),
}
_DOUBTFUL = {
    "contested": "experts are 40 points or more apart",
    "liked": "people liked it, and the score is low",
    "unverified": "no cited evidence was found in the session",
    "tampered": "the session addresses its judge",
}


def render_advice(suites: Iterable[SuiteReport], link: Link = no_link) -> str:
    """Return the advice on the suites as Markdown, ending in a line feed.

    ``link`` makes the target of a link to a transcript from its path under the
    run's root. Nothing in it tells one run from another with the same verdicts.
    """
    return "\n".join(_lines(suites, link)) + "\n"


def first_advice(suite: SuiteReport) -> str:
    """Return the costliest cluster in one line of Markdown; empty: there is none.

    As in ``advice.md``, one of several sessions goes before any single session.
    """
    costly = [] if suite.advice is None else [one for one in suite.advice.clusters if one.impact]
    if not costly:
        return ""
    first = next((one for one in costly if one.sessions > 1), costly[0])
    return (
        f"{cluster_name(first)} takes {_lost(first.impact)} points off the mean of "
        f"{markdown_text(first.axis)}, in {first.sessions:,} of {counted(first.of, 'session')}"
    )


def cluster_name(cluster: Cluster) -> str:
    """Return what the sessions of a cluster have in common, in a few words of Markdown."""
    if cluster.cause == "judge":
        return markdown_text(_DOUBTFUL.get(cluster.tag, cluster.tag), _NAME)
    tool = code_span(cluster.tool, _NAME) if cluster.tool else ""
    if cluster.cause == "tool_outage":
        return f"{tool or 'a tool'} out of order"
    if cluster.tools:
        return f"{_tag(cluster)}, {len(cluster.tools):,} tools"
    return f"{_tag(cluster)}, {tool}" if tool else _tag(cluster)


def _tag(cluster: Cluster) -> str:
    return markdown_text(cluster.tag.replace("_", " "), _NAME) or "no failure tag"


def _lines(suites: Iterable[SuiteReport], link: Link) -> Iterator[str]:
    yield "# Advice"
    yield ""
    yield f"> {NOT_FOR_AGENTS}"
    yield ""
    for suite in suites:
        if suite.advice is not None:
            yield from _suite(suite, suite.advice, link)


def _suite(suite: SuiteReport, advice: SuiteAdvice, link: Link) -> Iterator[str]:
    yield f"## {markdown_text(suite.suite)}"
    yield ""
    yield (
        f"{counted(len(suite.sessions), 'session')} · rubric {code_span(suite.rubric_version)} · "
        f"judge {code_span(suite.judge.version)} · made of `sha256:{advice.digest}`"
    )
    yield ""
    if not advice.clusters:
        yield _nothing(suite, advice)
        yield ""
    for cause, (title, remark) in _SECTIONS.items():
        clusters = [one for one in advice.clusters if one.cause == cause]
        if clusters:
            yield f"### {title}"
            yield ""
            if remark:
                yield remark
                yield ""
            yield from _section(clusters, advice, suite=suite, link=link)
    yield from _doubts(advice.doubts)
    yield from _trends(advice)
    yield from advisor_section(advice)
    yield from follow_up_section(advice.follow_ups)
    yield from _reading(suite, advice)


def _nothing(suite: SuiteReport, advice: SuiteAdvice) -> str:
    if not advice.references:
        return "No session was scored, so nothing can be advised."
    if all(at < BEST for at in advice.references.values()):
        return "Every score is at or above its threshold: nothing is advised."
    if advice.leftovers:
        return "Nobody named a fault in any session that lost points."
    return f"Nothing was lost in {counted(len(suite.sessions), 'session')}."


def _section(
    clusters: Sequence[Cluster], advice: SuiteAdvice, *, suite: SuiteReport, link: Link
) -> Iterator[str]:
    """Yield the clusters that stand for themselves: five of several sessions in full, then lines.

    Those that are nearly the sessions of another are told with it.
    """
    beside: dict[str, list[Cluster]] = {}
    for one in clusters:
        if one.same_as is not None:
            beside.setdefault(one.same_as, []).append(one)
    alone = [one for one in clusters if one.same_as is None]
    full = [one for one in alone if one.sessions > 1][:_OPEN]
    for place, one in enumerate(full, start=1):
        told = suggestion_on(one, advice.advisor)
        yield from _cluster(place, one, beside.get(one.id, ()), told, suite=suite, link=link)
    small = [one for one in alone if one not in full]
    if not small:
        return
    if full:
        yield "Smaller, or in a single session:"
        yield ""
    for one in small[:_LINES]:
        others = "".join(f", {_points_off(other)}" for other in beside.get(one.id, ()))
        number = "" if one.sessions == 1 else f" in {counted(one.sessions, 'session')}"
        yield (
            f"- {_points_off(one)}{others}: {cluster_name(one)}{number} – "
            f"{_example(one.examples[0], suite, link)}{_moved(one, ' · ')}"
        )
    if len(small) > _LINES:
        yield f"- and {len(small) - _LINES:,} more: see report.json"
    yield ""


def _cluster(
    place: int,
    cluster: Cluster,
    beside: Sequence[Cluster],
    told: Suggestion | None,
    *,
    suite: SuiteReport,
    link: Link,
) -> Iterator[str]:
    yield f"#### {place}. {_points_off(cluster)}: {cluster_name(cluster)}"
    yield ""
    yield " · ".join(_facts(cluster))
    yield ""
    if cluster.tools:
        names = ", ".join(code_span(tool, _NAME) for tool in cluster.tools[:_TOOLS])
        more = len(cluster.tools) - _TOOLS
        yield f"- tools: {names}{f' and {more:,} more' if more > 0 else ''}"
    if len(cluster.errors) > 1:
        said = "; ".join(f"{markdown_text(label)} ({number:,})" for label, number in cluster.errors)
        yield f"- errors, by sessions: {said}"
    for one in beside:
        name = _tag(one) if one.cause == "agent" else cluster_name(one)
        number = "1" if one.sessions == 1 else f"{one.sessions:,}, nearly all"
        yield f"- also {_points_off(one)}: {name}, in {number} of these{_moved(one, '; ')}"
    shown = cluster.examples if told is not None else cluster.examples[:_QUOTED]
    for fact, example in enumerate(shown, start=1):
        label = "" if told is None else f"F{fact} "
        yield f"- {label}{_example(example, suite, link)}"
    yield ""
    if told is not None:
        yield from suggestion_lines(told)


def _points_off(cluster: Cluster) -> str:
    axis = markdown_text(cluster.axis)
    return f"{axis} −{_lost(cluster.impact)}" if cluster.impact else axis


def _lost(impact: float) -> str:
    return f"{impact:.1f}" if impact >= 0.05 else "less than 0.1"  # noqa: PLR2004 -- shown as 0.0


def _facts(cluster: Cluster) -> Iterator[str]:
    share = 100 * cluster.sessions / cluster.of
    yield (
        f"**{cluster.sessions:,} of {counted(cluster.of, 'session')}** ({share:.0f} %, 90 % "
        f"interval {100 * cluster.low:.0f}–{100 * cluster.high:.0f} %)"
    )
    if cluster.mean is not None:
        yield f"their mean {cluster.mean:.1f}"
    if cluster.rated:
        yield f"thumbs down in {cluster.thumbs_down:,} of {cluster.rated:,} rated"
    if moved := _moved(cluster):
        yield moved


def _moved(cluster: Cluster, before: str = "") -> str:
    """Return how its sessions stood in the baseline, led by ``before``; empty: no comparison."""
    if cluster.new is None or cluster.persisting is None:
        return ""
    parts = [(cluster.new, "new"), (cluster.persisting, "persisting")]
    parts.append((cluster.sessions - cluster.new - cluster.persisting, "not in the baseline"))
    return before + ", ".join(f"{number:,} {what}" for number, what in parts if number)


def _example(example: Example, suite: SuiteReport, link: Link) -> str:
    score = "" if example.score is None else f" **{points(example.score)}**"
    said = code_span(example.quote, _QUOTE) if example.quote.strip() else ""
    said = said or markdown_text(example.said, _QUOTE)
    return f"{_place(example, suite, link)}{score}{': ' + said if said else ''}"


def _place(example: Example, suite: SuiteReport, link: Link) -> str:
    """Return ``session#message``, linked to the session's file."""
    where = "" if example.message is None else f"#M{example.message}"
    agent = (
        "" if example.agent_id is None else f" of sub-agent {markdown_text(example.agent_id, 40)}"
    )
    name = code_span(example.key + where, 140)
    target = link(posixpath.join(suite.root, example.path))
    return (name if target is None else f"[{name}]({target})") + agent


def _doubts(doubts: Sequence[AxisDoubt]) -> Iterator[str]:
    if not doubts:
        return
    yield "### Axes that are read differently"
    yield ""
    yield "Sharpen the rubric's levels before the agent is changed for these."
    yield ""
    for one in doubts:
        yield f"- **{markdown_text(one.axis)}**: {_doubt(one)}"
    yield ""


def _doubt(doubt: AxisDoubt) -> str:
    of = f"{doubt.sessions:,} of {counted(doubt.of, 'session')}"
    if doubt.kind == "experts_differ":
        number = counted(doubt.sessions, "session")
        return (
            f"experts agree little (Krippendorff's alpha {doubt.alpha:.2f} over {number}; below "
            "0.67 nothing should be concluded)"
        )
    if doubt.kind == "often_null":
        return f"found not applicable in {of}, and scored in the others"
    return f"some experts found it applicable and some did not, in {of}"


def _trends(advice: SuiteAdvice) -> Iterator[str]:
    moved = [one for one in advice.trends if one.new or one.fixed]
    if not advice.trends:
        return
    yield "### Since the baseline"
    yield ""
    if not moved:
        pairs = max(one.pairs for one in advice.trends)
        yield f"No session crossed its reference, of {counted(pairs, 'session')} in both."
        yield ""
        return
    yield "| axis | new | persisting | fixed | in both | new against fixed |"
    yield "|---|--:|--:|--:|--:|---|"
    for one in moved:
        yield _trend(one)
    yield ""
    yield (
        "*New* is below the reference now and not in the baseline, whatever for: a baseline "
        "holds scores, and no failure tags. The test is McNemar's, exact."
    )
    yield ""


def _trend(trend: AxisTrend) -> str:
    counts = f"{trend.new:,} | {trend.persisting:,} | {trend.fixed:,} | {trend.pairs:,}"
    return f"| {markdown_text(trend.axis)} | {counts} | {p_value(trend.p)} |"


def _reading(suite: SuiteReport, advice: SuiteAdvice) -> Iterator[str]:
    """Yield what the figures mean, and what is not in the clusters."""
    yield "---"
    yield ""
    if advice.clusters:
        yield (
            f"Points are those of the suite's mean: what scores lack to {_held(suite, advice)}, "
            "summed over the cluster and divided by all scored sessions. Who says what was wrong "
            "is the expert with the lowest score. Where a fault began is not known: what is cited "
            "is where it shows."
        )
        yield ""
    unscored = [axis for axis in suite.axes if axis not in advice.references and axis != COMPLEXITY]
    if unscored:
        yield f"Scored nowhere, so nothing is advised on: {markdown_text(', '.join(unscored))}."
        yield ""
    if advice.leftovers:
        lost = ", ".join(
            f"{one.axis} {_lost(one.impact)} ({counted(one.sessions, 'session')})"
            for one in advice.leftovers
        )
        yield f"Lost without a fault being named: {markdown_text(lost)}."
        yield ""
    if advice.more:
        yield f"And {counted(advice.more, 'smaller cluster')}: {advice.more_impact:.1f} points."
        yield ""
    if advice.no_trend and suite.gate is not None:
        yield f"Not compared with a baseline: {markdown_text(advice.no_trend)}."
        yield ""


def _held(suite: SuiteReport, advice: SuiteAdvice) -> str:
    """Return what scores are held against."""
    named = {
        axis: at
        for axis, at in advice.references.items()
        if axis in suite.thresholds.session or axis in suite.thresholds.mean
    }
    if not named:
        return "100, the best"
    at = ", ".join(f"{axis} {points(value)}" for axis, value in named.items())
    rest = "" if len(named) == len(advice.references) else ", and 100, the best, where none is set"
    return f"the threshold ({markdown_text(at)}){rest}"

"""Facts grouped by axis, failure tag and tool, ordered by the points of mean that they cost."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import fmean

from pytest_sessioneval.gate.agreement.resampling import wilson
from pytest_sessioneval.reports.advice.facts import Fact, Thumbs
from pytest_sessioneval.reports.advice.model import Cause, Cluster, Example, Leftover
from pytest_sessioneval.reports.advice.tags import error_label, merged_tags
from pytest_sessioneval.reports.advice.trend import Past
from pytest_sessioneval.reports.model import SuiteReport
from pytest_sessioneval.verdicts.model import Evidence, PanelScore

__all__ = ["DECIMALS", "Grouped", "grouped"]

DECIMALS = 4
"""Of every figure that is kept."""

_KEPT = 20
_EXAMPLES = 6
_ERRORS = 3
_SAME = 0.8
_CAUSES: Mapping[Cause, int] = {"agent": 0, "tool_outage": 0, "judge": 1}
_SPEAKS = re.compile(r"error|exception|traceback|denied|refused|failed|timed out", re.IGNORECASE)

_SEVERAL = "*"
"""Stands for the tool where there are several."""

_Key = tuple[Cause, str, str, str]


@dataclass(frozen=True, slots=True)
class Grouped:
    """A suite's facts in clusters."""

    clusters: tuple[Cluster, ...]
    more: int
    more_impact: float
    leftovers: tuple[Leftover, ...]
    members: Mapping[str, tuple[str, ...]]
    """The keys of every kept cluster's sessions, by its id."""


def grouped(
    facts: Iterable[Fact], suite: SuiteReport, *, thumbs: Thumbs, past: Past | None
) -> Grouped:
    """Return the facts in clusters by cause, axis, tag and tool, the costliest first.

    Sessions that are each the only one of their tag with their tool are one
    cluster of several tools: a fault all the same, and no tool's own.
    Doubtful judgements come after what was done wrong. Facts of which nobody
    says what was wrong are left over, by axis. ``past`` is what was below the
    reference in the baseline; None: no comparison.
    """
    named: list[Fact] = []
    unnamed: defaultdict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.cause == "judge" or fact.is_named:
            named.append(fact)
        else:
            unnamed[fact.axis].append(fact)
    scored = {row.axis: row.scored for row in suite.means}
    groups = _groups(named)
    costs = {
        key: sum(fact.lost for fact in members) / max(1, scored[key[1]])
        for key, members in groups.items()
    }
    order = sorted(
        groups,
        key=lambda key: (_CAUSES[key[0]], -round(costs[key], DECIMALS), -len(groups[key]), key),
    )
    kept = order[:_KEPT]
    listed: list[Cluster] = []
    for key in kept:
        earlier = [(one, groups[other]) for one, other in zip(listed, kept, strict=False)]
        listed.append(
            _cluster(key, groups[key], suite=suite, thumbs=thumbs, past=past, cost=costs[key])
        )
        same = _same_as(listed[-1], groups[key], earlier)
        listed[-1] = listed[-1].model_copy(update={"same_as": same})
    return Grouped(
        clusters=tuple(listed),
        more=len(order) - len(kept),
        more_impact=round(sum(costs[key] for key in order[_KEPT:]), DECIMALS),
        leftovers=tuple(_leftovers(unnamed, scored)),
        members={
            one.id: tuple(fact.session.key for fact in groups[key])
            for one, key in zip(listed, kept, strict=True)
        },
    )


def _groups(facts: Sequence[Fact]) -> dict[_Key, list[Fact]]:
    tags: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for fact in facts:
        tags[fact.axis][fact.tag] += 1
    told = {axis: merged_tags(counts) for axis, counts in tags.items()}
    groups: defaultdict[_Key, list[Fact]] = defaultdict(list)
    for fact in facts:
        groups[fact.cause, fact.axis, told[fact.axis][fact.tag], fact.tool].append(fact)
    return _without_lone_tools(groups)


def _without_lone_tools(groups: dict[_Key, list[Fact]]) -> dict[_Key, list[Fact]]:
    """Return the groups, single sessions of one axis and tag and different tools put together."""
    lone: defaultdict[tuple[Cause, str, str], list[_Key]] = defaultdict(list)
    for key, members in groups.items():
        cause, axis, tag, tool = key
        if tag and tool and len(members) == 1:
            lone[cause, axis, tag].append(key)
    for alike, keys in lone.items():
        if len(keys) > 1:
            groups[*alike, _SEVERAL] = [fact for key in keys for fact in groups.pop(key)]
    return groups


def _leftovers(
    unnamed: Mapping[str, Sequence[Fact]], scored: Mapping[str, int]
) -> Iterator[Leftover]:
    found = [
        Leftover(
            axis=axis,
            impact=round(sum(fact.lost for fact in facts) / max(1, scored[axis]), DECIMALS),
            sessions=len(facts),
        )
        for axis, facts in unnamed.items()
    ]
    yield from sorted(found, key=lambda one: (-one.impact, one.axis))


def _cluster(
    key: _Key,
    members: Sequence[Fact],
    *,
    suite: SuiteReport,
    thumbs: Thumbs,
    past: Past | None,
    cost: float,
) -> Cluster:
    cause, axis, tag, tool = key
    row = next(row for row in suite.means if row.axis == axis)
    of = row.scored + row.unscored.get("unverified", 0) + row.unscored.get("tampered", 0)
    of = max(of, len(members))  # a report that was edited may count fewer
    low, high = wilson(len(members), of)
    scores = [fact.score for fact in members if fact.score is not None]
    balances = [
        sum(given.values()) for fact in members if (given := thumbs.get(fact.session.session_id))
    ]
    below = (past.of(axis) or None) if past is not None else None
    was = [below.get(fact.session.key) for fact in members] if below is not None else []
    return Cluster(
        id=_id(suite.suite, key),
        cause=cause,
        axis=axis,
        tag=tag,
        tool="" if tool == _SEVERAL else tool,
        tools=tuple(dict.fromkeys(fact.tool for fact in members)) if tool == _SEVERAL else (),
        impact=round(cost, DECIMALS),
        sessions=len(members),
        of=of,
        low=round(low, DECIMALS),
        high=round(high, DECIMALS),
        mean=round(fmean(scores), DECIMALS) if scores else None,
        thumbs_down=sum(balance < 0 for balance in balances),
        rated=len(balances),
        new=None if below is None else sum(one is False for one in was),
        persisting=None if below is None else sum(one is True for one in was),
        errors=_errors(members),
        examples=tuple(_examples(members)),
    )


def _id(suite: str, key: _Key) -> str:
    return hashlib.sha256("\n".join((suite, *key)).encode("utf-8", "replace")).hexdigest()[:8]


def _same_as(
    cluster: Cluster, members: Sequence[Fact], earlier: Sequence[tuple[Cluster, Sequence[Fact]]]
) -> str | None:
    """Return the first earlier cluster of cause and tool that is nearly these sessions."""
    ours = {id(fact.session) for fact in members}
    for other, theirs in earlier:
        alike = (other.cause, other.tool) == (cluster.cause, cluster.tool)
        if alike and other.same_as is None:
            shared = ours.intersection(id(fact.session) for fact in theirs)
            if len(shared) >= _SAME * len(ours):
                return other.id
    return None


def _errors(members: Sequence[Fact]) -> tuple[tuple[str, int], ...]:
    """Return what the most telling quote of each session reports, where that is an error."""
    cited = (min(_cited(fact), key=_weight, default=None) for fact in members)
    quotes = Counter(one.quote for one in cited if one is not None and one.quote)
    labels: Counter[str] = Counter()
    for quote, number in quotes.items():
        if label := error_label(quote):
            labels[label] += number
    ordered = sorted(labels.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ordered[:_ERRORS])


def _examples(members: Sequence[Fact]) -> Iterator[Example]:
    ordered = sorted(members, key=lambda fact: -1.0 if fact.score is None else fact.score)
    for fact in islice(ordered, _EXAMPLES):
        session = fact.session
        cited = min(_cited(fact), key=_weight, default=None)
        yield Example(
            key=session.key,
            path=session.path,
            score=None if fact.score is None else round(fact.score, DECIMALS),
            message=None if cited is None else cited.message,
            agent_id=None if cited is None else cited.agent_id,
            quote="" if cited is None else cited.quote,
            said=_said(fact, cited),
        )


def _said(fact: Fact, cited: Evidence | None) -> str:
    """Return what to tell where no words are quoted; empty: they are."""
    said = fact.said
    if said is None or (cited is not None and cited.quote.strip()):
        return ""
    if said.kind == "unscored":
        return said.detail
    verdict = fact.session.verdict
    result = verdict.axes[fact.axis] if verdict is not None else None
    if fact.tag == "contested" and isinstance(result, PanelScore):
        return f"experts gave {said.score} to {said.score + result.spread:g}"
    return (cited.note if cited is not None else "") or said.comment


def _cited(fact: Fact) -> list[Evidence]:
    """Return what is cited against the agent, of the fact's tool where it has one."""
    if fact.said is None:
        return []
    against = [one for one in fact.said.evidence if one.verified and one.polarity == "negative"]
    return [one for one in against if one.tool == fact.tool] if fact.tool else against


def _weight(cited: Evidence) -> tuple[bool, bool]:
    return not cited.quote.strip(), not _SPEAKS.search(cited.quote)

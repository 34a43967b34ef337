"""From signals to scores: how much each kind of finding costs on which axis.

An axis starts at 100 and every kind of finding keeps a share of it::

    share kept = 1 - loss × (1 - e^(-x / scale))

``x`` is how often the kind was found, or how often per tool call, as the rule
says. ``loss`` is the most a kind can ever cost, ``scale`` how quickly it
gets there. The shares are multiplied, so that no kind hides another, no score
reaches zero before everything went wrong, and one more fault always costs
something. The numbers were set by hand on real sessions; docs/evidence-judge.md
says what they can and cannot tell apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytest_sessioneval.judging.process.rules import RULES, Rule
from pytest_sessioneval.judging.process.signals import Effort, Finding, Signals
from pytest_sessioneval.suites.model import Axis
from pytest_sessioneval.verdicts.model import AxisOpinion, Evidence, Scored, Unscored

__all__ = ["effort_points", "length_kept", "score_axis"]

_MOST_EVIDENCE = 12
_MOST_NAMED = 5
_MOST_PLACES = 6
_FEWEST_POINTS = 0.005
_LONGEST_COMMENT = 1_500
_LONGEST_NOTE = 240


def score_axis(axis: Axis, signals: Signals) -> AxisOpinion:
    """Return the score of one of ``SCORED_AXES``, or why this session has none."""
    if axis.name == "task_complexity":
        return _complexity(signals)
    reason = _nothing_to_measure(axis.name, signals)
    if reason:
        return Unscored(reason="unsupported", detail=reason)
    kept = 1.0
    costs: list[tuple[float, Rule, tuple[Finding, ...]]] = []
    for rule in RULES[axis.name]:
        findings = signals.of(rule.kind)
        if findings:
            share = rule.kept(_x(rule, findings, signals.effort))
            kept *= share
            costs.append((1 - share, rule, findings))
    comment: list[str] = []
    if axis.name == "efficiency":
        share = length_kept(signals.effort)
        kept *= share
        comment.append(_length_sentence(signals.effort, 1 - share))
    costs.sort(key=lambda cost: -cost[0])
    said = [_sentence(rule, findings, signals.effort) for _, rule, findings in costs]
    return Scored(
        score=round(100 * kept),
        comment=_shortened(
            " ".join([*said, *comment, *_asides(axis.name, signals, clean=not costs)]),
            _LONGEST_COMMENT,
        ),
        evidence=_evidence(costs) or _good_evidence(axis.name, signals),
        failure_tag=_tag(axis, costs),
    )


def length_kept(effort: Effort) -> float:
    """Return the share of efficiency that the session's length leaves, 0–1.

    Every doubling costs: of the steps, of the steps per request of the user, and
    of what was written. It says nothing across tasks of different size; between
    two sessions of one task it is what makes the longer one score lower.
    """
    steps = 0.045 * math.log2(1 + effort.steps / 10)
    pace = 0.045 * math.log2(1 + effort.steps / (4 * max(1, effort.requests)))
    written = 0.025 * math.log2(1 + effort.output_tokens / 1_000)
    return 1 - min(0.6, steps + pace + written)


def _x(rule: Rule, findings: Sequence[Finding], effort: Effort) -> float:
    amount = sum(finding.amount for finding in findings)
    return amount / max(1, effort.calls) if rule.per == "call" else amount


def _nothing_to_measure(axis: str, signals: Signals) -> str:
    effort, talk = signals.effort, signals.conversation
    if axis == "tool_usage_quality" and not effort.calls:
        return (
            "no tool was called, and evidence of process cannot tell whether one was needed: "
            "ask a judge model"
        )
    if axis == "efficiency" and not effort.steps:
        return "the agent did nothing that could be measured"
    if axis == "communication" and not (talk.answers or talk.requests or talk.unanswered):
        return "neither the user nor the agent said anything that could be measured"
    return ""


def _complexity(signals: Signals) -> Scored:
    effort = signals.effort
    return Scored(
        score=round(effort_points(effort)),
        comment=(
            f"Effort, not difficulty: {_count(effort.calls, 'call')} of "
            f"{_count(effort.tools, 'tool')} in {_count(effort.steps, 'step')} for "
            f"{_count(effort.requests, 'request')} of the user"
            + (f", with {_count(effort.subagents, 'sub-agent')}." if effort.subagents else ".")
        ),
    )


def effort_points(effort: Effort) -> float:
    """Return the session's size on a logarithmic scale, 0–100: every doubling adds the same."""
    points = (
        6 * math.log2(1 + effort.steps)
        + 4 * math.log2(1 + effort.calls)
        + 4 * math.log2(1 + effort.tools)
        + 3 * math.log2(1 + effort.requests)
        + 5 * math.log2(1 + effort.subagents)
    )
    return min(100.0, points)


def _sentence(rule: Rule, findings: Sequence[Finding], effort: Effort) -> str:
    places: dict[str, list[str]] = {}
    for finding in findings:
        places.setdefault(finding.label, []).append(finding.place)
    named = [_labelled(label, group) for label, group in list(places.items())[:_MOST_NAMED]]
    where = ("; " if rule.says == "{where}." else ", ").join(named)
    if len(places) > len(named):
        where += f" and {len(places) - len(named)} more"
    return rule.says.format(n=len(findings), calls=effort.calls, where=where)


def _labelled(label: str, places: Sequence[str]) -> str:
    """Return ``label (M3, M5)``, or what there is of it."""
    named = [place for place in places if place]
    where = ", ".join(named[:_MOST_PLACES])
    if len(named) > _MOST_PLACES:
        where += f" and {len(named) - _MOST_PLACES} more"
    if not label or not where:
        return label or where
    return f"{label} ({where})"


def _length_sentence(effort: Effort, cost: float) -> str:
    return (
        f"{_count(effort.steps, 'step')} for {_count(effort.requests, 'request')} of the user and "
        f"about {_count(effort.output_tokens, 'token')} written cost "
        f"{_count(round(100 * cost), 'point')}."
    )


def _asides(axis: str, signals: Signals, *, clean: bool) -> list[str]:
    """Return what is told without being scored."""
    said: list[str] = []
    if clean and axis == "tool_usage_quality":
        effort = signals.effort
        said.append(
            f"No fault was found in {_count(effort.calls, 'call')} of "
            f"{_count(effort.tools, 'tool')}."
        )
    if clean and axis == "communication":
        said.append("Every message of the user was answered, and no figure came from nowhere.")
    if clean and axis == "subagent_orchestration":
        count = _count(signals.effort.subagents, "sub-agent")
        said.append(f"{count}: all reported, and nothing was looked up twice.")
    outages = signals.of("outage")
    if outages and axis == "tool_usage_quality":
        met = _count(len(outages), "call")
        said.append(f"{met} met a tool that was out of order: not held against the agent.")
    declined = signals.of("declined")
    if declined and axis == "communication":
        places = ", ".join(finding.place for finding in declined[:_MOST_PLACES])
        said.append(f"The agent declined or handed over ({places}): told, not scored.")
    if signals.coverage < 1:
        said.append(f"Read: {signals.coverage:.0%} of the text; the longest were shortened.")
    return said


def _evidence(
    costs: Sequence[tuple[float, Rule, tuple[Finding, ...]]],
) -> tuple[Evidence, ...]:
    """Return the places, the costliest kind first, each kind before the next one's second."""
    columns = [
        [(finding, cite) for finding in findings for cite in finding.cites[:3]]
        for _, _, findings in costs
    ]
    found: list[Evidence] = []
    for row in range(_MOST_EVIDENCE):
        for column in columns:
            if row < len(column) and len(found) < _MOST_EVIDENCE:
                finding, cite = column[row]
                found.append(
                    Evidence(
                        message=cite.message,
                        quote=cite.quote,
                        agent_id=cite.agent_id,
                        note=_note(finding),
                        tool=cite.tool,
                    )
                )
    return tuple(found)


def _note(finding: Finding) -> str:
    kind = finding.kind.replace("_", " ")
    return _shortened(f"{kind}: {finding.text}" if finding.text else kind, _LONGEST_NOTE)


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _good_evidence(axis: str, signals: Signals) -> tuple[Evidence, ...]:
    answers = signals.conversation.answers
    if axis == "communication" and answers:
        return (Evidence(message=answers[-1], polarity="positive", note="the last answer"),)
    return ()


def _tag(axis: Axis, costs: Sequence[tuple[float, Rule, tuple[Finding, ...]]]) -> str | None:
    """Return the failure tag of what cost most, where it cost a point; ``other`` without one."""
    if not costs or costs[0][0] < _FEWEST_POINTS:
        return None
    named = (tag for tag in costs[0][1].tags if tag in axis.failure_tags)
    return next(named, "other")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number:,} {what}s"

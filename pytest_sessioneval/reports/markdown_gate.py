"""The gate's part of ``report.md``: what got worse, by how much, how surely, and where to look."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_sessioneval.gate.figures import confidence, signed, words
from pytest_sessioneval.gate.outcome import AxisDecision, Comparison, Decision
from pytest_sessioneval.gate.saying import axis_line, first_sentence, notes
from pytest_sessioneval.gate.shortcuts import shortcut_lines
from pytest_sessioneval.reports.citations import citations
from pytest_sessioneval.reports.lowest import lowest_expert
from pytest_sessioneval.reports.markdown_sessions import (
    Link,
    citation_line,
    details,
    session_link,
    session_target,
    session_title,
)
from pytest_sessioneval.reports.model import SessionReport, SuiteReport
from pytest_sessioneval.reports.neutralise import markdown_text
from pytest_sessioneval.reports.wording import counted, mean_points, points

__all__ = ["gate_section"]

_COMMENT = 400
_QUOTE = 120
_LINE = 1_000


def gate_section(suite: SuiteReport, link: Link) -> Iterator[str]:
    """Yield the decision: its sentence, a row per axis, what to know, and what fell most."""
    if suite.gate is None:
        return
    decision = suite.gate.decision
    doubtful = suite.standing is not None and not suite.standing.calibrated
    yield "### Gate (judge uncalibrated)" if doubtful else "### Gate"
    yield ""
    if decision is not None:
        yield f"**{markdown_text(first_sentence(decision), _LINE)}**"
        yield ""
        yield from _table(decision)
    others = [*shortcut_lines(suite.gate.shortcuts), *(notes(decision) if decision else ())]
    if others:
        yield from (f"- {markdown_text(line, _LINE)}" for line in others)
        yield ""
    if decision is not None:
        yield from _falls(decision, suite, link)
        lines = [f"- {markdown_text(axis_line(axis, decision), _LINE)}" for axis in decision.gated]
        yield from details("Every number, an axis a line", lines, len(lines))


def _table(decision: Decision) -> Iterator[str]:
    rows = [
        (axis, one) for axis in decision.axes for one in axis.comparisons if one.overall is not None
    ]
    if not rows:
        return
    level = confidence(decision.alpha)
    labelled = any(_labelled(one) for _, one in rows)
    yield (
        "| axis | baseline | now | change | the true change lies within | "
        f"{'by people | ' if labelled else ''}sessions | fell | rose | too much | verdict |"
    )
    yield f"|---|--:|--:|--:|---|{'---|' if labelled else ''}--:|--:|--:|--:|---|"
    yield from (_row(axis, one, labelled=labelled) for axis, one in rows)
    yield ""
    yield (
        "*Change* is over the sessions that have a score on both sides; the range holds the true "
        f"change with {level} confidence. *Too much* is the drop that is not tolerated."
    )
    if labelled:
        decides = "*by people* decides" if decision.decide_on == "corrected" else "*change* decides"
        yield (
            "*By people* is the change corrected by people's labels of sessions drawn at random; "
            f"{decides}."
        )
    yield ""


def _labelled(one: Comparison) -> bool:
    return one.corrected is not None and one.corrected.overall is not None


def _by_people(one: Comparison) -> str:
    """Return the corrected change, where it may lie and what it rests on; a dash without labels."""
    found = one.corrected
    if found is None or found.overall is None:
        return "–"
    test = found.overall
    span = ""
    if test.low is not None and test.high is not None:
        span = f" ({signed(test.low)} to {signed(test.high)})"
    return f"**{signed(test.difference)}**{span}, {counted(found.labelled, 'label')}"


def _row(axis: AxisDecision, one: Comparison, *, labelled: bool) -> str:
    test = one.overall
    if test is None:
        return ""
    several = len(axis.comparisons) > 1
    known = test.low is not None and test.high is not None
    verdict = "not gated"
    if one.status is not None:
        verdict = f"{words(one.status)}" if one.status == "passed" else f"**{words(one.status)}**"
    cells = (
        markdown_text(axis.axis) + (f" ({markdown_text(one.baseline)})" if several else ""),
        "–" if one.baseline_mean is None else mean_points(one.baseline_mean),
        "–" if one.candidate_mean is None else mean_points(one.candidate_mean),
        f"**{signed(test.difference)}**",
        f"{signed(test.low or 0)} to {signed(test.high or 0)}" if known else "not known",
        *([_by_people(one)] if labelled else []),
        f"{test.pairs:,}",
        f"{one.fell:,}",
        f"{one.rose:,}",
        "–" if axis.margin is None else f"{axis.margin:g}",
        verdict,
    )
    return f"| {' | '.join(cells)} |"


def _falls(decision: Decision, suite: SuiteReport, link: Link) -> Iterator[str]:
    """Yield the sessions that fell most on each axis that did not pass, and what was said."""
    sessions = {session.key: session for session in suite.sessions}
    open_axes = [axis for axis in decision.gated if axis.status != "passed" and axis.worst]
    if not any(axis.worst and axis.worst.falls for axis in open_axes):
        return
    yield "#### Where to look"
    yield ""
    for axis in open_axes:
        for fall in axis.worst.falls if axis.worst else ():
            session = sessions.get(fall.key)
            if session is not None:
                change = f"{points(fall.before)} → {points(fall.after)}"
                yield from _fallen(session, axis.axis, change, suite, link)
    yield ""


def _fallen(
    session: SessionReport, axis: str, change: str, suite: SuiteReport, link: Link
) -> Iterator[str]:
    name = f"{session_link(session, suite, link)}{session_title(session)}"
    head = f"- **{markdown_text(axis)} {change}** {name}"
    told = lowest_expert(session, axis)
    if told is None:
        yield head
        return
    who, said = told
    comment = markdown_text(said.comment, _COMMENT)
    yield f"{head} – {markdown_text(who)} {said.score}{': ' + comment if comment else ''}"
    against = [cited for cited in said.evidence if cited.polarity == "negative"]
    shown = said.model_copy(update={"evidence": tuple(against)})
    for citation in citations(shown, shown=_COMMENT)[:1]:
        target = session_target(session, suite, link)
        yield f"  - {citation_line(citation, _QUOTE, target=target)}"

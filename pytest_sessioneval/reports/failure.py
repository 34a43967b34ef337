"""What one failing item says: which thresholds were missed, on whose word, by which quotes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.wording import (
    counted,
    experts_on,
    message_label,
    share_shown,
    shortfall_text,
)
from pytest_sessioneval.verdicts.model import AxisOpinion, Evidence, Verdict
from pytest_sessioneval.verdicts.run import SessionResult

__all__ = ["failure_text", "headline"]

_COMMENT = 1_000
_QUOTE = 300
_SHORT_QUOTE = 60
_PARAGRAPH = 1_500
_MOST_EVIDENCE = 5
_NARROWEST = 40


def failure_text(result: SessionResult, *, width: int = 80) -> str:
    """Return all that a reader needs to judge a failing session, in lines of ``width`` columns.

    The first line is the headline, never wrapped: pytest's short summary shows it.
    *Below threshold* lists every axis that missed its threshold, with each
    expert's score, comment and quotes with message numbers; *not scored* says
    why of every axis that had to be scored. Nothing of the session can move the
    terminal's cursor or colours.
    """
    return "\n".join([headline(result), *_wrapped(_failure(result), max(width, _NARROWEST))])


def headline(result: SessionResult) -> str:
    """Return the failure in one line, as pytest's short summary shows it."""
    if result.state == "below_threshold":
        falls = ", ".join(shortfall_text(shortfall) for shortfall in result.shortfalls)
        quote = _first_quote(result)
        return one_line(f"below threshold: {falls}" + (f" ({quote})" if quote else ""))
    if result.state == "not_scored":
        first = result.not_scored[0] if result.not_scored else "there is no verdict"
        others = len(result.not_scored) - 1
        more = f" (and {counted(others, 'more axis', 'more axes')})" if others > 0 else ""
        return one_line(f"not scored: {first}{more}", 300)
    if result.state == "error":
        first = result.not_scored[0] if result.not_scored else "there is no verdict"
        return one_line(f"internal error: {first}", 300)
    return result.state.replace("_", " ")


def _failure(result: SessionResult) -> Iterator[tuple[int, str]]:
    """Yield (indent, text) of each paragraph; an empty text is an empty line."""
    if result.not_scored:
        yield 0, ""
        yield 0, "not scored"
    for line in result.not_scored:
        yield 2, line
    for shortfall in result.shortfalls:
        yield 0, ""
        yield 0, shortfall_text(shortfall)
        if result.verdict is not None:
            for who, said in experts_on(result.verdict, shortfall.axis):
                yield from _said(who, said)
    if result.verdict is not None and result.shortfalls:
        yield from _overall(result.verdict)
    yield 0, ""
    yield 0, _place(result)


def _said(who: str, said: AxisOpinion) -> Iterator[tuple[int, str]]:
    if said.kind == "scored":
        tag = f" [{said.failure_tag}]" if said.failure_tag else ""
        comment = f": {one_line(said.comment, _COMMENT)}" if said.comment.strip() else ""
        yield 2, f"{who} {said.score}{tag}{comment}"
    else:
        detail = f": {one_line(said.detail, _COMMENT)}" if said.detail.strip() else ""
        yield 2, f"{who} {said.reason}{detail}"
    for evidence in said.evidence[:_MOST_EVIDENCE]:
        yield 4, _cited(evidence)
    left = len(said.evidence) - _MOST_EVIDENCE
    if left > 0:
        yield 4, f"and {left} more in the report"


def _cited(evidence: Evidence) -> str:
    label = message_label(evidence)
    quote = one_line(evidence.quote, _QUOTE)
    note = one_line(evidence.note, _QUOTE)
    if quote and note:
        return f'{label}: "{quote}" – {note}'
    return f'{label}: "{quote}"' if quote else f"{label}: {note or 'the message as a whole'}"


def _overall(verdict: Verdict) -> Iterator[tuple[int, str]]:
    comments = [(o.expert_id, o.comment) for o in verdict.opinions if o.comment.strip()]
    if comments:
        yield 0, ""
        yield 0, "on the session as a whole"
    for who, comment in comments:
        yield 2, f"{who}: {one_line(comment, _COMMENT)}"


def _place(result: SessionResult) -> str:
    session = result.session
    summary = session.summary
    where = session.path if summary.locator is None else f"{session.path}::{summary.locator}"
    text = f"session {session.session_id} of suite {session.suite}: {where}"
    if session.key not in (session.session_id, where):
        text += f" (key {session.key})"
    if result.verdict is not None and (shown := share_shown(result.verdict)):
        text += f"; shortened for the judge to {shown} of its text"
    return text


def _first_quote(result: SessionResult) -> str:
    """Return ``M7 'Error: …'``: the first negative quote on an axis that was missed."""
    if result.verdict is None:
        return ""
    cited = [
        evidence
        for shortfall in result.shortfalls
        for _, said in experts_on(result.verdict, shortfall.axis)
        for evidence in said.evidence
    ]
    against = [evidence for evidence in cited if evidence.polarity == "negative"] or cited
    if not against:
        return ""
    words = one_line(against[0].quote or against[0].note, _SHORT_QUOTE)
    label = f"M{against[0].message}"
    return f"{label} '{words}'" if words else label


def _wrapped(paragraphs: Iterator[tuple[int, str]], width: int) -> Iterator[str]:
    for indent, text in paragraphs:
        line = one_line(text, _PARAGRAPH)
        if not line:
            yield ""
            continue
        yield from textwrap.wrap(
            line,
            width,
            initial_indent=" " * indent,
            subsequent_indent=" " * (indent + 2),
            break_on_hyphens=False,
        )

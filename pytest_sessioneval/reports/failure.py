"""What one failing item says: which thresholds were missed, on whose word, by which quotes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from pytest_sessioneval.reports.citations import citations, most_telling, widest_first
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.reasons import causes_of
from pytest_sessioneval.reports.wording import (
    counted,
    experts_on,
    not_shown,
    shortfall_text,
    title_shown,
)
from pytest_sessioneval.transcripts.redaction import redact_text
from pytest_sessioneval.verdicts.model import AxisOpinion, Verdict
from pytest_sessioneval.verdicts.run import SessionResult

__all__ = ["failure_text", "headline", "skip_reason"]

_COMMENT = 1_000
_QUOTE = 300
_PARAGRAPH = 1_500
_MOST_CITED = 5
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


def skip_reason(result: SessionResult) -> str:
    """Return why a session was left unjudged, as pytest shows it of a skipped test."""
    axes = result.verdict.axes.values() if result.verdict is not None else ()
    details = (axis.detail for axis in axes if axis.kind == "unscored" and axis.detail)
    return one_line(next(details, "the gate had decided before its turn"), 300)


def headline(result: SessionResult) -> str:
    """Return the failure in one line, as pytest's short summary shows it.

    It begins with one of three words, *below threshold*, *not scored* or
    *internal error*, because JUnit XML and pytest show nothing else that tells
    them apart; then the axes, the widest miss first, and the one place that
    says most of it (``most_telling``).
    """
    if result.state == "below_threshold":
        falls = ", ".join(map(shortfall_text, widest_first(result.shortfalls)))
        verdict = result.verdict
        telling = most_telling(verdict, result.shortfalls) if verdict is not None else ""
        return one_line(f"below threshold: {falls}" + (f" ({telling})" if telling else ""))
    if result.state in ("not_scored", "error"):
        word = "not scored" if result.state == "not_scored" else "internal error"
        return one_line(f"{word}: {_first_cause(result)}", 300)
    return result.state.replace("_", " ")


def _first_cause(result: SessionResult) -> str:
    """Return the first cause, with the axes it left without a score, and how many others are."""
    found = causes_of(result.verdict, result.not_scored)
    if not found:
        return "there is no verdict"
    cause, axes = next(iter(found.items()))
    about = ""
    if axes:
        about = f" ({axes[0] if len(axes) == 1 else counted(len(axes), 'axis', 'axes')})"
    more = f" (and {counted(len(found) - 1, 'other cause')})" if len(found) > 1 else ""
    return cause + about + more


def _failure(result: SessionResult) -> Iterator[tuple[int, str]]:
    """Yield (indent, text) of each paragraph; an empty text is an empty line."""
    if result.not_scored:
        yield 0, ""
        yield 0, "not scored"
    for cause, axes in causes_of(result.verdict, result.not_scored).items():
        yield 2, cause
        if axes:
            yield 4, ", ".join(axes)
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
    cited = citations(said, shown=_COMMENT)
    for citation in cited[:_MOST_CITED]:
        yield 4, citation.text(_QUOTE)
    left = len(cited) - _MOST_CITED
    if left > 0:
        yield 4, f"and {left} more in the report"


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
    name = redact_text(summary.name or "")
    if title := title_shown(name, session.session_id, session.key):
        text += f", {title}"
    if result.verdict is not None and (shown := not_shown(result.verdict)):
        text += f"; {shown}"
    return text


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

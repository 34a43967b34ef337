"""The parts of ``report.md`` that show every session: lowest scores, and a row for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_sessioneval.reports.citations import citations
from pytest_sessioneval.reports.lowest import Low, lowest_scores
from pytest_sessioneval.reports.markdown_sessions import (
    Link,
    citation_line,
    session_link,
    session_target,
    session_title,
)
from pytest_sessioneval.reports.model import SessionReport, SuiteReport
from pytest_sessioneval.reports.neutralise import markdown_text
from pytest_sessioneval.reports.wording import counted, points

__all__ = ["lowest_sessions", "session_table"]

_LOWEST = 3
_ROWS = 100
_OPEN_ROWS = 25
_COMMENT = 400
_QUOTE = 120
_MAY_BREAK = "_\u200b"


def lowest_sessions(suite: SuiteReport, link: Link) -> Iterator[str]:
    """Yield per axis the lowest scores that hold, with what the lowest expert says and quotes."""
    axes = lowest_scores(suite, _LOWEST)
    if not axes:
        return
    below = any(row.below for row in suite.means)
    yield "### Lowest scores"
    yield ""
    left_out = "full marks and scores below their threshold" if below else "full marks"
    yield f"At most {_LOWEST} sessions per axis; {left_out} are left out."
    yield ""
    for axis, lows in axes.items():
        yield f"- **{markdown_text(axis)}**"
        for low in lows:
            yield f"  - {_low(low, suite, link)}"
            against = [e for e in low.said.evidence if e.polarity == "negative"]
            said = low.said.model_copy(update={"evidence": tuple(against)})
            for citation in citations(said, shown=_COMMENT)[:1]:
                target = session_target(low.session, suite, link)
                yield f"    - {citation_line(citation, _QUOTE, target=target)}"
    yield ""


def _low(low: Low, suite: SuiteReport, link: Link) -> str:
    session = low.session
    who = ""
    if session.verdict is not None and len(session.verdict.opinions) > 1:
        who = f" – {markdown_text(low.who)} {low.said.score}"
    said = markdown_text(low.said.comment, _COMMENT)
    name = f"{session_link(session, suite, link)}{session_title(session)}"
    return f"**{points(low.score)}** {name}{who}{': ' + said if said else ''}"


def session_table(suite: SuiteReport, link: Link) -> Iterator[str]:
    """Yield a row per session with its score on every axis that has any; a long table folded."""
    if not suite.sessions:
        return
    axes = [row.axis for row in suite.means if row.scored]
    folded = len(suite.sessions) > _OPEN_ROWS
    title = f"All sessions ({len(suite.sessions):,})"
    if folded:
        yield "<details>"
        yield f"<summary>{title}</summary>"
    else:
        yield f"### {title}"
    yield ""
    heads = (markdown_text(axis).replace("_", _MAY_BREAK) for axis in axes)
    yield f"| {' | '.join(('session', 'state', *heads))} |"
    yield f"|---|---|{'--:|' * len(axes)}"
    for session in suite.sessions[:_ROWS]:
        yield _row(session, axes, suite, link)
    yield ""
    left = len(suite.sessions) - _ROWS
    if left > 0:
        yield f"And {counted(left, 'more session')}: see scores.csv."
        yield ""
    if folded:
        yield "</details>"
        yield ""


def _row(session: SessionReport, axes: Sequence[str], suite: SuiteReport, link: Link) -> str:
    state = session.state.replace("_", " ")
    cells = [
        session_link(session, suite, link, code=False) + session_title(session),
        state if session.state == "passed" else f"**{state}**",
        *(_cell(session, axis) for axis in axes),
    ]
    return f"| {' | '.join(cells)} |"


def _cell(session: SessionReport, axis: str) -> str:
    result = session.verdict.axes.get(axis) if session.verdict is not None else None
    if result is None:
        return "–"
    if result.kind == "unscored":
        return "n/a" if result.reason == "not_applicable" else markdown_text(result.reason)
    missed = any(fall.axis == axis for fall in session.shortfalls)
    return f"**{points(result.score)}**" if missed else points(result.score)

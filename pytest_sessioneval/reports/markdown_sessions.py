"""The parts of ``report.md`` that are about single sessions: failing, not scored, broken."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from pytest_sessioneval.reports.citations import Citation, citations, widest_first
from pytest_sessioneval.reports.model import SessionReport, SuiteReport
from pytest_sessioneval.reports.neutralise import (
    code_span,
    html_text,
    markdown_text,
    one_line,
)
from pytest_sessioneval.reports.reasons import causes, causes_of, share_of_axes
from pytest_sessioneval.reports.wording import (
    counted,
    experts_on,
    not_shown,
    points,
    shortfall_text,
    title_shown,
)
from pytest_sessioneval.verdicts.model import AxisOpinion, Verdict
from pytest_sessioneval.verdicts.run import SessionState

__all__ = [
    "Link",
    "broken_sessions",
    "citation_line",
    "details",
    "failing_sessions",
    "no_link",
    "session_link",
    "session_target",
    "session_title",
    "unscored_sessions",
]

Link = Callable[[str], str | None]
"""Makes the target of a link from a path under the run's root; None: no link.

The target is percent-encoded already.
"""

_OPEN = 10
_FOLDED = 40
_LISTED = 50
_NAMED = 20
_CITED = 5
_COMMENT = 600
_QUOTE = 240
_LONGEST_COMMAND = 300


def no_link(path: str) -> str | None:  # noqa: ARG001 -- the signature of Link
    """Return None: the path is shown and not linked."""
    return None


def failing_sessions(suite: SuiteReport, link: Link) -> Iterator[str]:
    """Yield the sessions below a threshold, the widest miss first; the first ones unfolded."""
    failing = [s for s in suite.sessions if s.state == "below_threshold"]
    if not failing:
        return
    failing.sort(key=lambda s: -max((f.threshold - f.score for f in s.shortfalls), default=0))
    yield f"### Below threshold ({len(failing):,})"
    yield ""
    for session in failing[:_OPEN]:
        yield f"#### {_heading(session)}"
        yield ""
        yield from _session(session, suite, link)
        yield ""
    for session in failing[_OPEN : _OPEN + _FOLDED]:
        falls = ", ".join(map(shortfall_text, widest_first(session.shortfalls)))
        title = title_shown(session.title, session.key, session.session_id)
        name = f"{html_text(session.key, 120)} {html_text(title)}".rstrip()
        yield "<details>"
        yield f"<summary>{name}: {html_text(falls)}</summary>"
        yield ""
        yield from _session(session, suite, link)
        yield ""
        yield "</details>"
        yield ""
    left = len(failing) - _OPEN - _FOLDED
    if left > 0:
        yield f"And {counted(left, 'more session')} below a threshold: see scores.csv."
        yield ""


def unscored_sessions(suite: SuiteReport, link: Link) -> Iterator[str]:
    """Yield why sessions could not be scored, the most frequent cause first, and which those are.

    Also a session that misses a threshold on another axis is named here.
    """
    found = causes(suite)
    if not found:
        return
    number = len({id(session) for cause in found for session, _ in cause.sessions})
    yield f"### Not scored ({number:,})"
    yield ""
    for cause in found[:_LISTED]:
        sessions = counted(len(cause.sessions), "session")
        remedy = f" – {markdown_text(cause.remedy)}" if cause.remedy else ""
        yield f"- **{sessions}: {markdown_text(cause.text)}**{remedy}"
        for session, axes in cause.sessions[:_NAMED]:
            share = ", ".join(share_of_axes(session, axes))
            only = f": {markdown_text(share)}" if share else ""
            yield f"  - {_place(session, suite, link)}{only}"
        if len(cause.sessions) > _NAMED:
            yield f"  - and {len(cause.sessions) - _NAMED:,} more: see report.json"
    yield from _more(len(found) - _LISTED)
    yield ""


def broken_sessions(suite: SuiteReport, link: Link) -> Iterator[str]:
    """Yield the sessions on which something broke, what was never reached, what was unreadable."""
    yield from _listed(suite, "error", "Internal errors", link)
    yield from _listed(suite, "not_run", "Not run", link)
    problems = suite.sources.problems
    if not problems:
        return
    yield f"### Could not be read ({len(problems):,})"
    yield ""
    for problem in problems[:_LISTED]:
        line = "" if problem.line is None else f", line {problem.line}"
        place = _linked(problem.path, problem.path, suite, link)
        yield f"- {place}{line}: {markdown_text(problem.reason, 300)}"
    yield from _more(len(problems) - _LISTED)
    yield ""


def details(summary: str, lines: Sequence[str], limit: int) -> Iterator[str]:
    """Yield a folded list of at most ``limit`` lines that says how many there are."""
    if not lines:
        return
    yield "<details>"
    yield f"<summary>{html_text(summary)} ({len(lines):,})</summary>"
    yield ""
    yield from islice(lines, limit)
    yield from _more(len(lines) - limit)
    yield ""
    yield "</details>"
    yield ""


def _listed(suite: SuiteReport, state: SessionState, title: str, link: Link) -> Iterator[str]:
    sessions = [session for session in suite.sessions if session.state == state]
    if not sessions:
        return
    yield f"### {title} ({len(sessions):,})"
    yield ""
    for session in sessions[:_LISTED]:
        why = "; ".join(markdown_text(line, 300) for line in session.not_scored)
        yield f"- {_place(session, suite, link)}{': ' + why if why else ''}"
    yield from _more(len(sessions) - _LISTED)
    yield ""


def _more(left: int) -> Iterator[str]:
    if left > 0:
        yield f"- and {left:,} more: see report.json"


def _heading(session: SessionReport) -> str:
    falls = ", ".join(map(shortfall_text, widest_first(session.shortfalls)))
    return f"{code_span(session.key, 120)}{session_title(session)}: {markdown_text(falls)}"


def session_title(session: SessionReport) -> str:
    """Return the session's title, led by a space; empty where it has none but its key."""
    title = title_shown(session.title, session.key, session.session_id)
    return f" {markdown_text(title)}" if title else ""


def _session(session: SessionReport, suite: SuiteReport, link: Link) -> Iterator[str]:
    facts = [
        _linked(_where(session), session.path, suite, link),
        counted(session.messages, "message"),
        counted(session.tool_calls, "tool call"),
    ]
    command = one_line(f"pytest {shlex.quote(session.nodeid)}")
    if session.nodeid and len(command) <= _LONGEST_COMMAND:
        facts.append(code_span(command))
    yield " · ".join(facts)
    yield ""
    verdict = session.verdict
    for fall in session.shortfalls:
        yield f"- **{markdown_text(shortfall_text(fall))}**"
        if verdict is not None:
            for who, said in experts_on(verdict, fall.axis):
                yield from _said(who, said, session_target(session, suite, link))
    for cause, axes in causes_of(verdict, session.not_scored).items():
        about = f" ({', '.join(axes)})" if axes else ""
        yield f"- not scored: {markdown_text(cause + about, 400)}"
    if verdict is not None:
        yield from _rest(verdict, {fall.axis for fall in session.shortfalls})


def _said(who: str, said: AxisOpinion, target: str | None) -> Iterator[str]:
    name = markdown_text(who)
    if said.kind == "scored":
        tag = f" ({markdown_text(said.failure_tag)})" if said.failure_tag else ""
        comment = markdown_text(said.comment, _COMMENT)
        yield f"  - {name} **{said.score}**{tag}{': ' + comment if comment else ''}"
    else:
        detail = markdown_text(said.detail, _COMMENT)
        yield f"  - {name} *{said.reason}*{': ' + detail if detail else ''}"
    cited = citations(said, shown=_COMMENT)
    for citation in cited[:_CITED]:
        yield f"    - {citation_line(citation, target=target)}"
    left = len(cited) - _CITED
    if left > 0:
        yield f"    - and {left:,} more: see report.json"


def citation_line(citation: Citation, limit: int = _QUOTE, *, target: str | None = None) -> str:
    """Return where, what and why in one line; quote and note have ``limit`` characters.

    ``target`` is the link to the session's file; null: the place is not linked.
    """
    label = markdown_text(citation.label)
    if target is not None:
        label = f"[{label}]({target})"
    note = markdown_text(citation.note, limit)
    if not citation.quote.strip():
        return f"{label}: {note or 'the message as a whole'}"
    return f"{label}: {code_span(citation.quote, limit)}{' – ' + note if note else ''}"


def _rest(verdict: Verdict, shown: set[str]) -> Iterator[str]:
    """Yield the other axes on one line, each expert's overall comment, and what was not shown."""
    others = [
        f"{axis} {points(result.score) if result.kind == 'scored' else result.reason}"
        for axis, result in verdict.axes.items()
        if axis not in shown and (result.kind == "scored" or result.reason != "not_applicable")
    ]
    if others:
        yield f"- other axes: {markdown_text(', '.join(others))}"
    for opinion in verdict.opinions:
        if opinion.comment.strip():
            who = markdown_text(opinion.expert_id)
            yield f"- {who} on the session: {markdown_text(opinion.comment, _COMMENT)}"
    if missing := not_shown(verdict):
        yield f"- {markdown_text(missing, _COMMENT)}"


def _place(session: SessionReport, suite: SuiteReport, link: Link) -> str:
    where = _where(session)
    place = _linked(where, session.path, suite, link)
    key = "" if session.key == where else f" (key {code_span(session.key, 120)})"
    return place + key + session_title(session)


def session_target(session: SessionReport, suite: SuiteReport, link: Link) -> str | None:
    """Return where the session's file is to be seen; None: nowhere that is known."""
    return link(posixpath.join(suite.root, session.path))


def session_link(
    session: SessionReport, suite: SuiteReport, link: Link, *, code: bool = True
) -> str:
    """Return the session's key, linked to its file where ``link`` knows a target.

    As text, not code, it may stand in the cell of a table.
    """
    target = session_target(session, suite, link)
    name = code_span(session.key, 120) if code else markdown_text(session.key, 120)
    return name if target is None else f"[{name}]({target})"


def _where(session: SessionReport) -> str:
    return session.path if session.locator is None else f"{session.path}::{session.locator}"


def _linked(text: str, path: str, suite: SuiteReport, link: Link) -> str:
    """Return the path as code, linked where ``link`` knows a target."""
    target = link(posixpath.join(suite.root, path))
    return code_span(text, 300) if target is None else f"[{code_span(text, 300)}]({target})"

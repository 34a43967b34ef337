"""Sessions that hold text addressed to their judge, and what became of their scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_sessioneval.reports.markdown_sessions import Link, session_link
from pytest_sessioneval.reports.model import SessionReport, SuiteReport
from pytest_sessioneval.reports.neutralise import code_span, markdown_text
from pytest_sessioneval.reports.wording import counted, short_name
from pytest_sessioneval.verdicts.model import Evidence, Unscored, Verdict

__all__ = ["Steered", "steered_line", "steered_section", "steered_sessions"]

_NAMED = 3
_LISTED = 50
_PASSAGES = 6
_QUOTE = 200


@dataclass(frozen=True, slots=True)
class Steered:
    """One such session."""

    session: SessionReport
    passages: tuple[Evidence, ...]
    """What addresses the judge, each once, by any expert's word or our own heuristics."""
    tampered: dict[str, str]
    """Per axis whose score did not survive: what it was and became."""


def steered_sessions(suite: SuiteReport) -> tuple[Steered, ...]:
    """Return the sessions with such text, tampered ones first, else in order of collection."""
    found = []
    some_tampered = any("tampered" in row.unscored for row in suite.means)
    for session in suite.sessions:
        if session.verdict is None:
            continue
        said = [passage for opinion in session.verdict.opinions for passage in opinion.steering]
        tampered = _tampered(session.verdict) if some_tampered else {}
        if said or tampered:
            found.append(Steered(session, tuple(dict.fromkeys(said)), tampered))
    return tuple(sorted(found, key=lambda one: not one.tampered))


def _tampered(verdict: Verdict) -> dict[str, str]:
    return {
        name: axis.detail
        for name, axis in verdict.axes.items()
        if isinstance(axis, Unscored) and axis.reason == "tampered"
    }


def steered_line(suite: SuiteReport) -> str:
    """Return what the terminal says of them, in one line; empty where there are none."""
    found = steered_sessions(suite)
    if not found:
        return ""
    tampered = sum(1 for one in found if one.tampered)
    named = ", ".join(short_name(one.session) for one in found[:_NAMED])
    more = f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
    return (
        f"{counted(len(found), 'session')} with text that addresses the judge, "
        f"{tampered:,} of them tampered: {named}{more}"
    )


def steered_section(suite: SuiteReport, link: Link) -> Iterator[str]:
    """Yield the Markdown section on them; nothing where there are none."""
    found = steered_sessions(suite)
    if not found:
        return
    yield "### Text that addresses the judge"
    yield ""
    yield (
        "Nothing in these passages counts as evidence. Where they could have raised a score the "
        "session was judged again without them; one that fell by 10 points or more is *tampered*."
    )
    yield ""
    for one in found[:_LISTED]:
        yield f"- {session_link(one.session, suite, link)}"
        for axis, detail in one.tampered.items():
            yield f"  - {markdown_text(axis)} *tampered*: {markdown_text(detail, _QUOTE)}"
        for passage in one.passages[:_PASSAGES]:
            agent = f" of sub-agent {passage.agent_id}" if passage.agent_id else ""
            yield f"  - {markdown_text(f'M{passage.message}{agent}')}: {_quoted(passage)}"
        if len(one.passages) > _PASSAGES:
            yield f"  - and {len(one.passages) - _PASSAGES:,} more: see report.json"
    if len(found) > _LISTED:
        yield f"- and {counted(len(found) - _LISTED, 'session')} more: see report.json"
    yield ""


def _quoted(passage: Evidence) -> str:
    return code_span(passage.quote, _QUOTE) if passage.quote.strip() else "the message as a whole"

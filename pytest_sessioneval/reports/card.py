"""A judge's card for people: Markdown, and lines for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from pytest_sessioneval.gate.agreement.card import JudgeCard
from pytest_sessioneval.reports.card_tables import Table, card_tables, card_title
from pytest_sessioneval.reports.neutralise import code_span, markdown_text, one_line
from pytest_sessioneval.reports.wording import asked, counted

__all__ = ["card_lines", "render_card"]

_FOOT = (
    "Intervals are two-sided 90 %: of agreement by resampling sessions (clusters where several "
    "share a task), of mean changes Student's t, of shares Wilson's, of probes' shares "
    "Clopper–Pearson's. “unclear”: beyond the line, but within what chance explains. What was not "
    "measured is no pass. See docs/judge-check.md."
)
_TERMINAL = {
    "Agreement with people": (0, 1, 2, 4, 7, 10),
    "Pass and fail": (0, 1, 2, 4, 5, 7, 9),
    "Probes": (0, 2, 3, 4, 5),
}
"""The columns that a terminal has room for; the others are in the Markdown."""
_WIDEST = 46


def render_card(card: JudgeCard) -> str:
    """Return the card as GitHub-flavoured Markdown, ending in a line feed."""
    return "\n".join(_markdown(card)) + "\n"


def card_lines(card: JudgeCard, width: int = 100) -> Iterator[str]:
    """Yield the card for a terminal, a line each, without control characters."""
    yield one_line(card_title(card))
    yield one_line(_facts(card))
    for warning in card.warnings:
        yield from _wrapped(f"warning: {warning}", width)
    for table in card_tables(card):
        yield ""
        yield table.title
        if not table.rows:
            yield from _wrapped(table.empty, width)
            continue
        columns = _TERMINAL.get(table.title, range(len(table.head)))
        yield from _aligned([[row[at] for at in columns] for row in (table.head, *table.rows)])


def _markdown(card: JudgeCard) -> Iterator[str]:
    yield f"# Judge card: {markdown_text(card_title(card))}"
    yield ""
    yield markdown_text(_facts(card))
    yield ""
    yield f"- judge {code_span(card.judge_version)}"
    yield f"- rubric {code_span(card.rubric_version)}"
    if card.models:
        yield f"- answered by {', '.join(code_span(model) for model in card.models)}"
    yield f"- examined {card.examined_at:%Y-%m-%d %H:%M} UTC"
    yield ""
    for warning in card.warnings:
        yield f"> **{markdown_text(warning)}**"
        yield ""
    for table in card_tables(card):
        yield f"## {markdown_text(table.title)}"
        yield ""
        yield from _markdown_table(table) if table.rows else [markdown_text(table.empty)]
        yield ""
    if card.unsupported:
        yield "## Not scored by this judge"
        yield ""
        yield from (f"- `{axis}`: {markdown_text(how)}" for axis, how in card.unsupported.items())
        yield ""
    yield _FOOT


def _markdown_table(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(table.head)} |"
    yield f"|{'---|' * len(table.head)}"
    for row in table.rows:
        yield f"| {' | '.join(markdown_text(cell) for cell in row)} |"


def _facts(card: JudgeCard) -> str:
    facts = [
        counted(card.sessions, "session") + f" of {card.suite}",
        f"rubric {card.rubric_version.partition('#')[0]}",
        asked(card.spent),
    ]
    return " · ".join(fact for fact in facts if fact)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    shown = [[one_line(cell, _WIDEST) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield f"  {'  '.join(cells)}".rstrip()


def _wrapped(text: str, width: int) -> Iterator[str]:
    yield from textwrap.wrap(
        one_line(text), max(width, 40), initial_indent="  ", subsequent_indent="    "
    )

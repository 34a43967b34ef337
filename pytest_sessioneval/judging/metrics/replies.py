"""A judge's tables as values, or every reason why they are not accepted.

Nothing is repaired or guessed: a missing table or column, a second row for a
context, a mark without a quote is an error that names itself, so that the judge
can be asked once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StrictBool, ValidationError

from pytest_sessioneval.errors import ReplyError
from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.judging.metrics.tables import (
    MOST_STATEMENTS,
    QUESTIONS,
    columns,
    table_names,
)
from pytest_sessioneval.judging.prompts import GROUND_TRUTH_LABEL
from pytest_sessioneval.judging.replies import Citation, extract_object, message_label
from pytest_sessioneval.suites.metrics import MetricName

__all__ = ["Mark", "Statement", "Tables", "parse_tables"]

_MOST_SHOWN = 12


class Mark(Frozen):
    """Whether a text bears something out, and the words that show it."""

    found: StrictBool
    """Whether it does."""
    message: str | None
    """The text's label; null where nothing was found."""
    quote: str
    """The words, as they stand in the text; empty where nothing was found."""


class Statement(Frozen):
    """One claim, with a mark per column asked for."""

    statement: Annotated[str, Field(min_length=1)]
    """The claim in words of its own."""
    contexts: Mark | None = None
    """Whether the contexts bear it out; null: not asked for."""
    ground_truth: Mark | None = None
    """The same of what should have been answered."""
    answer: Mark | None = None
    """The same of the answer."""


class _Context(Frozen):
    message: str
    useful: StrictBool
    quote: str


class _Questions(Frozen):
    noncommittal: StrictBool
    questions: list[str]


class _Cited(Frozen):
    message: str
    quote: str


_Statements = Annotated[list[Statement], Field(max_length=MOST_STATEMENTS)]


class _Reply(Frozen):
    nonce: str
    instructions_found_in_transcript: list[_Cited]
    answer_statements: _Statements | None = None
    ground_truth_statements: _Statements | None = None
    contexts: list[_Context] | None = None
    questions: _Questions | None = None


@dataclass(frozen=True, slots=True)
class Tables:
    """An accepted reply; a table that was not asked for is empty."""

    instructions: tuple[Citation, ...]
    """Passages of the recording that address the judge, as it reports them."""
    answer: tuple[Statement, ...] = ()
    ground_truth: tuple[Statement, ...] = ()
    contexts: Mapping[str, Mark] | None = None
    """By label, every context once."""
    questions: tuple[str, ...] = ()
    noncommittal: bool = False


def parse_tables(
    text: str, metrics: frozenset[MetricName], *, nonce: str, contexts: Sequence[str]
) -> Tables:
    """Return the tables; ``contexts`` are the labels of the contexts, each judged exactly once.

    Raises ``ReplyError`` listing everything that is wrong, in words that can be
    sent back to the judge.
    """
    try:
        reply = _Reply.model_validate(extract_object(text))
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)[:_MOST_SHOWN]
        ]
        raise ReplyError("; ".join(problems)) from None
    problems = list(_problems(reply, metrics, nonce, contexts))
    if problems:
        raise ReplyError("; ".join(problems[:_MOST_SHOWN]))
    cited = ((message_label(each.message), each) for each in reply.instructions_found_in_transcript)
    return Tables(
        instructions=tuple(Citation(label, each.quote) for label, each in cited if label),
        answer=tuple(reply.answer_statements or ()),
        ground_truth=tuple(reply.ground_truth_statements or ()),
        contexts={
            str(message_label(each.message)): Mark(
                found=each.useful, message=message_label(each.message), quote=each.quote
            )
            for each in reply.contexts or ()
        },
        questions=tuple(reply.questions.questions if reply.questions else ()),
        noncommittal=reply.questions is not None and reply.questions.noncommittal,
    )


def _problems(
    reply: _Reply, metrics: frozenset[MetricName], nonce: str, contexts: Sequence[str]
) -> Iterator[str]:
    if reply.nonce != nonce:
        yield f"nonce must be {nonce}"
    wanted = table_names(metrics)
    for table in ("answer_statements", "ground_truth_statements", "contexts", "questions"):
        there = getattr(reply, table) is not None
        if there is not (table in wanted):
            yield f"{table} was not asked for" if there else f"the reply lacks {table}"
    for table, names in columns(metrics).items():
        for number, row in enumerate(getattr(reply, table) or ()):
            yield from _row_problems(f"{table}[{number}]", row, names)
    if reply.contexts is not None:
        yield from _context_problems(reply.contexts, contexts)
    if reply.questions is not None:
        asked = [question for question in reply.questions.questions if question.strip()]
        if len(asked) != QUESTIONS:
            yield f"questions.questions must hold {QUESTIONS} questions, found {len(asked)}"


def _row_problems(where: str, row: Statement, names: Sequence[str]) -> Iterator[str]:
    for column in ("contexts", "ground_truth", "answer"):
        mark: Mark | None = getattr(row, column)
        if mark is None:
            if column in names:
                yield f"{where} lacks {column}"
        elif column not in names:
            yield f"{where}.{column} was not asked for"
        elif mark.found and not _label(mark.message):
            yield f"{where}.{column}: found is true, and message is no label such as M1"
        elif mark.found and not mark.quote.strip():
            yield f"{where}.{column}: found is true without a quote"


def _context_problems(judged: Sequence[_Context], contexts: Sequence[str]) -> Iterator[str]:
    labels = [message_label(each.message) or each.message for each in judged]
    for label in dict.fromkeys(labels):
        if label not in contexts:
            yield f"contexts: {label[:40]} is no context; they are {', '.join(contexts)}"
        elif labels.count(label) > 1:
            yield f"contexts: {label} is there twice"
    missing = [label for label in contexts if label not in labels]
    if missing:
        yield f"contexts lacks {', '.join(missing)}; judge every context exactly once"
    for each in judged:
        if each.useful and not each.quote.strip():
            yield f"contexts: {each.message[:40]} is useful without a quote"


def _label(text: str | None) -> str | None:
    return text if text == GROUND_TRUTH_LABEL else message_label(text)

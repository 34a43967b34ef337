"""What a judge is shown with the passages that address it taken out.

A quote proves something only where it still stands in the masked text, and a
score only where it survives there (``judging.invariance``). What replaces a
passage is our own word: it cannot be quoted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_sessioneval.judging.locating import SearchedText
from pytest_sessioneval.judging.model import Case
from pytest_sessioneval.judging.prompts import shown_ground_truth
from pytest_sessioneval.judging.steering import Span, joined, steering_spans
from pytest_sessioneval.transcripts.excerpt import Excerpt
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.shown import Block, ShownMessage
from pytest_sessioneval.verdicts.model import Evidence

__all__ = ["MASK", "Masked", "masked", "masked_beside", "pieces"]

MASK = "[instruction-like text removed]"
"""Stands where a passage was."""

_LONGEST_KEPT = 300
_NOTE = "addresses whoever judges the session"


@dataclass(frozen=True, slots=True)
class Masked:
    """An excerpt without the passages that address its judge."""

    excerpt: Excerpt
    passages: tuple[Evidence, ...]
    """What was taken out, in order; empty: nothing was."""


def masked(shown: Excerpt, axes: Sequence[str], reported: Sequence[Evidence] = ()) -> Masked:
    """Return the excerpt without what our own heuristics flag and what ``reported`` names.

    ``axes`` are the names of the axes scored; ``reported`` are verified
    passages that a judge says address it. Coverage stays that of ``shown``:
    nothing is left out that could be evidence.
    """
    by_message: dict[tuple[int, str | None], list[str]] = {}
    for passage in reported:
        by_message.setdefault((passage.message, passage.agent_id), []).append(passage.quote)
    messages: list[ShownMessage] = []
    passages: list[Evidence] = []
    for message in shown.messages:
        quotes = by_message.get((message.index, message.agent_id), ())
        spans = (
            ()
            if message.last is not None
            else [_spans(block, axes, quotes) for block in message.blocks]
        )
        if not any(spans):
            messages.append(message)
            continue
        blocks: list[Block] = []
        for block, found in zip(message.blocks, spans, strict=True):
            blocks += _without(block, found)
            passages += [_passage(message, block.text[start:end]) for start, end in found]
        messages.append(replace(message, blocks=tuple(blocks)))
    if not passages:
        return Masked(shown, ())
    return Masked(replace(shown, messages=tuple(messages)), tuple(passages))


def masked_beside(case: Case) -> Case:
    """Return the case without passages that address its judge beside the session's messages.

    In profile, people's comments and ground truth; an equal one where there are
    none. A change may write the first, and anybody the others.
    """
    axes = case.rubric.axis_names
    feedback = tuple(
        entry.model_copy(update={"comment": _masked_text(entry.comment, axes)})
        for entry in case.feedback
    )
    return replace(
        case,
        profile=_masked_text(case.profile, axes),
        feedback=feedback,
        transcript=_masked_reference(case, axes),
    )


def _masked_reference(case: Case, axes: Sequence[str]) -> Transcript:
    """Return the transcript with its ground truth masked, where the judge is shown that."""
    transcript, shown = case.transcript, shown_ground_truth(case)
    without = _masked_text(shown, axes)
    if transcript.reference is None or without == shown:
        return transcript
    reference = transcript.reference.model_copy(update={"answer": without})
    return transcript.model_copy(update={"reference": reference})


def _masked_text(text: str, axes: Sequence[str]) -> str:
    kept = pieces(text, steering_spans(text, axes))
    return "".join(MASK if piece is None else piece for piece in kept)


def _spans(block: Block, axes: Sequence[str], quotes: Sequence[str]) -> tuple[Span, ...]:
    if block.kind in {"elision", "media"}:
        return ()
    flagged = steering_spans(block.text, axes)
    if not quotes:
        return flagged
    searched = SearchedText(block.text)
    said = [span for quote in quotes if (span := searched.span(quote)) is not None]
    return tuple(joined([*flagged, *said])) if said else flagged


def _without(block: Block, spans: Sequence[Span]) -> Iterator[Block]:
    if not spans:
        yield block
        return
    for text in pieces(block.text, spans):
        yield Block("elision", MASK) if text is None else replace(block, text=text)


def pieces(text: str, spans: Sequence[Span]) -> Iterator[str | None]:
    """Yield the text between the spans, and None for each span."""
    start = 0
    for span in spans:
        if before := text[start : span.start]:
            yield before
        yield None
        start = span.end
    if after := text[start:]:
        yield after


def _passage(message: ShownMessage, text: str) -> Evidence:
    return Evidence(
        message=message.index,
        agent_id=message.agent_id,
        quote=text[:_LONGEST_KEPT],
        polarity="negative",
        note=_NOTE,
    )

"""Samples of retrieval-augmented answering, and the sessions that they are.

A sample is a question, the answer, the contexts it rests on and, where people
wrote one down, the answer taken as right. As a session it is an ordinary
transcript: the user asks, each context is a tool's message, the agent answers.
The answer taken as right is the transcript's ``reference`` and no message: it
can never pass for something the agent said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_sessioneval.transcripts.model import Message, Reference, ToolCall, Transcript

__all__ = ["CONTEXT_TOOL", "SEPARATOR", "Places", "Sample", "places_of", "sample_of", "session_of"]

CONTEXT_TOOL = "context"
"""The tool's name of a context that no recorded call returned."""

SEPARATOR = " |||| "
"""Splits several contexts that are written as one string."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the metrics of retrieval-augmented answering are computed from."""

    question: str
    answer: str
    """Empty: the agent answered nothing."""
    contexts: tuple[str, ...] = ()
    """What was retrieved, best first."""
    ground_truth: str | None = None
    """The answer taken as right; null: none is known."""
    retrieved_ids: tuple[str, ...] | None = None
    """Ids of what was retrieved, best first; null: not recorded."""
    reference_ids: tuple[str, ...] | None = None
    """Ids of what ought to have been retrieved; null: not known."""
    calls: tuple[ToolCall, ...] = ()
    """The tool calls that were made."""
    reference_calls: tuple[ToolCall, ...] | None = None
    """Those that ought to have been made; null: not known."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a sample's parts stand in a session: indexes of the main agent's messages."""

    question: int | None
    contexts: tuple[int, ...]
    answer: int | None


def session_of(sample: Sample, session_id: str) -> Transcript:
    """Return the session that a sample is; ``sample_of`` gives the sample back.

    Holds for samples without blank texts: a context that says nothing is left
    out, and so is a ground truth.
    """
    messages = [Message(index=0, role="user", text=sample.question)]
    if sample.calls:
        messages.append(Message(index=1, role="assistant", tool_calls=sample.calls))
    messages += [
        Message(index=0, role="tool", text=context, tool_name=CONTEXT_TOOL)
        for context in sample.contexts
        if context.strip()
    ]
    messages.append(Message(index=0, role="assistant", text=sample.answer))
    return Transcript(
        session_id=session_id,
        source="samples",
        messages=tuple(
            message.model_copy(update={"index": index}) for index, message in enumerate(messages)
        ),
        retrieved_ids=sample.retrieved_ids,
        reference=_reference(sample),
    )


def places_of(transcript: Transcript) -> Places:
    """Return where question, contexts and answer stand.

    The answer is the agent's last message that calls nothing, the question the
    user's last plain message before it. Contexts are what tools returned before
    the answer, errors left out.
    """
    messages = transcript.messages
    answers = [each.index for each in messages if each.role == "assistant" and not each.tool_calls]
    end = answers[-1] if answers else len(messages)
    before = messages[:end]
    asked = [each.index for each in before if each.role == "user" and each.kind == "plain"]
    return Places(
        question=asked[-1] if asked else None,
        contexts=tuple(
            each.index
            for each in before
            if each.role == "tool" and not each.is_error and each.text.strip()
        ),
        answer=answers[-1] if answers else None,
    )


def sample_of(transcript: Transcript) -> Sample:
    """Return the sample that a session holds; see ``places_of``."""
    places = places_of(transcript)
    reference = transcript.reference or Reference()
    return Sample(
        question=_text(transcript.messages, places.question),
        answer=_text(transcript.messages, places.answer),
        contexts=tuple(transcript.messages[index].text for index in places.contexts),
        ground_truth=reference.answer,
        retrieved_ids=transcript.retrieved_ids,
        reference_ids=reference.ids,
        calls=tuple(
            call
            for message in transcript.messages
            if message.role == "assistant"
            for call in message.tool_calls
        ),
        reference_calls=reference.calls,
    )


def _text(messages: Sequence[Message], index: int | None) -> str:
    return "" if index is None else messages[index].text


def _reference(sample: Sample) -> Reference | None:
    reference = Reference(
        answer=sample.ground_truth, ids=sample.reference_ids, calls=sample.reference_calls
    )
    return None if reference == Reference() else reference

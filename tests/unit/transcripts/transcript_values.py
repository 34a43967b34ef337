"""Transcripts for tests: short builders, and strategies for whatever a reader may produce."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from pytest_sessioneval.transcripts.model import (
    CallRef,
    Media,
    Message,
    Outcome,
    Reference,
    Subsession,
    ToolCall,
    Transcript,
    Usage,
)
from pytest_sessioneval.transcripts.pairing import pair_results

__all__ = ["TRANSCRIPTS", "calling", "conversation", "result", "said", "transcript_of"]

_NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def said(role: str, text: str = "", **fields: object) -> Message:
    """Return a message; its index is set when it becomes part of a transcript."""
    return Message.model_validate({"index": 0, "role": role, "text": text, **fields})


def calling(*calls: str | tuple[str, str | None], text: str = "") -> Message:
    """Return an assistant's message with calls: names, or names with ids."""
    named = [(call, None) if isinstance(call, str) else call for call in calls]
    made = tuple(ToolCall(name=name, arguments={}, call_id=call_id) for name, call_id in named)
    return Message(index=0, role="assistant", text=text, tool_calls=made)


def result(text: str = "ok", **fields: object) -> Message:
    """Return a tool's message."""
    return said("tool", text, **fields)


def conversation(*messages: Message) -> tuple[Message, ...]:
    """Return the messages numbered and paired by order."""
    return pair_results(messages)


def transcript_of(*messages: Message, **fields: object) -> Transcript:
    """Return a transcript of these messages, numbered and paired by order."""
    facts = {"session_id": "s1", "source": "test", **fields}
    return Transcript.model_validate({**facts, "messages": conversation(*messages)})


_WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=0, max_size=12
)
_NAMES = st.sampled_from(["search", "cancel", "send", "ls"])
_IDS = st.none() | st.sampled_from(["call_0", "call_1", "call_2"])
_ARGUMENTS = st.dictionaries(
    _WORDS, st.none() | st.integers(-9, 9) | _WORDS | st.lists(_WORDS, max_size=2), max_size=2
)
_CALLS = st.builds(ToolCall, name=_NAMES, arguments=_ARGUMENTS | _WORDS, call_id=_IDS)
_USAGES = st.builds(
    Usage,
    input_tokens=st.none() | st.integers(0, 10_000),
    output_tokens=st.none() | st.integers(0, 10_000),
    cost_usd=st.none() | st.floats(0, 1),
)
_MEDIA = st.builds(
    Media, kind=st.just("image/png"), size=st.integers(0, 99), sha256=st.just("ab" * 32)
)
_DOCUMENTS = st.none() | st.lists(_WORDS, max_size=2).map(tuple)
_REFERENCES = st.builds(
    Reference,
    answer=st.none() | _WORDS,
    ids=_DOCUMENTS,
    calls=st.none() | st.lists(_CALLS, max_size=2).map(tuple),
)
_TIMES = st.none() | st.integers(0, 10**6).map(lambda seconds: _NOON + timedelta(seconds=seconds))
_SPOKEN = st.builds(
    Message,
    index=st.just(0),
    role=st.sampled_from(["system", "user", "assistant"]),
    text=_WORDS,
    kind=st.sampled_from(["plain", "instruction", "interrupt"]),
    reasoning=_WORDS,
    tool_calls=st.lists(_CALLS, max_size=3).map(tuple),
    media=st.lists(_MEDIA, max_size=1).map(tuple),
    model=st.none() | st.just("gpt-x"),
    usage=st.none() | _USAGES,
    at=_TIMES,
)
_RETURNED = st.builds(
    Message,
    index=st.just(0),
    role=st.just("tool"),
    text=_WORDS,
    tool_name=st.none() | _NAMES,
    is_error=st.booleans(),
    at=_TIMES,
)


@st.composite
def _strands(draw: st.DrawFn) -> tuple[Message, ...]:
    messages = draw(st.lists(_SPOKEN | _RETURNED, max_size=8))
    ids = {at: draw(_IDS) for at, message in enumerate(messages) if message.role == "tool"}
    return pair_results(messages, ids)


@st.composite
def _transcripts(draw: st.DrawFn) -> Transcript:
    messages = draw(_strands())
    agent_ids = draw(st.lists(st.sampled_from(["a1", "b2", "c3"]), unique=True))
    parts = tuple(
        Subsession(
            agent_id=agent_id,
            name=draw(st.none() | st.just("Explore")),
            spawned_by=draw(st.none() | st.just(CallRef(message=0, ordinal=0))),
            parent_agent_id=draw(st.none() | st.sampled_from(agent_ids)),
            messages=draw(_strands()),
        )
        for agent_id in agent_ids
    )
    return Transcript(
        session_id=draw(st.sampled_from(["s1", "s2"])),
        source="sessioneval",
        messages=messages or (Message(index=0, role="user", text="hello"),),
        subsessions=parts,
        task_id=draw(st.none() | st.just("task-1")),
        trial=draw(st.none() | st.integers(0, 3)),
        name=draw(st.none() | _WORDS),
        created_at=_NOON,
        last_active=_NOON,
        outcome=draw(
            st.none()
            | st.builds(Outcome, kind=st.just("reward"), value=st.none() | st.floats(0, 1))
        ),
        retrieved_ids=draw(_DOCUMENTS),
        reference=draw(st.none() | _REFERENCES),
        metadata=draw(st.dictionaries(_WORDS, st.none() | st.booleans() | _WORDS, max_size=2)),
    )


TRANSCRIPTS = _transcripts()
"""Transcripts as readers produce them: numbered, paired, with sub-agents."""

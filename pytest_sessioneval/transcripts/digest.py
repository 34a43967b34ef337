"""What a transcript is, whatever file and format it came from: its canonical form and digest.

The canonical form is JSON Lines in UTF-8 with sorted keys: one line of what
was recorded of the session as a whole, one per message, one per sub-agent with
its messages after it. It leaves out what can differ between two recordings of
the same run (ids, titles, time stamps, the reader) and every field that has
its default. Unicode is left as it is: two texts that merely look alike differ.
"""

from __future__ import annotations

import hashlib
import json
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

from pytest_sessioneval.transcripts.model import (
    CallRef,
    Message,
    Reference,
    SessionSummary,
    Subsession,
    ToolCall,
    Transcript,
    Usage,
)

__all__ = ["DIGEST_VERSION", "canonical_bytes", "digest", "summarise"]

DIGEST_VERSION = 1
"""Raised whenever the canonical form of the same transcript changes."""

_SHORT = 16
_NO_LINKS = b",[[],null]]"
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


_summarised: dict[int, tuple[weakref.ref[Transcript], str]] = {}
"""Digests of the transcripts that were summarised and are still there, by id.

What collection read is checked against its summary again before it is judged.
"""


def canonical_bytes(transcript: Transcript) -> bytes:
    """Return the canonical form: equal bytes mean equal messages, sub-agents and outcome.

    Covers roles, texts, kinds, reasoning, calls and their arguments, how
    results pair with calls, errors, media, models, usage, and what was retrieved
    and what the session is held against, where that is known. Leaves out
    ``session_id``, ``source``, ``task_id``, ``trial``, ``agent_model``,
    ``profile_id``, ``name``, ``metadata``, time stamps, call ids and agent ids.
    """
    return b"\n".join(_lines(transcript, [_base(message) for message in transcript.messages]))


def digest(transcript: Transcript) -> str:
    """Return the SHA-256 of the canonical form, 64 hexadecimal digits."""
    known = _summarised.get(id(transcript))
    if known is not None and known[0]() is transcript:
        return known[1]
    return hashlib.sha256(canonical_bytes(transcript)).hexdigest()


def summarise(transcript: Transcript, locator: str | None = None) -> SessionSummary:
    """Return what collection keeps of the transcript; ``locator`` names it within its file.

    ``prefix_digests`` has one entry of 16 hexadecimal digits per message of
    the main agent, each covering all messages up to it. It leaves out usage
    and which result answers a call: both are still open where a copy of a
    growing session was cut.
    """
    bases = [_base(message) for message in transcript.messages]
    found = hashlib.sha256(b"\n".join(_lines(transcript, bases))).hexdigest()
    _remember(transcript, found)
    messages = (transcript.messages, *(part.messages for part in transcript.subsessions))
    return SessionSummary(
        session_id=transcript.session_id,
        locator=locator,
        source=transcript.source,
        digest=found,
        task_id=transcript.task_id,
        trial=transcript.trial,
        agent_model=transcript.agent_model,
        profile_id=transcript.profile_id,
        name=transcript.name,
        created_at=transcript.created_at,
        last_active=transcript.last_active,
        message_count=len(transcript.messages),
        subsession_count=len(transcript.subsessions),
        tool_call_count=sum(len(message.tool_calls) for part in messages for message in part),
        prefix_digests="".join(_rolling(bases)),
        outcome=transcript.outcome,
        metadata=transcript.metadata,
    )


def _remember(transcript: Transcript, found: str) -> None:
    place, forget = id(transcript), _summarised.pop
    _summarised[place] = weakref.ref(transcript, lambda _: forget(place, None)), found


def _rolling(bases: Sequence[bytes]) -> Iterator[str]:
    running = hashlib.sha256()
    for base in bases:
        running.update(base)
        running.update(b"\n")
        yield running.copy().hexdigest()[:_SHORT]


def _lines(transcript: Transcript, bases: Sequence[bytes]) -> Iterator[bytes]:
    outcome = transcript.outcome
    header: dict[str, Any] = {"form": DIGEST_VERSION}
    if outcome is not None:
        header["outcome"] = [outcome.kind, outcome.value, outcome.detail]
    if transcript.retrieved_ids is not None:
        header["retrieved"] = list(transcript.retrieved_ids)
    if transcript.reference is not None:
        header["reference"] = _reference_form(transcript.reference)
    yield _encode(header)
    yield from _message_lines(transcript.messages, bases)
    ordinals = {part.agent_id: ordinal for ordinal, part in enumerate(transcript.subsessions)}
    for part in transcript.subsessions:
        yield _encode(_agent(part, ordinals))
        yield from _message_lines(part.messages, [_base(message) for message in part.messages])


def _reference_form(reference: Reference) -> dict[str, Any]:
    form: dict[str, Any] = {}
    if reference.answer is not None:
        form["answer"] = reference.answer
    if reference.ids is not None:
        form["ids"] = list(reference.ids)
    if reference.calls is not None:
        form["calls"] = [_call(call) for call in reference.calls]
    return form


def _message_lines(messages: Sequence[Message], bases: Sequence[bytes]) -> Iterator[bytes]:
    for message, base in zip(messages, bases, strict=True):
        if not message.tool_calls and message.usage is None:
            yield b"[" + base + _NO_LINKS
            continue
        links = [call.result for call in message.tool_calls]
        tail = _encode([links, None if message.usage is None else _usage(message.usage)])
        yield b"[" + base + b"," + tail + b"]"


def _base(message: Message) -> bytes:
    """Return the canonical form of all of a message that is known when it is recorded."""
    form: dict[str, Any] = {"role": message.role}
    if message.text:
        form["text"] = message.text
    if message.kind != "plain":
        form["kind"] = message.kind
    if message.reasoning:
        form["reasoning"] = message.reasoning
    if message.tool_calls:
        form["calls"] = [_call(call) for call in message.tool_calls]
    if message.answers is not None:
        form["answers"] = _reference(message.answers)
    if message.tool_name is not None:
        form["tool"] = message.tool_name
    if message.is_error:
        form["error"] = True
    if message.media:
        form["media"] = [[medium.kind, medium.size, medium.sha256] for medium in message.media]
    if message.model is not None:
        form["model"] = message.model
    return _encode(form)


def _call(call: ToolCall) -> list[Any]:
    return [call.name, call.arguments]


def _reference(reference: CallRef | None) -> list[int] | None:
    return None if reference is None else [reference.message, reference.ordinal]


def _usage(usage: Usage) -> list[float | None]:
    return [usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.cost_usd]


def _agent(part: Subsession, ordinals: dict[str, int]) -> dict[str, Any]:
    """Return a sub-agent's line: its kind and place, without ids chosen at random."""
    form: dict[str, Any] = {"agent": ordinals[part.agent_id], "messages": len(part.messages)}
    if part.name is not None:
        form["name"] = part.name
    if part.spawned_by is not None:
        form["call"] = _reference(part.spawned_by)
    if part.parent_agent_id is not None:
        form["parent"] = ordinals.get(part.parent_agent_id, -1)
    return form


def _encode(value: Any) -> bytes:
    # A transcript that no reader made may hold half surrogate pairs: they still have a digest.
    return _ENCODER.encode(value).encode("utf-8", "surrogatepass")

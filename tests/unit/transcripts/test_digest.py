"""What a transcript's digest depends on, and what it does not."""

from __future__ import annotations

import gc
import weakref
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from transcript_values import TRANSCRIPTS, calling, result, said, transcript_of

from pytest_sessioneval.transcripts.digest import canonical_bytes, digest, summarise
from pytest_sessioneval.transcripts.model import (
    CallRef,
    Media,
    Message,
    Outcome,
    Subsession,
    Transcript,
    Usage,
)

AGENT = Subsession(agent_id="a1", messages=(Message(index=0, role="user", text="look"),))
PLAIN = transcript_of(
    said("user", "hello"),
    calling(("search", "c1"), ("send", None), text="I will."),
    result("found"),
    said("assistant", "Done."),
    subsessions=(AGENT,),
)


def _with_message(at: int, /, **update: Any) -> Transcript:
    messages = list(PLAIN.messages)
    messages[at] = messages[at].model_copy(update=update)
    return PLAIN.model_copy(update={"messages": tuple(messages)})


def _with_call(**update: Any) -> Transcript:
    calls = PLAIN.messages[1].tool_calls
    return _with_message(1, tool_calls=(calls[0].model_copy(update=update), *calls[1:]))


def _with_agent(**update: Any) -> Transcript:
    return PLAIN.model_copy(update={"subsessions": (AGENT.model_copy(update=update),)})


def test_the_digest_is_the_sha256_of_the_canonical_form() -> None:
    """A golden value: it may only change with DIGEST_VERSION."""
    transcript = transcript_of(said("user", "größe 1"), outcome=Outcome(kind="reward", value=1.0))

    assert (
        '{"form":1,"outcome":["reward",1.0,null]}\n[{"role":"user","text":"größe 1"},[[],null]]'
        == canonical_bytes(transcript).decode()
    )
    assert "07658437f2f5d3ff" == digest(transcript)[:16]


@pytest.mark.parametrize(
    "other",
    [
        PLAIN.model_copy(update={"session_id": "s2"}),
        PLAIN.model_copy(update={"source": "other"}),
        PLAIN.model_copy(update={"name": "A title"}),
        PLAIN.model_copy(update={"task_id": "t", "trial": 3}),
        PLAIN.model_copy(update={"agent_model": "m", "profile_id": "p"}),
        PLAIN.model_copy(update={"metadata": {"a": 1}}),
        PLAIN.model_copy(update={"created_at": datetime(2026, 1, 1, tzinfo=UTC)}),
        PLAIN.model_copy(update={"last_active": datetime(2026, 1, 1, tzinfo=UTC)}),
        _with_message(0, at=datetime(2026, 1, 1, tzinfo=UTC)),
        _with_call(call_id="c2"),
        _with_call(call_id=None),
        _with_agent(agent_id="another"),
    ],
)
def test_what_differs_between_two_recordings_does_not_count(other: Transcript) -> None:
    """Ids, titles, times and the reader leave the digest as it is."""
    assert digest(PLAIN) == digest(other)


@pytest.mark.parametrize(
    "other",
    [
        _with_message(0, text="hello "),
        _with_message(0, role="system"),
        _with_message(0, kind="command"),
        _with_message(0, media=(Media(kind="image/png", size=1, sha256="0"),)),
        _with_message(1, reasoning="hm"),
        _with_message(1, tool_calls=PLAIN.messages[1].tool_calls[::-1]),
        _with_message(1, model="m"),
        _with_message(1, usage=Usage(output_tokens=1)),
        _with_message(2, is_error=True),
        _with_message(2, tool_name="other"),
        _with_message(2, answers=CallRef(message=1, ordinal=1)),
        _with_call(name="other"),
        _with_call(arguments={"a": 1}),
        _with_call(arguments="{}"),
        _with_call(result=None),
        _with_agent(name="Explore"),
        _with_agent(messages=()),
        _with_agent(spawned_by=CallRef(message=1, ordinal=0)),
        _with_agent(parent_agent_id="a1"),
        PLAIN.model_copy(update={"subsessions": ()}),
        PLAIN.model_copy(update={"subsessions": (AGENT, AGENT.model_copy())}),
        PLAIN.model_copy(update={"messages": PLAIN.messages[:-1]}),
        PLAIN.model_copy(update={"messages": PLAIN.messages + AGENT.messages, "subsessions": ()}),
        PLAIN.model_copy(update={"outcome": Outcome(kind="reward")}),
        PLAIN.model_copy(update={"outcome": Outcome(kind="reward", value=0.0)}),
    ],
)
def test_what_was_said_and_done_counts(other: Transcript) -> None:
    """Any difference in messages, calls, links, usage, sub-agents or outcome shows."""
    assert digest(PLAIN) != digest(other)


def test_the_order_of_keys_does_not_count() -> None:
    """Arguments are the same whatever order they were written in."""
    assert digest(_with_call(arguments={"a": 1, "b": {"c": 2, "d": 3}})) == digest(
        _with_call(arguments={"b": {"d": 3, "c": 2}, "a": 1})
    )


def test_unicode_is_not_normalised() -> None:
    """A composed and a decomposed umlaut are two texts."""
    assert digest(_with_message(0, text="\u00e4")) != digest(_with_message(0, text="a\u0308"))


def test_half_a_surrogate_pair_has_a_digest() -> None:
    """A transcript built by hand may hold what no UTF-8 can, and is not refused for it."""
    assert digest(_with_message(0, text="\ud800")) != digest(_with_message(0, text="\ud801"))


@given(TRANSCRIPTS)
def test_a_copy_has_the_same_digest(transcript: Transcript) -> None:
    """Writing a transcript down and reading it back leaves its digest."""
    copy = Transcript.model_validate_json(transcript.model_dump_json())

    assert digest(transcript) == digest(copy)


@given(TRANSCRIPTS)
def test_one_more_character_anywhere_changes_the_digest(transcript: Transcript) -> None:
    """Each message's text counts."""
    for at, message in enumerate(transcript.messages):
        changed = list(transcript.messages)
        changed[at] = message.model_copy(update={"text": message.text + "."})
        assert digest(transcript) != digest(
            transcript.model_copy(update={"messages": tuple(changed)})
        )


def test_a_changed_copy_of_what_was_summarised_has_its_own_digest() -> None:
    """What is known of a transcript is known of that object alone."""
    transcript = transcript_of(said("user", "a"))
    known = summarise(transcript).digest
    other = transcript.model_copy(update={"messages": ()})
    assert (True, False) == (known == digest(transcript), known == digest(other))


def test_a_summarised_transcript_is_not_kept() -> None:
    """It goes when nobody holds it, and leaves nothing of it to what comes in its place."""
    transcript = transcript_of(said("user", "a"))
    summarise(transcript)
    gone = weakref.ref(transcript)
    del transcript
    gc.collect()
    assert gone() is None


def test_a_summary_counts_messages_agents_and_calls() -> None:
    """Counts and facts of a session, with the sub-agents' calls among the calls."""
    agent = AGENT.model_copy(update={"messages": (calling("ls", "ls"), result())})
    transcript = PLAIN.model_copy(
        update={"subsessions": (agent,), "task_id": "t", "metadata": {"a": 1}}
    )

    summary = summarise(transcript, "s1")

    assert (4, 1, 4, "s1", "t", {"a": 1}) == (
        summary.message_count,
        summary.subsession_count,
        summary.tool_call_count,
        summary.locator,
        summary.task_id,
        summary.metadata,
    )
    assert digest(transcript) == summary.digest


def _prefixes(transcript: Transcript) -> list[str]:
    joined = "".join(summarise(transcript).prefix_digests)
    return [joined[at : at + 16] for at in range(0, len(joined), 16)]


def test_a_prefix_has_the_first_of_the_prefix_digests() -> None:
    """A copy that was cut shares its digests with the whole, also amid a call."""
    whole = _prefixes(PLAIN)

    assert len(PLAIN.messages) == len(set(whole))
    for length in range(len(PLAIN.messages) + 1):
        assert whole[:length] == _prefixes(transcript_of(*PLAIN.messages[:length]))


def test_prefix_digests_leave_out_what_is_still_open() -> None:
    """Usage that a later record completes does not tell a copy from its original."""
    assert _prefixes(PLAIN) == _prefixes(_with_message(1, usage=Usage(output_tokens=5)))


def test_another_beginning_shares_no_prefix_digest() -> None:
    """Each digest covers everything before it."""
    assert set() == set(_prefixes(_with_message(0, text="hello!"))) & set(_prefixes(PLAIN))

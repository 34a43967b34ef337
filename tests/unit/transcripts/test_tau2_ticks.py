"""Turns from the ticks of full-duplex simulations (recordings with words are written here)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytest_sessioneval.transcripts.formats.tau2_bench import READER
from pytest_sessioneval.transcripts.formats.tau2_ticks import messages_of_ticks
from pytest_sessioneval.transcripts.loading import load_document
from pytest_sessioneval.transcripts.reader import Limits


def _tick(agent: str | None = None, user: str | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "agent_chunk": {"role": "assistant", "content": agent},
        "user_chunk": {"role": "user", "content": user},
        **fields,
    }


def _said(ticks: list[Any]) -> list[tuple[str, str]]:
    return [(m["role"], m["content"]) for m in messages_of_ticks(ticks)]


def test_the_chunks_of_an_utterance_make_one_message() -> None:
    """Words arrive in pieces of a fraction of a second."""
    assert [("user", "I lost my card")] == _said([_tick(user="I lost "), _tick(user="my card")])


def test_a_pause_does_not_end_a_turn() -> None:
    """Only the other side's words do."""
    ticks = [_tick(agent="One "), _tick(), _tick(agent="moment.")]
    assert [("assistant", "One moment.")] == _said(ticks)


def test_the_other_sides_words_end_a_turn() -> None:
    """The conversation alternates."""
    ticks = [_tick(user="Hi"), _tick(agent="Hello!"), _tick(), _tick(user="My card")]
    assert [("user", "Hi"), ("assistant", "Hello!"), ("user", "My card")] == _said(ticks)


def test_two_who_speak_at_once_have_a_turn_each() -> None:
    """Overlapping chunks are not cut into a message per tick."""
    ticks = [_tick(agent="Let me "), _tick(agent="check ", user="Wait, "), _tick("that.", "no!")]
    assert [("assistant", "Let me check that."), ("user", "Wait, no!")] == _said(ticks)


def test_another_utterance_id_begins_another_message() -> None:
    """The source knows best where an utterance ends."""
    first = {"content": "Bye.", "utterance_ids": ["u1"]}
    second = {"content": "Hello?", "utterance_ids": ["u2"]}
    ticks = [{"user_chunk": first}, {"user_chunk": second}]
    assert [("user", "Bye."), ("user", "Hello?")] == _said(ticks)


def test_sound_is_read_by_its_script() -> None:
    """The content of a sound chunk is base64."""
    chunk = {"content": "UklGRg==", "is_audio": True, "audio_script_gold": "Good day"}
    assert [("user", "Good day")] == _said([{"user_chunk": chunk}])


def test_what_the_user_was_heard_to_say_stands_in_for_missing_words() -> None:
    """Post-processing writes ``user_transcript``."""
    assert [("user", "Hello")] == _said([_tick(user_transcript="Hello")])


def test_calls_and_results_are_messages_in_order(tmp_path: Path) -> None:
    """A call ends the turn it interrupts; its result is paired with it."""
    call = {"id": "x", "name": "look_up", "arguments": {"card": 1}, "requestor": "assistant"}
    result = {"id": "x", "role": "tool", "content": "found", "requestor": "assistant"}
    ticks = [
        _tick(user="My card is 1.", timestamp="2026-06-30T11:40:41"),
        _tick(agent="Let me see.", agent_tool_calls=[call]),
        _tick(agent_tool_results=[result]),
        _tick(agent="I found it."),
    ]
    path = tmp_path / "a.json"
    simulation = {"id": "a", "task_id": "7", "mode": "full_duplex", "ticks": ticks}
    path.write_text(json.dumps(simulation), encoding="utf-8")
    (found,) = READER.read(load_document(path), Limits()).sessions
    messages = found.transcript.messages
    roles = ["user", "assistant", "assistant", "tool", "assistant"]
    assert roles == [message.role for message in messages]
    assert 3 == messages[2].tool_calls[0].result
    assert "look_up" == messages[3].tool_name
    assert messages[0].at is not None


def test_ticks_of_another_shape_give_nothing() -> None:
    """Hostile recordings are no crash."""
    odd = [None, 1, {"agent_chunk": 3, "user_tool_calls": "x"}, {"user_chunk": {"content": 5}}]
    assert [] == _said(odd)

"""Transcripts written in a test are as readers make them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.transcripts.model import CallRef, Message


def test_messages_are_numbered_in_order() -> None:
    """A tool's turn is two messages: the call and its result."""
    built = transcript(("user", "hi"), tool("look", result="seen"), ("assistant", "done"))
    assert [(0, "user"), (1, "assistant"), (2, "tool"), (3, "assistant")] == [
        (message.index, message.role) for message in built.messages
    ]


def test_calls_are_paired_with_their_results() -> None:
    """Both point to each other."""
    built = transcript(("user", "hi"), tool("look", {"at": 1}, result="seen", is_error=True))
    (call,) = built.messages[1].tool_calls
    result = built.messages[2]
    assert ("look", {"at": 1}, 2) == (call.name, call.arguments, call.result)
    assert (CallRef(message=1, ordinal=0), "look", True) == (
        result.answers,
        result.tool_name,
        result.is_error,
    )


def test_messages_may_be_given_whole() -> None:
    """Their index follows from where they stand."""
    whole = Message(index=9, role="user", text="stop", kind="interrupt")
    built = transcript(("user", "hi"), whole)
    assert (1, "interrupt") == (built.messages[1].index, built.messages[1].kind)


def test_further_fields_are_the_transcripts() -> None:
    """Task, model and the like."""
    assert ("t", 2) == (
        (built := transcript(session_id="s", task_id="t", trial=2)).task_id,
        built.trial,
    )


def test_an_unknown_role_is_refused() -> None:
    """A typing error in a test is told at once."""
    with pytest.raises(ValidationError, match="role"):
        transcript(("agent", "hi"))

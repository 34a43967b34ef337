"""Injected faults: the sessions stay sound, and the fault is what it says."""

from __future__ import annotations

import random

import pytest

from pytest_sessioneval.judging.faults import FAULTS, Fault
from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.transcripts.model import CallRef, Message, Subsession, Transcript

OTHER = transcript(
    ("user", "Which train goes to Berlin in the morning?"),
    ("assistant", "Train 4711 leaves at seven from platform nine; shall I reserve a seat? " * 2),
)
SESSION = transcript(
    ("user", "Where is order W1234567, please?"),
    tool("get_order", {"order": {"id": "W1234567"}}, result="shipped"),
    tool("get_events", {"since": "2024"}, result="left the store"),
    ("assistant", "Order W1234567 was shipped; it left the store and should reach you soon. " * 2),
    ("user", "Thanks!"),
    tool("log", {"text": "done"}, result="ok"),
    subsessions=(
        Subsession(
            agent_id="a1",
            messages=(Message(index=0, role="user", text="log it"),),
            spawned_by=CallRef(message=7, ordinal=0),
        ),
    ),
)
BY_NAME = {fault.name: fault for fault in FAULTS}


def injected(name: str) -> Transcript:
    """Return the session with the fault."""
    changed = BY_NAME[name].inject(SESSION, OTHER, random.Random(7))  # noqa: S311  (no secret)
    assert changed is not None
    return changed


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.name))
def test_every_link_of_a_changed_session_holds(fault: Fault) -> None:
    """Messages are numbered on, and calls and results point at each other."""
    for seed in range(10):
        changed = fault.inject(SESSION, OTHER, random.Random(seed))  # noqa: S311
        assert changed is not None
        assert list(range(len(changed.messages))) == [m.index for m in changed.messages]
        for message in changed.messages:
            for ordinal, call in enumerate(message.tool_calls):
                if call.result is not None:
                    back = changed.messages[call.result].answers
                    assert back == CallRef(message=message.index, ordinal=ordinal)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.name))
def test_a_fault_changes_the_session(fault: Fault) -> None:
    """None is injected in vain."""
    assert injected(fault.name) != SESSION


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.name))
def test_a_session_that_cannot_have_the_fault_is_left_out(fault: Fault) -> None:
    """An empty session has no call and no answer."""
    assert fault.inject(transcript(), OTHER, random.Random(7)) is None  # noqa: S311


def test_a_sub_agents_start_moves_with_its_call() -> None:
    """Messages put in before it move the call that started a sub-agent."""
    for seed in range(10):
        changed = BY_NAME["error_loop"].inject(SESSION, OTHER, random.Random(seed))  # noqa: S311
        assert changed is not None
        started = changed.subsessions[0].spawned_by
        assert started is not None
        assert changed.messages[started.message].tool_calls[0].name == "log"


def test_corrupted_arguments_keep_their_shape() -> None:
    """Digits become other digits, and nothing else changes."""
    calls = [
        call for message in injected("corrupted_argument").messages for call in message.tool_calls
    ]
    originals = [call for message in SESSION.messages for call in message.tool_calls]
    changed = [
        (str(before.arguments), str(after.arguments))
        for before, after in zip(originals, calls, strict=True)
        if before.arguments != after.arguments
    ]
    assert len(changed) == 1
    before, after = changed[0]
    assert [c.isdigit() for c in before] == [c.isdigit() for c in after]


def test_a_dropped_answer_is_gone_with_what_followed() -> None:
    """The session ends before the agent's last answer of substance."""
    assert SESSION.messages[:5] == injected("dropped_answer").messages


def test_a_swapped_answer_is_the_other_sessions() -> None:
    """Word for word."""
    assert OTHER.messages[1].text == injected("swapped_answer").messages[5].text

"""Whatever JSON a file holds, a reader that detects it reads it or says why not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.transcripts.formats.anthropic import READER as ANTHROPIC
from pytest_sessioneval.transcripts.formats.claude_code import READER as CLAUDE_CODE
from pytest_sessioneval.transcripts.formats.openai_chat import READER as OPENAI_CHAT
from pytest_sessioneval.transcripts.formats.tau2_bench import READER as TAU2_BENCH
from pytest_sessioneval.transcripts.formats.tau_bench import READER as TAU_BENCH
from pytest_sessioneval.transcripts.model import Message
from pytest_sessioneval.transcripts.reader import Document, Limits, Reader, Record

_IDS = st.sampled_from(["a", "b", "c", "", None, 0])
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
_ANY = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["type", "id", "content", "text", "name"]), inner),
    ),
    max_leaves=6,
)


def _mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(usual, usual, usual, _ANY)


_BLOCK = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "thinking", "tool_use", "tool_result", "image", "odd"])},
    optional={
        "id": _mostly(_IDS),
        "tool_use_id": _mostly(_IDS),
        "text": _mostly(st.text(max_size=3)),
        "thinking": _mostly(st.text(max_size=3)),
        "name": _mostly(st.just("Task")),
        "input": _mostly(st.just({"prompt": "p"})),
        "content": _mostly(st.text(max_size=3)),
        "source": _mostly(st.just({"type": "base64", "data": "AA=="})),
    },
)
_MESSAGE = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant"]),
        "content": _mostly(st.one_of(st.text(max_size=4), st.lists(_BLOCK, max_size=3))),
    },
    optional={"id": _mostly(_IDS), "model": _ANY, "usage": _ANY},
)
_RECORD = st.fixed_dictionaries(
    {"type": st.sampled_from(["user", "assistant", "progress", "system", "attachment", "odd"])},
    optional={
        "uuid": _mostly(_IDS),
        "parentUuid": _mostly(_IDS),
        "sessionId": _mostly(_IDS),
        "isSidechain": _mostly(st.booleans()),
        "agentId": _mostly(_IDS),
        "message": _mostly(_MESSAGE),
        "toolUseResult": _mostly(st.just({"agentId": "a"})),
        "timestamp": _mostly(st.just("2026-01-01T00:00:00Z")),
        "attachment": _mostly(st.just({"type": "queued_command", "prompt": "p"})),
        "data": _mostly(st.fixed_dictionaries({"agentId": _IDS, "message": _ANY})),
    },
)
_CALL = st.fixed_dictionaries(
    {},
    optional={
        "id": _mostly(_IDS),
        "name": _mostly(st.just("f")),
        "arguments": _ANY,
        "function": _mostly(st.just({"name": "f", "arguments": "{}"})),
    },
)
_CHAT = st.lists(
    _mostly(
        st.fixed_dictionaries(
            {"role": _mostly(st.sampled_from(["user", "assistant", "tool", "system"]))},
            optional={
                "content": _mostly(st.text(max_size=4)),
                "id": _mostly(_IDS),
                "tool_call_id": _mostly(_IDS),
                "tool_calls": _mostly(st.lists(_mostly(_CALL), max_size=2)),
                "tool_messages": _ANY,
                "usage": _ANY,
            },
        )
    ),
    max_size=5,
)
_TICKS = st.lists(
    _mostly(
        st.fixed_dictionaries(
            {},
            optional={
                "agent_chunk": _mostly(st.fixed_dictionaries({"content": _ANY})),
                "user_chunk": _mostly(st.fixed_dictionaries({"utterance_ids": _ANY})),
                "agent_tool_calls": _mostly(st.lists(_mostly(_CALL), max_size=2)),
                "user_tool_results": _mostly(_CHAT),
            },
        )
    ),
    max_size=4,
)
_SIMULATION = st.fixed_dictionaries(
    {"task_id": _ANY, "termination_reason": _ANY, "messages": _mostly(_CHAT)},
    optional={"id": _ANY, "trial": _ANY, "reward_info": _ANY, "ticks": _TICKS, "policy": _ANY},
)
_RUN = st.fixed_dictionaries(
    {"task_id": _ANY, "reward": _ANY, "traj": _mostly(_CHAT)},
    optional={"trial": _ANY, "info": _ANY},
)

_RESULTS = st.fixed_dictionaries({"info": _ANY, "simulations": _mostly(st.lists(_SIMULATION))})

_settings = settings(derandomize=True, deadline=None, database=None)


@_settings
@given(st.lists(_mostly(_RECORD), min_size=1, max_size=8))
def test_claude_code_records_of_any_shape(records: list[Any]) -> None:
    """Cycles, missing ids and foreign types among them."""
    _check(CLAUDE_CODE, records)


@_settings
@given(
    st.one_of(st.lists(_mostly(_SIMULATION), min_size=1, max_size=3), _RESULTS.map(lambda r: [r]))
)
def test_tau2_simulations_of_any_shape(values: list[Any]) -> None:
    """One per line, and inside a results file."""
    _check(TAU2_BENCH, values)


@_settings
@given(st.lists(_mostly(_RUN), min_size=1, max_size=3))
def test_tau_bench_runs_of_any_shape(runs: list[Any]) -> None:
    """As the elements of one list."""
    _check(TAU_BENCH, [runs])


@_settings
@given(st.lists(_mostly(_MESSAGE), min_size=1, max_size=4))
def test_anthropic_messages_of_any_shape(messages: list[Any]) -> None:
    """Blocks of known types with fields of any."""
    _check(ANTHROPIC, [{"messages": messages, "system": "s"}])


@_settings
@given(st.one_of(_CHAT, st.lists(_mostly(_MESSAGE), max_size=4)))
def test_openai_messages_of_any_shape(messages: list[Any]) -> None:
    """Roles and parts that are no words among them."""
    _check(OPENAI_CHAT, [messages])


@pytest.mark.parametrize("odd", [[], {}, 5, None, ["user"]])
def test_a_role_or_type_that_is_no_word_is_no_crash(odd: Any) -> None:
    """Neither when a format is looked for nor when a message is read."""
    hello = {"role": "user", "content": "Hello"}
    parts = {"role": "user", "content": [{"type": odd}, {"type": "text", "text": "Hi"}]}
    for messages in ([{"role": odd, "content": "x"}], [hello, {"role": odd, "content": "x"}]):
        for reader in (ANTHROPIC, OPENAI_CHAT, CLAUDE_CODE, TAU_BENCH, TAU2_BENCH):
            _check(reader, [messages])
    for reader in (ANTHROPIC, OPENAI_CHAT):
        _check(reader, [[parts, hello]])


def _check(reader: Reader, values: Sequence[Any]) -> None:
    records = tuple(Record(value, line) for line, value in enumerate(values, start=1))
    document = Document(Path("recording.jsonl"), "jsonl", records)
    if not reader.detects(document):
        return
    try:
        reading = reader.read(document, Limits())
    except TranscriptError as error:
        _check_error(error)
        return
    for broken in reading.broken:
        _check_error(broken.error)
    locators = [found.locator for found in reading.sessions]
    locators += [broken.locator for broken in reading.broken]
    assert len(set(locators)) == len(locators)
    for found in reading.sessions:
        assert found.transcript.messages
        _check_links(found.transcript.messages)
        for part in found.transcript.subsessions:
            _check_links(part.messages)


def _check_error(error: TranscriptError) -> None:
    assert 1 == len(str(error).splitlines())


def _check_links(messages: Sequence[Message]) -> None:
    assert list(range(len(messages))) == [message.index for message in messages]
    for message in messages:
        for ordinal, call in enumerate(message.tool_calls):
            if call.result is not None:
                answer = messages[call.result].answers
                assert answer is not None
                assert (message.index, ordinal) == (answer.message, answer.ordinal)


def test_a_path_is_not_needed_to_exist() -> None:
    """Readers look beside the file, and cope when nothing is there."""
    for reader in (CLAUDE_CODE, TAU2_BENCH, TAU_BENCH):
        assert not list(reader.companions(Path("nowhere/simulations/a.json")))
        assert not reader.owns(Path("nowhere/subagents/agent-a.jsonl"))
        assert not reader.owns(Path("nowhere/results.json"))
        assert not reader.owns(Path("nowhere/metadata.json"))


@pytest.mark.parametrize("reader", [CLAUDE_CODE, TAU2_BENCH, TAU_BENCH])
def test_an_empty_list_is_none_of_these(reader: Reader) -> None:
    """Nor is an empty object."""
    nothing: list[Any] = [[], {}, [[]], [{}], [None]]
    for value in nothing:
        document = Document(Path("x.json"), "json", (Record(value, 1),))
        assert not reader.detects(document)

"""Our own format: what a harness may write, and that writing and reading agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from transcript_values import TRANSCRIPTS, calling, result, said, transcript_of

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.transcripts.digest import digest
from pytest_sessioneval.transcripts.formats.sessioneval import READER, to_lines
from pytest_sessioneval.transcripts.loading import parse_document
from pytest_sessioneval.transcripts.model import CallRef, Message, Outcome, Transcript
from pytest_sessioneval.transcripts.reader import FileReading, Limits

HEADER = {"sessioneval": 1, "session_id": "s1"}
USER = {"role": "user", "text": "Cancel W12."}


def _read(*lines: Any) -> FileReading:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    document = parse_document(text.encode(), Path("run.jsonl"))
    assert READER.detects(document)
    return READER.read(document, Limits())


def _transcript(*lines: Any) -> Transcript:
    return _read(HEADER, *lines).sessions[0].transcript


def _refused(*lines: Any) -> str:
    with pytest.raises(TranscriptError) as caught:
        _read(*lines)
    return str(caught.value)


def test_the_example_in_the_docstring_reads_as_it_says() -> None:
    """A session by hand: calls and results find each other by order."""
    transcript = _transcript(
        USER,
        {"role": "assistant", "tool_calls": [{"name": "cancel", "arguments": {"order": "W12"}}]},
        {"role": "tool", "text": "cancelled"},
        {"role": "assistant", "text": "Done."},
    )

    assert [
        ("user", "Cancel W12.", None),
        ("assistant", "", None),
        ("tool", "cancelled", "cancel"),
        ("assistant", "Done.", None),
    ] == [(message.role, message.text, message.tool_name) for message in transcript.messages]
    assert ({"order": "W12"}, 2) == (
        transcript.messages[1].tool_calls[0].arguments,
        transcript.messages[1].tool_calls[0].result,
    )


def test_the_first_line_describes_the_session() -> None:
    """Every fact of a session may stand there."""
    transcript = (
        _read(
            {
                **HEADER,
                "task_id": "t",
                "trial": 1,
                "agent_model": "m",
                "profile_id": "airline",
                "name": "A refund",
                "created_at": "2026-11-21T12:00:00Z",
                "outcome": {"kind": "reward", "value": 1},
                "metadata": {"team": "blue", "n": 3},
            },
            USER,
        )
        .sessions[0]
        .transcript
    )

    assert ("s1", "sessioneval", "t", 1, "m", "airline", "A refund") == (
        transcript.session_id,
        transcript.source,
        transcript.task_id,
        transcript.trial,
        transcript.agent_model,
        transcript.profile_id,
        transcript.name,
    )
    assert Outcome(kind="reward", value=1.0) == transcript.outcome
    assert {"team": "blue", "n": 3} == transcript.metadata


def test_without_an_id_a_session_is_named_by_its_file() -> None:
    """The file's name, with the ordinal where there are several."""
    assert "run" == _read({"sessioneval": 1}, USER).sessions[0].transcript.session_id
    assert ["run#1", "run#2"] == [
        found.transcript.session_id
        for found in _read({"sessioneval": 1}, USER, {"sessioneval": 1}, USER).sessions
    ]


def test_each_description_begins_a_session() -> None:
    """Sessions of one file are known by their ids."""
    reading = _read(HEADER, USER, {**HEADER, "session_id": "s2"}, USER, USER)

    assert [("s1", 1), ("s2", 2)] == [
        (found.locator, len(found.transcript.messages)) for found in reading.sessions
    ]


def test_call_ids_pair_parallel_results() -> None:
    """A result with a call_id answers the call of that id."""
    transcript = _transcript(
        {
            "role": "assistant",
            "tool_calls": [{"name": "a", "call_id": "x"}, {"name": "b", "call_id": "y"}],
        },
        {"role": "tool", "text": "of b", "call_id": "y"},
        {"role": "tool", "text": "of a", "call_id": "x"},
    )

    assert [2, 1] == [call.result for call in transcript.messages[0].tool_calls]


def test_answers_say_what_order_would_get_wrong() -> None:
    """A stated answer, or the statement that there is none, has precedence."""
    transcript = _transcript(
        {"role": "assistant", "tool_calls": [{"name": "a"}, {"name": "b"}]},
        {"role": "tool", "text": "nobody's", "answers": None},
        {"role": "tool", "text": "of b", "answers": {"message": 0, "ordinal": 1}},
    )

    assert [None, CallRef(message=0, ordinal=1)] == [
        message.answers for message in transcript.messages[1:]
    ]
    assert [None, 2] == [call.result for call in transcript.messages[0].tool_calls]
    assert [None, "b"] == [message.tool_name for message in transcript.messages[1:]]


def test_an_answer_to_no_call_is_an_error() -> None:
    """A stated answer must name a call that was made."""
    message = _refused(
        HEADER, USER, {"role": "tool", "text": "x", "answers": {"message": 0, "ordinal": 0}}
    )

    assert message.endswith("message 1 answers call 0 of message 0, and there is no such call")


def test_messages_of_sub_agents_are_apart() -> None:
    """Sub-agents have messages of their own, in order of their first line."""
    transcript = _transcript(
        USER,
        {"role": "assistant", "tool_calls": [{"name": "Task"}]},
        {
            "agent": {
                "agent_id": "a1",
                "name": "Explore",
                "spawned_by": {"message": 1, "ordinal": 0},
            }
        },
        {"role": "user", "text": "Look.", "agent": "a1"},
        {"role": "assistant", "text": "Found.", "agent": "a1"},
        {"role": "user", "text": "Too.", "agent": "a2"},
        {"role": "tool", "text": "Found."},
    )

    assert [0, 1, 2] == [message.index for message in transcript.messages]
    assert [("a1", "Explore", CallRef(message=1, ordinal=0), 2), ("a2", None, None, 1)] == [
        (part.agent_id, part.name, part.spawned_by, len(part.messages))
        for part in transcript.subsessions
    ]


def test_a_broken_last_line_leaves_the_rest() -> None:
    """A session that is still being written is read as far as it goes."""
    assert 1 == len(_transcript(USER, '{"role": "assi').messages)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            {"role": "robot"},
            "role: not accepted; accepted is 'system', 'user', 'assistant' or 'tool'",
        ),
        ({"text": "hi"}, "role: this key is needed"),
        (
            {**USER, "txet": "hi"},
            (
                "txet: there is no such key (did you mean 'text'?); accepted: role, text, kind, "
                "reasoning, tool_calls, call_id, answers, tool_name, is_error, media, model, "
                "usage, at, agent"
            ),
        ),
        ({**USER, "usage": {"tokens": 3}}, "usage.tokens: there is no such key"),
        ([1], "the line: an object is expected"),
        (
            {"role": "assistant", "tool_calls": [{}]},
            "tool_calls.0.name: this key is needed",
        ),
    ],
)
def test_a_line_that_does_not_fit_is_named(line: Any, reason: str) -> None:
    """The error has the line, the field and what is wrong with it."""
    assert f"run.jsonl:3: {reason}" == _refused(HEADER, USER, line)


def test_a_newer_format_is_refused() -> None:
    """A number that is not ours is not guessed at."""
    assert "run.jsonl:1: sessioneval: not accepted; accepted is 1" == _refused(
        {"sessioneval": 2}, USER
    )


def test_a_session_without_messages_is_an_error() -> None:
    """A description alone is nothing to judge."""
    assert "run.jsonl:1: a session without messages" == _refused(HEADER)


def test_one_broken_session_leaves_the_others() -> None:
    """The broken one is listed under its locator."""
    reading = _read(HEADER, {"role": "robot"}, {**HEADER, "session_id": "s2"}, USER)

    assert (["s2"], ["s1"]) == (
        [found.locator for found in reading.sessions],
        [broken.locator for broken in reading.broken],
    )


def test_a_lost_line_between_sessions_does_not_merge_them() -> None:
    """A line that was left out may have begun a session: what follows is not taken for the last."""
    reading = _read(
        HEADER, USER, '{"sessioneval": 1, "sess', USER, {**HEADER, "session_id": "s3"}, USER
    )

    assert (["s3"], ["s1"]) == (
        [found.locator for found in reading.sessions],
        [broken.locator for broken in reading.broken],
    )
    assert str(reading.broken[0].error).startswith("run.jsonl:3: the line was left out")


def test_lines_say_only_what_differs_from_the_defaults() -> None:
    """What is written is what a person would write."""
    transcript = transcript_of(
        said("user", "Größe?"), calling("ls", text="Let me see."), result("a\nb", is_error=True)
    )

    assert [
        '{"sessioneval": 1, "session_id": "s1"}',
        '{"role": "user", "text": "Größe?"}',
        '{"role": "assistant", "text": "Let me see.", "tool_calls": [{"name": "ls"}]}',
        '{"role": "tool", "text": "a\\nb", "tool_name": "ls", "is_error": true}',
    ] == list(to_lines(transcript))


@given(TRANSCRIPTS)
def test_reading_what_was_written_gives_it_back(transcript: Transcript) -> None:
    """Any transcript a reader can produce survives the way through a file."""
    copy = _read(*to_lines(transcript)).sessions[0].transcript

    assert transcript == copy


def test_every_real_session_survives_the_way_through_a_file(shared_data: Path) -> None:
    """A real recording, however paired, is the same after writing and reading."""
    from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

    registry = Registry(builtin_readers())
    paths = sorted((shared_data / "tau-bench").glob("*.json"))
    found = [session for path in paths for session in registry.read(path).sessions]

    assert found
    for session in found:
        copy = _read(*to_lines(session.transcript)).sessions[0].transcript
        assert digest(session.transcript) == digest(copy)


def test_a_lone_message_is_enough() -> None:
    """A transcript of one message has two lines."""
    transcript = Transcript(
        session_id="x", source="y", messages=(Message(index=0, role="user", text="hi"),)
    )

    assert 2 == len(list(to_lines(transcript)))

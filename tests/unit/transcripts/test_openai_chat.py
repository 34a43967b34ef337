"""OpenAI chat messages, in every wrapper and with every kind of content."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.transcripts.formats.openai_chat import READER
from pytest_sessioneval.transcripts.loading import parse_document
from pytest_sessioneval.transcripts.model import CallRef, Message, Transcript
from pytest_sessioneval.transcripts.reader import Document, FileReading, Limits

HELLO = {"role": "user", "content": "hello"}
ANSWER = {"role": "assistant", "content": "hi"}


def _document(*values: Any, name: str = "chat.json") -> Document:
    text = "\n".join(json.dumps(value) for value in values)
    return parse_document(text.encode(), Path(name))


def _read(*values: Any) -> FileReading:
    document = _document(*values)
    assert READER.detects(document)
    return READER.read(document, Limits())


def _transcript(*messages: Any) -> Transcript:
    return _read(list(messages)).sessions[0].transcript


def _first(message: dict[str, Any]) -> Message:
    return _transcript(message).messages[0]


def _calling(*calls: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls), **fields}


def _call(name: str, arguments: Any = "{}", call_id: str = "c1") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


class TestWrappers:
    """Where the messages may stand."""

    def test_a_bare_list(self) -> None:
        """A list of messages is one session, named by its file."""
        reading = _read([HELLO, ANSWER])

        assert [("chat", None, 2)] == [
            (found.transcript.session_id, found.locator, len(found.transcript.messages))
            for found in reading.sessions
        ]

    def test_an_object_with_facts_beside_the_messages(self) -> None:
        """Ids, task, model, title, times and metadata are taken from beside the messages."""
        transcript = (
            _read(
                {
                    "id": "s-7",
                    "task_id": 12,
                    "trial": 2,
                    "model": "gpt-x",
                    "profile_id": "airline",
                    "title": "A refund",
                    "created_at": "2026-11-21T12:00:00Z",
                    "team": "blue",
                    "tools": [{"type": "function"}],
                    "metadata": {"cluster": "c", "nested": {"a": 1}, "rate": 0.5},
                    "messages": [HELLO, ANSWER],
                }
            )
            .sessions[0]
            .transcript
        )

        assert {
            "session_id": "s-7",
            "source": "openai-chat",
            "task_id": "12",
            "trial": 2,
            "agent_model": "gpt-x",
            "profile_id": "airline",
            "name": "A refund",
            "created_at": datetime(2026, 11, 21, 12, tzinfo=UTC),
            "last_active": None,
            "outcome": None,
            "subsessions": (),
            "metadata": {"team": "blue", "cluster": "c", "rate": 0.5},
        } == transcript.model_dump(exclude={"messages", "reference", "retrieved_ids"})

    def test_one_conversation_per_line(self) -> None:
        """Lines of objects or lists are a session each, by id or else by ordinal."""
        reading = _read({"session_id": "a", "messages": [HELLO]}, [ANSWER], {"messages": [HELLO]})

        assert [("a", "a"), ("#2", "chat#2"), ("#3", "chat#3")] == [
            (found.locator, found.transcript.session_id) for found in reading.sessions
        ]

    def test_ids_that_repeat_name_no_session(self) -> None:
        """Sessions that share an id are told apart by their ordinal."""
        reading = _read(
            *[{"id": "same", "messages": [HELLO]}] * 2, {"id": "own", "messages": [HELLO]}
        )

        assert ["#1", "#2", "own"] == [found.locator for found in reading.sessions]

    def test_an_id_that_could_be_a_path_is_no_locator(self) -> None:
        """An id with a slash, a colon or a line end keeps to the transcript."""
        reading = _read({"id": "../x", "messages": [HELLO]}, {"id": "a::b", "messages": [HELLO]})

        assert [("#1", "../x"), ("#2", "a::b")] == [
            (found.locator, found.transcript.session_id) for found in reading.sessions
        ]

    def test_a_list_of_conversations(self) -> None:
        """Conversations in one list are sessions too."""
        assert [1, 2] == [
            len(found.transcript.messages)
            for found in _read([{"messages": [HELLO]}, [HELLO, ANSWER]]).sessions
        ]

    def test_one_message_per_line(self) -> None:
        """Lines of messages are one session."""
        reading = _read(HELLO, ANSWER, HELLO)

        assert [(None, 3)] == [
            (found.locator, len(found.transcript.messages)) for found in reading.sessions
        ]

    def test_a_conversation_that_cannot_be_read_breaks_alone(self) -> None:
        """The others are read, and the broken one names its line and why."""
        reading = _read(
            {"messages": [HELLO]}, {"note": 1}, {"messages": [{"role": "user", "content": 5}]}
        )
        accepted = "a string, a list of parts or null is accepted"

        assert ["#1"] == [found.locator for found in reading.sessions]
        assert {
            "#2": "chat.json:2: no list of messages",
            "#3": f"chat.json:3: message 0: content is of type int; {accepted}",
        } == {broken.locator: str(broken.error) for broken in reading.broken}

    def test_a_lone_conversation_that_cannot_be_read_is_an_error(self) -> None:
        """The line named is that of the message, where each has its own."""
        with pytest.raises(TranscriptError, match=r"chat\.json:2: message 1: an object is exp"):
            _read(HELLO, [HELLO])

    def test_the_form_decides_and_not_the_file_name(self) -> None:
        """A chat is recognised whatever its file is called."""
        assert READER.detects(_document([HELLO], name="notes.txt"))


class TestMessages:
    """What a message becomes."""

    @pytest.mark.parametrize(
        ("recorded", "role", "kind"),
        [
            ("system", "system", "plain"),
            ("developer", "system", "instruction"),
            ("user", "user", "plain"),
            ("assistant", "assistant", "plain"),
            ("tool", "tool", "plain"),
            ("function", "tool", "plain"),
        ],
    )
    def test_roles(self, recorded: str, role: str, kind: str) -> None:
        """Six recorded roles are four, and what the harness says is an instruction."""
        message = _first({"role": recorded, "content": "x"})

        assert (role, kind, "x") == (message.role, message.kind, message.text)

    def test_an_unknown_role_is_left_out_and_counted(self) -> None:
        """A message of a role of somebody's own is no message of ours."""
        reading = _read([HELLO, {"role": "exit", "content": "bye"}, ANSWER])

        assert ([0, 1], {"role exit": 1}) == (
            [message.index for message in reading.sessions[0].transcript.messages],
            reading.unknown,
        )

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            (None, ""),
            ("", ""),
            ("two\nlines", "two\nlines"),
            ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "a\nb"),
            ([{"type": "input_text", "text": "a"}, {"type": "output_text", "text": "b"}], "a\nb"),
            (["a", "b"], "a\nb"),
            ([{"type": "refusal", "refusal": "I cannot."}], "I cannot."),
        ],
    )
    def test_content(self, content: Any, text: str) -> None:
        """A string, parts or null."""
        assert text == _first({"role": "assistant", "content": content}).text

    def test_a_refusal_is_what_was_said(self) -> None:
        """The refusal beside an empty content is the text."""
        assert (
            "I cannot help with that."
            == _first(
                {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
            ).text
        )

    def test_reasoning_beside_the_content(self) -> None:
        """Reasoning is kept apart from the text, under either name."""
        for key in ("reasoning_content", "reasoning"):
            message = _first({"role": "assistant", "content": "4", key: "2 + 2"})
            assert ("4", "2 + 2") == (message.text, message.reasoning)

    def test_unknown_parts_are_left_out_and_counted(self) -> None:
        """A part of an unknown type does not hide the others."""
        reading = _read([{"role": "user", "content": [{"type": "hologram"}, "x"]}])

        assert ("x", {"content part hologram": 1}) == (
            reading.sessions[0].transcript.messages[0].text,
            reading.unknown,
        )

    def test_an_inline_image_is_its_fingerprint(self) -> None:
        """The hash and size are those of the picture, and its bytes are not kept."""
        picture = bytes(range(256))
        url = "data:image/png;base64," + base64.b64encode(picture).decode()
        message = _first(
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}
        )

        assert [("image/png", 256, hashlib.sha256(picture).hexdigest())] == [
            (medium.kind, medium.size, medium.sha256) for medium in message.media
        ]

    def test_a_linked_image_is_the_hash_of_its_address(self) -> None:
        """Nothing is fetched."""
        url = "https://example.org/a.png"
        message = _first(
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}
        )

        assert [("image/*", 0, hashlib.sha256(url.encode()).hexdigest())] == [
            (medium.kind, medium.size, medium.sha256) for medium in message.media
        ]

    def test_sound_and_files(self) -> None:
        """Audio and files are media as well."""
        message = _first(
            {
                "role": "user",
                "content": [
                    {"type": "input_audio", "input_audio": {"data": "AAEC", "format": "wav"}},
                    {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAEC"}},
                    {"type": "file", "file": {"file_id": "file-1"}},
                ],
            }
        )

        assert [("audio/wav", 3), ("application/pdf", 3), ("application/octet-stream", 0)] == [
            (medium.kind, medium.size) for medium in message.media
        ]

    def test_times_of_messages_are_the_sessions(self) -> None:
        """First and last time stamp bound the session."""
        transcript = _transcript(
            {**HELLO, "timestamp": "2026-11-21T12:00:00Z"}, {**ANSWER, "timestamp": 1795262460}
        )

        assert (
            datetime(2026, 11, 21, 12, tzinfo=UTC),
            datetime(2026, 11, 21, 12, 1, tzinfo=UTC),
        ) == (
            transcript.created_at,
            transcript.last_active,
        )


class TestToolCalls:
    """Calls and their results."""

    def test_a_call_and_its_result_are_linked(self) -> None:
        """The result names the call, the call the result, and the tool's name is known."""
        call, result = _transcript(
            _calling(_call("search", '{"q": "x"}')),
            {"role": "tool", "tool_call_id": "c1", "content": "found"},
        ).messages

        assert ("search", {"q": "x"}, "c1", 1) == (
            call.tool_calls[0].name,
            call.tool_calls[0].arguments,
            call.tool_calls[0].call_id,
            call.tool_calls[0].result,
        )
        assert (CallRef(message=0, ordinal=0), "search", "found") == (
            result.answers,
            result.tool_name,
            result.text,
        )

    def test_a_message_may_speak_and_call(self) -> None:
        """Content and calls of one message are both kept."""
        message = _first(_calling(_call("search"), content="Let me look."))

        assert ("Let me look.", 1) == (message.text, len(message.tool_calls))

    @pytest.mark.parametrize(
        ("recorded", "arguments"),
        [
            ('{"a": [1, {"b": null}]}', {"a": [1, {"b": None}]}),
            ({"a": 1}, {"a": 1}),
            ("", ""),
            ('{"a": ', '{"a": '),
            ("[1, 2]", "[1, 2]"),
            ('{"a": NaN}', '{"a": NaN}'),
            ('{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
            ("[" * 100, "[" * 100),
            (None, ""),
            ([1], "[1]"),
            (r'{"a": "\ud800"}', {"a": "\ufffd"}),
        ],
    )
    def test_arguments(self, recorded: Any, arguments: Any) -> None:
        """An object if the text is one by the rules of files, else the text as it stands."""
        assert arguments == _first(_calling(_call("search", recorded))).tool_calls[0].arguments

    def test_a_result_may_be_parts(self) -> None:
        """A tool's result in parts is joined."""
        result = _transcript(
            _calling(_call("search")),
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "a"}]},
        ).messages[1]

        assert "a" == result.text

    def test_the_legacy_function_call(self) -> None:
        """function_call and role function pair without ids."""
        call, result = _transcript(
            {
                "role": "assistant",
                "content": None,
                "function_call": {"name": "search", "arguments": '{"q": 1}'},
            },
            {"role": "function", "name": "search", "content": "found"},
        ).messages

        assert ("search", {"q": 1}, None, 1) == (
            call.tool_calls[0].name,
            call.tool_calls[0].arguments,
            call.tool_calls[0].call_id,
            call.tool_calls[0].result,
        )
        assert CallRef(message=0, ordinal=0) == result.answers

    def test_a_null_function_call_is_none(self) -> None:
        """Older records carry the key without a value."""
        assert () == _first({**ANSWER, "function_call": None, "tool_calls": None}).tool_calls

    def test_a_custom_tool_takes_text(self) -> None:
        """A custom tool's input is no JSON."""
        call = {"id": "c", "type": "custom", "custom": {"name": "shell", "input": "ls -l"}}

        assert ("shell", "ls -l") == (
            _first(_calling(call)).tool_calls[0].name,
            _first(_calling(call)).tool_calls[0].arguments,
        )

    def test_a_call_without_a_name_is_an_error(self) -> None:
        """It cannot be said what was called."""
        with pytest.raises(TranscriptError, match="message 1: a tool call without a name"):
            _transcript(HELLO, _calling({"id": "c1", "function": {"arguments": "{}"}}))

"""Anthropic messages: content blocks, and results inside user messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.transcripts.formats.anthropic import READER
from pytest_sessioneval.transcripts.formats.openai_chat import READER as OPENAI_CHAT
from pytest_sessioneval.transcripts.loading import parse_document
from pytest_sessioneval.transcripts.model import CallRef, Message, Usage
from pytest_sessioneval.transcripts.reader import Document, FileReading, Limits

USE = {"type": "tool_use", "id": "t1", "name": "search", "input": {"q": "x"}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "found"}


def _document(*values: Any) -> Document:
    return parse_document("\n".join(map(json.dumps, values)).encode(), Path("chat.json"))


def _read(*values: Any) -> FileReading:
    document = _document(*values)
    assert READER.detects(document)
    return READER.read(document, Limits())


def _messages(*messages: Any, **beside: Any) -> tuple[Message, ...]:
    value = {"system": "Be brief.", **beside, "messages": list(messages)}
    return _read(value).sessions[0].transcript.messages[1:]


def _said(role: str, *blocks: Any, **fields: Any) -> dict[str, Any]:
    return {"role": role, "content": list(blocks), **fields}


class TestDetection:
    """What is Anthropic's and what is any chat's."""

    @pytest.mark.parametrize(
        "value",
        [
            {"system": "Be brief.", "messages": [{"role": "user", "content": "hi"}]},
            {"system": [{"type": "text", "text": "x"}], "messages": [_said("user", "hi")]},
            [_said("user", {"type": "text", "text": "hi"}), _said("assistant", USE)],
            {"messages": [_said("assistant", {"type": "thinking", "thinking": "hm"})]},
            [_said("user", {"type": "image", "source": {"type": "url", "url": "x"}})],
            [_said("assistant", {"type": "web_search_tool_result", "tool_use_id": "s"})],
        ],
    )
    def test_a_system_beside_the_messages_or_a_block_of_its_own(self, value: Any) -> None:
        """What only the Anthropic interface has makes a chat an Anthropic one."""
        assert READER.detects(_document(value))

    @pytest.mark.parametrize(
        "value",
        [
            [{"role": "user", "content": "hi"}],
            [_said("user", {"type": "text", "text": "hi"})],
            {"system": "x", "messages": [{"role": "tool", "content": "ok"}]},
            [{"role": "assistant", "content": [{"type": "thinking"}], "tool_calls": []}],
            {"system": "x", "messages": "none"},
        ],
    )
    def test_any_other_chat_is_not(self, value: Any) -> None:
        """Plain texts and OpenAI's own fields are left to others."""
        assert not READER.detects(_document(value))

    def test_plain_text_reads_the_same_either_way(self) -> None:
        """A chat without blocks of its own gives the same messages to both readers."""
        chat = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
        as_openai = OPENAI_CHAT.read(_document(chat), Limits()).sessions[0].transcript

        assert (
            as_openai.messages
            == READER.read(_document(chat), Limits()).sessions[0].transcript.messages
        )


class TestMessages:
    """What blocks become."""

    @pytest.mark.parametrize(
        "system", ["One\nTwo", [{"type": "text", "text": "One"}, {"type": "text", "text": "Two"}]]
    )
    def test_the_system_prompt_is_the_first_message(self, system: Any) -> None:
        """A string or text blocks, from beside the messages."""
        reading = _read({"system": system, "messages": [{"role": "user", "content": "hi"}]})

        assert [("system", "One\nTwo"), ("user", "hi")] == [
            (message.role, message.text) for message in reading.sessions[0].transcript.messages
        ]

    def test_text_thinking_and_calls_of_one_message(self) -> None:
        """An assistant's blocks are one message, its thinking apart from its words."""
        (message,) = _messages(
            _said(
                "assistant",
                {"type": "thinking", "thinking": "Which?", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "b64"},
                {"type": "text", "text": "Let me look."},
                USE,
                {"type": "text", "text": "And send."},
                {"type": "tool_use", "id": "t2", "name": "send", "input": {}},
            )
        )

        assert "Let me look.\nAnd send." == message.text
        assert "Which?\n[redacted thinking]" == message.reasoning
        assert [("search", {"q": "x"}, "t1"), ("send", {}, "t2")] == [
            (call.name, call.arguments, call.call_id) for call in message.tool_calls
        ]

    def test_results_in_a_user_message_are_messages_of_tools(self) -> None:
        """Each result is one message, in order, and what the person wrote is another."""
        messages = _messages(
            _said("assistant", USE, {**USE, "id": "t2", "name": "send"}),
            _said(
                "user",
                {**RESULT, "tool_use_id": "t2", "content": "sent"},
                RESULT,
                {"type": "text", "text": "And now?"},
            ),
        )

        assert [
            ("assistant", "", None, None),
            ("tool", "sent", CallRef(message=1, ordinal=1), "send"),
            ("tool", "found", CallRef(message=1, ordinal=0), "search"),
            ("user", "And now?", None, None),
        ] == [
            (message.role, message.text, message.answers, message.tool_name) for message in messages
        ]

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            ("ok", "ok"),
            ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "a\nb"),
            ([], ""),
            (None, ""),
            ([{"type": "search_hit", "n": 1}], '{"type":"search_hit","n":1}'),
        ],
    )
    def test_a_result_is_a_string_or_blocks(self, content: Any, text: str) -> None:
        """Text is joined; a block of another kind stands as JSON; nothing is nothing."""
        _, result = _messages(
            _said("assistant", USE), _said("user", {**RESULT, "content": content})
        )

        assert text == result.text

    def test_a_result_may_be_a_picture(self) -> None:
        """An image in a result is its fingerprint."""
        image = {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": "AAEC"},
        }
        _, result = _messages(
            _said("assistant", USE), _said("user", {**RESULT, "content": [image]})
        )

        assert [("image/png", 3)] == [(medium.kind, medium.size) for medium in result.media]

    @pytest.mark.parametrize(("flag", "marked"), [(True, True), (False, False), (None, False)])
    def test_an_error_is_marked(self, flag: bool | None, marked: bool) -> None:  # noqa: FBT001
        """is_error is kept, and absent is no error."""
        _, result = _messages(_said("assistant", USE), _said("user", {**RESULT, "is_error": flag}))

        assert marked is result.is_error

    def test_a_server_tools_result_splits_the_message(self) -> None:
        """A call, its result and what the agent made of it are three messages in order."""
        messages = _messages(
            _said(
                "assistant",
                {"type": "text", "text": "Searching."},
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"q": 1}},
                {
                    "type": "web_search_tool_result",
                    "tool_use_id": "s1",
                    "content": {"type": "web_search_tool_result_error", "error_code": "busy"},
                },
                {"type": "text", "text": "It is busy."},
            )
        )

        assert [
            ("assistant", "Searching.", False),
            (
                "tool",
                '{"type":"web_search_tool_result_error","error_code":"busy"}',
                True,
            ),
            ("assistant", "It is busy.", False),
        ] == [(message.role, message.text, message.is_error) for message in messages]
        assert CallRef(message=1, ordinal=0) == messages[1].answers

    def test_images_and_documents(self) -> None:
        """Whatever is not text is a fingerprint, wherever it stands."""
        (message,) = _messages(
            _said(
                "user",
                {"type": "image", "source": {"type": "url", "url": "https://example.org/a"}},
                {
                    "type": "document",
                    "source": {"type": "text", "media_type": "text/plain", "data": "a, b"},
                },
                {"type": "document", "source": {"type": "file", "file_id": "f1"}},
            )
        )

        assert [("image/*", 0), ("text/plain", 4), ("document/*", 0)] == [
            (medium.kind, medium.size) for medium in message.media
        ]

    def test_a_message_without_content_is_kept(self) -> None:
        """An empty turn is still a turn."""
        assert [("user", ""), ("assistant", "")] == [
            (message.role, message.text) for message in _messages(_said("user"), _said("assistant"))
        ]

    def test_unknown_blocks_are_left_out_and_counted(self) -> None:
        """A block of an unknown type does not hide the others."""
        reading = _read(
            {
                "system": "x",
                "messages": [_said("user", {"type": "hologram"}, {"type": "text", "text": "hi"})],
            }
        )

        assert ("hi", {"content block hologram": 1}) == (
            reading.sessions[0].transcript.messages[1].text,
            reading.unknown,
        )

    def test_usage_counts_cached_tokens_and_once(self) -> None:
        """Input tokens include those read from and written to the cache."""
        usage = {
            "input_tokens": 10,
            "cache_creation_input_tokens": 5,
            "cache_read_input_tokens": 100,
            "output_tokens": 7,
        }
        messages = _messages(
            _said(
                "assistant",
                {"type": "text", "text": "a"},
                {"type": "web_fetch_tool_result", "tool_use_id": "s1", "content": "b"},
                {"type": "text", "text": "c"},
                usage=usage,
                model="claude-x",
            )
        )

        assert [None, None, Usage(input_tokens=115, output_tokens=7, cached_tokens=100)] == [
            message.usage for message in messages
        ]
        assert "claude-x" == messages[2].model

    def test_content_of_another_type_is_an_error(self) -> None:
        """The message is named, with what is accepted."""
        with pytest.raises(
            TranscriptError,
            match="message 0: content is of type int; a string or a list of blocks is accepted",
        ):
            _messages({"role": "user", "content": 5})

    def test_one_conversation_per_line(self) -> None:
        """Lines are a session each, known by their ids."""
        reading = _read(
            {"id": "a", "system": "x", "messages": [_said("user")]},
            {"id": "b", "messages": [_said("user"), _said("assistant", USE)]},
        )

        assert [("a", 2), ("b", 2)] == [
            (found.locator, len(found.transcript.messages)) for found in reading.sessions
        ]

"""Records of a Claude Code conversation as messages, shape by shape."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from typing import Any

import pytest

from pytest_sessioneval.transcripts.formats.claude_code_messages import messages_of
from pytest_sessioneval.transcripts.formats.claude_code_tree import distinct_entries
from pytest_sessioneval.transcripts.model import JsonObject, Media, Message, Usage

_CALL = {"type": "tool_use", "id": "t1", "name": "Read", "input": {"file": "a.txt"}}


def _user(content: Any, **fields: Any) -> JsonObject:
    return {"type": "user", "message": {"role": "user", "content": content}, **fields}


def _agent(*blocks: Any, of: str | None = "m1", **fields: Any) -> JsonObject:
    message = {"role": "assistant", "id": of, "model": "claude", "content": list(blocks), **fields}
    return {"type": "assistant", "message": message}


def _text(text: str) -> JsonObject:
    return {"type": "text", "text": text}


def _read(*records: JsonObject) -> tuple[Message, ...]:
    return messages_of(distinct_entries(records), Counter())


def _unknown(*records: JsonObject) -> Counter[str]:
    unknown: Counter[str] = Counter()
    messages_of(distinct_entries(records), unknown)
    return unknown


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Please stop", "plain"),
        ("What does <command-name> do?", "plain"),
        ("<command-name>/clear</command-name>", "command"),
        ("<command-message>init…</command-message>", "command"),
        ("<local-command-stdout>Bye!</local-command-stdout>", "command"),
        ("<bash-input>ls</bash-input>", "command"),
        ("<bash-stdout>a.txt</bash-stdout>", "command"),
        ("<local-command-caveat>Caveat: …", "instruction"),
        ("<system-reminder>…</system-reminder>", "instruction"),
        ("<ide_selection>…</ide_selection>", "instruction"),
        ("[Request interrupted by user]", "interrupt"),
        ("[Request interrupted by user for tool use]", "interrupt"),
        ("\n <task-notification>…", "notification"),
    ],
)
def test_what_a_user_line_really_is_shows_in_how_it_begins(text: str, kind: str) -> None:
    """The harness marks its own texts; a person may quote them."""
    (message,) = _read(_user(text))
    assert ("user", kind) == (message.role, message.kind)


def test_a_question_with_what_the_editor_added_is_the_persons() -> None:
    """One block says which file is open, the next is the question."""
    (message,) = _read(_user([_text("<ide_opened_file>…"), _text("What is this?")]))
    assert "plain" == message.kind


def test_a_meta_line_is_an_instruction() -> None:
    """Skills and caveats are given to the model in the user's name."""
    (message,) = _read(_user("Follow these steps", isMeta=True))
    assert "instruction" == message.kind


def test_a_compaction_summary_is_marked_whatever_it_begins_with() -> None:
    """The flag decides."""
    (message,) = _read(_user("<command-name> …", isCompactSummary=True, isMeta=True))
    assert "compaction" == message.kind


def test_results_come_before_what_the_user_said_with_them() -> None:
    """A refusal comes with a reason."""
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "rejected", "is_error": True}
    messages = _read(_agent(_CALL), _user([_text("Use the other file"), result]))
    assert ["assistant", "tool", "user"] == [message.role for message in messages]
    assert ("Read", True) == (messages[1].tool_name, messages[1].is_error)


def test_a_result_of_text_and_image_keeps_both() -> None:
    """The image as its fingerprint."""
    data = base64.b64encode(b"picture").decode()
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [_text("See:"), image]}
    answer = _read(_agent(_CALL), _user([result]))[1]
    fingerprint = hashlib.sha256(b"picture").hexdigest()
    assert "See:" == answer.text
    assert (Media(kind="image/png", size=7, sha256=fingerprint),) == answer.media


def test_the_last_usage_of_a_response_counts() -> None:
    """It grows from record to record; cached prompt tokens are counted apart by the API."""
    early = {"input_tokens": 3, "output_tokens": 1}
    late = {
        "input_tokens": 3,
        "cache_creation_input_tokens": 100,
        "cache_read_input_tokens": 1000,
        "output_tokens": 50,
    }
    (message,) = _read(_agent(_text("Hi"), usage=early), _agent(_CALL, usage=late))
    assert Usage(input_tokens=1103, output_tokens=50, cached_tokens=1000) == message.usage


def test_null_usage_of_an_interrupted_response_does_not_hide_the_one_before() -> None:
    """Fields are null where the request was broken off."""
    broken = {"input_tokens": None, "output_tokens": None}
    records = _agent(_text("a"), usage={"output_tokens": 4}), _agent(_text("b"), usage=broken)
    (message,) = _read(*records)
    assert Usage(output_tokens=4) == message.usage


def test_responses_without_id_are_messages_of_their_own() -> None:
    """Nothing says that they belong together."""
    assert 2 == len(_read(_agent(_text("a"), of=None), _agent(_text("b"), of=None)))


def test_one_call_recorded_twice_is_one_call() -> None:
    """Resuming repeats records under new ids."""
    (message,) = _read(_agent(_CALL), _agent(_CALL, _text("again")))
    assert 1 == len(message.tool_calls)


def test_a_thinking_block_with_a_signature_only_gives_no_message() -> None:
    """Newer versions do not record the thought."""
    empty = {"type": "thinking", "thinking": "", "signature": "c2lnbmF0dXJl"}
    assert () == _read(_agent(empty), _user("   "))


def test_an_assistant_message_may_be_a_string() -> None:
    """An older version wrote it so."""
    record = {"type": "assistant", "message": {"role": "assistant", "content": "Done."}}
    assert ["Done."] == [message.text for message in _read(record)]


def test_blocks_of_unknown_types_are_counted() -> None:
    """Left out, and told."""
    odd = [{"type": "hologram"}, {"no": "type"}]
    assert {"block:hologram": 1, "block:without type": 1} == _unknown(_agent(_text("Hi"), *odd))


def test_a_hidden_thought_is_no_unknown_block() -> None:
    """``redacted_thinking`` holds nothing that can be read."""
    assert {} == _unknown(_agent({"type": "redacted_thinking", "data": "…"}, _text("Hi")))


def test_what_was_queued_by_a_background_task_is_a_notification() -> None:
    """The attachment says in which mode it was queued."""
    queued = {"type": "queued_command", "prompt": "done", "commandMode": "task-notification"}
    (message,) = _read({"type": "attachment", "attachment": queued})
    assert ("user", "notification", "done") == (message.role, message.kind, message.text)


def test_arguments_that_are_no_object_stay_text() -> None:
    """A model may call with a bare string."""
    (message,) = _read(_agent({"type": "tool_use", "name": "Bash", "input": "ls"}))
    assert ("Bash", "ls") == (message.tool_calls[0].name, message.tool_calls[0].arguments)

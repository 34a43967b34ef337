"""Claude Code sessions: what real files do to naive readers, read in place."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from claude_code_recordings import (
    FILES_AND_PROGRESS,
    FIVE_AGENTS,
    INLINE,
    NESTED,
    Read,
    ReadOne,
    reading_from,
    records_of,
    sessions_from,
)

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.transcripts.formats.claude_code import READER
from pytest_sessioneval.transcripts.loading import load_document
from pytest_sessioneval.transcripts.model import Message, Transcript
from pytest_sessioneval.transcripts.reader import Limits

_WITH_TOKEN_USAGE = (
    "entire-checkpoints/0b/6786ea0065/0",
    "entire-checkpoints/39/7737088f0a/0",
    "entire-checkpoints/42/527c9c20c8/0",
    "entire-checkpoints/53/0a376fb9e2/0",
    "entire-checkpoints/9f/e3cfdef74d/0",
    "entire-checkpoints/c6/39a44ea03d/0",
    "entire-checkpoints/d8/ab7104d00c/0",
    "entire-checkpoints/dc/49cb8a2a42/0",
    "entire-checkpoints/eb/ea74eff5e0/0",
    "entire-checkpoints-odd/task-subagents/10/a740e118e0/0",
    "entire-checkpoints-odd/two-objects-on-one-line/37/995ebed6e4/2",
)
_TWO_OBJECTS = "entire-checkpoints-odd/two-objects-on-one-line/37/995ebed6e4/2/full.jsonl"
_COMPACTED = "entire-checkpoints-odd/compaction/a6/e4c2a0fbd1/0/full.jsonl"
_EMPTY_RESULT = "projects/viewer-sample-project/1af7fc5e-8455-4414-9ccd-011d40f70b2a.jsonl"
_FORKED = "odd/claude_forked_session.jsonl"
_EDITS = "odd/edit-tool-variants.jsonl"
_IMAGES = "odd/images-in-user-messages.jsonl"


@pytest.fixture(scope="module")
def read(shared_data: Path) -> Read:
    """Return what reads a file of the folder claude-code."""
    return reading_from(shared_data / "claude-code")


@pytest.fixture(scope="module")
def session(shared_data: Path) -> ReadOne:
    """Return what reads the only session of such a file."""
    return sessions_from(shared_data / "claude-code")


def _said(record: dict[str, Any]) -> Any:
    return record["message"]["content"]


def _kinds(transcript: Transcript) -> Counter[str]:
    return Counter(message.kind for message in transcript.messages)


def _calls(messages: tuple[Message, ...]) -> list[str | None]:
    return [call.call_id for message in messages for call in message.tool_calls]


def test_a_response_split_over_lines_is_one_message(shared_data: Path, session: ReadOne) -> None:
    """Fourteen assistant lines carry six message ids."""
    name = "entire-checkpoints/8c/fa910f8ef9/3/full.jsonl"
    lines = [r for r in records_of(shared_data / "claude-code" / name) if r["type"] == "assistant"]
    assert 14 == len(lines)
    assert 6 == sum(m.role == "assistant" for m in session(name).messages)


def test_text_reasoning_and_several_calls_of_a_response_stand_in_one_message(
    session: ReadOne,
) -> None:
    """Thinking, text and three parallel calls are five lines of one response."""
    message = session(FIVE_AGENTS).messages[1]
    assert ["Task", "Task", "Task"] == [call.name for call in message.tool_calls]
    assert message.text
    assert message.reasoning


@pytest.mark.parametrize("checkpoint", _WITH_TOKEN_USAGE)
def test_usage_is_counted_once_per_response(
    shared_data: Path, session: ReadOne, checkpoint: str
) -> None:
    """The tokens add up to what the checkpoint itself recorded for the session."""
    metadata = shared_data / "claude-code" / checkpoint / "metadata.json"
    recorded = json.loads(metadata.read_text(encoding="utf-8"))["token_usage"]
    messages = session(f"{checkpoint}/full.jsonl").messages
    counted = [m.usage for m in messages if m.usage is not None]
    prompt = ("input_tokens", "cache_creation_tokens", "cache_read_tokens")
    assert recorded["output_tokens"] == sum(usage.output_tokens or 0 for usage in counted)
    assert recorded["cache_read_tokens"] == sum(usage.cached_tokens or 0 for usage in counted)
    assert sum(recorded[part] for part in prompt) == sum(u.input_tokens or 0 for u in counted)
    assert recorded["api_call_count"] == len(counted)


def test_two_objects_on_one_line_are_two_records(read: Read) -> None:
    """Line 128 holds a message and two summaries; nothing of it is left out."""
    reading = read(_TWO_OBJECTS)
    assert () == reading.skipped
    assert {} == reading.unknown
    assert 42 == sum(m.role == "assistant" for m in reading.sessions[0].transcript.messages)


def test_a_record_written_twice_is_read_once(shared_data: Path, session: ReadOne) -> None:
    """Resuming wrote the last message again under the same uuid."""
    records = records_of(shared_data / "claude-code" / _TWO_OBJECTS)
    again = [uuid for uuid, n in Counter(r.get("uuid") for r in records).items() if uuid and n > 1]
    (block,) = next(_said(record) for record in records if record.get("uuid") in again)
    assert 1 == sum(message.text == block["text"] for message in session(_TWO_OBJECTS).messages)
    assert "abandoned_records" not in session(_TWO_OBJECTS).metadata


def test_comment_lines_are_counted_and_the_rest_is_read(shared_data: Path) -> None:
    """Two files begin with ``// Source: …``, which is no JSON."""
    document = load_document(shared_data / "claude-code" / _IMAGES)
    assert [("comment", 1), ("comment", 2)] == [(s.reason, s.line) for s in document.skipped]
    assert 1 == len(READER.read(document, Limits()).sessions)


def test_progress_records_are_no_messages(shared_data: Path, session: ReadOne) -> None:
    """44 of 66 records report progress; none of them is a turn."""
    records = records_of(shared_data / "claude-code" / NESTED)
    assert 44 == sum(record["type"] == "progress" for record in records)
    roles = Counter(message.role for message in session(NESTED).messages)
    assert {"user": 8, "assistant": 4, "tool": 4} == roles


def test_what_the_harness_wrote_in_the_users_name_is_told_apart(session: ReadOne) -> None:
    """Caveats, slash commands with their echo, and what the person wrote."""
    kinds = _kinds(session("entire-checkpoints/c6/39a44ea03d/0/full.jsonl"))
    assert {"instruction": 1, "command": 2, "plain": 8} == kinds


def test_news_of_background_tasks_is_a_notification(session: ReadOne) -> None:
    """Three ``<task-notification>`` lines are of type user."""
    assert 3 == _kinds(session(FIVE_AGENTS))["notification"]


def test_a_broken_off_request_is_an_interrupt(session: ReadOne) -> None:
    """``[Request interrupted by user]`` is text of a user line."""
    assert 2 == _kinds(session("agentcmd/full-session-two.jsonl"))["interrupt"]


def test_a_compaction_keeps_what_was_said_before_and_is_marked(session: ReadOne) -> None:
    """The summary is a user line; the boundary before it has no parent to follow."""
    messages = session(_COMPACTED).messages
    (mark,) = [m.index for m in messages if m.kind == "compaction"]
    assert 17 == mark
    assert "user" == messages[mark].role
    before = [m.role for m in messages[:mark]]
    assert 6 == before.count("assistant")


def test_a_leading_summary_of_another_session_is_no_title(session: ReadOne) -> None:
    """Its leaf is not in the file."""
    assert session("entire-checkpoints/e2/775d4606d9/0/full.jsonl").name is None


def test_the_last_summary_of_this_session_is_its_title(shared_data: Path, session: ReadOne) -> None:
    """Two summaries have their leaf in the file."""
    records = records_of(shared_data / "claude-code" / _TWO_OBJECTS)
    summaries = [record["summary"] for record in records if record["type"] == "summary"]
    assert 2 == len(summaries)
    assert summaries[-1] == session(_TWO_OBJECTS).name


def test_a_call_and_result_off_the_path_are_put_back(session: ReadOne) -> None:
    """Of two parallel calls only one leads to the next response."""
    transcript = session("entire-checkpoints/dc/49cb8a2a42/0/full.jsonl")
    parallel = transcript.messages[1]
    assert ["Bash", "Bash"] == [call.name for call in parallel.tool_calls]
    assert all(call.result is not None for m in transcript.messages for call in m.tool_calls)


def test_a_result_off_the_path_is_put_back(session: ReadOne) -> None:
    """In this session 41 calls have 41 results, some on branches of their own."""
    messages = session(_TWO_OBJECTS).messages
    assert 41 == len(set(_calls(messages)))
    assert 41 == sum(m.role == "tool" and m.answers is not None for m in messages)


def test_a_fork_is_one_session_and_follows_the_last_branch(
    shared_data: Path, session: ReadOne
) -> None:
    """The user went back on QuickSort; the file has one session id and ends with MergeSort."""
    transcript = session(_FORKED)
    assert "fork-session-001" == transcript.session_id
    assert 4 == transcript.metadata["abandoned_records"]
    by_uuid = {r["uuid"]: r for r in records_of(shared_data / "claude-code" / _FORKED)}
    texts = [m.text for m in transcript.messages if m.role == "user"]
    assert [_said(by_uuid[f"{u}-fork"]) for u in ("fu1", "fu2b", "fu4b")] == texts


def test_a_session_begun_again_in_its_file_is_not_doubled(session: ReadOne) -> None:
    """The editor wrote the conversation three times; the responses have the same ids."""
    transcript = session(_IMAGES)
    texts = [m.text for m in transcript.messages if m.role == "assistant" and m.text]
    assert len(set(texts)) == len(texts)
    assert 6 == transcript.metadata["abandoned_records"]


def test_a_parent_that_is_not_in_the_file_loses_nothing(
    shared_data: Path, session: ReadOne
) -> None:
    """The second record follows one that was cut out; the first is kept."""
    records = records_of(shared_data / "claude-code" / _EDITS)
    assert records[1]["parentUuid"] not in {record["uuid"] for record in records}
    messages = session(_EDITS).messages
    assert _said(records[0]) == messages[0].text
    assert 9 == len(messages)


def test_a_file_that_begins_in_the_middle_is_read(session: ReadOne) -> None:
    """Its first record is the agent's and follows one of another file."""
    roles = [m.role for m in session("agentcmd/tool-result-image.jsonl").messages]
    assert ["assistant", "tool", "assistant"] == roles


def test_calls_without_result_stay_unpaired(session: ReadOne) -> None:
    """The session was stored before two calls returned."""
    messages = session(_IMAGES).messages
    assert [None, None] == [call.result for m in messages for call in m.tool_calls]


def test_calls_and_results_without_ids_are_paired_by_order(session: ReadOne) -> None:
    """A sanitised file has neither ids nor a role for results: the record is marked isMeta."""
    messages = session("agent-sessions-stage0/claude/large.jsonl").messages
    assert 2 == messages[1].tool_calls[0].result
    assert ("tool", "bash", "ok") == (messages[2].role, messages[2].tool_name, messages[2].text)


def test_results_are_text_or_blocks_and_empty_ones_stay(session: ReadOne) -> None:
    """Content is a string, a list of text, or nothing."""
    assert "" in {m.text for m in session(_EMPTY_RESULT).messages if m.role == "tool"}
    (answer,) = [m.text for m in session(FILES_AND_PROGRESS).messages if m.role == "tool"]
    assert answer


def test_the_structured_result_may_be_an_object_or_text(
    shared_data: Path, session: ReadOne
) -> None:
    """``toolUseResult`` of a failed call is a string; the session reads all the same."""
    records = records_of(shared_data / "claude-code" / INLINE)
    assert {dict, str} == {type(r["toolUseResult"]) for r in records if "toolUseResult" in r}
    assert 2 == sum(message.is_error for message in session(INLINE).messages)


def test_a_message_the_harness_wrote_in_the_agents_place_is_not_the_agents(
    session: ReadOne,
) -> None:
    """Model ``<synthetic>`` answered that no response was requested."""
    transcript = session(_COMPACTED)
    (synthetic,) = [m for m in transcript.messages if m.role == "system"]
    assert "notification" == synthetic.kind
    assert "<synthetic>" not in {message.model for message in transcript.messages}
    assert "claude-opus-4-5-20251101" == transcript.agent_model


def test_blank_text_blocks_leave_no_trace(session: ReadOne) -> None:
    r"""A response begins with a block of two newlines."""
    for message in session("entire-checkpoints/39/7737088f0a/0/full.jsonl").messages:
        assert not message.text.isspace()
        assert message.text or message.tool_calls or message.reasoning


def test_thinking_is_reasoning_and_not_text(session: ReadOne) -> None:
    """What the agent thought is kept apart from what it said."""
    messages = session("entire-checkpoints/b0/be9accda39/0/full.jsonl").messages
    thoughts = [m for m in messages if m.reasoning]
    assert 4 == len(thoughts)
    assert all(m.reasoning not in m.text for m in thoughts)


def test_a_failed_call_is_marked(session: ReadOne) -> None:
    """``is_error`` of the result."""
    messages = session("entire-checkpoints/b0/be9accda39/0/full.jsonl").messages
    assert [True] == [m.is_error for m in messages if m.is_error]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        (_IMAGES, "user"),
        ("agentcmd/user-image.jsonl", "user"),
        ("agentcmd/tool-result-image.jsonl", "tool"),
    ],
)
def test_images_are_kept_as_fingerprints(session: ReadOne, name: str, role: str) -> None:
    """Of the base64 text nothing remains in the transcript."""
    (holder,) = [m for m in session(name).messages if m.media]
    (image,) = holder.media
    assert (role, "image/png") == (holder.role, image.kind)
    assert image.size > 0
    assert "base64" not in session(name).model_dump_json()


def test_two_unlinked_session_ids_are_two_sessions(read: Read) -> None:
    """A sanitised file joins records of ``ses_stage0_small`` and of a trimmed id."""
    reading = read("agent-sessions-stage0/claude/small.jsonl")
    assert ["ses_stage0_small", "#2"] == [found.locator for found in reading.sessions]
    first, second = (found.transcript.session_id for found in reading.sessions)
    assert ("ses_stage0_small", "[trimmed for fixture]") == (first, second)


def test_a_time_stamp_that_is_none_is_unknown(read: Read) -> None:
    """Sanitised records say ``[trimmed for fixture]`` in its place."""
    second = read("agent-sessions-stage0/claude/small.jsonl").sessions[1].transcript
    assert second.created_at is None


def test_records_of_unknown_types_are_counted(read: Read) -> None:
    """Calls and results as records of their own are from no version we know."""
    reading = read("agent-sessions-stage0/claude/schema_drift.jsonl")
    assert {"tool_result": 1, "tool_use": 1} == reading.unknown
    roles = [message.role for message in reading.sessions[0].transcript.messages]
    assert ["user", "assistant", "user"] == roles


def test_an_origin_can_tell_a_notification(read: Read) -> None:
    """Newer records say so beside the message."""
    reading = read("agent-sessions-stage0/claude/schema_drift.jsonl")
    assert "notification" == reading.sessions[0].transcript.messages[-1].kind


def test_a_checkpoints_metadata_is_a_companion(shared_data: Path, session: ReadOne) -> None:
    """``metadata.json`` beside ``full.jsonl`` is no session; its facts are the session's."""
    name = "entire-checkpoints/c6/39a44ea03d/0/full.jsonl"
    path = shared_data / "claude-code" / name
    assert [path.with_name("metadata.json")] == list(READER.companions(path))
    assert READER.owns(path.with_name("metadata.json"))
    metadata = session(name).metadata
    assert ("c639a44ea03d", 60.0) == (metadata["checkpoint_id"], metadata["agent_percentage"])
    assert ("main", "2.1.37") == (metadata["git_branch"], metadata["version"])


def test_a_file_whose_messages_are_empty_is_an_error(tmp_path: Path) -> None:
    """Nothing can be judged in it."""
    message = {"role": "user", "content": " "}
    record = {"type": "user", "uuid": "a", "parentUuid": None, "sessionId": "s"}
    path = tmp_path / "s.jsonl"
    path.write_text(json.dumps({**record, "message": message}), encoding="utf-8")
    with pytest.raises(TranscriptError, match="without any message of user or agent"):
        READER.read(load_document(path), Limits())

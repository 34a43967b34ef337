"""Claude Code sessions: what real files do to naive readers, read in place."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.transcripts.formats.claude_code import READER
from pytest_sessioneval.transcripts.loading import load_document
from pytest_sessioneval.transcripts.model import CallRef, Message, Transcript
from pytest_sessioneval.transcripts.reader import FileReading, Limits

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
_NESTED = "entire-checkpoints-odd/task-subagents/10/a740e118e0/0/full.jsonl"
_INLINE = "projects/viewer-sample-project/5c0375b4-57a5-4f26-b12d-d022ee4e51b7.jsonl"
_EMPTY_RESULT = "projects/viewer-sample-project/1af7fc5e-8455-4414-9ccd-011d40f70b2a.jsonl"
_FILES_AND_PROGRESS = "projects/moredip-samples/4b2030ed-5563-49ea-b703-6a002f2d3cc8.jsonl"
_FIVE_AGENTS = "projects/moredip-samples/0ccf1a04-1b4c-43b6-8aa5-79e41db43a68.jsonl"
_FORKED = "odd/claude_forked_session.jsonl"
_EDITS = "odd/edit-tool-variants.jsonl"
_IMAGES = "odd/images-in-user-messages.jsonl"

Read = Callable[[str], FileReading]
ReadOne = Callable[[str], Transcript]


@pytest.fixture(scope="module")
def read(shared_data: Path) -> Read:
    """Return what reads a file of the folder claude-code."""

    def reading(name: str) -> FileReading:
        document = load_document(shared_data / "claude-code" / name)
        assert READER.detects(document)
        return READER.read(document, Limits())

    return reading


@pytest.fixture(scope="module")
def session(read: Read) -> ReadOne:
    """Return what reads the only session of such a file."""

    def only(name: str) -> Transcript:
        (found,) = read(name).sessions
        assert found.locator is None
        return found.transcript

    return only


def _records(path: Path) -> list[dict[str, Any]]:
    return [record.value for record in load_document(path).records]


def _said(record: dict[str, Any]) -> Any:
    return record["message"]["content"]


def _kinds(transcript: Transcript) -> Counter[str]:
    return Counter(message.kind for message in transcript.messages)


def _calls(messages: tuple[Message, ...]) -> list[str | None]:
    return [call.call_id for message in messages for call in message.tool_calls]


def test_a_response_split_over_lines_is_one_message(shared_data: Path, session: ReadOne) -> None:
    """Fourteen assistant lines carry six message ids."""
    name = "entire-checkpoints/8c/fa910f8ef9/3/full.jsonl"
    lines = [r for r in _records(shared_data / "claude-code" / name) if r["type"] == "assistant"]
    assert 14 == len(lines)
    assert 6 == sum(m.role == "assistant" for m in session(name).messages)


def test_text_reasoning_and_several_calls_of_a_response_stand_in_one_message(
    session: ReadOne,
) -> None:
    """Thinking, text and three parallel calls are five lines of one response."""
    message = session(_FIVE_AGENTS).messages[1]
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
    records = _records(shared_data / "claude-code" / _TWO_OBJECTS)
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
    records = _records(shared_data / "claude-code" / _NESTED)
    assert 44 == sum(record["type"] == "progress" for record in records)
    roles = Counter(message.role for message in session(_NESTED).messages)
    assert {"user": 8, "assistant": 4, "tool": 4} == roles


def test_sub_agents_in_files_of_their_own_belong_to_the_session(
    shared_data: Path, session: ReadOne
) -> None:
    """Five agents stand in ``<session>/subagents``; each is linked to the call that began it."""
    transcript = session(_FIVE_AGENTS)
    calls = [(1, 0), (1, 1), (1, 2), (18, 0), (18, 1)]
    begun_by = [part.spawned_by for part in transcript.subsessions]
    assert [CallRef(message=m, ordinal=n) for m, n in calls] == begun_by
    path = shared_data / "claude-code" / _FIVE_AGENTS
    companions = list(READER.companions(path))
    assert 5 == len(companions)
    assert all(READER.owns(companion) for companion in companions)
    assert not READER.owns(path)


def test_a_sub_agent_recorded_in_a_file_and_in_progress_counts_once(
    shared_data: Path, session: ReadOne
) -> None:
    """Agent a2018e5 stands in both; its file is read, which has its answer too."""
    records = _records(shared_data / "claude-code" / _FILES_AND_PROGRESS)
    assert 3 == sum("agentId" in str(r.get("data")) for r in records)
    (agent,) = session(_FILES_AND_PROGRESS).subsessions
    assert "a2018e5" == agent.agent_id
    assert ["user", "assistant", "tool", "assistant"] == [m.role for m in agent.messages]


def test_sub_agents_inline_are_told_from_the_main_agent(session: ReadOne) -> None:
    """22 of 53 records are sidechains of two agents, known by the prompts they were given."""
    transcript = session(_INLINE)
    assert [4 + 2, 8 + 6] == [len(part.messages) for part in transcript.subsessions]
    assert ["sidechain-1", "sidechain-2"] == [part.agent_id for part in transcript.subsessions]
    for part in transcript.subsessions:
        assert part.spawned_by is not None
        call = transcript.messages[part.spawned_by.message].tool_calls[part.spawned_by.ordinal]
        assert isinstance(call.arguments, dict)
        assert part.messages[0].text == call.arguments["prompt"]


def test_a_sub_agent_nested_in_progress_is_read(session: ReadOne) -> None:
    """Its 37 messages are nested in ``agent_progress`` records."""
    (agent,) = session(_NESTED).subsessions
    assert ("a102bdd", "general-purpose") == (agent.agent_id, agent.name)
    assert 18 == sum(message.role == "tool" for message in agent.messages)
    assert all(message.answers for message in agent.messages if message.role == "tool")


def test_a_sub_agent_that_only_its_call_names_is_there_without_messages(session: ReadOne) -> None:
    """Two reviewers ran; nothing but prompt and answer of them was recorded."""
    agents = session("entire-checkpoints/dc/49cb8a2a42/0/full.jsonl").subsessions
    assert {("reviewer", ())} == {(agent.name, agent.messages) for agent in agents}
    assert 2 == len({agent.agent_id for agent in agents})


def test_the_sidecar_names_the_kind_of_agent(shared_data: Path, session: ReadOne) -> None:
    """``agent-<id>.meta.json`` holds the agent's type and is no session."""
    name = "agent-sessions-stage0/claude/subagent/0a1b2c3d-4e5f-4061-8071-2a3b4c5d6e7f.jsonl"
    (agent,) = session(name).subsessions
    assert ("a0ad4f44468bdf20d", "general-purpose") == (agent.agent_id, agent.name)
    companions = list(READER.companions(shared_data / "claude-code" / name))
    assert [".jsonl", ".json"] == [companion.suffix for companion in companions]
    assert all(READER.owns(companion) for companion in companions)


def test_what_the_harness_wrote_in_the_users_name_is_told_apart(session: ReadOne) -> None:
    """Caveats, slash commands with their echo, and what the person wrote."""
    kinds = _kinds(session("entire-checkpoints/c6/39a44ea03d/0/full.jsonl"))
    assert {"instruction": 1, "command": 2, "plain": 8} == kinds


def test_news_of_background_tasks_is_a_notification(session: ReadOne) -> None:
    """Three ``<task-notification>`` lines are of type user."""
    assert 3 == _kinds(session(_FIVE_AGENTS))["notification"]


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
    records = _records(shared_data / "claude-code" / _TWO_OBJECTS)
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
    by_uuid = {r["uuid"]: r for r in _records(shared_data / "claude-code" / _FORKED)}
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
    records = _records(shared_data / "claude-code" / _EDITS)
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
    (answer,) = [m.text for m in session(_FILES_AND_PROGRESS).messages if m.role == "tool"]
    assert answer


def test_the_structured_result_may_be_an_object_or_text(
    shared_data: Path, session: ReadOne
) -> None:
    """``toolUseResult`` of a failed call is a string; the session reads all the same."""
    records = _records(shared_data / "claude-code" / _INLINE)
    assert {dict, str} == {type(r["toolUseResult"]) for r in records if "toolUseResult" in r}
    assert 2 == sum(message.is_error for message in session(_INLINE).messages)


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


def test_a_metadata_file_of_something_else_is_not_owned(shared_data: Path) -> None:
    """OpenHands keeps a ``metadata.json`` as well."""
    folder = shared_data / "openhands/sessions/63b4315947a049e2b7a51249b3d4fcc3"
    assert not READER.owns(folder / "metadata.json")


def test_one_gemini_object_in_a_file_named_jsonl_is_not_detected(shared_data: Path) -> None:
    """The name says nothing."""
    document = load_document(shared_data / "gemini-cli/entire-51_3fab7adf0b_0_full.jsonl")
    assert not READER.detects(document)


def test_qwen_files_are_not_detected(shared_data: Path) -> None:
    """They have the same record fields but ``parts`` in place of ``content``."""
    qwen = shared_data / "other-cli-agents/agent-sessions-stage0/qwen"
    assert [] == [p.name for p in qwen.glob("*.jsonl") if READER.detects(load_document(p))]


def test_a_sub_agents_own_file_can_be_read_when_it_is_named(shared_data: Path) -> None:
    """Alone it is a session of its own, known by the agent's id."""
    folder = shared_data / "claude-code/projects/moredip-samples"
    path = folder / "4b2030ed-5563-49ea-b703-6a002f2d3cc8/subagents/agent-a2018e5.jsonl"
    (found,) = READER.read(load_document(path), Limits()).sessions
    assert "a2018e5" == found.transcript.session_id
    assert 4 == len(found.transcript.messages)


def test_a_file_whose_messages_are_empty_is_an_error(tmp_path: Path) -> None:
    """Nothing can be judged in it."""
    message = {"role": "user", "content": " "}
    record = {"type": "user", "uuid": "a", "parentUuid": None, "sessionId": "s"}
    path = tmp_path / "s.jsonl"
    path.write_text(json.dumps({**record, "message": message}), encoding="utf-8")
    with pytest.raises(TranscriptError, match="without any message of user or agent"):
        READER.read(load_document(path), Limits())


def test_one_damaged_record_does_not_hide_a_session(tmp_path: Path) -> None:
    """Detection looks at more than the first message."""
    damaged = {"type": "user", "sessionId": "s", "message": None}
    message = {"role": "user", "content": "Hello"}
    path = tmp_path / "s.jsonl"
    records = [damaged, {"type": "user", "uuid": "a", "sessionId": "s", "message": message}]
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    document = load_document(path)
    assert READER.detects(document)
    assert 1 == len(READER.read(document, Limits()).sessions[0].transcript.messages)

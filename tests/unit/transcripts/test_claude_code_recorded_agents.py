"""Sub-agents of real Claude Code sessions, read in place wherever their messages were kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from claude_code_recordings import (
    FILES_AND_PROGRESS,
    FIVE_AGENTS,
    INLINE,
    NESTED,
    ReadOne,
    records_of,
    sessions_from,
)

from pytest_sessioneval.transcripts.formats.claude_code import READER
from pytest_sessioneval.transcripts.loading import load_document
from pytest_sessioneval.transcripts.model import CallRef
from pytest_sessioneval.transcripts.reader import Limits


@pytest.fixture(scope="module")
def session(shared_data: Path) -> ReadOne:
    """Return what reads the only session of such a file."""
    return sessions_from(shared_data / "claude-code")


def test_sub_agents_in_files_of_their_own_belong_to_the_session(
    shared_data: Path, session: ReadOne
) -> None:
    """Five agents stand in ``<session>/subagents``; each is linked to the call that began it."""
    transcript = session(FIVE_AGENTS)
    calls = [(1, 0), (1, 1), (1, 2), (18, 0), (18, 1)]
    begun_by = [part.spawned_by for part in transcript.subsessions]
    assert [CallRef(message=m, ordinal=n) for m, n in calls] == begun_by
    path = shared_data / "claude-code" / FIVE_AGENTS
    companions = list(READER.companions(path))
    assert 5 == len(companions)
    assert all(READER.owns(companion) for companion in companions)
    assert not READER.owns(path)


def test_a_sub_agent_recorded_in_a_file_and_in_progress_counts_once(
    shared_data: Path, session: ReadOne
) -> None:
    """Agent a2018e5 stands in both; its file is read, which has its answer too."""
    records = records_of(shared_data / "claude-code" / FILES_AND_PROGRESS)
    assert 3 == sum("agentId" in str(r.get("data")) for r in records)
    (agent,) = session(FILES_AND_PROGRESS).subsessions
    assert "a2018e5" == agent.agent_id
    assert ["user", "assistant", "tool", "assistant"] == [m.role for m in agent.messages]


def test_sub_agents_inline_are_told_from_the_main_agent(session: ReadOne) -> None:
    """22 of 53 records are sidechains of two agents, known by the prompts they were given."""
    transcript = session(INLINE)
    assert [4 + 2, 8 + 6] == [len(part.messages) for part in transcript.subsessions]
    assert ["sidechain-1", "sidechain-2"] == [part.agent_id for part in transcript.subsessions]
    for part in transcript.subsessions:
        assert part.spawned_by is not None
        call = transcript.messages[part.spawned_by.message].tool_calls[part.spawned_by.ordinal]
        assert isinstance(call.arguments, dict)
        assert part.messages[0].text == call.arguments["prompt"]


def test_a_sub_agent_nested_in_progress_is_read(session: ReadOne) -> None:
    """Its 37 messages are nested in ``agent_progress`` records."""
    (agent,) = session(NESTED).subsessions
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


def test_a_sub_agents_own_file_can_be_read_when_it_is_named(shared_data: Path) -> None:
    """Alone it is a session of its own, known by the agent's id."""
    folder = shared_data / "claude-code/projects/moredip-samples"
    path = folder / "4b2030ed-5563-49ea-b703-6a002f2d3cc8/subagents/agent-a2018e5.jsonl"
    (found,) = READER.read(load_document(path), Limits()).sessions
    assert "a2018e5" == found.transcript.session_id
    assert 4 == len(found.transcript.messages)

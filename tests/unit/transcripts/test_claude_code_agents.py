"""Sub-agents of Claude Code sessions in folders written here: layouts, owners, damage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_sessioneval.transcripts.formats.claude_code import READER
from pytest_sessioneval.transcripts.loading import load_document
from pytest_sessioneval.transcripts.model import CallRef, JsonObject, Transcript
from pytest_sessioneval.transcripts.reader import FileReading, Limits


def _user(uuid: str, parent: str | None, content: Any, **fields: Any) -> JsonObject:
    message = {"role": "user", "content": content}
    return _record("user", uuid, parent, message=message, **fields)


def _agent(uuid: str, parent: str | None, *blocks: Any, **fields: Any) -> JsonObject:
    message = {"role": "assistant", "id": f"m-{uuid}", "content": list(blocks)}
    return _record("assistant", uuid, parent, message=message, **fields)


def _record(kind: str, uuid: str, parent: str | None, **fields: Any) -> JsonObject:
    return {"type": kind, "uuid": uuid, "parentUuid": parent, "sessionId": "s", **fields}


def _task(call_id: str, prompt: str = "Look around") -> JsonObject:
    return {
        "type": "tool_use",
        "id": call_id,
        "name": "Task",
        "input": {"prompt": prompt, "subagent_type": "Explore"},
    }


def _answer(call_id: str, text: str = "Found it") -> list[JsonObject]:
    return [{"type": "tool_result", "tool_use_id": call_id, "content": text}]


_MAIN = [
    _user("u1", None, "Find the bug"),
    _agent("a1", "u1", _task("t1")),
    _user("u2", "a1", _answer("t1"), toolUseResult={"agentId": "x1", "status": "completed"}),
]


def _own_records(agent_id: str = "x1") -> list[JsonObject]:
    marks = {"isSidechain": True, "agentId": agent_id}
    return [
        _user(f"{agent_id}-1", None, "Look around", **marks),
        _agent(f"{agent_id}-2", f"{agent_id}-1", {"type": "text", "text": "Found it"}, **marks),
    ]


def _nested(agent_id: str, records: list[JsonObject], call_id: str = "t1") -> list[JsonObject]:
    return [
        _record(
            "progress",
            f"p{number}",
            "a1",
            parentToolUseID=call_id,
            data={"type": "agent_progress", "agentId": agent_id, "message": record},
        )
        for number, record in enumerate(records)
    ]


def _write(path: Path, records: list[JsonObject]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
    return path


def _read(path: Path) -> FileReading:
    return READER.read(load_document(path), Limits())


def _session(path: Path) -> Transcript:
    (found,) = _read(path).sessions
    return found.transcript


def test_an_agent_is_linked_to_the_call_whose_result_names_it(tmp_path: Path) -> None:
    """``toolUseResult.agentId`` stands beside the result."""
    path = _write(tmp_path / "s.jsonl", _MAIN)
    _write(tmp_path / "s/subagents/agent-x1.jsonl", _own_records())
    (agent,) = _session(path).subsessions
    assert (CallRef(message=1, ordinal=0), None) == (agent.spawned_by, agent.parent_agent_id)
    assert ("x1", "Explore", 2) == (agent.agent_id, agent.name, len(agent.messages))


def test_agents_in_folders_below_are_found(tmp_path: Path) -> None:
    """Workflows keep theirs in folders of their own."""
    path = _write(tmp_path / "s.jsonl", _MAIN)
    below = _write(tmp_path / "s/subagents/workflows/w1/agent-x1.jsonl", _own_records())
    assert [below] == list(READER.companions(path))
    assert READER.owns(below)
    assert 2 == len(_session(path).subsessions[0].messages)


def test_agents_beside_the_session_belong_to_it(tmp_path: Path) -> None:
    """An older version wrote ``agent-<id>.jsonl`` into the project's folder."""
    path = _write(tmp_path / "s.jsonl", _MAIN)
    beside = _write(tmp_path / "agent-x1.jsonl", _own_records())
    assert [beside] == list(READER.companions(path))
    assert READER.owns(beside)
    assert 2 == len(_session(path).subsessions[0].messages)


def test_an_agents_file_whose_session_is_missing_is_a_session(tmp_path: Path) -> None:
    """Nothing is left uncollected."""
    alone = _write(tmp_path / "agent-x1.jsonl", _own_records())
    folder = _write(tmp_path / "gone/subagents/agent-x2.jsonl", _own_records("x2"))
    assert not READER.owns(alone)
    assert not READER.owns(folder)
    assert "x1" == _session(alone).session_id


@pytest.mark.parametrize("session_id", ["../s", "s/../../etc/passwd", "", None, 5])
def test_a_session_id_cannot_lead_out_of_the_folder(tmp_path: Path, session_id: Any) -> None:
    """Hostile ids name no file."""
    _write(tmp_path / "s.jsonl", _MAIN)
    records = [{**record, "sessionId": session_id} for record in _own_records()]
    assert not READER.owns(_write(tmp_path / "below/agent-x1.jsonl", records))


def test_an_agent_recorded_in_all_three_places_counts_once(tmp_path: Path) -> None:
    """The file is read, which is the fullest."""
    inline = _own_records()[:1]
    path = _write(tmp_path / "s.jsonl", [*_MAIN, *inline, *_nested("x1", _own_records()[:1])])
    _write(tmp_path / "s/subagents/agent-x1.jsonl", _own_records())
    (agent,) = _session(path).subsessions
    assert 2 == len(agent.messages)


def test_an_inline_agent_without_id_is_known_by_its_responses(tmp_path: Path) -> None:
    """The same responses are nested in progress under an id."""
    inline = [{k: v for k, v in record.items() if k != "agentId"} for record in _own_records()]
    path = _write(tmp_path / "s.jsonl", [*_MAIN, *inline, *_nested("x1", _own_records())])
    assert ["x1"] == [agent.agent_id for agent in _session(path).subsessions]


def test_an_agent_in_progress_is_linked_by_the_calls_id(tmp_path: Path) -> None:
    """It may still run: no result names it."""
    path = _write(tmp_path / "s.jsonl", [*_MAIN[:2], *_nested("x1", _own_records())])
    (agent,) = _session(path).subsessions
    assert CallRef(message=1, ordinal=0) == agent.spawned_by


def test_an_agent_that_another_agent_called_has_it_as_parent(tmp_path: Path) -> None:
    """The call stands in the parent's messages."""
    marks = {"isSidechain": True, "agentId": "x1"}
    records = [
        *_own_records()[:1],
        _agent("x1-2", "x1-1", _task("t2", "Look deeper"), **marks),
        _user("x1-3", "x1-2", _answer("t2"), toolUseResult={"agentId": "x2"}, **marks),
    ]
    path = _write(tmp_path / "s.jsonl", _MAIN)
    _write(tmp_path / "s/subagents/agent-x1.jsonl", records)
    _write(tmp_path / "s/subagents/agent-x2.jsonl", _own_records("x2"))
    agents = {agent.agent_id: agent for agent in _session(path).subsessions}
    assert ("x1", CallRef(message=1, ordinal=0)) == (
        agents["x2"].parent_agent_id,
        agents["x2"].spawned_by,
    )


def test_agents_stand_in_order_of_start(tmp_path: Path) -> None:
    """Not in order of their names."""
    path = _write(tmp_path / "s.jsonl", _MAIN)
    for name, minute in (("aa", 30), ("zz", 10)):
        stamp = f"2026-01-22T19:{minute}:00Z"
        records = [{**record, "timestamp": stamp} for record in _own_records(name)]
        _write(tmp_path / f"s/subagents/agent-{name}.jsonl", records)
    names = [agent.agent_id for agent in _session(path).subsessions]
    assert ["zz", "aa"] == [name for name in names if name != "x1"]


def test_a_broken_agents_file_is_reported_and_the_session_read(tmp_path: Path) -> None:
    """The main agent's part is sound."""
    path = _write(tmp_path / "s.jsonl", _MAIN)
    broken = tmp_path / "s/subagents/agent-x1.jsonl"
    broken.parent.mkdir(parents=True)
    broken.write_text('{"type": ', encoding="utf-8")
    reading = _read(path)
    (skipped,) = reading.skipped
    assert (str(broken), 1) == (skipped.path, skipped.line)
    assert skipped.reason.startswith("sub-agent left out: ")
    assert 3 == len(reading.sessions[0].transcript.messages)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"agentType": 5}', "[" * 5000])
def test_a_broken_sidecar_says_nothing(tmp_path: Path, text: str) -> None:
    """The kind of agent is then taken from the call."""
    path = _write(tmp_path / "s.jsonl", _MAIN)
    own = _write(tmp_path / "s/subagents/agent-x1.jsonl", _own_records())
    own.with_name("agent-x1.meta.json").write_text(text, encoding="utf-8")
    assert ["Explore"] == [agent.name for agent in _session(path).subsessions]


def test_other_files_of_a_session_are_owned(tmp_path: Path) -> None:
    """Large results are written beside the sub-agents."""
    _write(tmp_path / "s.jsonl", _MAIN)
    assert READER.owns(_write(tmp_path / "s/tool-results/t1.json", _MAIN))
    assert not READER.owns(_write(tmp_path / "s/notes/t1.json", _MAIN))


def test_joined_sessions_do_not_share_their_agents(tmp_path: Path) -> None:
    """Files of sub-agents go with the session that is last in the file."""
    first = [{**r, "uuid": f"1{r['uuid']}", "sessionId": "first"} for r in _MAIN[:2]]
    first = [{**r, "parentUuid": r["parentUuid"] and f"1{r['parentUuid']}"} for r in first]
    path = _write(tmp_path / "s.jsonl", [*first, *_MAIN])
    _write(tmp_path / "s/subagents/agent-x1.jsonl", _own_records())
    sessions = _read(path).sessions
    assert ["first", "s"] == [found.locator for found in sessions]
    assert [0, 1] == [len(found.transcript.subsessions) for found in sessions]

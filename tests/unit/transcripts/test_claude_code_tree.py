"""The conversation in the tree of a Claude Code file, shape by shape."""

from __future__ import annotations

from typing import Any

from pytest_sessioneval.transcripts.formats.claude_code_tree import (
    Entry,
    conversation,
    distinct_entries,
    split_sessions,
)
from pytest_sessioneval.transcripts.model import JsonObject


def _user(uuid: str, parent: str | None, content: Any = "…", **fields: Any) -> JsonObject:
    message = {"role": "user", "content": content}
    return _record("user", uuid, parent, message=message, **fields)


def _agent(uuid: str, parent: str | None, *blocks: Any, of: str = "m", **fields: Any) -> JsonObject:
    content = list(blocks) or [{"type": "text", "text": "…"}]
    message = {"role": "assistant", "id": of, "content": content}
    return _record("assistant", uuid, parent, message=message, **fields)


def _record(kind: str, uuid: str, parent: str | None, **fields: Any) -> JsonObject:
    return {"type": kind, "uuid": uuid, "parentUuid": parent, "sessionId": "s", **fields}


def _call(call_id: str) -> JsonObject:
    return {"type": "tool_use", "id": call_id, "name": "look", "input": {}}


def _result(call_id: str) -> list[JsonObject]:
    return [{"type": "tool_result", "tool_use_id": call_id, "content": "found"}]


def _path(*records: JsonObject) -> list[str | None]:
    return [entry.uuid for entry in conversation(distinct_entries(records)).entries]


def _sessions(*records: JsonObject) -> list[list[str | None]]:
    return [[e.uuid for e in part] for part in split_sessions(distinct_entries(records))]


def test_the_last_message_decides_which_branch_counts() -> None:
    """The user went back to the first answer and asked anew."""
    records = [_user("u1", None), _agent("a1", "u1"), _user("u2", "a1"), _user("u3", "a1")]
    found = conversation(distinct_entries(records))
    assert ["u1", "a1", "u3"] == [entry.uuid for entry in found.entries]
    assert 1 == found.abandoned


def test_records_between_messages_carry_the_link() -> None:
    """Progress and system records stand in the chain of parents."""
    between = _record("progress", "p", "u1")
    assert ["u1", "a1"] == _path(_user("u1", None), between, _agent("a1", "p"))


def test_a_message_written_late_stands_where_its_parent_says() -> None:
    """Order is by parent, not by line."""
    assert ["u1", "a1", "u2"] == _path(_agent("a1", "u1"), _user("u1", None), _user("u2", "a1"))


def test_a_first_message_typed_anew_replaces_the_other() -> None:
    """A message that says it follows none begins the session, whatever stands before it."""
    assert ["u2", "a2"] == _path(
        _user("u1", None), _agent("a1", "u1"), _user("u2", None), _agent("a2", "u2", of="m2")
    )


def test_what_precedes_a_compaction_is_kept() -> None:
    """The boundary has no parent; ``logicalParentUuid`` is not followed."""
    boundary = _record("system", "b", None, logicalParentUuid="u0", subtype="compact_boundary")
    records = [_user("u0", None), _user("u1", None), _agent("a1", "u1"), boundary]
    assert ["u1", "a1", "u2"] == _path(*records, _user("u2", "b"))


def test_a_record_without_any_parent_field_is_linked_to_the_message_before() -> None:
    """Not to say is not to say that there is none."""
    answer = _agent("a1", None)
    del answer["parentUuid"]
    assert ["u1", "a1"] == _path(_user("u1", None), answer)


def test_a_session_resumed_by_a_hook_without_parent_goes_on() -> None:
    """A hook's record begins a chain of its own."""
    hook = _record("progress", "h", None)
    assert ["u1", "u2"] == _path(_user("u1", None), hook, _user("u2", "h"))


def test_a_chain_that_leads_back_to_itself_ends() -> None:
    """Hostile links neither loop nor lose messages."""
    assert ["u1", "u2", "u3"] == _path(_user("u1", "u3"), _user("u2", "u1"), _user("u3", "u2"))


def test_an_id_that_two_messages_share_names_neither() -> None:
    """The messages are taken as they were written."""
    records = [_user("x", None, "one"), _user("x", "x", "two"), _user("x", "x", "three")]
    found = conversation(distinct_entries(records)).entries
    assert ["one", "two", "three"] == [entry.message["content"] for entry in found]


def test_a_record_repeated_is_left_out_however_far_apart() -> None:
    """Same id, same content; text is one block."""
    again = _user("u1", "a9", [{"type": "text", "text": "Hello"}])
    answers = [_agent(f"a{n}", "u1", of=f"m{n}") for n in range(40)]
    assert 41 == len(distinct_entries([_user("u1", None, "Hello"), *answers, again]))


def test_every_parallel_call_of_a_response_is_kept_with_its_result() -> None:
    """Each call is a record, each result hangs on its own call."""
    assert ["u1", "a1", "a2", "r1", "r2", "a3"] == _path(
        _user("u1", None),
        _agent("a1", "u1", _call("1")),
        _agent("a2", "u1", _call("2")),
        _user("r1", "a1", _result("1")),
        _user("r2", "a2", _result("2")),
        _agent("a3", "r2", of="m2"),
    )


def test_a_call_repeated_on_another_branch_is_not_put_back() -> None:
    """Its response was written twice with the same call."""
    path = _path(
        _user("u1", None),
        _agent("a1", "u1", _call("1")),
        _user("u2", None),
        _agent("a2", "u2", _call("1")),
    )
    assert ["u2", "a2"] == path


def test_the_result_of_an_abandoned_call_is_not_put_back() -> None:
    """It answers a call the conversation does not hold."""
    assert ["u1", "u2"] == _path(
        _user("u1", None),
        _agent("a1", "u1", _call("1")),
        _user("r1", "a1", _result("1")),
        _user("u2", "u1"),
    )


def test_sidechains_are_no_part_of_the_conversation() -> None:
    """Sub-agents write inline in older versions."""
    aside = _user("s1", None, isSidechain=True)
    assert ["u1", "a1"] == _path(_user("u1", None), aside, _agent("a1", "u1"))


def test_a_file_of_sidechains_only_is_a_conversation() -> None:
    """A sub-agent's own file."""
    first, second = _user("s1", None, isSidechain=True), _agent("s2", "s1", isSidechain=True)
    assert ["s1", "s2"] == _path(first, second)


def test_what_was_said_while_the_agent_worked_is_a_message() -> None:
    """It is recorded as an attachment."""
    queued = {"type": "queued_command", "prompt": "Stop!", "commandMode": "prompt"}
    attachment = _record("attachment", "q1", "a1", attachment=queued)
    found = conversation(distinct_entries([_user("u1", None), _agent("a1", "u1"), attachment]))
    assert {"role": "user", "content": "Stop!"} == found.entries[-1].message


def test_an_attachment_of_another_kind_is_none() -> None:
    """Attachments mostly hold what the harness told the model."""
    entry = Entry(0, _record("attachment", "q1", None, attachment={"type": "todo_reminder"}))
    assert not entry.is_message


def test_ids_without_a_link_are_sessions_of_their_own() -> None:
    """Two files were joined."""
    assert [["u1", "a1"], ["u2", "a2"]] == _sessions(
        _user("u1", None, sessionId="one"),
        _agent("a1", "u1", sessionId="one"),
        _user("u2", None, sessionId="two"),
        _agent("a2", "u2", sessionId="two"),
    )


def test_a_session_resumed_under_another_id_is_one() -> None:
    """The first record of the new id follows one of the old."""
    assert 1 == len(
        _sessions(
            _user("u1", None, sessionId="one"),
            _agent("a1", "u1", sessionId="one"),
            _user("u2", "a1", sessionId="two"),
            _agent("a2", "u2", sessionId="two"),
        )
    )


def test_an_id_the_agent_never_answered_is_no_session() -> None:
    """A stray message is not worth an item of its own; it stays with what follows it."""
    records = (
        _user("u1", None, sessionId="one"),
        _user("u2", None, sessionId="two"),
        _agent("a2", "u2", sessionId="two"),
    )
    assert 1 == len(_sessions(*records))
    assert ["u1", "u2", "a2"] == _path(*records)


def test_records_without_a_session_go_with_those_before_them() -> None:
    """Snapshots and summaries name none."""
    snapshot = {"type": "file-history-snapshot"}
    parts = split_sessions(
        distinct_entries(
            [
                _user("u1", None, sessionId="one"),
                _agent("a1", "u1", sessionId="one"),
                snapshot,
                _user("u2", None, sessionId="two"),
                _agent("a2", "u2", sessionId="two"),
            ]
        )
    )
    assert [3, 2] == [len(part) for part in parts]


def test_nothing_gives_no_conversation() -> None:
    """An empty file, or one of bookkeeping only."""
    assert () == conversation([]).entries
    assert [] == split_sessions([])

"""tau-bench result files, real ones in place and small ones written here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.transcripts.formats.tau_bench import READER
from pytest_sessioneval.transcripts.loading import load_document
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.reader import FileReading, Limits

_CHAT = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]


def _run(task_id: int = 3, **fields: Any) -> dict[str, Any]:
    return {"task_id": task_id, "reward": 1.0, "info": {}, "traj": _CHAT, "trial": 0, **fields}


def _read(path: Path) -> FileReading:
    document = load_document(path)
    assert READER.detects(document)
    return READER.read(document, Limits())


def _written(folder: Path, value: Any) -> FileReading:
    path = folder / "runs.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return _read(path)


def _transcripts(reading: FileReading) -> list[Transcript]:
    return [found.transcript for found in reading.sessions]


@pytest.fixture(scope="module")
def airline(shared_data: Path) -> list[Transcript]:
    """Return 22 runs of gpt-4o."""
    return _transcripts(_read(shared_data / "tau-bench/gpt-4o-airline.tasks0-24.balanced.json"))


@pytest.fixture(scope="module")
def retail(shared_data: Path) -> list[Transcript]:
    """Return 15 runs of grok-3 with a changed reward."""
    return _transcripts(_read(shared_data / "tau-bench/grok-3-retail.tasks0-14.json"))


def test_arguments_recorded_as_text_become_an_object(airline: list[Transcript]) -> None:
    """tau-bench records arguments as JSON strings."""
    calls = [c for t in airline for m in t.messages for c in m.tool_calls]
    assert {dict} == {type(call.arguments) for call in calls}


def test_a_message_without_content_has_empty_text_and_keeps_its_calls(
    airline: list[Transcript],
) -> None:
    """Content is null on 124 messages, each of which calls a tool."""
    silent = [m for t in airline for m in t.messages if m.tool_calls and m.text == ""]
    assert 124 == len(silent)


def test_a_message_with_content_and_calls_keeps_both(airline: list[Transcript]) -> None:
    """Six messages say something and call a tool."""
    both = [m for t in airline for m in t.messages if m.tool_calls and m.text]
    assert 6 == len(both)


def test_an_empty_result_is_a_message_without_text(airline: list[Transcript]) -> None:
    """Twelve results are the empty string."""
    assert 12 == sum(m.role == "tool" and m.text == "" for t in airline for m in t.messages)


def test_calls_that_share_an_id_are_paired_with_their_own_result(
    airline: list[Transcript],
) -> None:
    """Ids repeat within four sessions; each result still follows the call it answers."""
    repeating = 0
    for transcript in airline:
        calls = [(m.index, c) for m in transcript.messages for c in m.tool_calls]
        ids = [call.call_id for _, call in calls]
        repeating += len(set(ids)) < len(ids)
        assert [index + 1 for index, _ in calls] == [call.result for _, call in calls]
    assert 4 == repeating


def test_a_refused_call_is_marked_as_an_error(airline: list[Transcript]) -> None:
    """tau-bench has no mark for errors; 14 results begin as its environment writes them."""
    failed = [m for t in airline for m in t.messages if m.is_error]
    assert 14 == len(failed)
    assert {"tool"} == {message.role for message in failed}


@pytest.mark.parametrize(
    ("result", "marked"),
    [
        ("Error: order not found", True),
        ("Unknown action refund", True),
        ('{"note": "Error: none"}', False),
        ("Errors were not found", False),
    ],
)
def test_only_the_words_of_the_environment_mark_an_error(
    tmp_path: Path, result: str, *, marked: bool
) -> None:
    """What a tool raised and what no tool is called begin in fixed words."""
    call = {"id": "a", "type": "function", "function": {"name": "refund", "arguments": "{}"}}
    chat = [
        {"role": "user", "content": "Error: I cannot log in"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "name": "refund", "content": result},
    ]
    (transcript,) = _transcripts(_written(tmp_path, [_run(traj=chat)]))
    assert [False, False, marked] == [message.is_error for message in transcript.messages]


def test_the_last_message_is_never_the_agents(airline: list[Transcript]) -> None:
    """Runs end with the user's stop word or with a transfer's result."""
    assert {"user", "tool"} == {t.messages[-1].role for t in airline}


def test_an_absent_and_a_null_list_of_calls_mean_the_same(retail: list[Transcript]) -> None:
    """Half of grok's messages have ``tool_calls: null``, all have ``function_call: null``."""
    without = [m for t in retail for m in t.messages if m.role == "assistant" and not m.tool_calls]
    assert 112 == len(without)


def test_a_fractional_reward_is_kept(retail: list[Transcript]) -> None:
    """The reward is the recorded outcome, also between failure and success."""
    rewards = [t.outcome.value for t in retail if t.outcome and t.outcome.value is not None]
    assert 15 == len(rewards)
    assert any(0 < reward < 1 for reward in rewards)


def test_the_reward_is_the_outcome(airline: list[Transcript]) -> None:
    """Ten of the 22 runs succeeded."""
    outcomes = [t.outcome for t in airline]
    assert {"reward"} == {outcome.kind for outcome in outcomes if outcome}
    assert 10 == sum(outcome.value == 1.0 for outcome in outcomes if outcome)


def test_a_task_that_was_tried_twice_is_told_apart_by_trial(airline: list[Transcript]) -> None:
    """Where a task repeats, the trial is part of every session's id."""
    assert 22 == len({t.session_id for t in airline})
    assert "task-0.trial-0" == airline[0].session_id
    assert 22 == len({(t.task_id, t.trial) for t in airline}) > len({t.task_id for t in airline})


def test_a_task_tried_once_is_named_by_its_number(retail: list[Transcript]) -> None:
    """Where no task repeats, the task alone names the session."""
    assert [f"task-{number}" for number in range(15)] == [t.session_id for t in retail]


def test_how_the_run_ended_is_in_the_metadata(airline: list[Transcript]) -> None:
    """A suite may group by it."""
    reasons = {t.metadata["termination_reason"] for t in airline}
    assert {"user", "transfer_to_human_agents"} == reasons


def test_a_run_that_crashed_is_broken_and_says_why(tmp_path: Path) -> None:
    """tau-bench records an exception as a run with no message and reward 0."""
    crashed = _run(4, traj=[], info={"error": "Rate limit\nreached", "traceback": "…"})
    reading = _written(tmp_path, [_run(3), crashed])
    assert ["task-3"] == [found.transcript.session_id for found in reading.sessions]
    (broken,) = reading.broken
    assert "task-4" == broken.locator
    assert str(broken.error).endswith("task-4: no message was recorded: Rate limit reached")


def test_a_file_in_which_every_run_crashed_is_an_error(tmp_path: Path) -> None:
    """Nothing in it can be read."""
    with pytest.raises(TranscriptError, match="no message was recorded"):
        _written(tmp_path, [_run(3, traj=[]), _run(4, traj=[])])


def test_an_element_that_is_no_run_is_broken(tmp_path: Path) -> None:
    """The others of the file are read."""
    reading = _written(tmp_path, [_run(3), {"task_id": 4}, 5])
    assert 1 == len(reading.sessions)
    assert ["task-4", "task-None"] == [broken.locator for broken in reading.broken]
    assert "no tau-bench run" in str(reading.broken[0].error)


def test_the_same_task_and_trial_twice_get_two_ids(tmp_path: Path) -> None:
    """Ids are unique in their file whatever it holds."""
    reading = _written(tmp_path, [_run(3), _run(3)])
    assert ["task-3.trial-0", "task-3.trial-0.copy-2"] == [
        found.locator for found in reading.sessions
    ]


def test_runs_one_per_line_are_read_alike(tmp_path: Path) -> None:
    """A checkpoint may be JSON Lines."""
    path = tmp_path / "runs.jsonl"
    path.write_text("\n".join(json.dumps(_run(task)) for task in (1, 2)), encoding="utf-8")
    assert ["task-1", "task-2"] == [t.session_id for t in _transcripts(_read(path))]


def test_arguments_that_do_not_parse_stay_text(tmp_path: Path) -> None:
    """What the model wrote is not lost."""
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": '}}
    chat = [{"role": "assistant", "content": None, "tool_calls": [call]}]
    (transcript,) = _transcripts(_written(tmp_path, [_run(traj=chat)]))
    assert '{"x": ' == transcript.messages[0].tool_calls[0].arguments


@pytest.mark.parametrize(
    "value",
    [
        [],
        [{"task_id": 1, "reward": 0.0}],
        [{"task_id": 1, "traj": _CHAT}],
        [{"task_id": 1, "reward": 1.0, "traj": "text"}],
        {"messages": _CHAT},
        _CHAT,
    ],
)
def test_what_only_resembles_a_run_is_not_detected(tmp_path: Path, value: Any) -> None:
    """Task, reward and a list under ``traj`` are needed, all three."""
    path = tmp_path / "other.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    assert not READER.detects(load_document(path))


def test_a_result_file_stands_alone(shared_data: Path) -> None:
    """No other file belongs to it."""
    path = shared_data / "tau-bench/grok-3-retail.tasks0-14.json"
    assert () == READER.companions(path)
    assert not READER.owns(path)

"""tau2-bench simulations, real ones in place and small ones written here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.transcripts.formats.tau2_bench import READER
from pytest_sessioneval.transcripts.loading import load_document
from pytest_sessioneval.transcripts.model import Outcome, Transcript, Usage
from pytest_sessioneval.transcripts.reader import FileReading, Limits

_AIRLINE = "gpt-4.1_airline_default_gpt-4.1_1trials.json"
_CHAT = [{"role": "assistant", "content": "Hi!"}, {"role": "user", "content": "Hello"}]
_INFO = {
    "agent_info": {"llm": "agent-model"},
    "user_info": {"llm": "user-model"},
    "environment_info": {"domain_name": "airline", "policy": "Be kind."},
}


def _simulation(simulation_id: str = "a", **fields: Any) -> dict[str, Any]:
    simulation = {
        "id": simulation_id,
        "task_id": "7",
        "trial": 0,
        "termination_reason": "user_stop",
        "reward_info": {"reward": 1.0},
        "messages": _CHAT,
    }
    return {**simulation, **fields}


def _read(path: Path) -> FileReading:
    document = load_document(path)
    assert READER.detects(document)
    return READER.read(document, Limits())


def _written(folder: Path, value: Any, name: str = "run.json") -> FileReading:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return _read(path)


def _transcripts(reading: FileReading) -> list[Transcript]:
    return [found.transcript for found in reading.sessions]


@pytest.fixture(scope="module")
def telecom(shared_data: Path) -> list[Transcript]:
    """Return six simulations in which the user has tools too."""
    return _transcripts(_read(shared_data / "tau2-bench/gpt-4.1_telecom_default.6sims.json"))


@pytest.fixture(scope="module")
def airline(shared_data: Path) -> list[Transcript]:
    """Return twenty simulations with parallel calls."""
    return _transcripts(_read(shared_data / "tau2-bench" / _AIRLINE))


@pytest.fixture(scope="module")
def open_model(shared_data: Path) -> list[Transcript]:
    """Return four simulations in which call ids repeat."""
    return _transcripts(_read(shared_data / "tau2-bench/gpt-oss-120b_airline.4odd.json"))


def test_the_policy_is_the_first_message_though_the_file_keeps_it_elsewhere(
    shared_data: Path, airline: list[Transcript]
) -> None:
    """It stands under ``info.environment_info.policy``, never among the messages."""
    recorded = load_document(shared_data / "tau2-bench" / _AIRLINE).value
    policy = recorded["info"]["environment_info"]["policy"]
    first = {(m.role, m.kind, m.text) for m in (t.messages[0] for t in airline)}
    assert {("system", "instruction", policy)} == first
    assert all(m.role != "system" for t in airline for m in t.messages[1:])


def test_calls_of_the_simulated_user_belong_to_the_users_messages(
    telecom: list[Transcript],
) -> None:
    """In telecom the user has tools: 29 of the 50 calls are theirs."""
    calls = [m.role for t in telecom for m in t.messages for _ in m.tool_calls]
    assert (29, 21) == (calls.count("user"), calls.count("assistant"))


def test_results_name_their_call_in_id(telecom: list[Transcript]) -> None:
    """tau2 has no ``tool_call_id``: every result is paired, also those of the user's calls."""
    results = [m for t in telecom for m in t.messages if m.role == "tool"]
    assert 50 == len(results)
    assert all(m.answers is not None and m.tool_name for m in results)


def test_arguments_are_objects(telecom: list[Transcript]) -> None:
    """tau-bench has strings there."""
    calls = [c for t in telecom for m in t.messages for c in m.tool_calls]
    assert calls
    assert all(isinstance(call.arguments, dict) for call in calls)


def test_parallel_calls_are_paired_each_with_its_result(airline: list[Transcript]) -> None:
    """One message makes up to twelve calls; the results follow in order."""
    most = max((m for t in airline for m in t.messages), key=lambda m: len(m.tool_calls))
    first = most.index + 1
    assert list(range(first, first + 12)) == [call.result for call in most.tool_calls]


def test_repeated_call_ids_do_not_mislead_pairing(open_model: list[Transcript]) -> None:
    """In all four sessions ids repeat; each result follows its own call."""
    assert 4 == len(open_model)
    for transcript in open_model:
        ids = [c.call_id for m in transcript.messages for c in m.tool_calls]
        assert len(set(ids)) < len(ids)
        open_calls: list[tuple[int, int]] = []
        for message in transcript.messages:
            open_calls += [(message.index, n) for n in range(len(message.tool_calls))]
            if message.role == "tool":
                assert message.answers is not None
                open_calls.remove((message.answers.message, message.answers.ordinal))
        assert [] == open_calls


def test_the_last_message_is_the_users_stop(airline: list[Transcript]) -> None:
    """A reader of final answers must look further up."""
    assert {"user"} == {t.messages[-1].role for t in airline}


def test_the_agents_model_task_and_domain_are_known(telecom: list[Transcript]) -> None:
    """They come from ``info`` and the simulation."""
    transcript = telecom[0]
    assert ("gpt-4.1", 0) == (transcript.agent_model, transcript.trial)
    assert transcript.task_id is not None
    assert transcript.task_id.startswith("[mobile_data_issue]")
    assert "telecom" == transcript.metadata["domain"]
    assert "user_stop" == transcript.metadata["termination_reason"]
    assert "gpt-4.1" == transcript.metadata["user_model"]


def test_only_the_agents_messages_carry_usage(airline: list[Transcript]) -> None:
    """What the simulated user cost is not the agent's."""
    roles = {m.role for t in airline for m in t.messages if m.usage is not None}
    assert {"assistant"} == roles
    cost = sum(m.usage.cost_usd or 0 for m in airline[0].messages if m.usage)
    assert pytest.approx(airline[0].metadata["agent_cost_usd"]) == cost


def test_start_and_end_are_the_simulations(airline: list[Transcript]) -> None:
    """Stamps without a zone are read as UTC."""
    assert airline[0].created_at is not None
    assert airline[0].last_active is not None
    assert "2025-08-01T16:20:44.321269+00:00" == airline[0].created_at.isoformat()
    assert airline[0].created_at < airline[0].last_active


def test_a_trial_that_is_null_is_unknown(shared_data: Path) -> None:
    """Single runs have no trial number."""
    path = shared_data / "tau2-bench/single/e2e_retail_baseline.json"
    (transcript,) = _transcripts(_read(path))
    assert ("0", None) == (transcript.task_id, transcript.trial)


def test_the_newest_shape_with_audio_fields_reads_as_before(shared_data: Path) -> None:
    """The fields are null, ``ticks`` is null, and the policy stands in the simulation too."""
    transcripts = _transcripts(_read(shared_data / "tau2-bench/whissle_airline.2sims.json"))
    assert [18 + 1, 26 + 1] == [len(t.messages) for t in transcripts]
    assert [1, 1] == [sum(m.role == "system" for m in t.messages) for t in transcripts]
    assert {"half_duplex"} == {t.metadata["mode"] for t in transcripts}


def test_a_session_of_a_folder_is_read_with_the_runs_results_file(shared_data: Path) -> None:
    """``results.json`` has no simulations: it is a companion, no session of its own."""
    experiment = shared_data / "tau2-bench/dir-format/experiment"
    (simulation,) = (experiment / "simulations").iterdir()
    assert (experiment / "results.json",) == READER.companions(simulation)
    assert READER.owns(experiment / "results.json")
    assert not READER.owns(simulation)
    assert not READER.detects(load_document(experiment / "results.json"))


def test_speech_recorded_without_words_is_an_error(shared_data: Path) -> None:
    """The full-duplex recording says who spoke when, and not one word: nothing to judge."""
    (path,) = (shared_data / "tau2-bench/dir-format/experiment/simulations").iterdir()
    with pytest.raises(TranscriptError, match="none of its 973 ticks holds words or calls"):
        _read(path)


def test_policy_and_models_of_a_folder_come_from_its_results_file(tmp_path: Path) -> None:
    """One session per simulation's file."""
    (tmp_path / "results.json").write_text(json.dumps({"info": _INFO, "tasks": []}))
    (found,) = _written(tmp_path, _simulation(), "simulations/a.json").sessions
    assert found.locator is None
    assert "Be kind." == found.transcript.messages[0].text
    assert "agent-model" == found.transcript.agent_model


def test_a_broken_results_file_is_reported_and_the_session_read(tmp_path: Path) -> None:
    """The session is sound without its policy; what is missing is said."""
    (tmp_path / "results.json").write_text('{"info": ', encoding="utf-8")
    reading = _written(tmp_path, _simulation(), "simulations/a.json")
    assert 2 == len(reading.sessions[0].transcript.messages)
    (skipped,) = reading.skipped
    assert str(tmp_path / "results.json") == skipped.path
    assert skipped.reason.startswith("the run's policy and models left out: ")


def test_a_results_file_with_its_own_simulations_is_not_owned(tmp_path: Path) -> None:
    """Another folder beside it does not take its sessions away."""
    _written(tmp_path, _simulation(), "simulations/a.json")
    value = {"info": _INFO, "simulations": [_simulation("b")]}
    assert 1 == len(_written(tmp_path, value, "results.json").sessions)
    assert not READER.owns(tmp_path / "results.json")


@pytest.mark.parametrize(
    "value",
    [
        [_simulation("a"), _simulation("b")],
        {"info": {}, "tasks": [], "simulations": [_simulation("a"), _simulation("b")]},
        {"simulations": {"a": _simulation("a"), "b": _simulation("b")}},
        {"passed": 2, "pass_rate": 1.0, "simulations": [_simulation("a"), _simulation("b")]},
        {
            "simulations": {
                "passed": 2,
                "pass_rate": 1.0,
                "simulations": [_simulation("a"), _simulation("b")],
            }
        },
        [
            {"passed": True, "pass_rate": 1.0, "simulation": _simulation("a")},
            {"passed": True, "pass_rate": 1.0, "simulation": _simulation("b")},
        ],
    ],
    ids=["list", "results", "by id", "pass rate around", "pass rate inside", "each wrapped"],
)
def test_each_known_wrapper_gives_the_same_sessions(tmp_path: Path, value: Any) -> None:
    """A bare list, a results file, and the variants that evaluators write."""
    reading = _written(tmp_path, value)
    assert ["a", "b"] == [found.locator for found in reading.sessions]
    assert {} == reading.unknown


def test_a_run_that_broke_down_has_an_outcome_without_number(tmp_path: Path) -> None:
    """``reward_info`` is null on an infrastructure error."""
    broken = _simulation(reward_info=None, termination_reason="infrastructure_error")
    (transcript,) = _transcripts(_written(tmp_path, [broken]))
    assert Outcome(kind="reward", detail="infrastructure_error") == transcript.outcome


def test_a_run_without_reward_and_reason_has_no_outcome(tmp_path: Path) -> None:
    """The reason may be null."""
    (transcript,) = _transcripts(
        _written(tmp_path, [_simulation(reward_info=None, termination_reason=None)])
    )
    assert transcript.outcome is None


@pytest.mark.parametrize("messages", [[], None])
def test_a_run_without_messages_is_broken_and_says_how_it_ended(
    tmp_path: Path, messages: list[Any] | None
) -> None:
    """The other sessions of the file are read."""
    empty = _simulation("b", messages=messages, termination_reason="infrastructure_error")
    reading = _written(tmp_path, [_simulation("a"), empty])
    assert ["a"] == [found.locator for found in reading.sessions]
    assert "simulation b: no message" in str(reading.broken[0].error)
    assert "(it ended with infrastructure_error)" in str(reading.broken[0].error)


def test_results_recorded_together_become_messages_of_their_own(tmp_path: Path) -> None:
    """tau2 can wrap the results of parallel calls in one message."""
    calls = [{"id": i, "name": "look", "arguments": {"at": i}} for i in ("x", "y")]
    results = [{"id": i, "role": "tool", "content": i, "error": i == "y"} for i in ("x", "y")]
    chat = [
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_messages": results},
    ]
    (transcript,) = _transcripts(_written(tmp_path, [_simulation(messages=chat)]))
    assert ["assistant", "tool", "tool"] == [m.role for m in transcript.messages]
    assert [1, 2] == [call.result for call in transcript.messages[0].tool_calls]
    assert [False, True] == [m.is_error for m in transcript.messages[1:]]


def test_a_policy_that_is_already_the_first_message_is_not_repeated(tmp_path: Path) -> None:
    """Some harnesses write it there as well."""
    chat = [{"role": "system", "content": "Be kind."}, *_CHAT]
    value = {"info": _INFO, "simulations": [_simulation(messages=chat)]}
    (transcript,) = _transcripts(_written(tmp_path, value))
    assert ["system", "assistant", "user"] == [m.role for m in transcript.messages]


def test_the_simulations_own_policy_goes_before_the_runs(tmp_path: Path) -> None:
    """In the knowledge domain each simulation has its own."""
    value = {"info": _INFO, "simulations": [_simulation(policy="Be quick.")]}
    (transcript,) = _transcripts(_written(tmp_path, value))
    assert "Be quick." == transcript.messages[0].text


def test_usage_and_model_of_a_response_are_kept(tmp_path: Path) -> None:
    """The model of a message is in ``raw_data``."""
    reply = {
        "role": "assistant",
        "content": "Hi!",
        "cost": 0.25,
        "usage": {"prompt_tokens": 10, "completion_tokens": 2},
        "raw_data": {"model": "exact-model"},
    }
    (transcript,) = _transcripts(_written(tmp_path, [_simulation(messages=[reply])]))
    (message,) = transcript.messages
    assert Usage(input_tokens=10, output_tokens=2, cost_usd=0.25) == message.usage
    assert "exact-model" == message.model


def test_what_is_no_simulation_is_counted(tmp_path: Path) -> None:
    """A null among the simulations, a role nobody knows."""
    chat = [*_CHAT, {"role": "narrator", "content": "…"}]
    reading = _written(tmp_path, {"simulations": [_simulation(messages=chat), None]})
    assert {"element without a simulation": 1, "role narrator": 1} == reading.unknown


def test_simulations_that_share_an_id_are_told_apart_by_place(tmp_path: Path) -> None:
    """A locator names one session only."""
    reading = _written(tmp_path, [_simulation("a"), _simulation("a")])
    assert ["#1", "#2"] == [found.locator for found in reading.sessions]


@pytest.mark.parametrize(
    "value",
    [
        {"messages": _CHAT},
        {"messages": _CHAT, "task_id": "7"},
        {"info": _INFO, "tasks": []},
        {"simulations": []},
        [{"task_id": 1, "reward": 1.0, "traj": []}],
    ],
)
def test_what_only_resembles_a_simulation_is_not_detected(tmp_path: Path, value: Any) -> None:
    """A chat with a task is a chat."""
    path = tmp_path / "other.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    assert not READER.detects(load_document(path))

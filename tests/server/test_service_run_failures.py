"""What fails in a run of the service, and what it stops: nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from running import (
    ONE_AT_A_TIME,
    ended,
    judged_by,
    said,
    same,
    started,
    states,
    suite,
    under_way,
)
from served import Caller, golden, record

from pytest_sessioneval.evaluation.settings import EvaluationSettings
from pytest_sessioneval.server.service import Service
from pytest_sessioneval.testing import JudgeRequest, JudgeServer, faithful_reply

Call = Callable[..., Caller]
OpenService = Callable[..., Service]


# -- what fails ------------------------------------------------------------------------


def test_one_failing_session_never_stops_the_others(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """The run is done; the failed one says type and message; it stays pending in listings."""

    def reply(request: JudgeRequest) -> str:
        return "no JSON" if "Parcel b " in request.text else faithful_reply(request)

    with JudgeServer(reply) as server:
        service = open_service(suite(tmp_path / "s", "a", "b", "c"), **judged_by(server))
        caller = call(service)
        run_id = started(caller)
        ended(service, run_id)
        status = caller.get(f"/eval/run/{run_id}").json()
        assert ("done", {"a": "ok", "b": "failed", "c": "ok"}) == (status["state"], states(status))
        failed = status["sessions"][1]
        assert failed["avg"] is None
        assert re.match(r"JudgeError: .", failed["error"])
        golden("run_with_a_failed_session", status, same=same)
        listed = {one["session_id"]: one for one in caller.get("/eval/sessions").json()}
        assert "pending" == listed["b"]["eval_status"]


def test_a_run_whose_sessions_all_failed_is_done(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """Failing is what its sessions did."""
    server.fail(20, status=400, message="no such model")
    service = open_service(suite(tmp_path / "s", "a", "b"), **judged_by(server))
    status = ended(service, started(call(service)))
    assert ("done", {"failed"}) == (status.state, {one.state for one in status.sessions})
    assert "no such model" in str(status.sessions[0].error)


def test_a_judge_that_declines_is_told_as_such(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """A refusal is an error of its own type."""
    server.refuse(5)
    service = open_service(suite(tmp_path / "s", "a"), **judged_by(server))
    status = ended(service, started(call(service)))
    assert str(status.sessions[0].error).startswith("RefusalError: ")


def test_a_session_that_vanished_is_a_failed_entry(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """One that is nowhere: the run is done, and the entry says that it was not found."""
    service = open_service(record(tmp_path / "s", said("a")))
    caller = call(service)
    run_id = started(caller, scope="session", session_id="gone")
    ended(service, run_id)
    status = caller.get(f"/eval/run/{run_id}").json()
    assert "done" == status["state"]
    assert [("gone", "failed", "TranscriptError: session not found: gone")] == [
        (one["session_id"], one["state"], one["error"]) for one in status["sessions"]
    ]
    golden("run_of_a_vanished_session", status, same=same)


def test_a_session_that_vanishes_while_the_run_goes_on_is_a_failed_entry(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """Its file is gone when its turn comes; the others are judged."""
    folder = suite(tmp_path / "s", "a", "b", "c")
    service = open_service(folder, **judged_by(server, evaluation=ONE_AT_A_TIME))
    run_id = under_way(call(service), server)
    (folder / "b.jsonl").unlink()
    server.release()
    status = ended(service, run_id)
    assert ("done", ["ok", "failed", "ok"]) == (
        status.state,
        [one.state for one in status.sessions],
    )
    assert re.match(r"\w+: .*b\.jsonl", str(status.sessions[1].error))


def test_sessions_that_cannot_be_resolved_fail_the_run_with_one_entry(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """A suite file that somebody broke: the run is failed, and its one entry holds the error."""
    folder = suite(tmp_path / "s", "a", "b")
    with JudgeServer() as server:
        service = open_service(folder, **judged_by(server))
        caller = call(service)
        caller.get("/eval/sessions")
        (folder / "sessioneval.toml").write_text("[[judge.experts]", encoding="utf-8")
        status = ended(service, started(caller, scope="all"))
    assert "failed" == status.state
    (entry,) = status.sessions
    assert ("", "failed") == (entry.session_id, entry.state)
    assert re.match(r"SuiteError: .*sessioneval\.toml:1", str(entry.error))


def test_the_budget_is_of_all_runs_together(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """Three calls in all: the second run gets what the first left, and says that it is spent."""
    settings = judged_by(server, evaluation=EvaluationSettings(concurrency=1, max_calls=3))
    service = open_service(suite(tmp_path / "s", "a", "b", "c", "d"), **settings)
    caller = call(service)
    first = ended(service, started(caller, limit=2))
    second = ended(service, started(caller))
    assert ["ok", "ok"] == [one.state for one in first.sessions]
    assert ["ok", "failed"] == [one.state for one in second.sessions]
    assert str(second.sessions[1].error).startswith("BudgetSpentError: the budget of 3 judge calls")
    assert 3 == server.calls


def test_the_money_is_that_of_all_runs_together(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """For less than one call may cost nobody is asked; where no price is known, not at all."""
    settings = judged_by(server, evaluation=EvaluationSettings(max_cost_usd=0.000001))
    service = open_service(suite(tmp_path / "s", "a"), **settings)
    caller = call(service)
    status = ended(service, started(caller, model="gpt-5-mini"))
    assert str(status.sessions[0].error).startswith(
        "BudgetSpentError: the budget of $1e-06 is spent"
    )
    status = ended(service, started(caller))
    assert ("failed", 0) == (status.state, server.calls)
    assert "the price of openai:loopback is not known" in str(status.sessions[0].error)


def test_several_runs_at_once_keep_to_one_concurrency_limit(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """Two runs go on at once; never are more than two questions in flight."""
    settings = judged_by(server, evaluation=EvaluationSettings(concurrency=2))
    names = [f"s{number}" for number in range(12)]
    service = open_service(suite(tmp_path / "s", *names), **settings)
    caller = call(service)
    server.hold()
    runs = [started(caller, scope="all", model=model) for model in ("one", "two")]
    server.wait_for_calls(2)
    assert {"running"} == {one["state"] for one in caller.get("/eval/runs").json()}
    server.release()
    for run_id in runs:
        assert "done" == ended(service, run_id).state
    assert (2, 24) == (server.peak_in_flight, server.calls)

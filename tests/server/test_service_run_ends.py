"""Runs of the service that are cancelled, broken off and resumed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from running import (
    ONE_AT_A_TIME,
    PATIENCE_S,
    asked,
    ended,
    judged_by,
    once,
    said,
    same,
    started,
    states,
    suite,
    under_way,
)
from served import NOW, Caller, golden, opened, record

from pytest_sessioneval.evaluation.process_locks import LEASE, Owner
from pytest_sessioneval.evaluation.run_request import RunRequest
from pytest_sessioneval.server.service import Service
from pytest_sessioneval.stores.run_statuses import BackgroundRun, PlacedSession, RunSession
from pytest_sessioneval.testing import JudgeServer

Call = Callable[..., Caller]
OpenService = Callable[..., Service]


# -- cancelling --------------------------------------------------------------------------


def test_cancelling_asks_nothing_new_and_keeps_what_is_under_way(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """The answer in flight arrives and counts; the rest was never asked and stays pending."""
    settings = judged_by(server, evaluation=ONE_AT_A_TIME)
    service = open_service(suite(tmp_path / "s", "a", "b", "c"), **settings)
    caller = call(service)
    run_id = under_way(caller, server)
    answer = caller.post(f"/eval/run/{run_id}/cancel")
    assert (200, "cancelled") == (answer.status_code, answer.json()["state"])
    assert {"a": "running", "b": "pending", "c": "pending"} == states(answer.json())
    server.release()
    ended(service, run_id)
    status = caller.get(f"/eval/run/{run_id}").json()
    assert ("cancelled", {"a": "ok", "b": "pending", "c": "pending"}) == (
        status["state"],
        states(status),
    )
    golden("run_cancelled", status, same=same)
    assert 1 == server.calls
    assert ["evaluated", "pending", "pending"] == sorted(
        one["eval_status"] for one in caller.get("/eval/sessions").json()
    )


def test_cancelling_a_run_that_has_ended_changes_nothing(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """It came too late: the run stays done."""
    service = open_service(record(tmp_path / "s", said("a")))
    caller = call(service)
    run_id = started(caller)
    ended(service, run_id)
    before = caller.get(f"/eval/run/{run_id}").json()
    assert before == caller.post(f"/eval/run/{run_id}/cancel").json()


def test_a_run_of_pytest_cannot_be_cancelled_here(service: Service, call: Call) -> None:
    """A conflict: its process does not listen to the service."""
    service.store.start_run("nightly", NOW)
    answer = call(service).post("/eval/run/nightly/cancel")
    assert (409, "run nightly was made by pytest or a command: it cannot be cancelled here") == (
        answer.status_code,
        answer.json()["detail"],
    )
    assert "running" == call(service).get("/eval/run/nightly").json()["state"]


def test_a_cancelled_run_is_resumed_where_it_stopped(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """Only what nobody answered is asked; the run keeps its id, its start and its sessions."""
    settings = judged_by(server, evaluation=ONE_AT_A_TIME)
    service = open_service(suite(tmp_path / "s", "a", "b", "c"), **settings)
    caller = call(service)
    run_id = under_way(caller, server)
    caller.post(f"/eval/run/{run_id}/cancel")
    server.release()
    ended(service, run_id)
    answer = caller.post(f"/eval/run/{run_id}/resume")
    assert (200, run_id) == (answer.status_code, answer.json()["run_id"])
    status = ended(service, run_id)
    assert ("done", ["ok", "ok", "ok"]) == (status.state, [one.state for one in status.sessions])
    assert ["a", "b", "c"] == asked(server)
    assert (tmp_path / ".sessioneval" / "runs" / run_id / "report.md").is_file()


def test_a_run_whose_answers_are_under_way_cannot_be_resumed_yet(
    open_service: OpenService,
    call: Call,
    tmp_path: Path,
    server: JudgeServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A conflict, which says what to wait for."""
    monkeypatch.setattr("pytest_sessioneval.evaluation.background._FIND_S", 0.01)
    service = open_service(suite(tmp_path / "s", "a"), **judged_by(server))
    caller = call(service)
    run_id = under_way(caller, server)
    caller.post(f"/eval/run/{run_id}/cancel")
    answer = caller.post(f"/eval/run/{run_id}/resume")
    server.release()
    ended(service, run_id)
    assert (409, f"run {run_id} waits for answers that are under way") == (
        answer.status_code,
        answer.json()["detail"].partition(";")[0],
    )


def test_a_run_that_is_done_cannot_be_resumed(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """A conflict, which says what can be."""
    service = open_service(record(tmp_path / "s", said("a")))
    caller = call(service)
    run_id = started(caller)
    ended(service, run_id)
    answer = caller.post(f"/eval/run/{run_id}/resume")
    assert 409 == answer.status_code
    golden("run_not_resumable", answer.json(), same=same)


def test_resuming_a_run_that_goes_on_changes_nothing(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """Asked twice by an impatient caller, it is judged once."""
    service = open_service(suite(tmp_path / "s", "a"), **judged_by(server))
    caller = call(service)
    run_id = under_way(caller, server)
    assert "running" == caller.post(f"/eval/run/{run_id}/resume").json()["state"]
    server.release()
    ended(service, run_id)
    assert 1 == server.calls


def test_a_session_that_failed_is_asked_again_when_its_run_is_resumed(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """It has no verdict: the run was cancelled before it was done with all."""
    settings = judged_by(server, evaluation=ONE_AT_A_TIME)
    service = open_service(suite(tmp_path / "s", "a", "b"), **settings)
    caller = call(service)
    server.refuse(1)
    run_id = under_way(caller, server)
    server.release(1)
    once(service, run_id, lambda status: status.sessions[0].state == "failed")
    server.wait_for_calls(2)
    caller.post(f"/eval/run/{run_id}/cancel")
    server.release()
    assert ["failed", "ok"] == [one.state for one in ended(service, run_id).sessions]
    caller.post(f"/eval/run/{run_id}/resume")
    assert ["ok", "ok"] == [one.state for one in ended(service, run_id).sessions]
    assert ["a", "b", "a"] == asked(server)


# -- restarts ----------------------------------------------------------------------------


def test_a_server_that_ends_leaves_its_runs_interrupted(
    store_url: str, tmp_path: Path, server: JudgeServer
) -> None:
    """What is in flight is kept if it arrives; the next server resumes where it stopped."""
    folder = suite(tmp_path / "s", "a", "b", "c")
    settings = judged_by(server, evaluation=ONE_AT_A_TIME)
    with opened(store_url, tmp_path, (folder,), **settings) as service:
        server.hold()
        run_id = service.runs.start(RunRequest()).run_id
        server.wait_for_calls(1)
        run = service.runs._live[run_id]
        run.stop("interrupted", drain_s=PATIENCE_S)
        server.release()
    with opened(store_url, tmp_path, (folder,), **settings) as service:
        status = service.runs.status(run_id)
        assert status is not None
        assert "interrupted" == status.state
        assert ["ok", "pending", "pending"] == [one.state for one in status.sessions]
        service.runs.resume(run_id)
        status = ended(service, run_id)
        assert ("done", ["ok"] * 3) == (status.state, [one.state for one in status.sessions])
    assert ["a", "b", "c"] == asked(server)


def abandoned(service: Service, owner: str) -> None:
    """Keep a run of a and b in the store as a process of that name left it."""
    kept = BackgroundRun(
        run_id="left-behind",
        request='{"scope":"all"}',
        owner=owner,
        seen_at=NOW,
        judge_model="evidence",
    )
    service.store.run_states.begin(kept, NOW)
    keys = {one.session.session_id: one.session.key for one in service.sessions.now()[0].members}
    sessions = [
        PlacedSession("s", keys.get(name, name), RunSession(session_id=name, state=state))
        for name, state in (("a", "running"), ("b", "pending"))
    ]
    service.store.run_states.put_sessions(kept.run_id, enumerate(sessions))


def gone(folder: Path) -> str:
    """Return the name of a process of this machine that has ended."""
    owner = Owner(folder / "processes")
    owner.release()
    return owner.name


def test_a_run_whose_process_is_gone_is_interrupted(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """What it was asking is pending again; the command line lists it as interrupted, too."""
    folder = record(tmp_path / "s", said("a"), said("b"))
    service = open_service(folder)
    abandoned(service, gone(tmp_path))
    status = call(service).get("/eval/run/left-behind").json()
    assert ("interrupted", {"a": "pending", "b": "pending"}) == (status["state"], states(status))
    golden("run_interrupted", status, same=same)
    row = service.store.run("left-behind")
    assert row is not None
    assert "interrupted" == row.state


def test_runs_of_a_process_that_is_gone_are_noted_when_the_server_starts(
    open_service: OpenService, tmp_path: Path
) -> None:
    """Before anybody asks."""
    folder = record(tmp_path / "s", said("a"))
    abandoned(open_service(folder), gone(tmp_path))
    second = open_service(folder)
    assert ["interrupted"] == [row.state for row in second.store.runs()]


def test_a_run_of_another_machine_is_left_alone_while_it_says_that_it_works(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """It is running, and not resumed elsewhere; after a minute and a half of silence it is."""
    folder = record(tmp_path / "s", said("a"), said("b"))
    moment = NOW + LEASE
    service = open_service(folder, clock=lambda: moment)
    caller = call(service)
    abandoned(service, "elsewhere:/run/1.lock")
    assert "running" == caller.get("/eval/run/left-behind").json()["state"]
    assert "running" == caller.post("/eval/run/left-behind/resume").json()["state"]
    moment += LEASE
    assert "interrupted" == caller.get("/eval/runs").json()[0]["state"]
    caller.post("/eval/run/left-behind/resume")
    assert "done" == ended(service, "left-behind").state


def test_a_run_of_another_process_is_cancelled_by_that_one(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """Whoever is asked tells its owner, who ends it with the next sign of life."""
    folder = suite(tmp_path / "s", "a", "b")
    settings = judged_by(server, evaluation=ONE_AT_A_TIME)
    owner, other = open_service(folder, **settings), open_service(folder, **settings)
    run_id = under_way(call(owner), server)
    owner.runs.beat()
    caller = call(other)
    assert {"a": "running", "b": "pending"} == states(caller.get(f"/eval/run/{run_id}").json())
    assert "running" == caller.post(f"/eval/run/{run_id}/cancel").json()["state"]
    owner.runs.beat()
    server.release()
    ended(owner, run_id)
    status = caller.get(f"/eval/run/{run_id}").json()
    assert ("cancelled", {"a": "ok", "b": "pending"}) == (status["state"], states(status))


def test_a_run_is_resumed_by_one_process_alone(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """Two that are asked at once: one goes on, the other shows how it goes on."""
    folder = suite(tmp_path / "s", "a", "b")
    first = open_service(folder, **judged_by(server))
    second = open_service(folder, **judged_by(server))
    abandoned(first, gone(tmp_path))
    assert "interrupted" == call(first).get("/eval/run/left-behind").json()["state"]
    server.hold()
    answers = [call(one).post("/eval/run/left-behind/resume") for one in (first, second)]
    assert [(200, "running")] * 2 == [(one.status_code, one.json()["state"]) for one in answers]
    server.wait_for_calls(2)
    server.release()
    ended(first, "left-behind")
    assert 2 == server.calls


def test_a_session_that_vanished_before_its_run_was_resumed_is_a_failed_entry(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """Those that are there are judged."""
    service = open_service(record(tmp_path / "s", said("b")))
    abandoned(service, gone(tmp_path))
    service.store.run_states.end("left-behind", "interrupted", NOW)
    call(service).post("/eval/run/left-behind/resume")
    status = ended(service, "left-behind")
    assert "done" == status.state
    assert ["failed", "ok"] == [one.state for one in status.sessions]
    assert "TranscriptError: session not found: a" == status.sessions[0].error


def test_a_server_that_is_ending_starts_no_run(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """It says so, and nothing is kept of the attempt."""
    service = open_service(record(tmp_path / "s", said("a")))
    service.runs.close()
    answer = call(service).post("/eval/run", json={})
    assert (503, "the service is ending; ask again when it is up") == (
        answer.status_code,
        answer.json()["detail"],
    )
    assert () == service.store.runs()

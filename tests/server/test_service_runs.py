"""Runs in the background as the service's callers see them, sentence by sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from running import (
    AXES,
    JUDGE,
    ONE_AT_A_TIME,
    asked,
    ended,
    judged_by,
    once,
    said,
    same,
    started,
    states,
    suite,
    ticking,
    under_way,
)
from served import Caller, golden, record

from pytest_sessioneval.evaluation.run_request import RunRequest
from pytest_sessioneval.server.service import Service
from pytest_sessioneval.stores.listings import SessionQuery
from pytest_sessioneval.testing import JudgeRequest, JudgeServer, faithful_reply

Call = Callable[..., Caller]
OpenService = Callable[..., Service]


# -- starting --------------------------------------------------------------------------


def test_starting_a_run_answers_with_its_status_while_judging_goes_on(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """The answer does not wait for the judge: the run is running, with all its sessions."""
    service = open_service(suite(tmp_path / "s", "a", "b"), **judged_by(server))
    server.hold()
    status = call(service).post("/eval/run", json={}).json()
    assert ("running", None, JUDGE) == (
        status["state"],
        status["finished_at"],
        status["judge_model"],
    )
    assert {"a", "b"} == states(status).keys()
    assert set(states(status).values()) <= {"pending", "running"}
    server.release()
    assert "done" == ended(service, status["run_id"]).state


def test_a_run_may_be_started_without_a_body(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """Every field has its default."""
    service = open_service(record(tmp_path / "s", said("a")))
    caller = call(service)
    ended(service, caller.post("/eval/run").json()["run_id"])
    listed = caller.get("/eval/runs").json()
    assert {"a": "ok"} == states(listed[0])
    golden("runs", listed, same=same)


def test_what_else_is_sent_is_passed_over(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """A client of another system may send more."""
    service = open_service(record(tmp_path / "s", said("a")))
    run_id = started(call(service), scope="all", triggered_by="nightly")
    assert "done" == ended(service, run_id).state


def test_the_status_is_live_per_session(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """With one question at a time: what is judged, what is being asked, what waits."""
    settings = judged_by(server, evaluation=ONE_AT_A_TIME)
    service = open_service(suite(tmp_path / "s", "a", "b", "c"), **settings)
    caller = call(service)
    run_id = under_way(caller, server)
    assert {"a": "running", "b": "pending", "c": "pending"} == states(
        caller.get(f"/eval/run/{run_id}").json()
    )
    server.release(1)
    once(service, run_id, lambda status: status.sessions[0].state == "ok")
    server.wait_for_calls(2)
    status = caller.get(f"/eval/run/{run_id}").json()
    assert {"a": "ok", "b": "running", "c": "pending"} == states(status)
    golden("run_running", status, same=same)
    server.release()
    ended(service, run_id)
    status = caller.get(f"/eval/run/{run_id}").json()
    assert {"a": "ok", "b": "ok", "c": "ok"} == states(status)
    golden("run_done", status, same=same)


def test_a_session_that_is_judged_later_does_not_hold_up_the_others(
    open_service: OpenService, tmp_path: Path
) -> None:
    """States follow the order of answers, not that of sessions."""
    answered: list[str] = []
    with JudgeServer() as server:
        service = open_service(suite(tmp_path / "s", "a", "b", "c"), **judged_by(server))
        server.hold()
        run_id = service.runs.start(RunRequest()).run_id
        server.wait_for_calls(3)
        first = asked(server)[0]
        server.release(1)
        status = once(
            service, run_id, lambda status: any(one.state == "ok" for one in status.sessions)
        )
        answered = [one.session_id for one in status.sessions if one.state == "ok"]
        assert [first] == answered
        server.release()
        ended(service, run_id)


# -- averages --------------------------------------------------------------------------


def test_averages_are_those_of_the_sessions_overview(
    open_service: OpenService, call: Call, shared_data: Path
) -> None:
    """All seven axes, as integers or null, equal to what listings show afterwards."""
    service = open_service(shared_data / "tau-bench")
    caller = call(service)
    status = ended(service, started(caller))
    listed = {one["session_id"]: one for one in caller.get("/eval/sessions?limit=500").json()}
    assert 37 == len(status.sessions)
    for one in status.sessions:
        assert one.avg is not None
        assert AXES == tuple(one.avg)
        assert listed[one.session_id]["latest_avg"] == one.avg


def test_an_average_is_rounded_as_python_rounds(open_service: OpenService, tmp_path: Path) -> None:
    """Two experts who say 60 and 85 average 72.5, which rounds to even."""
    experts = "".join(
        f'[[judge.experts]]\nid = "{name}"\ninstruction = "I am {name}."\naxes = ["{axis}"]\n'
        for name, axis in (("low", "goal_completion"), ("high", "goal_completion"))
    )

    def reply(request: JudgeRequest) -> str:
        levels = request.axes[0].levels
        return faithful_reply(
            request, level=levels[-1] if "I am high." in request.text else levels[-2]
        )

    with JudgeServer(reply) as server:
        folder = suite(tmp_path / "s", "a")
        (folder / "sessioneval.toml").write_text(experts, encoding="utf-8")
        service = open_service(folder, **judged_by(server))
        status = ended(service, service.runs.start(RunRequest()).run_id)
        (detail,) = [service.store.session_detail("a")]
        assert detail is not None
        given = [row.scores["goal_completion"] for row in detail.evaluations]
        assert 2 == len(set(given))
        average = status.sessions[0].avg
        assert average is not None
        assert round(sum(filter(None, given)) / 2) == average["goal_completion"]


# -- looking at runs -------------------------------------------------------------------


def test_an_unknown_run_is_not_found(service: Service, call: Call) -> None:
    """Looking at it, cancelling and resuming it: 404 with its id."""
    caller = call(service)
    answers = [
        caller.get("/eval/run/no%2Fsuch"),
        caller.post("/eval/run/no%2Fsuch/cancel"),
        caller.post("/eval/run/no%2Fsuch/resume"),
    ]
    assert [(404, {"detail": "run not found: no/such"})] * 3 == [
        (answer.status_code, answer.json()) for answer in answers
    ]
    golden("run_not_found", answers[0].json())


def test_runs_are_listed_newest_first(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """As the list of what each says of itself."""
    service = open_service(record(tmp_path / "s", said("a")), clock=ticking())
    caller = call(service)
    runs = [started(caller, scope="all") for _ in range(3)]
    for run_id in runs:
        ended(service, run_id)
    listed = caller.get("/eval/runs").json()
    assert runs[::-1] == [one["run_id"] for one in listed]
    assert listed == [caller.get(f"/eval/run/{one}").json() for one in runs[::-1]]
    assert runs[:0:-1] == [one["run_id"] for one in caller.get("/eval/runs?limit=2").json()]


def test_runs_of_the_command_line_are_listed_with_what_they_judged(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """A run of `sessioneval score` on the same store: its state, judge and judged sessions."""
    from pytest_sessioneval.evaluation.direct import Terms, direct_run
    from pytest_sessioneval.evaluation.scoring import ScoringRequest, score

    folder = record(tmp_path / "s", said("a"), said("b"))
    service = open_service(folder)
    terms = Terms(environ={}, store=service.settings.store, home=tmp_path, run_id="nightly")
    with direct_run(terms) as run:
        score(ScoringRequest((folder,)), run, announce=print, out=tmp_path / "out")
    caller = call(service)
    (status,) = caller.get("/eval/runs").json()
    assert ("nightly", "done", "evidence") == (
        status["run_id"],
        status["state"],
        status["judge_model"],
    )
    listed = {one["session_id"]: one["latest_avg"] for one in caller.get("/eval/sessions").json()}
    assert listed == {one["session_id"]: one["avg"] for one in status["sessions"]}
    assert status == caller.post("/eval/run/nightly/cancel").json()
    answer = caller.post("/eval/run/nightly/resume")
    assert (409, "run nightly was made by pytest or a command: it cannot be resumed here") == (
        answer.status_code,
        answer.json()["detail"],
    )


# -- what remains ----------------------------------------------------------------------


def test_a_finished_run_has_its_reports_in_its_folder(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """report.json, report.md and scores.csv below ``runs/ID/``, as a run of the command line."""
    service = open_service(record(tmp_path / "s", said("a")))
    run_id = started(call(service))
    ended(service, run_id)
    folder = tmp_path / ".sessioneval" / "runs" / run_id
    assert {"report.json", "report.md", "scores.csv"} <= {file.name for file in folder.iterdir()}
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert run_id == report["run_id"]
    assert ["a"] == [one["session_id"] for one in report["suites"][0]["sessions"]]


def test_a_finished_run_stands_in_the_listing_of_the_command_line(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """`sessioneval runs` has it, with state, counts and judge."""
    from pytest_sessioneval.cli.listings import run_lines

    service = open_service(record(tmp_path / "s", said("a")))
    run_id = started(call(service))
    ended(service, run_id)
    lines = list(run_lines(service.store.runs()))
    assert re.search(rf"{run_id} +done .* s +1 +1 +1 +evidence", lines[-1])


def test_what_a_run_judged_is_in_the_store_as_its_evaluations(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """A session's rows name the run, and listings show it as evaluated."""
    service = open_service(record(tmp_path / "s", said("a")))
    run_id = started(call(service))
    ended(service, run_id)
    detail = service.store.session_detail("a")
    assert detail is not None
    assert {run_id} == {row.eval_run_id for row in detail.evaluations}
    assert 1 == len(
        service.store.list_sessions(SessionQuery(status="evaluated"), service.current())
    )


def test_times_are_utc(open_service: OpenService, call: Call, tmp_path: Path) -> None:
    """Start and end are ISO date-times with their zone."""
    service = open_service(record(tmp_path / "s", said("a")))
    caller = call(service)
    run_id = started(caller)
    ended(service, run_id)
    status = caller.get(f"/eval/run/{run_id}").json()
    for name in ("started_at", "finished_at"):
        assert datetime.fromisoformat(status[name]).tzinfo == UTC

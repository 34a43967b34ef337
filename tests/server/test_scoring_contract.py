"""Session-grouped scoring over HTTP, sentence by sentence of the contract, on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from running import ticking
from scoring_cases import CONTEXT, PATIENCE_S, answer_of
from scoring_requests import SAMPLE, ended_job, rows_of, sent_job, without_chance
from served import AUTHORIZED, TOKEN, Caller, golden

from pytest_sessioneval.evaluation.settings import EvaluationSettings
from pytest_sessioneval.server.service import Service
from pytest_sessioneval.testing.server import JudgeServer

OpenService = Callable[..., Service]
Call = Callable[..., Caller]


@pytest.fixture
def service(open_service: OpenService) -> Service:
    """Return a service whose clock goes on."""
    return open_service(clock=ticking())


@pytest.fixture
def client(service: Service, call: Call) -> Caller:
    """Return a client of the service."""
    return call(service)


# -- jobs ------------------------------------------------------------------------------


def test_a_call_of_a_session_answers_with_a_queued_job(service: Service, client: Caller) -> None:
    """At once, with the run's id; the rest of the job is null."""
    job = sent_job(client)
    golden("session_async", job, same=without_chance)
    ended_job(service, client, job)


def test_a_completed_job(service: Service, client: Caller) -> None:
    """It has every metric asked for, null when skipped, and says what was asked."""
    job = ended_job(service, client, sent_job(client, question="Q" * 100))
    golden("job_completed", job, same=without_chance)


def test_a_failed_job(service: Service, client: Caller) -> None:
    """Its error is ``Type: message``; it has no scores."""
    job = ended_job(service, client, sent_job(client, judge_model="openai:gpt-5-mini"))
    golden("job_failed", job, same=without_chance)


def test_an_unknown_job_is_not_found(client: Caller) -> None:
    """404 names it."""
    answer = client.get("/api/score/session/jobs/a%2Fb")
    assert (404, {"detail": "job not found: a/b"}) == (answer.status_code, answer.json())


def test_all_jobs_are_listed_newest_first(service: Service, client: Caller) -> None:
    """Of every session."""
    jobs = [sent_job(client, session) for session in ("a", "b", "a")]
    for job in jobs:
        ended_job(service, client, job)
    listed = client.get("/api/score/session/jobs").json()
    assert [job["job_id"] for job in reversed(jobs)] == [job["job_id"] for job in listed]


def test_with_no_effective_metric_the_job_completes_with_nulls(
    service: Service, client: Caller
) -> None:
    """It is a row all the same."""
    job = ended_job(service, client, sent_job(client, contexts=None))
    assert ("completed", {"faithfulness": None, "context_recall": None}) == (
        job["status"],
        job["scores"],
    )
    (row,) = rows_of(service, job)
    assert ("", "") == (row["faithfulness"], row["context_recall"])


# -- sessions --------------------------------------------------------------------------


@pytest.mark.parametrize("session_id", [None, "", "x" * 501, 7])
def test_a_session_needs_an_id(client: Caller, session_id: object) -> None:
    """Of 1 to 500 characters."""
    answer = client.post("/api/score/session_async", json={**SAMPLE, "session_id": session_id})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "session_id"]


def test_a_session(service: Service, client: Caller) -> None:
    """All its jobs are calls, oldest first; means are over the report's rows."""
    for given in ({}, {"judge_model": "openai:gpt-5-mini"}, {"answer": answer_of(1, 2)}):
        ended_job(service, client, sent_job(client, **given))
    answer = client.get(f"/api/score/sessions/{quote('chat 1/2', safe='')}").json()
    assert answer["call_count"] == 3
    assert {"faithfulness": 0.415, "context_recall": None} == answer["metric_means"]
    golden("scoring_session", answer, same=without_chance)


def test_an_unknown_session_is_not_found(client: Caller) -> None:
    """404 names it."""
    answer = client.get("/api/score/sessions/a%2Fb")
    assert (404, {"detail": "session not found: a/b"}) == (answer.status_code, answer.json())


@pytest.mark.parametrize(
    "session_id", ["a/b", "a b", "ä?#&", "../x", "日本", "a|b\\", "%2F", "'; DROP TABLE jobs; --"]
)
def test_a_session_id_holds_any_character(
    service: Service, client: Caller, session_id: str
) -> None:
    """A slash arrives as ``%2F``; the folder is made of what is harmless."""
    job = ended_job(service, client, sent_job(client, session_id))
    answer = client.get(f"/api/score/sessions/{quote(session_id, safe='')}")
    assert (200, session_id) == (answer.status_code, answer.json()["session_id"])
    assert (service.settings.out / "runs" / job["run_id"] / "scores.csv").is_file()
    assert re.fullmatch(r"session-[a-z0-9-]{1,40}-[0-9a-f]{12}", job["run_id"])


def test_sessions_are_listed_by_latest_finish(service: Service, client: Caller) -> None:
    """Newest first: a further call brings a session to the front."""
    for session in ("a", "b", "a"):
        ended_job(service, client, sent_job(client, session))
    listed = client.get("/api/score/sessions").json()
    assert [session["session_id"] for session in listed] == ["a", "b"]
    assert [2, 1] == [session["call_count"] for session in listed]
    golden("scoring_sessions", listed, same=without_chance)


# -- report and run --------------------------------------------------------------------


def test_each_completed_call_is_one_row(service: Service, client: Caller) -> None:
    """Named ``session-score-N``, with what was asked and the union of all metrics."""
    job = ended_job(service, client, sent_job(client))
    more: dict[str, Any] = {"metrics": ["faithfulness"], "ground_truth": "Paris"}
    ended_job(service, client, sent_job(client, **more))
    expected = {
        "sample_id": "session-score-2",
        "question": "Where?",
        "answer": answer_of(1, 1),
        "contexts": CONTEXT,
        "ground_truth": "Paris",
        "error": "",
        "faithfulness": "0.5",
        "context_recall": "",
    }
    rows = rows_of(service, job)
    assert [expected | {"sample_id": "session-score-1", "ground_truth": ""}, expected] == rows


def test_the_run_is_listed_with_all_runs(service: Service, client: Caller) -> None:
    """Under the id that the job names; it runs while a job does, and then is done."""
    job = ended_job(service, client, sent_job(client))
    (run,) = client.get("/eval/runs").json()
    assert (job["run_id"], "done", []) == (run["run_id"], run["state"], run["sessions"])
    assert run == client.get(f"/eval/run/{job['run_id']}").json()


# -- many at once, and restarts --------------------------------------------------------


def test_two_hundred_concurrent_calls_over_ten_sessions(
    service: Service, serve: Callable[..., str]
) -> None:
    """Every row once and in its own session, means as counted by hand, nothing interleaved."""
    address = serve(service, token=TOKEN)

    def send(client: httpx.Client, number: int) -> tuple[str, str, float]:
        session = f"session {number % 10}"
        supported, invented = number % 4 + 1, number // 10 % 3
        question = f"question {number} of {session}, " + "x" * 200
        sample = {
            "session_id": session,
            "question": question,
            "answer": answer_of(supported, invented),
            "contexts": [CONTEXT],
            "metrics": ["faithfulness"],
        }
        answer = client.post("/api/score/session_async", json=sample)
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == "queued"
        return session, question, round(100 * supported / (supported + invented)) / 100

    limits = httpx.Limits(max_connections=20)
    with httpx.Client(base_url=address, headers=AUTHORIZED, limits=limits, timeout=60) as client:
        with ThreadPoolExecutor(20) as callers:
            sent = list(callers.map(partial(send, client), range(200)))
        for job in client.get("/api/score/session/jobs").json():
            service.scoring.wait(job["job_id"], PATIENCE_S)
        sessions = client.get("/api/score/sessions").json()
    assert {session for session, _, _ in sent} == {one["session_id"] for one in sessions}
    for one in sessions:
        mine = {
            question: score for session, question, score in sent if session == one["session_id"]
        }
        rows = rows_of(service, one)
        assert [f"session-score-{n}" for n in range(1, 21)] == [row["sample_id"] for row in rows]
        assert mine == {row["question"]: float(row["faithfulness"]) for row in rows}
        assert {row["contexts"] for row in rows} == {CONTEXT}
        assert one["metric_means"] == {"faithfulness": round(sum(mine.values()) / 20, 4)}
        assert {job["status"] for job in one["jobs"]} == {"completed"}


def test_answers_are_the_same_after_a_restart(
    open_service: OpenService, call: Call, service: Service, client: Caller
) -> None:
    """Jobs and sessions are restored from the store."""
    job = ended_job(service, client, sent_job(client))
    paths = ("/api/score/session/jobs", "/api/score/sessions", "/api/score/sessions/chat%201%2F2")
    before = [client.get(path).json() for path in paths]
    service.scoring.close()
    again = call(open_service())
    assert before == [again.get(path).json() for path in paths]
    assert job == again.get(f"/api/score/session/jobs/{job['job_id']}").json()


def test_a_judge_that_gives_no_answer_is_said_so(open_service: OpenService, call: Call) -> None:
    """One sample: 502 with ``Type: message``. A call of a session: a failed job, and no row."""
    with JudgeServer() as judge:
        judge.fail(times=9, status=404, message="no such model")
        service = open_service(environ=judge.environ)
        client = call(service)
        asked = {**SAMPLE, "judge_model": "openai:m"}
        answer = client.post("/api/score", json=asked)
        job = ended_job(service, client, sent_job(client, judge_model="openai:m"))
    assert answer.status_code == 502
    for said in (answer.json()["detail"], job["error"]):
        assert re.match("TransportError: .*no such model", said)
    assert ("failed", None) == (job["status"], job["scores"])
    assert not (service.settings.out / "runs" / job["run_id"] / "scores.csv").exists()


def test_defaults_of_models_are_the_servers(open_service: OpenService, call: Call) -> None:
    """What a call does not name, the server was started with."""
    evaluation = EvaluationSettings(embedding_model="e")
    service = open_service(judge="openai:m", evaluation=evaluation)
    summary = sent_job(call(service), contexts=None)["request_summary"]
    assert ("openai:m", "e") == (summary["judge_model"], summary["embedding_model"])

"""Session-grouped scoring over HTTP, sentence by sentence of the contract, on both databases."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from scoring_cases import CONTEXT, PATIENCE_S, answer_of, read_rows
from served import AUTHORIZED, NOW, TOKEN, Caller, golden

from pytest_sessioneval.evaluation.settings import EvaluationSettings
from pytest_sessioneval.server.service import Service
from pytest_sessioneval.testing.server import JudgeServer

OpenService = Callable[..., Service]
Call = Callable[..., Caller]

SAMPLE: dict[str, Any] = {
    "question": "Where?",
    "answer": answer_of(1, 1),
    "contexts": [CONTEXT],
    "metrics": ["faithfulness", "context_recall"],
}


def _clock() -> Callable[[], datetime]:
    """Return a clock that is a second later each time it is looked at."""
    seconds = itertools.count()
    return lambda: NOW + timedelta(seconds=next(seconds))


@pytest.fixture
def service(open_service: OpenService) -> Service:
    """Return a service whose clock goes on."""
    return open_service(clock=_clock())


@pytest.fixture
def client(service: Service, call: Call) -> Caller:
    """Return a client of the service."""
    return call(service)


def _sent(client: Caller, session_id: str = "chat 1/2", **given: Any) -> dict[str, Any]:
    """Return the job that a call answered with."""
    answer = client.post(
        "/api/score/session_async", json={**SAMPLE, "session_id": session_id, **given}
    )
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    return job


def _done(service: Service, client: Caller, job: dict[str, Any]) -> dict[str, Any]:
    """Return a job once it has ended."""
    service.scoring.wait(job["job_id"], PATIENCE_S)
    ended: dict[str, Any] = client.get(f"/api/score/session/jobs/{job['job_id']}").json()
    return ended


def _same(text: str) -> str:
    """Replace what is random, or measured."""
    text = re.sub(r'"job_id": "[0-9a-f]{12}"', '"job_id": "0123456789ab"', text)
    text = re.sub(r'"latency_ms": [0-9.]+', '"latency_ms": 1.5', text)
    return re.sub(r"2026-11-22T12:00:\d\d(\.\d+)?Z", "2026-11-22T12:00:00Z", text)


# -- POST /api/score -------------------------------------------------------------------


def test_one_sample_is_scored_in_the_request(client: Caller) -> None:
    """The answer holds scores, latency, skipped metrics, and a weighted score of null."""
    answer = client.post("/api/score", json=SAMPLE)
    assert answer.status_code == 200
    golden("score", answer.json(), same=_same)


def test_one_sample_is_kept_nowhere(service: Service, client: Caller) -> None:
    """There is no job, no session and no run of it."""
    client.post("/api/score", json=SAMPLE)
    assert client.get("/api/score/session/jobs").json() == []
    assert client.get("/api/score/sessions").json() == []
    assert service.store.runs() == ()


@pytest.mark.parametrize(
    ("contexts", "score"),
    [
        (["Nothing.", CONTEXT], 1.0),
        (f"Nothing. |||| {CONTEXT}", 1.0),
        ("Nothing.", 0.0),
        ([], None),
        ("", None),
        (None, None),
    ],
)
def test_contexts_are_a_list_or_one_string(
    client: Caller, contexts: object, score: float | None
) -> None:
    """One string is split at ' |||| '; without a context the metric is skipped."""
    sample = {**SAMPLE, "answer": CONTEXT, "contexts": contexts, "metrics": ["faithfulness"]}
    answer = client.post("/api/score", json=sample).json()
    assert answer["scores"] == {"faithfulness": score}
    assert answer["skipped_metrics"] == ([] if score is not None else ["faithfulness"])


def test_metrics_here_are_0_to_1(client: Caller) -> None:
    """One of three sentences stands in the context: an axis would be 33."""
    sample = {**SAMPLE, "answer": answer_of(1, 2), "metrics": ["faithfulness"]}
    assert client.post("/api/score", json=sample).json()["scores"] == {"faithfulness": 0.33}


def test_skipped_metrics_are_sorted(client: Caller) -> None:
    """Whatever the order they were asked for in; every one asked for has a score of null."""
    metrics = ["tool_call_f1", "faithfulness", "context_recall", "answer_correctness"]
    answer = client.post("/api/score", json={**SAMPLE, "metrics": metrics}).json()
    assert answer["skipped_metrics"] == ["answer_correctness", "context_recall", "tool_call_f1"]
    assert list(answer["scores"]) == metrics


@pytest.mark.parametrize("path", ["/api/score", "/api/score/session_async"])
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"question": None}, "question"),
        ({"answer": 7}, "answer"),
        ({"contexts": {"a": 1}}, "contexts"),
        ({"ground_truth": 7}, "ground_truth"),
        ({"metrics": ["faithfullness"]}, "metrics"),
        ({"judge_model": "recorded:/etc/passwd"}, "judge_model"),
        ({"judge_model": "hook:os"}, "judge_model"),
        ({"embedding_model": 7}, "embedding_model"),
        ({"question": "x" * 100_001}, "question"),
    ],
)
def test_a_rejected_request_names_the_field(
    client: Caller, path: str, given: dict[str, Any], field: str
) -> None:
    """422 says where; nothing is kept."""
    whole = {**SAMPLE, **given} | ({"session_id": "s"} if path.endswith("async") else {})
    answer = client.post(path, json=whole)
    assert answer.status_code == 422
    assert ["body", field] == answer.json()["detail"][0]["loc"][:2]
    assert client.get("/api/score/session/jobs").json() == []


@pytest.mark.parametrize("session_id", [None, "", "x" * 501, 7])
def test_a_session_needs_an_id(client: Caller, session_id: object) -> None:
    """Of 1 to 500 characters."""
    answer = client.post("/api/score/session_async", json={**SAMPLE, "session_id": session_id})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "session_id"]


def test_text_that_is_no_unicode_is_rejected(client: Caller) -> None:
    """Half a character in JSON is named as a mistake of its field."""
    body = b'{"question": "\\ud800", "answer": "a"}'
    headers = {"content-type": "application/json"}
    answer = client.post("/api/score", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "question"]


# -- jobs ------------------------------------------------------------------------------


def test_a_call_of_a_session_answers_with_a_queued_job(service: Service, client: Caller) -> None:
    """At once, with the run's id; the rest of the job is null."""
    job = _sent(client)
    golden("session_async", job, same=_same)
    _done(service, client, job)


def test_a_completed_job(service: Service, client: Caller) -> None:
    """It has every metric asked for, null when skipped, and says what was asked."""
    job = _done(service, client, _sent(client, question="Q" * 100))
    golden("job_completed", job, same=_same)


def test_a_failed_job(service: Service, client: Caller) -> None:
    """Its error is ``Type: message``; it has no scores."""
    job = _done(service, client, _sent(client, judge_model="openai:gpt-5-mini"))
    golden("job_failed", job, same=_same)


def test_an_unknown_job_is_not_found(client: Caller) -> None:
    """404 names it."""
    answer = client.get("/api/score/session/jobs/a%2Fb")
    assert (404, {"detail": "job not found: a/b"}) == (answer.status_code, answer.json())


def test_all_jobs_are_listed_newest_first(service: Service, client: Caller) -> None:
    """Of every session."""
    jobs = [_sent(client, session) for session in ("a", "b", "a")]
    for job in jobs:
        _done(service, client, job)
    listed = client.get("/api/score/session/jobs").json()
    assert [job["job_id"] for job in reversed(jobs)] == [job["job_id"] for job in listed]


def test_with_no_effective_metric_the_job_completes_with_nulls(
    service: Service, client: Caller
) -> None:
    """It is a row all the same."""
    job = _done(service, client, _sent(client, contexts=None))
    assert ("completed", {"faithfulness": None, "context_recall": None}) == (
        job["status"],
        job["scores"],
    )
    (row,) = _rows(service, job)
    assert ("", "") == (row["faithfulness"], row["context_recall"])


# -- sessions --------------------------------------------------------------------------


def test_a_session(service: Service, client: Caller) -> None:
    """All its jobs are calls, oldest first; means are over the report's rows."""
    for given in ({}, {"judge_model": "openai:gpt-5-mini"}, {"answer": answer_of(1, 2)}):
        _done(service, client, _sent(client, **given))
    answer = client.get(f"/api/score/sessions/{quote('chat 1/2', safe='')}").json()
    assert answer["call_count"] == 3
    assert {"faithfulness": 0.415, "context_recall": None} == answer["metric_means"]
    golden("scoring_session", answer, same=_same)


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
    job = _done(service, client, _sent(client, session_id))
    answer = client.get(f"/api/score/sessions/{quote(session_id, safe='')}")
    assert (200, session_id) == (answer.status_code, answer.json()["session_id"])
    assert (service.settings.out / "runs" / job["run_id"] / "scores.csv").is_file()
    assert re.fullmatch(r"session-[a-z0-9-]{1,40}-[0-9a-f]{12}", job["run_id"])


def test_sessions_are_listed_by_latest_finish(service: Service, client: Caller) -> None:
    """Newest first: a further call brings a session to the front."""
    for session in ("a", "b", "a"):
        _done(service, client, _sent(client, session))
    listed = client.get("/api/score/sessions").json()
    assert [session["session_id"] for session in listed] == ["a", "b"]
    assert [2, 1] == [session["call_count"] for session in listed]
    golden("scoring_sessions", listed, same=_same)


# -- report and run --------------------------------------------------------------------


def _rows(service: Service, job: dict[str, Any]) -> list[dict[str, str]]:
    return read_rows(service.settings.out / "runs" / job["run_id"] / "scores.csv")


def test_each_completed_call_is_one_row(service: Service, client: Caller) -> None:
    """Named ``session-score-N``, with what was asked and the union of all metrics."""
    job = _done(service, client, _sent(client))
    more: dict[str, Any] = {"metrics": ["faithfulness"], "ground_truth": "Paris"}
    _done(service, client, _sent(client, **more))
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
    rows = _rows(service, job)
    assert [expected | {"sample_id": "session-score-1", "ground_truth": ""}, expected] == rows


def test_the_run_is_listed_with_all_runs(service: Service, client: Caller) -> None:
    """Under the id that the job names; it runs while a job does, and then is done."""
    job = _done(service, client, _sent(client))
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
        rows = _rows(service, one)
        assert [f"session-score-{n}" for n in range(1, 21)] == [row["sample_id"] for row in rows]
        assert mine == {row["question"]: float(row["faithfulness"]) for row in rows}
        assert {row["contexts"] for row in rows} == {CONTEXT}
        assert one["metric_means"] == {"faithfulness": round(sum(mine.values()) / 20, 4)}
        assert {job["status"] for job in one["jobs"]} == {"completed"}


def test_answers_are_the_same_after_a_restart(
    open_service: OpenService, call: Call, service: Service, client: Caller
) -> None:
    """Jobs and sessions are restored from the store."""
    job = _done(service, client, _sent(client))
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
        job = _done(service, client, _sent(client, judge_model="openai:m"))
    assert answer.status_code == 502
    for said in (answer.json()["detail"], job["error"]):
        assert re.match("TransportError: .*no such model", said)
    assert ("failed", None) == (job["status"], job["scores"])
    assert not (service.settings.out / "runs" / job["run_id"] / "scores.csv").exists()


def test_defaults_of_models_are_the_servers(open_service: OpenService, call: Call) -> None:
    """What a call does not name, the server was started with."""
    evaluation = EvaluationSettings(embedding_model="e")
    service = open_service(judge="openai:m", evaluation=evaluation)
    summary = _sent(call(service), contexts=None)["request_summary"]
    assert ("openai:m", "e") == (summary["judge_model"], summary["embedding_model"])


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method_is_not_allowed(client: Caller, method: str) -> None:
    """It is told in JSON, with what is."""
    answer = client.request(method, "/api/score")
    detail = f"{method} is not accepted at /api/score; accepted: POST"
    assert (405, {"detail": detail}) == (answer.status_code, answer.json())


def test_what_else_is_sent_is_passed_over(client: Caller) -> None:
    """A client of the service that this one replaces may send more than the contract names."""
    answer = client.post("/api/score", json={**SAMPLE, "session_id": "s", "weights": {"a": 1}})
    assert answer.status_code == 200


def test_calls_to_judges_are_counted_with_those_of_runs(
    open_service: OpenService, call: Call
) -> None:
    """What the server may ask in all is spent by scoring, too."""
    with JudgeServer() as judge:
        evaluation = EvaluationSettings(max_calls=0)
        service = open_service(environ=judge.environ, evaluation=evaluation)
        answer = call(service).post("/api/score", json={**SAMPLE, "judge_model": "openai:m"})
        assert judge.calls == 0
    assert answer.status_code == 502
    assert answer.json()["detail"].startswith("BudgetSpentError: ")

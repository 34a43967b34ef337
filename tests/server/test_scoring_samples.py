"""One sample scored over HTTP, and which samples are refused, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scoring_cases import CONTEXT, answer_of
from scoring_requests import SAMPLE, without_chance
from served import Caller, golden

from pytest_sessioneval.evaluation.settings import EvaluationSettings
from pytest_sessioneval.server.service import Service
from pytest_sessioneval.testing.server import JudgeServer

OpenService = Callable[..., Service]
Call = Callable[..., Caller]


@pytest.fixture
def client(service: Service, call: Call) -> Caller:
    """Return a client of the service."""
    return call(service)


def test_one_sample_is_scored_in_the_request(client: Caller) -> None:
    """The answer holds scores, latency, skipped metrics, and a weighted score of null."""
    answer = client.post("/api/score", json=SAMPLE)
    assert answer.status_code == 200
    golden("score", answer.json(), same=without_chance)


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


def test_text_that_is_no_unicode_is_rejected(client: Caller) -> None:
    """Half a character in JSON is named as a mistake of its field."""
    body = b'{"question": "\\ud800", "answer": "a"}'
    headers = {"content-type": "application/json"}
    answer = client.post("/api/score", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "question"]


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

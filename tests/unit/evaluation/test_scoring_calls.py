"""Scoring calls as values: what is accepted, how jobs become a session, what its run is called."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from pytest_sessioneval.evaluation.scoring_calls import DEFAULT_METRICS, ScoreRequest
from pytest_sessioneval.evaluation.scoring_sessions import (
    metric_means,
    newest_first,
    run_id_of,
    scoring_input,
    scoring_session,
    summary_of,
)
from pytest_sessioneval.reports.writing import RUN_ID
from pytest_sessioneval.stores.job_values import JobResult, JobState, ScoringInput, ScoringJob

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _request(**given: Any) -> ScoreRequest:
    return ScoreRequest.model_validate({"question": "Who?", "answer": "She.", **given})


def _input(**given: Any) -> ScoringInput:
    return scoring_input(_request(**given), judge_model="evidence", embedding_model=None)


def _job(
    job_id: str,
    *,
    session: str = "s",
    state: JobState = "completed",
    scores: dict[str, float | None] | None = None,
    finished: int | None = 1,
) -> ScoringJob:
    result = JobResult(scores=scores or {}, skipped_metrics=(), latency_ms=1.0)
    return ScoringJob(
        job_id=job_id,
        session_id=session,
        run_id=run_id_of(session),
        state=state,
        created_at=AT,
        finished_at=None if finished is None else AT + timedelta(minutes=finished),
        summary=summary_of(_input(), session),
        result=result if state == "completed" else None,
        error="",
        row=1 if state == "completed" else None,
    )


def _field(error: ValidationError) -> object:
    return error.errors()[0]["loc"][0]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["One.", "Two."], ("One.", "Two.")),
        ("One. |||| Two.", ("One.", "Two.")),
        ("One.||||Two.", ("One.||||Two.",)),
        ("One. |||| ", ("One.",)),
        (["One.", "  ", ""], ("One.",)),
        ("", ()),
        ([], ()),
        (None, ()),
    ],
)
def test_contexts_are_a_list_or_one_string(given: object, expected: tuple[str, ...]) -> None:
    """One string is split at ' |||| '; contexts that say nothing are left out."""
    assert expected == _request(contexts=given).contexts


@pytest.mark.parametrize("given", [{}, {"metrics": None}, {"metrics": []}])
def test_without_metrics_all_that_a_call_can_have_are_asked_for(given: dict[str, Any]) -> None:
    """None, an empty list and nothing ask for the same seven."""
    assert DEFAULT_METRICS == _input(**given).metrics


def test_a_metric_is_asked_for_once() -> None:
    """The order is that of the call."""
    metrics = ["context_recall", "faithfulness", "context_recall"]
    assert _input(metrics=metrics).metrics == ("context_recall", "faithfulness")


def test_models_are_those_of_the_call_or_the_servers() -> None:
    """What a call leaves out, settings say."""
    asked = scoring_input(_request(), judge_model="ollama:m", embedding_model="e")
    assert (asked.judge_model, asked.embedding_model) == ("ollama:m", "e")
    own = _request(judge_model="openai:n", embedding_model="f")
    asked = scoring_input(own, judge_model="ollama:m", embedding_model="e")
    assert (asked.judge_model, asked.embedding_model) == ("openai:n", "f")


def test_secrets_are_replaced_with_one_number_each() -> None:
    """The same key in question, context and ground truth is the same placeholder."""
    key = "sk-proj-" + "Ab3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0x" * 2
    asked = _input(
        question=f"Is {key} right?", contexts=[f"the key is {key}"], ground_truth=f"yes, {key}"
    )
    assert key not in asked.model_dump_json()
    texts = (asked.question, *asked.contexts, str(asked.ground_truth))
    assert len({found for text in texts for found in re.findall(r"\[REDACTED:[^]]+\]", text)}) == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"question": None}, "question"),
        ({"answer": 5}, "answer"),
        ({"contexts": 5}, "contexts"),
        ({"contexts": [5]}, "contexts"),
        ({"contexts": ["x"] * 201}, "contexts"),
        ({"contexts": ["x" * 100_000] * 11}, "contexts"),
        ({"question": "x" * 100_001}, "question"),
        ({"metrics": ["faithfullness"]}, "metrics"),
        ({"metrics": "faithfulness"}, "metrics"),
        ({"judge_model": ""}, "judge_model"),
        ({"ground_truth": ["x"]}, "ground_truth"),
    ],
)
def test_what_is_not_accepted_names_its_field(given: dict[str, Any], field: str) -> None:
    """Types, sizes and unknown metrics are refused where they stand."""
    with pytest.raises(ValidationError) as caught:
        _request(**given)
    assert field == _field(caught.value)


def test_a_summary_is_cut_at_80_characters() -> None:
    """Listings show the beginning of question and answer, and whether there is more."""
    asked = _input(question="q" * 81, answer="a" * 80, contexts=["c"], metrics=["faithfulness"])
    expected = {
        "question": "q" * 80,
        "answer": "a" * 80,
        "metrics": ("faithfulness",),
        "judge_model": "evidence",
        "embedding_model": None,
        "has_contexts": True,
        "has_ground_truth": False,
        "session_id": "s-1",
    }
    assert expected == summary_of(asked, "s-1").model_dump()


@pytest.mark.parametrize(
    ("session_id", "slug"),
    [
        ("Chat 2026/11", "chat-2026-11"),
        ("x" * 50, "x" * 40),
        ("a" * 39 + "/b", "a" * 39),
        ("../../etc", "etc"),
        ("日本語", "unnamed"),
        ("..", "unnamed"),
    ],
)
def test_a_run_is_named_by_slug_and_digest(session_id: str, slug: str) -> None:
    """At most 40 characters of the id, and 12 hexadecimal digits of its digest."""
    digest = hashlib.sha256(session_id.encode()).hexdigest()[:12]
    assert f"session-{slug}-{digest}" == run_id_of(session_id)


@given(st.text(min_size=1, max_size=500))
def test_any_session_id_names_one_folder(session_id: str) -> None:
    """No id leads out of the folder of runs."""
    name = run_id_of(session_id)
    assert RUN_ID.fullmatch(name)
    assert re.fullmatch(r"session-[a-z0-9-]{1,40}-[0-9a-f]{12}", name)


def test_means_are_over_the_values_there_are() -> None:
    """Four decimals; a metric without any value has none; a row without the metric counts not."""
    given: list[dict[str, float | None]] = [
        {"faithfulness": 0.5, "context_recall": None},
        {"faithfulness": 1.0},
        {"faithfulness": 0.5, "answer_relevancy": 0.1},
    ]
    results = [JobResult(scores=each, skipped_metrics=(), latency_ms=1.0) for each in given]
    expected = {"faithfulness": 0.6667, "answer_relevancy": 0.1, "context_recall": None}
    means = metric_means(results)
    assert expected == means
    assert list(expected) == list(means)


def test_a_session_counts_all_jobs_and_averages_rows() -> None:
    """Queued and failed jobs are calls, and no rows."""
    jobs = [
        _job("1", scores={"faithfulness": 0.25}, finished=5),
        _job("2", state="failed", finished=9),
        _job("3", state="queued", finished=None),
    ]
    session = scoring_session(jobs)
    assert (session.call_count, session.metric_means) == (3, {"faithfulness": 0.25})
    assert session.latest_finished_at == AT + timedelta(minutes=9)
    assert [job.job_id for job in session.jobs] == ["1", "2", "3"]


def test_sessions_stand_by_their_latest_finish() -> None:
    """Newest first; those where nothing has finished come last."""
    sessions = [
        scoring_session([_job("1", session="old", finished=1)]),
        scoring_session([_job("2", session="none", state="queued", finished=None)]),
        scoring_session([_job("3", session="new", finished=2)]),
    ]
    assert [one.session_id for one in newest_first(sessions)] == ["new", "old", "none"]

"""Session-grouped scoring by a judge that takes its time, or fails, on both databases."""

from __future__ import annotations

import re
from typing import Any

import pytest
from scoring_cases import Opened, OpenScoring, call, read_rows, wait_for

from pytest_sessioneval.evaluation.scoring_jobs import ScoringTerms, TooManyJobsError
from pytest_sessioneval.testing.server import JudgeServer

ASKING: dict[str, Any] = {"judge_model": "openai:loopback", "metrics": ["faithfulness"]}
"""What makes a call ask the judge on the loopback interface."""


def test_a_call_answers_at_once_with_a_queued_job(
    scoring: Opened, judge_server: JudgeServer
) -> None:
    """The answer does not wait for the judge, and names the run."""
    judge_server.hold()
    job = scoring.jobs.submit(call("chat/1", **ASKING))
    assert job.status == "queued"
    assert re.fullmatch(r"[0-9a-f]{12}", job.job_id)
    assert re.fullmatch(r"session-chat-1-[0-9a-f]{12}", job.run_id)


def test_a_job_runs_while_its_judge_thinks(scoring: Opened, judge_server: JudgeServer) -> None:
    """Between queued and completed it is running, without scores."""
    judge_server.hold()
    job = scoring.jobs.submit(call(**ASKING))
    judge_server.wait_for_calls(1)
    now = scoring.jobs.job(job.job_id)
    assert now is not None
    assert ("running", None, None) == (now.status, now.scores, now.finished_at)


def test_a_failed_call_adds_no_row(scoring: Opened, judge_server: JudgeServer) -> None:
    """Its error is ``Type: message``; the report holds what was completed."""
    good = wait_for(scoring.jobs, scoring.jobs.submit(call()))
    judge_server.fail(times=9, status=404, message="no such model")
    job = wait_for(scoring.jobs, scoring.jobs.submit(call(**ASKING)))
    assert job.status == "failed"
    assert re.match(r"TransportError: .*no such model", str(job.error))
    assert len(read_rows(scoring.file(good, "scores.csv"))) == 1
    session = scoring.jobs.session("s")
    assert session is not None
    assert (2, {"faithfulness": 1.0}) == (
        session.call_count,
        {name: mean for name, mean in session.metric_means.items() if mean is not None},
    )


def test_four_samples_are_scored_at_once_by_default(
    scoring: Opened, judge_server: JudgeServer
) -> None:
    """Also within one session; the fifth waits for its turn."""
    judge_server.hold()
    jobs = [scoring.jobs.submit(call(**ASKING)) for _ in range(6)]
    judge_server.wait_for_calls(4)
    assert judge_server.in_flight == 4
    states = [one.status for one in scoring.jobs.jobs()]
    assert (4, 2) == (states.count("running"), states.count("queued"))
    judge_server.release()
    for job in jobs:
        wait_for(scoring.jobs, job)
    assert judge_server.peak_in_flight == 4


def test_no_more_wait_than_may(open_scoring: OpenScoring, judge_server: JudgeServer) -> None:
    """A call beyond them is refused, and is no job."""
    scoring = open_scoring(terms=ScoringTerms(workers=1, most_waiting=1))
    judge_server.hold()
    scoring.jobs.submit(call(**ASKING))
    judge_server.wait_for_calls(1)
    scoring.jobs.submit(call(**ASKING))
    with pytest.raises(TooManyJobsError, match="1 calls wait"):
        scoring.jobs.submit(call(**ASKING))
    assert len(scoring.jobs.jobs()) == 2


def test_what_was_queued_or_running_is_interrupted_when_the_server_ends(
    open_scoring: OpenScoring, judge_server: JudgeServer
) -> None:
    """It is failed, with that error, and has no row."""
    before = open_scoring(terms=ScoringTerms(workers=1, grace_s=0.1))
    judge_server.hold()
    jobs = [before.jobs.submit(call(**ASKING)) for _ in range(2)]
    judge_server.wait_for_calls(1)
    before.close()
    after = open_scoring()
    found = [after.jobs.job(job.job_id) for job in jobs]
    assert [("failed", "interrupted")] * 2 == [(job.status, job.error) for job in found if job]
    session = after.jobs.session("s")
    assert session is not None
    assert session.metric_means == {}
    assert ["done"] == [run.state for run in after.store.runs()]


def test_jobs_of_a_process_that_lives_are_left_alone(
    open_scoring: OpenScoring, judge_server: JudgeServer
) -> None:
    """A second server on the same store interrupts nothing of the first."""
    first = open_scoring()
    judge_server.hold()
    job = first.jobs.submit(call(**ASKING))
    judge_server.wait_for_calls(1)
    second = open_scoring()
    seen = second.jobs.job(job.job_id)
    assert seen is not None
    assert seen.status == "running"


def test_a_model_scores_a_call(scoring: Opened, judge_server: JudgeServer) -> None:
    """Through the same prompts and checks as a session of a suite; the row has its score."""
    job = wait_for(scoring.jobs, scoring.jobs.submit(call(**ASKING)))
    assert judge_server.calls >= 1
    assert ("completed", ()) == (job.status, job.skipped_metrics)
    assert job.scores is not None
    score = job.scores["faithfulness"]
    assert score is not None
    (row,) = read_rows(scoring.file(job, "scores.csv"))
    assert score == float(row["faithfulness"])


def test_a_secret_reaches_neither_judge_nor_store_nor_report(
    scoring: Opened, judge_server: JudgeServer
) -> None:
    """It is replaced before the call is a job."""
    key = "sk-proj-" + "Ab3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0x" * 2
    asked = call(question=f"Is {key} mine?", contexts=[f"the key is {key}"], **ASKING)
    job = wait_for(scoring.jobs, scoring.jobs.submit(asked))
    assert judge_server.requests
    kept = [
        *(request.text for request in judge_server.requests),
        *(one.request.model_dump_json() for one in scoring.store.jobs.kept()),
        *(
            file.read_text(encoding="utf-8")
            for file in scoring.file(job, "").iterdir()
            if file.is_file()
        ),
        job.model_dump_json(),
    ]
    assert not [text for text in kept if key in text]
    assert "[REDACTED:" in job.request_summary.question


def test_one_sample_waits_for_no_job_in_the_queue(
    open_scoring: OpenScoring, judge_server: JudgeServer
) -> None:
    """Whoever waits for an answer comes before calls that nobody waits for."""
    scoring = open_scoring(terms=ScoringTerms(workers=1))
    judge_server.hold()
    answers = [f"Paris is number {number}." for number in range(3)]
    jobs = [scoring.jobs.submit(call(answer=answer, **ASKING)) for answer in answers]
    judge_server.wait_for_calls(1)
    urgent = scoring.jobs.score(call(answer="Somebody waits for Paris.", **ASKING))
    judge_server.release()
    assert urgent.result(60).skipped_metrics == ()
    for job in jobs:
        wait_for(scoring.jobs, job)
    texts = [request.text for request in judge_server.requests]
    asked = [
        next(place for place, text in enumerate(texts) if answer in text)
        for answer in (answers[0], "Somebody waits for Paris.", *answers[1:])
    ]
    assert asked == sorted(asked)

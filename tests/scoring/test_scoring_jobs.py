"""Session-grouped scoring: jobs, rows, reports and restarts, on both databases."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from scoring_cases import Opened, OpenScoring, answer_of, call, read_rows, wait_for

from pytest_sessioneval.errors import SettingError, StoreError
from pytest_sessioneval.evaluation.process_locks import LEASE
from pytest_sessioneval.evaluation.sample_reports import SampleReports
from pytest_sessioneval.evaluation.scoring_calls import ScoreRequest
from pytest_sessioneval.evaluation.scoring_jobs import TooManyJobsError
from pytest_sessioneval.reports.advice.rows import AdvisedRow
from pytest_sessioneval.stores.job_values import NewJob
from pytest_sessioneval.testing.server import JudgeServer


def test_a_completed_job_has_every_metric_asked_for(scoring: Opened) -> None:
    """Those without their inputs are null and listed; there is no weighted score."""
    metrics = ["context_recall", "faithfulness", "answer_correctness"]
    asked = call(metrics=metrics, answer=answer_of(1, 1))
    job = wait_for(scoring.jobs, scoring.jobs.submit(asked))
    assert job.status == "completed"
    assert {"context_recall": None, "faithfulness": 0.5, "answer_correctness": None} == job.scores
    assert job.skipped_metrics == ("answer_correctness", "context_recall")
    assert job.weighted_score is None
    assert job.error is None
    assert job.latency_ms is not None


def test_a_job_without_an_effective_metric_completes_with_nulls(
    scoring: Opened, judge_server: JudgeServer
) -> None:
    """Nobody is asked, and the row is there."""
    asked = call(contexts=[], judge_model="openai:loopback", metrics=["faithfulness"])
    job = wait_for(scoring.jobs, scoring.jobs.submit(asked))
    assert ("completed", {"faithfulness": None}) == (job.status, job.scores)
    assert judge_server.calls == 0
    assert [""] == [row["faithfulness"] for row in read_rows(scoring.file(job, "scores.csv"))]


def test_one_sample_is_scored_without_a_session(scoring: Opened) -> None:
    """Nothing of it is kept."""
    request = ScoreRequest(
        question="Where?", answer="Paris.", contexts=("Paris.",), metrics=("faithfulness",)
    )
    response = scoring.jobs.score(request).result(60)
    assert response.scores == {"faithfulness": 1.0}
    assert response.weighted_score is None
    assert scoring.jobs.jobs() == ()
    assert scoring.store.runs() == ()


@pytest.mark.parametrize("judge", ["recorded:/etc/passwd", "hook:os", "nonsense:x"])
def test_a_judge_that_a_call_may_not_name_is_refused(scoring: Opened, judge: str) -> None:
    """A call chooses no file and no code of the server; nothing is kept."""
    with pytest.raises(SettingError, match="judge_model"):
        scoring.jobs.submit(call(judge_model=judge))
    assert scoring.jobs.jobs() == ()


def test_the_report_has_four_files(scoring: Opened) -> None:
    """They are complete when the job is."""
    job = wait_for(scoring.jobs, scoring.jobs.submit(call()))
    folder = scoring.file(job, "")
    expected = {"scores.csv", "summary.md", "optimization_advice.md", "metadata.json"}
    assert expected == {file.name for file in folder.iterdir() if file.name != ".lock"}
    metadata = json.loads(scoring.file(job, "metadata.json").read_text(encoding="utf-8"))
    assert job.created_at.isoformat() == metadata["started_at"].replace("Z", "+00:00")
    assert str(job.finished_at and job.finished_at.isoformat()) == metadata["finished_at"].replace(
        "Z", "+00:00"
    )


def test_every_file_is_made_anew_when_rows_change(scoring: Opened) -> None:
    """Summary and advice are over all rows, the first as the last."""
    first = wait_for(scoring.jobs, scoring.jobs.submit(call(answer=answer_of(1, 1))))
    names = ("scores.csv", "summary.md", "optimization_advice.md", "metadata.json")
    before = {name: scoring.file(first, name).read_bytes() for name in names}
    wait_for(scoring.jobs, scoring.jobs.submit(call(answer=answer_of(0, 1))))
    after = {name: scoring.file(first, name).read_bytes() for name in names}
    assert all(before[name] != after[name] for name in names)
    assert b"| faithfulness | 0.2500 | 0.0000 | 2 | 0 |" in after["summary.md"]
    assert b"session-score-2" in after["optimization_advice.md"]


def test_a_failing_advisor_fails_no_job(open_scoring: OpenScoring) -> None:
    """The row, the summary and the scores are there; the advice says that there is none."""

    def advisor(rows: Sequence[AdvisedRow]) -> str:
        raise ZeroDivisionError(f"{len(rows)} rows")

    scoring = open_scoring(advisor=advisor)
    job = wait_for(scoring.jobs, scoring.jobs.submit(call()))
    assert job.status == "completed"
    assert len(read_rows(scoring.file(job, "scores.csv"))) == 1
    advice = scoring.file(job, "optimization_advice.md").read_text(encoding="utf-8")
    assert "None could be made of these rows (ZeroDivisionError)" in advice


def test_a_completed_job_is_seen_once_its_row_is_in_the_file(open_scoring: OpenScoring) -> None:
    """While the report is written the job is running, in listings too."""
    writing, go_on = threading.Event(), threading.Event()

    def advisor(rows: Sequence[AdvisedRow]) -> str:
        writing.set()
        assert go_on.wait(60)
        return f"{len(rows)}\n"

    scoring = open_scoring(advisor=advisor)
    job = scoring.jobs.submit(call())
    assert writing.wait(60)
    seen = scoring.jobs.job(job.job_id)
    session = scoring.jobs.session("s")
    go_on.set()
    assert seen is not None
    assert session is not None
    assert ("running", None, "running", {}) == (
        seen.status,
        seen.scores,
        session.jobs[0].status,
        session.metric_means,
    )
    assert wait_for(scoring.jobs, job).status == "completed"


def test_a_report_that_cannot_be_written_costs_no_row(
    scoring: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    """The job completes; the next row brings the files up to date."""
    first = wait_for(scoring.jobs, scoring.jobs.submit(call()))
    folder = scoring.file(first, "")
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.write_text("in the way", encoding="utf-8")
    second = wait_for(scoring.jobs, scoring.jobs.submit(call()))
    assert second.status == "completed"
    assert "no folder can be made here" in caplog.text
    folder.unlink()
    aside.rename(folder)
    wait_for(scoring.jobs, scoring.jobs.submit(call()))
    expected = ["session-score-1", "session-score-2", "session-score-3"]
    assert expected == [row["sample_id"] for row in read_rows(folder / "scores.csv")]


def test_the_run_appears_in_the_listing_of_runs(scoring: Opened) -> None:
    """With its session, calls and rows."""
    job = wait_for(scoring.jobs, scoring.jobs.submit(call("s")))
    (row,) = scoring.store.runs()
    assert (job.run_id, "done") == (row.run_id, row.state)
    assert row.summary is not None
    assert row.summary.samples is not None
    assert ("s", 1, 1) == (
        row.summary.samples.session_id,
        row.summary.samples.calls,
        row.summary.samples.rows,
    )


# -- many at once ----------------------------------------------------------------------


def test_two_hundred_calls_over_ten_sessions_lose_nothing(scoring: Opened) -> None:
    """Every call is one row of its own session, and means equal those counted by hand."""

    def one(number: int) -> tuple[str, str, float]:
        session, supported, invented = f"s{number % 10}", number % 4 + 1, number // 10 % 3
        question = f"Question {number} of {session}"
        scoring.jobs.submit(call(session, question=question, answer=answer_of(supported, invented)))
        return session, question, round(100 * supported / (supported + invented)) / 100

    with ThreadPoolExecutor(20) as callers:
        expected = list(callers.map(one, range(200)))
    for job in scoring.jobs.jobs():
        assert wait_for(scoring.jobs, job).status == "completed"
    for session in scoring.jobs.sessions():
        mine = {question: score for name, question, score in expected if name == session.session_id}
        rows = read_rows(scoring.out / "runs" / session.run_id / "scores.csv")
        assert mine == {row["question"]: float(row["faithfulness"]) for row in rows}
        assert [f"session-score-{n}" for n in range(1, 21)] == [row["sample_id"] for row in rows]
        assert session.metric_means["faithfulness"] == round(sum(mine.values()) / 20, 4)
        assert session.call_count == 20


# -- restarts --------------------------------------------------------------------------


def test_jobs_and_sessions_are_there_after_a_restart(open_scoring: OpenScoring) -> None:
    """What was listed before is listed after, word for word."""
    before = open_scoring()
    for session in ("a", "b"):
        wait_for(before.jobs, before.jobs.submit(call(session)))
    jobs, sessions = before.jobs.jobs(), before.jobs.sessions()
    before.close()
    after = open_scoring()
    assert jobs == after.jobs.jobs()
    assert sessions == after.jobs.sessions()


@pytest.mark.parametrize(
    ("silent", "status"), [(LEASE / 2, "queued"), (LEASE + timedelta(seconds=1), "failed")]
)
def test_another_machines_process_is_believed_for_a_while(
    open_scoring: OpenScoring, silent: timedelta, status: str
) -> None:
    """Its jobs are interrupted once it has said nothing for longer than the lease."""
    lost = _job_elsewhere(open_scoring())
    after = open_scoring(clock=lambda: lost.created_at + silent)
    found = after.jobs.job(lost.job_id)
    assert found is not None
    assert status == found.status


@pytest.mark.parametrize("latest", ["1" * 12, "f" * 12])
def test_another_machines_process_is_believed_by_its_latest_sign(
    open_scoring: OpenScoring, latest: str
) -> None:
    """A call that it took just now speaks for an older one, whichever is listed last."""
    before = open_scoring()
    first = _job_elsewhere(before)
    now = first.created_at + 2 * LEASE
    before.store.jobs.add(replace(first, job_id="8" * 12))
    before.store.jobs.add(replace(first, job_id=latest, created_at=now))
    after = open_scoring(clock=lambda: now)
    jobs = [job for job in after.jobs.jobs() if job.status != "completed"]
    assert ["queued"] * 3 == [job.status for job in jobs]


def _job_elsewhere(scoring: Opened) -> NewJob:
    """Return a queued job of a process on another machine, kept beside a completed one."""
    done = wait_for(scoring.jobs, scoring.jobs.submit(call()))
    kept = scoring.store.jobs.rows("s")[0]
    lost = NewJob(
        job_id="0" * 12,
        session_id="s",
        run_id=done.run_id,
        created_at=kept.created_at,
        owner="elsewhere:/var/lock/x.lock",
        request=kept.request,
        summary=done.request_summary,
    )
    scoring.store.jobs.add(lost)
    return lost


@pytest.mark.parametrize("name", ["scores.csv", "summary.md", "metadata.json"])
def test_files_that_are_behind_are_made_again_at_the_start(
    open_scoring: OpenScoring, name: str
) -> None:
    """A server that finds a file missing, or of fewer rows, writes all from the store."""
    before = open_scoring()
    job = wait_for(before.jobs, before.jobs.submit(call()))
    older = before.file(job, name).read_bytes()
    wait_for(before.jobs, before.jobs.submit(call()))
    complete = before.file(job, name).read_bytes()
    before.close()
    before.file(job, name).unlink()
    after = open_scoring()
    assert complete == after.file(job, name).read_bytes()
    assert older != complete


def test_a_report_that_cannot_be_written_keeps_no_server_from_starting(
    open_scoring: OpenScoring, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told, and the session's jobs are there."""
    before = open_scoring()
    job = wait_for(before.jobs, before.jobs.submit(call()))
    before.close()
    folder = before.file(job, "")
    folder.rename(folder.with_name("aside"))
    folder.write_text("in the way", encoding="utf-8")
    after = open_scoring()
    assert "no folder can be made here" in caplog.text
    assert after.jobs.job(job.job_id) == job


def test_metadata_of_fewer_rows_has_all_files_made_again(open_scoring: OpenScoring) -> None:
    """A crash after the row and before the last file leaves just that."""
    before = open_scoring()
    job = wait_for(before.jobs, before.jobs.submit(call()))
    names = ("scores.csv", "metadata.json")
    first = {name: before.file(job, name).read_bytes() for name in names}
    wait_for(before.jobs, before.jobs.submit(call()))
    before.close()
    for name, content in first.items():
        before.file(job, name).write_bytes(content)
    after = open_scoring()
    assert len(read_rows(after.file(job, "scores.csv"))) == 2


def test_a_stale_write_cannot_win(open_scoring: OpenScoring) -> None:
    """Who comes to the files late reads the store again, and leaves later rows in them."""
    scoring = open_scoring()
    job = wait_for(scoring.jobs, scoring.jobs.submit(call()))
    holding, go_on = threading.Event(), threading.Event()

    def slow(rows: Sequence[AdvisedRow]) -> str:
        holding.set()
        assert go_on.wait(60)
        return f"slow, of {len(rows)}\n"

    scoring.file(job, "metadata.json").unlink()
    late = SampleReports(scoring.store.jobs, scoring.out, slow)
    writer = threading.Thread(target=late.bring_up_to_date, args=("s", job.run_id))
    writer.start()
    assert holding.wait(60)
    second = scoring.jobs.submit(call())
    go_on.set()
    writer.join(60)
    wait_for(scoring.jobs, second)
    assert len(read_rows(scoring.file(job, "scores.csv"))) == 2
    metadata = json.loads(scoring.file(job, "metadata.json").read_text(encoding="utf-8"))
    assert metadata["rows"] == 2


def test_a_server_that_has_ended_takes_no_call(open_scoring: OpenScoring) -> None:
    """It says so."""
    scoring = open_scoring()
    scoring.jobs.close()
    with pytest.raises(TooManyJobsError, match="ending"):
        scoring.jobs.submit(call())


def test_a_broken_row_in_the_store_says_what_to_do(scoring: Opened) -> None:
    """A result that is no result is an error of the store, with its place."""
    wait_for(scoring.jobs, scoring.jobs.submit(call()))
    database = scoring.store.jobs.database  # type: ignore[attr-defined]
    with database.writing() as transaction:
        transaction.run("UPDATE jobs SET result = '{}'")
    with pytest.raises(StoreError, match=r"row .* of table jobs cannot be read"):
        scoring.jobs.jobs()

"""Small values that the store's tests keep and read back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pytest_sessioneval.stores.job_values import (
    JobResult,
    KeptJob,
    RequestSummary,
    ScoringInput,
    ScoringJob,
)
from pytest_sessioneval.stores.protocol import IndexedFile, StoredOpinion
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.transcripts.model import Outcome, SessionSummary
from pytest_sessioneval.verdicts.model import (
    CallCount,
    Evidence,
    Opinion,
    PanelScore,
    Scored,
    Unscored,
    Verdict,
)
from pytest_sessioneval.verdicts.run import (
    JudgeIdentity,
    Provenance,
    Run,
    SeatIdentity,
    SessionResult,
    SessionState,
    SuiteRun,
)

START = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


def opinion(key: str = "key-1", *, score: int = 60, minutes: int = 0) -> Opinion:
    """Return an opinion with a score, a reason there is none, and every optional field set."""
    return Opinion(
        key=key,
        expert_id="tools",
        repeat=1,
        axes={
            "tool_usage_quality": Scored(
                score=score,
                comment="One call failed twice.",
                evidence=(Evidence(message=4, quote="no such order", agent_id="a1"),),
                failure_tag="repeated_error",
            ),
            "goal_completion": Unscored(reason="unsupported", detail="Write an expectation."),
        },
        comment="Ünclear – and “quoted”",
        judge_model="gpt-5-mini-2025-08-07",
        judge_version="agent@3#0123456789ab",
        rubric_version="agent@3#ba9876543210",
        judged_at=START + timedelta(minutes=minutes),
        spent=CallCount(calls=2, retries=1, input_tokens=4_000, output_tokens=300),
        sent={"temperature": 0.5, "seed": 7, "strict": True, "stop": None},
        coverage=0.75,
    )


def stored(
    key: str = "key-1",
    *,
    suite: str = "airline",
    session: str = "task-1",
    score: int = 60,
    minutes: int = 0,
) -> StoredOpinion:
    """Return the opinion of that key about a session of the suite."""
    return StoredOpinion(
        suite=suite,
        key=session,
        session_id=f"{session}-id",
        digest="d" * 64,
        opinion=opinion(key, score=score, minutes=minutes),
    )


def summary(session_id: str = "task-1-id", *, messages: int = 3) -> SessionSummary:
    """Return a session's summary with every optional field set."""
    return SessionSummary(
        session_id=session_id,
        locator="0",
        source="tau-bench",
        digest="d" * 64,
        task_id="1",
        trial=0,
        agent_model="gpt-4o",
        profile_id="airline",
        name="Cancel a flight",
        created_at=START,
        last_active=START + timedelta(minutes=5),
        message_count=messages,
        subsession_count=1,
        tool_call_count=2,
        prefix_digests="0a0b0c",
        outcome=Outcome(kind="reward", value=1.0),
        metadata={"split": "test", "turns": 3, "share": 0.5, "solo": False, "note": None},
    )


def session(key: str = "task-1", *, suite: str = "airline", messages: int = 3) -> SuiteSession:
    """Return a session of the suite."""
    return SuiteSession(
        suite=suite,
        key=key,
        cluster="1",
        path=f"transcripts/{key}.json",
        summary=summary(f"{key}-id", messages=messages),
    )


def shortened(asked: ScoringInput, session: str) -> RequestSummary:
    """Return what of a scoring call's question is shown of its job."""
    return RequestSummary(
        question=asked.question,
        answer=asked.answer,
        metrics=asked.metrics,
        judge_model=asked.judge_model,
        embedding_model=None,
        has_contexts=bool(asked.contexts),
        has_ground_truth=asked.ground_truth is not None,
        session_id=session,
    )


def scored_call(job_id: str, *, session: str = "chat", row: int | None = None) -> KeptJob:
    """Return a scoring call that is completed, as that row, or that failed."""
    asked = ScoringInput(
        question="Who?",
        answer="She.",
        contexts=("One.", "Two\u2028."),
        metrics=("faithfulness", "context_recall"),
        judge_model="evidence",
    )
    result = JobResult(
        scores={"faithfulness": 0.75, "context_recall": None},
        skipped_metrics=("context_recall",),
        latency_ms=1.5,
    )
    job = ScoringJob(
        job_id=job_id,
        session_id=session,
        run_id=f"session-{session}-000000000000",
        state="failed" if row is None else "completed",
        created_at=START,
        finished_at=START + timedelta(minutes=1),
        summary=shortened(asked, session),
        result=None if row is None else result,
        error="interrupted" if row is None else "",
        row=row,
    )
    return KeptJob(job, asked)


def indexed(content: str = "c" * 64, *, readers: str = "readers-1") -> IndexedFile:
    """Return what a file of two sessions and a skipped line holds."""
    return IndexedFile(
        content=content,
        readers=readers,
        reader="tau-bench",
        sessions=(summary("one"), summary("two")),
        skipped={"not JSON": 1},
        unknown={"queue-operation": 2},
    )


def run(run_id: str = "20260102-030405-abcdef", *, minutes: int = 0) -> Run:
    """Return a run of one suite: one session passed with 80, one failed with 40, one not run."""
    results = (
        _result("task-1", "passed", 80),
        _result("task-2", "below_threshold", 40),
        _result("task-3", "not_run", None),
    )
    suite = SuiteRun(
        suite="airline",
        root="suites/airline",
        rubric_version="agent@3#ba9876543210",
        axes=("tool_usage_quality", "goal_completion"),
        judge=JudgeIdentity(
            model="evidence",
            version="evidence@1#0123456789ab",
            seats=(SeatIdentity(id="evidence", model="evidence", axes=("tool_usage_quality",)),),
        ),
        results=results,
        judged=1,
        from_store=1,
        spent=CallCount(calls=3),
    )
    return Run(
        run_id=run_id,
        started_at=START + timedelta(minutes=minutes),
        finished_at=START + timedelta(minutes=minutes + 1),
        provenance=Provenance(tool_version="0.1.0", python="3.11.9", platform="Linux x86_64"),
        suites=(suite,),
        partial="-k cancel",
    )


def _result(key: str, state: SessionState, score: int | None) -> SessionResult:
    if score is None:
        return SessionResult(session=session(key), state=state)
    verdict = Verdict(
        session_id=f"{key}-id",
        digest="d" * 64,
        axes={
            "tool_usage_quality": PanelScore(score=score),
            "goal_completion": Unscored(reason="unsupported"),
        },
    )
    return SessionResult(session=session(key), state=state, verdict=verdict)

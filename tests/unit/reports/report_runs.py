"""Small runs, written by hand, that the tests of the reports share."""

from __future__ import annotations

from report_values import (
    AXES,
    HOSTILE,
    JUDGE,
    failing_result,
    make_run,
    opinion,
    result,
    three_experts,
    unscored_result,
)

from pytest_sessioneval.suites.model import Thresholds
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.suites.thresholds import Shortfall
from pytest_sessioneval.transcripts.model import SessionSummary
from pytest_sessioneval.verdicts.model import (
    AxisResult,
    CallCount,
    Evidence,
    PanelScore,
    Scored,
    Unscored,
    Verdict,
)
from pytest_sessioneval.verdicts.run import (
    FileProblem,
    JudgeIdentity,
    Run,
    SeatIdentity,
    SessionResult,
    Sources,
    SuiteRun,
)

__all__ = ["airline_run", "airline_suite", "empty_run", "evidence_run", "hostile_run", "many_run"]


def airline_suite(*results: SessionResult) -> SuiteRun:
    """Return a suite of a hosted judge with these sessions, and much to say about its files."""
    return SuiteRun(
        suite="airline",
        root="suites/airline",
        rubric_version="agent@3#9a8b7c6d",
        axes=AXES,
        judge=JUDGE,
        thresholds=Thresholds(
            session={"goal_completion": 60, "tool_usage_quality": 40}, mean={"goal_completion": 75}
        ),
        sources=Sources(
            files_read=7,
            sessions=8,
            deselected=1,
            not_sessions=("package.json", "notes/index.json"),
            duplicates=(("transcripts/task-1-copy.json", "transcripts/task-1.json"),),
            skipped_lines={"truncated last line": 1, "two records on one line": 2},
            unknown_records={"summary": 3, "file-history": 1},
            problems=(
                FileProblem(path="transcripts/z.json", line=3, reason="not JSON: unexpected end"),
                FileProblem(path="transcripts/b.json", reason="larger than 256 MiB"),
            ),
        ),
        results=results,
        mean_shortfalls=(Shortfall(axis="goal_completion", score=220 / 3, threshold=75),),
        judged=3,
        from_store=2,
        spent=CallCount(
            calls=11,
            retries=2,
            repairs=1,
            input_tokens=12_000,
            output_tokens=900,
            cached_tokens=8_000,
        ),
        redacted={"email": 2, "api key": 3},
        notes=("expert outcome was answered by more than one model: a (2), b (1)",),
    )


def airline_run() -> Run:
    """Return a run with a session of every state."""
    thirds = three_experts("task-5", complexity=80, goals=(100, 80), tools=60)
    axes: dict[str, AxisResult] = {
        **thirds.axes,
        "tool_usage_quality": PanelScore(score=200 / 3, spread=20, count=3),
    }
    return make_run(
        airline_suite(
            result(
                "task-1",
                three_experts("task-1", complexity=20, goals=(100, 100), tools=80, from_store=True),
            ),
            failing_result(),
            unscored_result(),
            result("task-5", thirds.model_copy(update={"axes": axes}), locator="2"),
            result("task-6", None, state="error"),
            result("task-7", None, state="not_run"),
        )
    )


_HOW = "write [[expect]] for the suite, or set use_outcome = true"


def _measured(key: str, title: str | None, **axes: Scored) -> SessionResult:
    """Return a session that the embedded judge measured, in all but its goal."""
    goal = Unscored(reason="unsupported", detail=_HOW)
    verdict = Verdict(
        session_id=f"id-{key}",
        digest="d",
        axes={
            "goal_completion": goal,
            **{axis: PanelScore(score=said.score) for axis, said in axes.items()},
        },
        opinions=(opinion(key, "evidence", {"goal_completion": goal, **axes}, model="evidence@1"),),
    )
    return result(key, verdict, title=title)


def evidence_run() -> Run:
    """Return a green run of the embedded judge, which cannot score one axis."""
    same = "7 identical calls of track (M5, M7, M9, M11, M13, M15, …) returned the same result"
    tracked = _measured(
        "5d0f3c1e-8a47-4b1c-9a55-2f6f0b7d1e90",
        "Where is my parcel?",
        tool_usage_quality=Scored(
            score=75,
            comment=f"{same}.",
            evidence=tuple(
                Evidence(message=place, quote='{"state": "in transit"}', note=f"repeat: {same}")
                for place in (8, 10, 12)
            ),
            failure_tag="result_ignored",
        ),
        efficiency=Scored(score=100),
    )
    refunded = _measured(
        "refund",
        None,
        tool_usage_quality=Scored(score=90),
        efficiency=Scored(
            score=62,
            comment="The user set the agent right: “I said two” (M5).",
            evidence=(
                Evidence(message=5, quote="I said two", note="correction: “I said two” (M5)"),
            ),
        ),
    )
    suite = SuiteRun(
        suite="quickstart",
        root="quickstart",
        rubric_version="agent@1#11223344",
        axes=("goal_completion", "tool_usage_quality", "efficiency"),
        judge=JudgeIdentity(
            model="evidence",
            version="evidence@1#55667788",
            seats=(SeatIdentity(id="evidence", model="evidence", axes=("tool_usage_quality",)),),
            notice="evidence measures the process of a session; it does not know whether a task "
            "was solved.",
            unsupported={"goal_completion": _HOW},
        ),
        sources=Sources(files_read=2, sessions=2),
        results=(tracked, refunded),
        judged=2,
    )
    return make_run(suite)


def hostile_run() -> Run:
    """Return a run in which every text that a stranger may write is an attack."""
    said = Scored(
        score=20,
        comment=HOSTILE,
        failure_tag="loop",
        evidence=(Evidence(message=1, quote=HOSTILE, note=HOSTILE, agent_id=HOSTILE),),
    )
    gone = Unscored(reason="failed", detail=HOSTILE)
    verdict = Verdict(
        session_id=HOSTILE,
        digest="d",
        axes={"goal_completion": PanelScore(score=20), "tool_usage_quality": gone},
        opinions=(
            opinion(
                "x",
                "outcome",
                {"goal_completion": said, "tool_usage_quality": gone},
                comment=HOSTILE,
            ),
        ),
    )
    summary = SessionSummary(
        session_id=HOSTILE,
        locator=HOSTILE,
        source="openai",
        digest="d",
        name=f"{HOSTILE}!",
        message_count=2,
    )
    session = SuiteSession(suite=HOSTILE, key=HOSTILE, path=HOSTILE, summary=summary)
    failing = SessionResult(
        session=session,
        nodeid=HOSTILE,
        state="below_threshold",
        verdict=verdict,
        shortfalls=(Shortfall(axis="goal_completion", score=20, threshold=60),),
        not_scored=(HOSTILE,),
    )
    suite = SuiteRun(
        suite=HOSTILE,
        root=".",
        rubric_version="agent@3#9a8b7c6d",
        axes=("goal_completion", "tool_usage_quality"),
        judge=JUDGE.model_copy(
            update={"notice": HOSTILE, "model": HOSTILE, "unsupported": {"x": HOSTILE}}
        ),
        sources=Sources(
            files_read=1,
            sessions=1,
            not_sessions=(HOSTILE,),
            duplicates=((HOSTILE, HOSTILE),),
            skipped_lines={HOSTILE: 1},
            unknown_records={HOSTILE: 1},
            problems=(FileProblem(path=HOSTILE, line=1, reason=HOSTILE),),
        ),
        results=(
            *(failing for _ in range(12)),
            failing.model_copy(update={"state": "not_scored", "shortfalls": ()}),
        ),
        redacted={HOSTILE: 1},
        notes=(HOSTILE,),
    )
    run = make_run(suite, partial=HOSTILE)
    provenance = run.provenance.model_copy(update={"git_branch": HOSTILE, "git_commit": HOSTILE})
    return run.model_copy(update={"provenance": provenance})


def empty_run() -> Run:
    """Return a run in which no session was left to judge."""
    suite = airline_suite().model_copy(
        update={
            "sources": Sources(files_read=2, sessions=2, deselected=2),
            "mean_shortfalls": (),
            "redacted": {},
            "notes": (),
            "spent": CallCount(),
            "judged": 0,
            "from_store": 0,
        }
    )
    return make_run(suite, partial="-k nothing", interrupted=True)


def many_run(number: int) -> Run:
    """Return a run with that many sessions below a threshold."""
    one = failing_result()
    results = tuple(
        one.model_copy(
            update={
                "session": one.session.model_copy(
                    update={"key": f"task-{place}", "path": f"transcripts/task-{place}.json"}
                )
            }
        )
        for place in range(number)
    )
    return make_run(airline_suite(*results))

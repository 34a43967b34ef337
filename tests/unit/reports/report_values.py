"""Opinions, verdicts and sessions, written by hand, of which the reports' runs are made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.suites.thresholds import Shortfall
from pytest_sessioneval.transcripts.model import SessionSummary
from pytest_sessioneval.verdicts.model import (
    AxisOpinion,
    AxisResult,
    CallCount,
    Evidence,
    Opinion,
    PanelScore,
    Scored,
    Unscored,
    UnscoredReason,
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

__all__ = [
    "AXES",
    "HOSTILE",
    "JUDGE",
    "STARTED",
    "failing_result",
    "make_run",
    "opinion",
    "result",
    "three_experts",
    "unscored_result",
]

STARTED = datetime(2026, 11, 21, 19, 4, 12, tzinfo=UTC)

AXES = ("task_complexity", "goal_completion", "tool_usage_quality", "subagent_orchestration")

HOSTILE = (
    "# owned\n\n</details><script>alert(1)</script> ![x](http://evil.example/x.png) "
    "[click](javascript:alert(1)) @everyone #1 GH-2 www.evil.example https://evil.example/ "
    "`code``` | cell |\x1b[31mred\x1b]0;title\x07\x9b2J\u202ecod.exe\x00 *b* _i_ ~~s~~ $m$ &lt;"
)

_PROVENANCE = Provenance(
    tool_version="0.1.0",
    python="3.11.9",
    platform="Linux x86_64",
    packages={"pydantic": "2.10.0", "httpx": "0.28.1"},
    git_commit="0123456789abcdef0123456789abcdef01234567",
    git_branch="main",
    git_dirty=True,
)

_PANEL = (
    SeatIdentity(
        id="outcome", model="openai:gpt-5-mini", axes=("task_complexity", "goal_completion")
    ),
    SeatIdentity(
        id="tools", model="openai:gpt-5-mini", axes=("goal_completion", "tool_usage_quality")
    ),
    SeatIdentity(id="crew", model="openai:gpt-5-mini", axes=("subagent_orchestration",)),
)

JUDGE = JudgeIdentity(
    model="openai:gpt-5-mini", version="openai:gpt-5-mini@2#1f2e3d4c", seats=_PANEL
)

_NO_CREW = Unscored(reason="not_applicable", detail="no sub-agent took part")


def opinion(
    session: str,
    expert: str,
    axes: dict[str, AxisOpinion],
    *,
    comment: str = "",
    coverage: float = 1.0,
    repeat: int = 0,
    model: str = "gpt-5-mini-2026-08-01",
) -> Opinion:
    """Return one expert's opinion."""
    return Opinion(
        key=f"{session}-{expert}",
        expert_id=expert,
        repeat=repeat,
        axes=axes,
        comment=comment,
        judge_model=model,
        judge_version="openai:gpt-5-mini@2#1f2e3d4c",
        rubric_version="agent@3#9a8b7c6d",
        judged_at=STARTED + timedelta(seconds=3),
        spent=CallCount(calls=1, input_tokens=900, output_tokens=80),
        sent={"seed": 7, "temperature": 0.0},
        coverage=coverage,
    )


def result(
    name: str,
    verdict: Verdict | None,
    *,
    state: SessionState = "passed",
    shortfalls: tuple[Shortfall, ...] = (),
    not_scored: tuple[str, ...] = (),
    path: str | None = None,
    locator: str | None = None,
    messages: int = 24,
    title: str | None = None,
) -> SessionResult:
    """Return one session's part of a run."""
    path = f"transcripts/{name}.json" if path is None else path
    summary = SessionSummary(
        session_id=f"id-{name}",
        locator=locator,
        source="openai",
        digest="d" * 8 + name,
        task_id=name,
        name=title,
        message_count=messages,
        tool_call_count=9,
        prefix_digests="0a1b",
    )
    return SessionResult(
        session=SuiteSession(suite="airline", key=name, path=path, summary=summary),
        nodeid=f"airline/{path}",
        state=state,
        verdict=verdict,
        shortfalls=shortfalls,
        not_scored=not_scored,
        status="evaluated" if verdict is not None and verdict.from_store else "pending",
    )


def three_experts(
    name: str,
    *,
    complexity: int,
    goals: tuple[int, int],
    tools: int,
    comments: tuple[str, str] = ("", ""),
    evidence: tuple[Evidence, ...] = (),
    from_store: bool = False,
) -> Verdict:
    """Return the verdict of three experts with these scores."""
    outcome = opinion(
        name,
        "outcome",
        {
            "task_complexity": Scored(score=complexity),
            "goal_completion": Scored(score=goals[0], comment=comments[0], evidence=evidence),
        },
        comment="The customer left without a refund." if evidence else "",
        coverage=0.384 if evidence else 1.0,
    )
    used = opinion(
        name,
        "tools",
        {
            "goal_completion": Scored(score=goals[1], comment=comments[1]),
            "tool_usage_quality": Scored(score=tools, failure_tag="loop" if tools < 40 else None),
        },
    )
    axes: dict[str, AxisResult] = {
        "task_complexity": PanelScore(score=complexity),
        "goal_completion": PanelScore(
            score=sum(goals) / 2, spread=abs(goals[0] - goals[1]), count=2
        ),
        "tool_usage_quality": PanelScore(score=tools),
        "subagent_orchestration": _NO_CREW,
    }
    crew = opinion(name, "crew", {"subagent_orchestration": _NO_CREW})
    return Verdict(
        session_id=f"id-{name}",
        digest="d" * 8 + name,
        axes=axes,
        opinions=(outcome, used, crew),
        from_store=from_store,
    )


def failing_result() -> SessionResult:
    """Return a session that misses two thresholds, with quotes."""
    verdict = three_experts(
        "task-3",
        complexity=40,
        goals=(20, 40),
        tools=20,
        comments=(
            "The agent said that the refund was issued, but no call that issues one was made.",
            "The only call for it ended in an error that was never looked at.",
        ),
        evidence=(
            Evidence(message=12, quote="I've processed your refund of $54.04."),
            Evidence(message=7, quote="Error: order #W12 not found", note="never looked at"),
            Evidence(message=2, polarity="positive", quote="May I have your order number?"),
            Evidence(message=4, agent_id="a7", note="the same search, three times"),
        ),
    )
    return result(
        "task-3",
        verdict,
        title="Refund for a cancelled flight",
        state="below_threshold",
        shortfalls=(
            Shortfall(axis="goal_completion", score=30, threshold=60),
            Shortfall(axis="tool_usage_quality", score=20, threshold=40),
        ),
    )


def unscored_result(
    name: str = "task-4",
    reason: UnscoredReason = "failed",
    detail: str = "HTTP 503 after 4 tries",
) -> SessionResult:
    """Return a session that could not be scored."""
    gone = Unscored(reason=reason, detail=detail)
    verdict = Verdict(
        session_id=f"id-{name}",
        digest="d" * 8 + name,
        axes={
            "task_complexity": PanelScore(score=60),
            "goal_completion": gone,
            "tool_usage_quality": gone,
            "subagent_orchestration": _NO_CREW,
        },
        opinions=(opinion(name, "outcome", {"goal_completion": gone}),),
    )
    return result(
        name,
        verdict,
        state="not_scored",
        not_scored=(
            f"goal_completion: {reason} ({detail})",
            f"tool_usage_quality: {reason} ({detail})",
        ),
    )


def make_run(*suites: SuiteRun, partial: str = "", interrupted: bool = False) -> Run:
    """Return a run of these suites."""
    return Run(
        run_id="20261121-190412-7f3a2c",
        started_at=STARTED,
        finished_at=STARTED + timedelta(seconds=18.2),
        provenance=_PROVENANCE,
        suites=suites,
        partial=partial,
        interrupted=interrupted,
    )

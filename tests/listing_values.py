"""Sessions and what experts said of them, as listings and trends are tested with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pytest_sessioneval.stores.listings import CurrentVersions
from pytest_sessioneval.stores.protocol import StoredOpinion
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.transcripts.model import SessionSummary
from pytest_sessioneval.verdicts.model import AxisOpinion, Opinion, Scored, Unscored, UnscoredReason

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
"""A Wednesday."""

AXES = (
    "task_complexity",
    "goal_completion",
    "tool_usage_quality",
    "efficiency",
    "communication",
    "safety",
    "subagent_orchestration",
)

CURRENT = CurrentVersions("airline", "agent@1#r", "panel@1#j", ("outcome", "process"), AXES)
"""Two experts under today's versions."""


def recorded(
    key: str,
    *,
    suite: str = "airline",
    digest: str = "d1",
    profile: str | None = None,
    created: datetime | None = NOW,
    active: datetime | None = NOW,
    pinned: bool = False,
) -> SuiteSession:
    """Return a session of five messages."""
    summary = SessionSummary(
        session_id=f"{key}-id",
        source="tau-bench",
        digest=digest,
        profile_id=profile,
        name=f"About {key}",
        created_at=created,
        last_active=active,
        message_count=5,
        metadata={"pinned": True} if pinned else {},
    )
    return SuiteSession(suite=suite, key=key, path=f"{key}.json", summary=summary)


def said(
    key: str,
    axes: Mapping[str, int | UnscoredReason],
    *,
    expert: str = "outcome",
    suite: str = "airline",
    digest: str = "d1",
    rubric: str = CURRENT.rubric_version,
    judge: str = CURRENT.judge_version,
    days_ago: float = 0,
    repeat: int = 0,
    shown: str = "",
) -> StoredOpinion:
    """Return what an expert said of a session; ``shown`` tells verdict keys apart."""
    results: dict[str, AxisOpinion] = {
        axis: Scored(score=score) if isinstance(score, int) else Unscored(reason=score)
        for axis, score in axes.items()
    }
    opinion = Opinion(
        key="/".join((suite, key, digest, rubric, judge, expert, str(repeat), shown)),
        expert_id=expert,
        repeat=repeat,
        axes=results,
        comment=f"{expert} on {key}",
        judge_model="gpt-5-mini",
        judge_version=judge,
        rubric_version=rubric,
        judged_at=NOW - timedelta(days=days_ago),
    )
    return StoredOpinion(suite, key, f"{key}-id", digest, opinion)


def both(
    key: str, score: int = 60, *, judge: str = CURRENT.judge_version, days_ago: float = 0
) -> tuple[StoredOpinion, StoredOpinion]:
    """Return a whole evaluation: both experts give one score on goal_completion."""
    first, second = (
        said(key, {"goal_completion": score}, expert=expert, judge=judge, days_ago=days_ago)
        for expert in CURRENT.experts
    )
    return first, second

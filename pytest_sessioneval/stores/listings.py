"""What listings show of sessions and trends, field by field as the service promises it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.suites.model import FeedbackEntry

__all__ = [
    "CurrentVersions",
    "EvaluationRow",
    "ListedSession",
    "SessionDetail",
    "SessionOverview",
    "SessionQuery",
    "StatsResponse",
    "WeekRow",
]

Average = Annotated[int, Field(ge=0, le=100)]
"""A mean rounded as Python's ``round`` does, 0–100."""


@dataclass(frozen=True, slots=True)
class CurrentVersions:
    """Under what a suite's sessions count as evaluated today."""

    suite: str
    rubric_version: str
    judge_version: str
    experts: tuple[str, ...] = ()
    """The experts who are expected to have answered; empty: not known, so not asked for."""
    axes: tuple[str, ...] = ()
    """The rubric's axes, in order: every row of averages has all of them."""


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """Which sessions to list, and which page of them."""

    limit: int = 50
    offset: int = 0
    suite: str | None = None
    profile: str | None = None
    status: Literal["evaluated", "pending", "stale"] | None = None
    since: datetime | None = None
    """Only sessions recorded at or after this time; those without a time stay."""
    session_id: str | None = None
    """Only sessions of this id; several suites may hold one."""


class SessionOverview(Frozen):
    """One session in a listing."""

    session_id: str
    """The session's id as recorded."""
    profile_id: str | None
    """What the agent was told to be; null: nothing recorded."""
    name: str | None
    """Its title; null: none recorded."""
    created_at: datetime | None
    """When it was recorded, UTC."""
    last_active: datetime | None
    """When its last message was, UTC."""
    pinned: bool
    """Its metadata says ``pinned``: it comes first."""
    msg_count: int
    """Messages of the main agent."""
    likes: int
    """Thumbs up on its messages."""
    dislikes: int
    """Thumbs down on its messages."""
    eval_status: Literal["evaluated", "pending", "stale"]
    """Whether its latest evaluation is of today's judge, rubric, transcript and experts."""
    latest_avg: dict[str, Average | None] | None
    """Per axis the mean over the experts of its latest evaluation; null: there is none."""
    latest_eval_date: datetime | None
    """When its latest evaluation was made, UTC."""
    latest_judge_version: str | None
    """``name@n#digest`` of who made it."""
    latest_rubric_version: str | None
    """``name@n#digest`` of what it was made by."""


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A session in a listing, and where it is from."""

    suite: str
    key: str
    overview: SessionOverview


class EvaluationRow(Frozen):
    """One expert's opinion of a session."""

    eval_run_id: str
    """The run that asked."""
    eval_date: datetime
    """When the expert answered, UTC."""
    judge_version: str
    """``name@n#digest`` of judge, panel, prompts and protocol."""
    rubric_version: str
    """``name@n#digest``."""
    judge_model: str
    """The model that answered."""
    expert_id: str
    """The expert."""
    scores: dict[str, int | None]
    """Per axis that the expert answers, its score; null: a reason why there is none."""
    comment: str
    """What the expert said of the session as a whole."""


class SessionDetail(Frozen):
    """All that is kept of one session."""

    session_id: str
    """The session's id as recorded."""
    profile_id: str | None
    """What the agent was told to be; null: nothing recorded."""
    name: str | None
    """Its title; null: none recorded."""
    created_at: datetime | None
    """When it was recorded, UTC."""
    last_active: datetime | None
    """When its last message was, UTC."""
    msg_count: int
    """Messages of the main agent."""
    feedback: tuple[FeedbackEntry, ...]
    """People's thumbs, by message."""
    evaluations: tuple[EvaluationRow, ...]
    """One row per expert, newest first."""


class WeekRow(Frozen):
    """The averages of one week, of all its sessions or of those in one bucket."""

    week_start: datetime
    """Monday 00:00 UTC."""
    bucket: str
    """``overall``, or a bucket of complexity."""
    sample_count: int
    """How many sessions the row rests on."""
    axis_means: dict[str, Average | None]
    """Per axis the mean over sessions, each the mean over its experts; null: none is scored."""


class StatsResponse(Frozen):
    """Weekly averages."""

    buckets: tuple[str, ...]
    """``overall`` alone, or the buckets of complexity."""
    weekly: tuple[WeekRow, ...]
    """The rows of all sessions, by week; then those of buckets, by week and bucket."""

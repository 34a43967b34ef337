"""Examples of requests and answers, for the OpenAPI description."""

from __future__ import annotations

from typing import Any

from pytest_sessioneval import __version__

__all__ = [
    "DETAIL",
    "FEEDBACK",
    "FEEDBACK_OF_SESSION",
    "HEALTH",
    "OVERVIEW",
    "POSTED",
    "SOURCE",
    "STATS",
    "TRANSCRIPT",
]

_AXES = {
    "task_complexity": 40,
    "goal_completion": None,
    "tool_usage_quality": 80,
    "efficiency": 73,
    "communication": 90,
    "subagent_orchestration": None,
    "self_extension": None,
}
_JUDGE = "evidence@1#5d1c0f2e"
_RUBRIC = "agent@3#8f14e45f"

HEALTH = {"status": "ok", "version": __version__}

FEEDBACK = {
    "session_id": "task-3.trial-0",
    "message_index": 12,
    "rating": -1,
    "comment": "Refunded the wrong order.",
    "at": "2026-11-21T19:04:00Z",
}
FEEDBACK_OF_SESSION = {"feedback": [FEEDBACK]}

TRANSCRIPT = {
    "messages": [
        {"role": "user", "content": "Cancel my order W12."},
        {"role": "assistant", "content": "Order W12 is cancelled."},
    ]
}
POSTED = {
    "session_id": "posted-3f2a9c01b7de",
    "sessions": [{"session_id": "posted-3f2a9c01b7de", "state": "new"}],
    "problems": [],
    "skipped_lines": 0,
}

_SESSION: dict[str, Any] = {
    "session_id": "task-3.trial-0",
    "profile_id": "airline",
    "name": "Refund of W12",
    "created_at": "2026-11-20T08:00:00Z",
    "last_active": "2026-11-20T08:05:30Z",
}
OVERVIEW = {
    **_SESSION,
    "pinned": False,
    "msg_count": 14,
    "likes": 0,
    "dislikes": 1,
    "eval_status": "evaluated",
    "latest_avg": _AXES,
    "latest_eval_date": "2026-11-21T19:05:12Z",
    "latest_judge_version": _JUDGE,
    "latest_rubric_version": _RUBRIC,
}
DETAIL = {
    **_SESSION,
    "msg_count": 14,
    "feedback": [FEEDBACK],
    "evaluations": [
        {
            "eval_run_id": "20261121-190400-7f3a",
            "eval_date": "2026-11-21T19:05:12Z",
            "judge_version": _JUDGE,
            "rubric_version": _RUBRIC,
            "judge_model": "evidence",
            "expert_id": "evidence",
            "scores": _AXES,
            "comment": "One call failed and was repeated unchanged.",
        }
    ],
}
STATS = {
    "buckets": ["0-25", "26-50", "51-75", "76+"],
    "weekly": [
        {
            "week_start": "2026-11-16T00:00:00Z",
            "bucket": bucket,
            "sample_count": 1,
            "axis_means": _AXES,
        }
        for bucket in ("overall", "26-50")
    ],
}
SOURCE = {
    "suite": "airline",
    "folder": "/srv/transcripts/airline",
    "sessions": 37,
    "files_read": 12,
    "other_files": 1,
    "copies": 0,
    "skipped_lines": {"comment": 2},
    "problems": [
        {
            "path": "2026/broken.json",
            "line": 3,
            "reason": "expected ',' or '}' (column 12)",
            "nodeid": "",
        }
    ],
    "problem": None,
}

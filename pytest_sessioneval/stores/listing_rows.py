"""Rows of listings to the values that are shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pytest_sessioneval.stores.answers import axis_totals, parsed, rounded_means
from pytest_sessioneval.stores.database import Row
from pytest_sessioneval.stores.listings import (
    EvaluationRow,
    ListedSession,
    SessionDetail,
    SessionOverview,
)
from pytest_sessioneval.stores.trends import VerdictRow
from pytest_sessioneval.suites.model import FeedbackEntry
from pytest_sessioneval.verdicts.model import Opinion

__all__ = [
    "evaluation_row",
    "first_listed",
    "in_order",
    "listed_session",
    "session_detail",
    "verdict_row",
]


def listed_session(
    row: Row, likes: Mapping[str, tuple[int, int]], axes: Mapping[str, Sequence[str]]
) -> ListedSession:
    """Return the session of a row of ``listing_sql.overview``; raises ``ValueError``.

    ``likes`` holds thumbs up and down by session id, ``axes`` a suite's axes:
    averages have all of them.
    """
    suite, key, session_id, profile_id, name, created_at, last_active, *rest = row
    pinned, messages, judged_at, judge_version, rubric_version, answers, status = rest
    average: dict[str, int | None] | None = None
    if answers is not None:
        average = dict.fromkeys(axes.get(str(suite), ()))
        average |= rounded_means(axis_totals(parsed(str(answers))))
    up, down = likes.get(str(session_id), (0, 0))
    overview = SessionOverview.model_validate(
        {
            "session_id": session_id,
            "profile_id": profile_id,
            "name": name,
            "created_at": created_at,
            "last_active": last_active,
            "pinned": bool(pinned),
            "msg_count": messages,
            "likes": up,
            "dislikes": down,
            "eval_status": status,
            "latest_avg": average,
            "latest_eval_date": judged_at,
            "latest_judge_version": judge_version,
            "latest_rubric_version": rubric_version,
        }
    )
    return ListedSession(str(suite), str(key), overview)


def in_order(rows: Sequence[Row]) -> list[Row]:
    """Return rows of ``listing_sql.overview`` in the order of listings."""
    by_name = sorted(rows, key=lambda row: (str(row[0]), str(row[1])))
    return sorted(by_name, key=lambda row: (row[7] == 1, str(row[6] or "")), reverse=True)


def first_listed(rows: Sequence[Row]) -> Row:
    """Return the one of several rows of ``SESSIONS_BY_ID`` that listings show first."""
    by_name = sorted(rows, key=lambda row: (str(row[0]), str(row[1])))
    return max(by_name, key=lambda row: (row[8] == 1, str(row[6] or "")))


def session_detail(
    row: Row, *, feedback: Sequence[FeedbackEntry], evaluations: Sequence[EvaluationRow]
) -> SessionDetail:
    """Return the session of a row of ``SESSIONS_BY_ID``; raises ``ValueError``."""
    _, _, session_id, profile_id, name, created_at, last_active, messages, _ = row
    return SessionDetail.model_validate(
        {
            "session_id": session_id,
            "profile_id": profile_id,
            "name": name,
            "created_at": created_at,
            "last_active": last_active,
            "msg_count": messages,
            "feedback": tuple(feedback),
            "evaluations": tuple(evaluations),
        }
    )


def evaluation_row(row: Row) -> EvaluationRow:
    """Return the evaluation of a row of ``EVALUATIONS_OF_SESSION``; raises ``ValueError``."""
    run_id, judged_at, judge_version, rubric_version, model, expert, scores, opinion = row
    return EvaluationRow.model_validate(
        {
            "eval_run_id": run_id,
            "eval_date": judged_at,
            "judge_version": judge_version,
            "rubric_version": rubric_version,
            "judge_model": model,
            "expert_id": expert,
            "scores": json.loads(str(scores)),
            "comment": Opinion.model_validate_json(str(opinion)).comment,
        }
    )


def verdict_row(suite: str, row: Row) -> VerdictRow:
    """Return the verdict of a row of ``VERDICTS_SINCE``; raises ``ValueError``."""
    key, judged_at, answers = map(str, row)
    return VerdictRow(suite, key, judged_at, axis_totals(parsed(answers)))

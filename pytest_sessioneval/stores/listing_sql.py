"""The SQL of verdicts, listings and trends: one text for every database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pytest_sessioneval.stores.answers import experts_text
from pytest_sessioneval.stores.database import Value
from pytest_sessioneval.stores.listings import CurrentVersions, SessionQuery
from pytest_sessioneval.stores.rows import instant

__all__ = [
    "EVALUATIONS_OF_SESSION",
    "LIKES_OF",
    "OPINIONS_OF_SESSIONS",
    "PUT_VERDICT",
    "SESSIONS_BY_ID",
    "SESSIONS_WITH_EVALUATIONS",
    "VERDICTS_OF",
    "VERDICT_NO_LONGER_NEWEST",
    "evaluated",
    "overview",
    "verdicts_since",
]

PUT_VERDICT = """
INSERT INTO verdicts (suite, session_key, digest, rubric_version, judge_version, judged_at,
  experts, answers, newest)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (suite, session_key, digest, rubric_version, judge_version) DO UPDATE SET
  judged_at = excluded.judged_at, experts = excluded.experts, answers = excluded.answers,
  newest = excluded.newest"""

VERDICTS_OF = """
SELECT suite, session_key, digest, rubric_version, judge_version, judged_at, answers, newest
FROM verdicts WHERE suite = ? AND session_key IN (?*)"""

VERDICT_NO_LONGER_NEWEST = """
UPDATE verdicts SET newest = 0 WHERE suite = ? AND session_key = ? AND newest = 1"""

SESSIONS_WITH_EVALUATIONS = "SELECT DISTINCT suite, session_key FROM evaluations"
OPINIONS_OF_SESSIONS = """
SELECT verdict_key, run_id, suite, session_key, session_id, digest, opinion FROM evaluations
WHERE suite = ? AND session_key IN (?*)"""

_VERDICTS_SINCE = """
SELECT session_key, judged_at, answers FROM verdicts
WHERE suite = ? AND rubric_version = ? AND judge_version = ? AND judged_at >= ?
  AND ? IN ('[]', experts)"""

LIKES_OF = """
SELECT session_id, rating, count(*) FROM feedback WHERE session_id IN (?*)
GROUP BY session_id, rating"""

_ORDER = "s.pinned DESC, coalesce(s.last_active, '') DESC, s.suite, s.session_key"

# Not ordered here: with a limit, a database may walk all sessions in order instead.
SESSIONS_BY_ID = """
SELECT suite, session_key, session_id, profile_id, name, created_at, last_active, message_count,
  pinned
FROM sessions WHERE session_id = ?"""

EVALUATIONS_OF_SESSION = """
SELECT run_id, judged_at, judge_version, rubric_version, judge_model, expert_id, scores, opinion
FROM evaluations WHERE suite = ? AND session_key = ?
ORDER BY judged_at DESC, run_id DESC, expert_id, repetition"""

_EVALUATED = """
SELECT s.session_key
FROM sessions s
JOIN verdicts v ON v.suite = s.suite AND v.session_key = s.session_key AND v.newest = 1
WHERE s.suite = ? AND v.rubric_version = ? AND v.judge_version = ? AND v.digest = s.digest
  AND ? IN ('[]', v.experts)"""

_STATUS = """CASE WHEN v.judged_at IS NULL THEN 'pending'
    WHEN c.suite IS NULL THEN 'stale' ELSE 'evaluated' END"""


def verdicts_since(versions: CurrentVersions, since: datetime) -> tuple[str, tuple[Value, ...]]:
    """Return the query of a suite's verdicts of those versions, and its parameters.

    One that lacks an expected expert is none.
    """
    experts = experts_text(versions.experts)
    parameters = (versions.suite, versions.rubric_version, versions.judge_version)
    return _VERDICTS_SINCE, (*parameters, instant(since), experts)


def evaluated(versions: CurrentVersions) -> tuple[str, tuple[Value, ...]]:
    """Return the query of the keys of a suite's evaluated sessions, and its parameters.

    The rule is that of ``overview``.
    """
    experts = experts_text(versions.experts)
    parameters = (versions.suite, versions.rubric_version, versions.judge_version, experts)
    return _EVALUATED, parameters


def overview(
    query: SessionQuery, current: Sequence[CurrentVersions]
) -> tuple[str, tuple[Value, ...]]:
    """Return the query of one page of sessions and its parameters.

    The column ``status`` and the filter are one expression. A session of a
    suite that ``current`` lacks is never evaluated. Rows come in no order; those
    of one session id are all there are.
    """
    known = list(current) or [CurrentVersions("", "", "")]
    rows = ", ".join("(?, ?, ?, ?)" for _ in known)
    parameters: list[Value] = []
    for versions in known:
        experts = experts_text(versions.experts)
        parameters += (versions.suite, versions.rubric_version, versions.judge_version, experts)
    conditions: list[str] = []
    for condition, value in (
        ("s.suite = ?", query.suite),
        ("s.profile_id = ?", query.profile),
        ("s.session_id = ?", query.session_id),
        (f"{_STATUS} = ?", query.status),
        (
            "(s.created_at IS NULL OR s.created_at >= ?)",
            None if query.since is None else instant(query.since),
        ),
    ):
        if value is not None:
            conditions.append(condition)
            parameters.append(value)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    page = f"{where} ORDER BY {_ORDER} LIMIT ? OFFSET ?"
    if query.session_id is not None:
        # As above: those of one id are few, and cut by who asked.
        page = where
    else:
        parameters += (query.limit, query.offset)
    # Only a status needs the verdict of every session before the page; else it is cut out first.
    sessions, last = "sessions", page
    if query.status is None:
        sessions, last = f"(SELECT * FROM sessions s {page})", ""  # noqa: S608  fixed words
    sql = f"""
WITH current_versions (suite, rubric_version, judge_version, experts) AS (VALUES {rows})
SELECT s.suite, s.session_key, s.session_id, s.profile_id, s.name, s.created_at, s.last_active,
  s.pinned, s.message_count, v.judged_at, v.judge_version, v.rubric_version, v.answers,
  {_STATUS} AS status
FROM {sessions} s
LEFT JOIN verdicts v ON v.suite = s.suite AND v.session_key = s.session_key AND v.newest = 1
LEFT JOIN current_versions c ON c.suite = s.suite AND c.rubric_version = v.rubric_version
  AND c.judge_version = v.judge_version AND v.digest = s.digest AND c.experts IN ('[]', v.experts)
{last}"""  # noqa: S608  fixed words: what is asked for is a parameter
    return sql, tuple(parameters)

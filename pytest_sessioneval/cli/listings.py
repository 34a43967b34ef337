"""What the store keeps, as lines for people: runs, sessions, one session, weekly averages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.plain_table import plain_table
from pytest_sessioneval.reports.wording import counted, short_axes
from pytest_sessioneval.stores.listings import (
    CurrentVersions,
    ListedSession,
    SessionDetail,
    SessionQuery,
    StatsResponse,
)
from pytest_sessioneval.stores.protocol import RunRow, Store
from pytest_sessioneval.stores.summary import current_versions

__all__ = [
    "current_of",
    "detail_lines",
    "found_detail",
    "listed_json",
    "moment",
    "run_lines",
    "session_lines",
    "stats_lines",
    "stats_of",
]

_RUNS_LOOKED_AT = 500


def current_of(store: Store, suite: str | None = None) -> tuple[CurrentVersions, ...]:
    """Return the versions of each suite's last run, which count as today's; of one suite or all."""
    known = current_versions(row.summary for row in store.suite_runs(_RUNS_LOOKED_AT))
    return tuple(versions for versions in known if suite is None or versions.suite == suite)


def moment(text: str) -> datetime:
    """Return the time that an option names; without a zone it is UTC. Raises ``SettingError``."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise SettingError(
            f"--since: {text!r} is not accepted; give an ISO date, such as 2026-11-21"
        ) from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def run_lines(rows: Sequence[RunRow]) -> Iterator[str]:
    """Yield a table of runs, a row per suite of each."""
    if not rows:
        yield "no runs"
        return
    head = ("run", "state", "started", "suite", "sessions", "passed", "judged", "judge", "rubric")
    cells = [
        (row.run_id, row.state, _at(row.started_at), *suite)
        for row in rows
        for suite in (_suites(row) or [("",) * 6])
    ]
    yield from plain_table(head, cells, right=("sessions", "passed", "judged"))


def session_lines(listed: Sequence[ListedSession], query: SessionQuery) -> Iterator[str]:
    """Yield a table of sessions with their averages, and how to see more of them."""
    if not listed:
        yield "no sessions" if query == SessionQuery(limit=query.limit) else "no such sessions"
        return
    averages = [one.overview.latest_avg or {} for one in listed]
    axes = short_axes(axis for average in averages for axis in average)
    head = ("session", "suite", "status", "last active", "messages", "thumbs", *axes.values())
    rows = [
        (
            f"* {one.overview.session_id}" if one.overview.pinned else one.overview.session_id,
            one.suite,
            one.overview.eval_status,
            _at(one.overview.last_active),
            str(one.overview.msg_count),
            f"+{one.overview.likes} -{one.overview.dislikes}",
            *_scores(average, axes),
        )
        for one, average in zip(listed, averages, strict=True)
    ]
    yield from plain_table(head, rows, right=("messages", "thumbs", *axes.values()))
    if any(one.overview.pinned for one in listed):
        yield "*: pinned"
    if len(listed) == query.limit:
        yield f"there may be more: --offset {query.offset + query.limit}"


def listed_json(listed: Sequence[ListedSession]) -> list[dict[str, Any]]:
    """Return sessions as the service's ``SessionOverview``, with suite and key in front."""
    return [
        {"suite": one.suite, "key": one.key, **one.overview.model_dump(mode="json")}
        for one in listed
    ]


def found_detail(store: Store, session_id: str) -> SessionDetail:
    """Return all that is kept of the session; raises ``SettingError`` where there is none."""
    detail = store.session_detail(session_id)
    if detail is None:
        raise SettingError(
            f"session not found: {session_id}; `sessioneval sessions` lists those there are"
        )
    return detail


def detail_lines(detail: SessionDetail) -> Iterator[str]:
    """Yield one session: what is known of it, every opinion, every thumb."""
    name = f" ({detail.name})" if detail.name else ""
    yield one_line(f"{detail.session_id}{name}")
    facts = [
        counted(detail.msg_count, "message"),
        f"profile {detail.profile_id}" if detail.profile_id else "",
        f"recorded {_at(detail.created_at)}" if detail.created_at else "",
        f"last active {_at(detail.last_active)}" if detail.last_active else "",
    ]
    yield "  " + one_line(", ".join(fact for fact in facts if fact))
    yield ""
    if detail.evaluations:
        axes = short_axes(axis for row in detail.evaluations for axis in row.scores)
        head = ("at", "expert", "judge", "rubric", *axes.values(), "comment")
        rows = [
            (
                _at(row.eval_date),
                row.expert_id,
                f"{row.judge_model} {row.judge_version}",
                row.rubric_version,
                *_scores(row.scores, axes),
                row.comment,
            )
            for row in detail.evaluations
        ]
        yield from plain_table(head, rows, right=tuple(axes.values()))
    else:
        yield "no evaluation"
    if detail.feedback:
        yield ""
        thumbs = [
            (str(entry.message_index), f"{entry.rating:+d}", entry.comment)
            for entry in detail.feedback
        ]
        yield from plain_table(("message", "thumb", "comment"), thumbs, right=("message", "thumb"))


def stats_of(
    store: Store, *, suite: str | None, days: int, by_bucket: bool, now: datetime
) -> StatsResponse:
    """Return weekly averages of the last days, under the versions of each suite's last run."""
    since = now - timedelta(days=days)
    return store.weekly_stats(current_of(store, suite), since=since, by_bucket=by_bucket)


def stats_lines(stats: StatsResponse) -> Iterator[str]:
    """Yield a table of weeks."""
    if not stats.weekly:
        yield "no session was evaluated by the current judge and rubric in these days"
        return
    axes = short_axes(axis for row in stats.weekly for axis in row.axis_means)
    rows = [
        (
            row.week_start.date().isoformat(),
            row.bucket,
            str(row.sample_count),
            *_scores(row.axis_means, axes),
        )
        for row in stats.weekly
    ]
    right = ("sessions", *axes.values())
    yield from plain_table(("week", "complexity", "sessions", *axes.values()), rows, right=right)


def _suites(row: RunRow) -> list[tuple[str, ...]]:
    samples = row.summary.samples if row.summary else None
    if samples is not None:
        rows = str(samples.rows)
        return [(samples.session_id, rows, "", rows, "", "")]
    return [
        (
            suite.suite,
            str(suite.sessions),
            str(suite.states.get("passed", 0)),
            str(suite.judged),
            suite.judge_model,
            suite.rubric_version.partition("#")[0],
        )
        for suite in (row.summary.suites if row.summary else ())
    ]


def _scores(scores: Mapping[str, int | None], axes: Mapping[str, str]) -> tuple[str, ...]:
    found = (scores.get(axis) for axis in axes)
    return tuple("-" if score is None else str(score) for score in found)


def _at(at: datetime | None) -> str:
    return "" if at is None else at.strftime("%Y-%m-%d %H:%M")

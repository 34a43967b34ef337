"""Listings and trends are answered from indexes: no table is read whole and nothing is sorted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from listing_values import CURRENT, NOW, both, recorded
from store_values import scored_call

from pytest_sessioneval.stores import jobs, listing_sql, run_states
from pytest_sessioneval.stores.database import Value
from pytest_sessioneval.stores.listings import SessionQuery
from pytest_sessioneval.stores.opening import open_store
from pytest_sessioneval.stores.queries import within
from pytest_sessioneval.stores.sql import SqlStore
from pytest_sessioneval.stores.sqlite import SqliteDatabase

Query = tuple[str, Sequence[Value]]

OVERVIEW = listing_sql.overview(SessionQuery(), [CURRENT])
PROFILE = listing_sql.overview(SessionQuery(profile="refunds"), [CURRENT])
ONE = listing_sql.overview(SessionQuery(session_id="s1-id"), [CURRENT])
STALE = listing_sql.overview(SessionQuery(status="stale", offset=50), [CURRENT])
STATS = listing_sql.verdicts_since(CURRENT, NOW - timedelta(days=365))
DETAIL = (listing_sql.SESSIONS_BY_ID, ("s1-id",))
JOBS = (jobs._ALL, ())
CALLS = (jobs._OF_SESSION, ("chat",))
REPORT = (jobs._ROWS, ("chat",))
LAST_ROW = (jobs._LAST_ROW, ("chat",))
UNFINISHED = (jobs._UNFINISHED, ())
EVALUATIONS = (listing_sql.EVALUATIONS_OF_SESSION, ("airline", "s1"))
JUDGED = (within(run_states.JUDGED, 1), ("run-1",))


@pytest.fixture
def plan(request: pytest.FixtureRequest, store_url: str, tmp_path: Path) -> Callable[[Query], str]:
    """Return what tells how the database would answer a query.

    A small table is quickest read whole: PostgreSQL is told to avoid that, and
    to sort, wherever there is another way.
    """
    if store_url.startswith("postgres"):
        server = request.getfixturevalue("postgres_server")
        schema = request.getfixturevalue("postgres_schema")()
        store_url = server.url(schema=schema, enable_seqscan="off", enable_sort="off")
    store = open_store(store_url, root=tmp_path)
    assert isinstance(store, SqlStore)
    request.addfinalizer(store.close)  # noqa: PT021  the fixture returns a function
    store.put_sessions([recorded(f"s{number}", profile="refunds") for number in range(40)])
    store.jobs.keep([scored_call(f"{n:012}", session=f"c{n % 5}", row=1) for n in range(40)])
    store.put_opinions("run-1", [one for number in range(40) for one in both(f"s{number}")])
    explain = "EXPLAIN QUERY PLAN" if isinstance(store._database, SqliteDatabase) else "EXPLAIN"

    def planned(query: Query) -> str:
        rows = store._database.rows(f"{explain} {query[0]}", query[1])
        return "\n".join(str(row[-1]) for row in rows)

    return planned


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (OVERVIEW, "sessions_by_activity"),
        (PROFILE, "sessions_by_profile"),
        (STALE, "sessions_by_activity"),
        (ONE, "sessions_by_id"),
        (STATS, "verdicts_by_version"),
        (DETAIL, "sessions_by_id"),
        (EVALUATIONS, "evaluations_by_session"),
        (JUDGED, "evaluations_by_run"),
        (JOBS, "jobs_by_age"),
        (CALLS, "jobs_of_session"),
        (REPORT, "job_rows"),
        (LAST_ROW, "job_rows"),
        (UNFINISHED, "open_jobs"),
    ],
    ids=[
        *("overview", "of a profile", "of a status", "of an id", "stats", "detail", "rows"),
        *("of a run", "jobs", "of a session", "of a report", "last row", "unfinished jobs"),
    ],
)
def test_an_index_answers(plan: Callable[[Query], str], query: Query, index: str) -> None:
    """The query walks that index, and reads no table from end to end."""
    told = plan(query)
    assert index in told
    assert "Seq Scan" not in told
    told = told.replace("\nSCAN s\n", "\n") if "CO-ROUTINE s\n" in told else told  # the page itself
    assert not re.search(r"SCAN (s|v|e|sessions|verdicts|evaluations)\b(?! USING .*INDEX)", told)


@pytest.mark.parametrize("query", [OVERVIEW, PROFILE, STALE], ids=["all", "profile", "status"])
def test_a_page_is_read_in_order(plan: Callable[[Query], str], query: Query) -> None:
    """The index has the listing's order, so that a page is read without sorting all sessions."""
    told = plan(query)
    assert "TEMP B-TREE" not in told
    assert "Sort" not in told


def test_the_newest_verdict_of_a_session_is_looked_up(plan: Callable[[Query], str]) -> None:
    """Each session of a page costs one look into the index of newest verdicts."""
    assert "newest_verdict" in plan(OVERVIEW)

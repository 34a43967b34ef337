"""How fast both databases answer listings and trends, side by side, at size.

    python benchmarks/store_queries.py [--sessions 100000] [--postgres URL] [--folder DIR]

Fills a SQLite file and a PostgreSQL schema with the same rows: by default
100,000 sessions and 1,000,000 evaluations over a year, by three experts and
three generations of the judge. Without a URL a server is started as the tests
do, without waiting for the disk; where there is none, SQLite is alone.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from pytest_sessioneval.stores import listing_sql, queries
from pytest_sessioneval.stores.answers import Answer, experts_text, written
from pytest_sessioneval.stores.database import Row
from pytest_sessioneval.stores.listings import CurrentVersions, SessionQuery
from pytest_sessioneval.stores.opening import open_store
from pytest_sessioneval.stores.rows import instant, session_row
from pytest_sessioneval.stores.sql import SqlStore
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.transcripts.model import SessionSummary
from pytest_sessioneval.verdicts.model import Opinion

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from listing_values import AXES
from postgres_server import missing_programs, shared_server

NOW = datetime(2026, 11, 21, 19, 4, tzinfo=UTC)
_T = TypeVar("_T")
EXPERTS = ("communicator", "engineer", "outcome")
CURRENT = CurrentVersions("airline", "agent@1#0123456789ab", "gpt@1#2", EXPERTS, AXES)
BATCH = 5_000
# Padding stands for the evidence of an opinion: about 1 KB a row, as measured.
PADDING = "The refund was looked up before it was promised. " * 18


def sessions(count: int) -> Iterator[Row]:
    """Yield the rows of sessions recorded over a year."""
    for number in range(count):
        at = NOW - timedelta(seconds=number * 365 * 86_400 / count)
        summary = SessionSummary(
            session_id=f"session-{number}",
            source="tau-bench",
            digest=f"{number:064x}",
            profile_id=f"profile {number % 20}",
            name=f"Order {number}",
            created_at=at,
            last_active=at,
            message_count=40,
            metadata={"pinned": True} if number % 1_000 == 0 else {},
        )
        yield session_row(
            SuiteSession(suite="airline", key=f"task-{number}", path="a.json", summary=summary)
        )


def judged(count: int) -> Iterator[tuple[Row, list[Row]]]:
    """Yield a verdict's row and the rows of its opinions: ten a session on average.

    Every hundredth session has no evaluation, every twentieth an old one only.
    """
    scores = random.Random(7)
    opinion = Opinion(
        key="k",
        expert_id="e",
        axes={},
        comment=PADDING,
        judge_model="gpt-5-mini",
        judge_version="j",
        rubric_version="r",
        judged_at=NOW,
    ).model_dump_json()
    for number in range(count):
        generations = 0 if number % 100 == 1 else 2 if number % 20 == 2 else 3 + (number % 3 == 0)
        last = NOW - timedelta(seconds=number * 365 * 86_400 / count)
        for generation in range(generations):
            version = 2 if generation == 3 else generation
            digest = f"{number:064x}" if generation < 3 else f"{number:063x}x"
            newest = generation == min(2, generations - 1)
            at = instant(last - timedelta(days=0 if newest else 30 + generation))
            answers = tuple(
                Answer(expert, 0, at, {axis: scores.randrange(0, 101, 20) for axis in AXES})
                for expert in EXPERTS
            )
            place = ("airline", f"task-{number}")
            versions = (CURRENT.rubric_version, f"gpt@1#{version}")
            verdict = (
                *(*place, digest, *versions),
                *(at, experts_text(EXPERTS), written(answers), int(newest)),
            )
            rows: list[Row] = [
                (
                    f"{number}-{generation}-{expert}",
                    *(*place, f"session-{number}", digest, f"run-{generation}", expert, 0),
                    *(*versions, "gpt-5-mini", at, "{}", opinion),
                )
                for expert in EXPERTS
            ]
            yield verdict, rows


def fill(store: SqlStore, count: int) -> tuple[float, int]:
    """Put everything in; return the seconds it took and how many evaluations there are."""
    begin = time.perf_counter()
    for batch in _batches(sessions(count)):
        with store._database.writing() as transaction:  # noqa: SLF001  rows as they are
            transaction.run(queries.PUT_SESSION, batch)
    evaluations = 0
    for group in _batches(judged(count)):
        with store._database.writing() as transaction:  # noqa: SLF001  the same
            transaction.run(listing_sql.PUT_VERDICT, [verdict for verdict, _ in group])
            transaction.run(queries.PUT_OPINION, [row for _, rows in group for row in rows])
        evaluations += sum(len(rows) for _, rows in group)
    return time.perf_counter() - begin, evaluations


def milliseconds(work: Callable[[], object], times: int = 5) -> float:
    """Return the median milliseconds of the work."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - begin))
    return sorted(taken)[times // 2]


def questions(store: SqlStore, count: int) -> dict[str, Callable[[], object]]:
    """Return what is measured, by what it is called."""
    year, month = NOW - timedelta(days=365), NOW - timedelta(days=30)

    def page(**asked: object) -> Callable[[], object]:
        query = SessionQuery(**asked)  # type: ignore[arg-type]  # as the dataclass has them
        return lambda: store.list_sessions(query, [CURRENT])

    return {
        "sessions, first page of 50": page(),
        "sessions, first page of 500": page(limit=500),
        "sessions, 50 from the middle": page(offset=count // 2),
        "sessions of one profile": page(profile="profile 7"),
        "evaluated sessions": page(status="evaluated"),
        "stale sessions": page(status="stale"),
        "pending sessions": page(status="pending"),
        "one session": lambda: store.session_detail(f"session-{count // 2}"),
        "stats, 30 days": lambda: store.weekly_stats([CURRENT], since=month),
        "stats, 365 days": lambda: store.weekly_stats([CURRENT], since=year),
        "stats, 365 days by bucket": lambda: store.weekly_stats(
            [CURRENT], since=year, by_bucket=True
        ),
    }


def _batches(rows: Iterator[_T]) -> Iterator[Sequence[_T]]:
    while batch := list(itertools.islice(rows, BATCH)):
        yield batch


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sessions", type=int, default=100_000, help="ten evaluations each")
    parser.add_argument("--postgres", metavar="URL", help="an empty schema; default: a new server")
    parser.add_argument("--folder", type=Path, help="where files are made (default: temporary)")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=arguments.folder)))
        urls = {"SQLite": f"sqlite:///{folder}/store.db"}
        if arguments.postgres is not None:
            urls["PostgreSQL"] = arguments.postgres
        elif missing_programs():
            print(missing_programs())
        else:
            server = stack.enter_context(shared_server(folder / "server.json"))
            urls["PostgreSQL"] = server.url()
        answers: dict[str, dict[str, float]] = {}
        for name, url in urls.items():
            store = stack.enter_context(closing(open_store(url, root=folder)))
            if not isinstance(store, SqlStore):
                raise TypeError(url)
            seconds, evaluations = fill(store, arguments.sessions)
            rows = f"{arguments.sessions:,} sessions, {evaluations:,} evaluations"
            print(f"{name}: {rows} put in {seconds:,.0f} s")
            # What the server does by itself a minute later.
            with store._database.writing() as transaction:  # noqa: SLF001
                transaction.run("ANALYZE")
            for question, work in questions(store, arguments.sessions).items():
                answers.setdefault(question, {})[name] = milliseconds(work)
        print(f"{'median of five, in ms':30}" + "".join(f"{name:>12}" for name in urls))
        for question, found in answers.items():
            print(f"{question:30}" + "".join(f"{found[name]:12,.1f}" for name in urls))


if __name__ == "__main__":
    main()

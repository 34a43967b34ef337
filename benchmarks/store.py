"""How fast the embedded store commits and reads in bulk.

    python benchmarks/store.py [--folder DIR]

Prints commits per second of single rows and of batches of 50, from one and
from several processes, and the seconds that bulk reads of 10,000 rows take. An
opinion is about 2 KB of JSON: five axes, eight pieces of evidence.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

from pytest_sessioneval.stores.protocol import IndexedFile, StoredOpinion
from pytest_sessioneval.stores.sql import SqlStore
from pytest_sessioneval.stores.sqlite import open_sqlite
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.transcripts.model import SessionSummary
from pytest_sessioneval.verdicts.model import AxisOpinion, Evidence, Opinion, Scored, Unscored

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ROWS = 10_000
BATCH = 50


def opinion(number: int) -> Opinion:
    """Return an opinion like the embedded judge's."""
    axes: dict[str, AxisOpinion] = {
        axis: Scored(
            score=60,
            comment="Two of nine calls failed and were not repeated with other arguments.",
            evidence=(
                Evidence(message=4, quote="Error: order not found", note="tool error"),
                Evidence(message=9, polarity="positive", note="answered"),
            ),
        )
        for axis in ("tool_usage_quality", "efficiency", "communication", "task_complexity")
    }
    axes["goal_completion"] = Unscored(reason="unsupported", detail="Write an expectation.")
    return Opinion(
        key=f"{number:064x}",
        expert_id="evidence",
        axes=axes,
        judge_model="evidence",
        judge_version="evidence@1#0123456789ab",
        rubric_version="agent@1#0123456789ab",
        judged_at=START + timedelta(seconds=number),
    )


def stored(number: int) -> StoredOpinion:
    """Return the opinion with the session it is about."""
    return StoredOpinion(
        suite="airline",
        key=f"task-{number}",
        session_id=f"session-{number}",
        digest=f"{number:064x}",
        opinion=opinion(number),
    )


def summary(number: int) -> SessionSummary:
    """Return the summary of a session of 40 messages."""
    return SessionSummary(
        session_id=f"session-{number}",
        source="tau-bench",
        digest=f"{number:064x}",
        task_id=str(number),
        message_count=40,
        tool_call_count=9,
        prefix_digests=tuple(f"{number * 40 + message:016x}" for message in range(40)),
        created_at=START,
        last_active=START,
    )


def commit(path: Path, first: int, count: int, batch: int, start: Barrier) -> None:
    """Write ``count`` opinions, ``batch`` a commit, once everybody is ready."""
    rows = [stored(number) for number in range(first, first + count)]
    store = open_sqlite(path)
    start.wait()
    for begin in range(0, count, batch):
        store.put_opinions("run", rows[begin : begin + batch])
    start.wait()
    store.close()


def commits_per_second(folder: Path, processes: int, batch: int, each: int) -> tuple[float, int]:
    """Return rows a second over all processes, and how many rows were lost."""
    path = folder / f"write-{processes}-{batch}" / "store.db"
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes + 1)
    workers = [
        context.Process(target=commit, args=(path, number * each, each, batch, barrier))
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    barrier.wait()
    begin = time.perf_counter()
    barrier.wait()
    seconds = time.perf_counter() - begin
    for worker in workers:
        worker.join()
    store = open_sqlite(path)
    kept = len(store.opinions([f"{number:064x}" for number in range(processes * each)]))
    store.close()
    return processes * each / seconds, processes * each - kept


def seconds(work: Callable[[], object], times: int = 5) -> float:
    """Return the median seconds of the work."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return sorted(taken)[times // 2]


@contextmanager
def filled(folder: Path) -> Iterator[SqlStore]:
    """Yield a store of ``ROWS`` sessions, each in a file of its own and with one opinion."""
    store = open_sqlite(folder / "read" / "store.db")
    files = [
        IndexedFile(f"{number:064x}", "readers", "tau-bench", (summary(number),), {}, {})
        for number in range(ROWS)
    ]
    store.index_files(files)
    store.put_opinions("run", [stored(number) for number in range(ROWS)])
    yield store
    store.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--folder", type=Path, help="where the stores are made (default: temporary)"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        for batch, each in ((1, 2_000), (BATCH, 10_000)):
            for processes in (1, 4):
                rate, lost = commits_per_second(folder, processes, batch, each)
                print(f"{processes} writing, {batch:3} a commit: {rate:9,.0f} rows/s, {lost} lost")
        keys = [f"{number:064x}" for number in range(ROWS)]
        expected = {f"task-{number}": [key] for number, key in enumerate(keys)}
        sessions = [
            SuiteSession(suite="airline", key=f"task-{n}", path=f"{n}.json", summary=summary(n))
            for n in range(ROWS)
        ]
        with filled(folder) as store:
            store.put_sessions(sessions)
            for what, work in (
                ("opinions", lambda: store.opinions(keys)),
                ("indexed_files", lambda: store.indexed_files(keys, "readers")),
                ("statuses", lambda: store.statuses("airline", expected)),
                ("put_sessions, unchanged", lambda: store.put_sessions(sessions)),
            ):
                print(f"{ROWS:,} × {what}: {seconds(work):.3f} s")
            path = folder / "read" / "store.db"
            opening = seconds(lambda: open_sqlite(path).close())
            print(f"opening a store that is open elsewhere: {1000 * opening:.1f} ms")


if __name__ == "__main__":
    main()

"""Several processes on one store, and processes and servers that are killed while they write."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from postgres_server import PostgresServer, missing_programs
from store_values import stored

from pytest_sessioneval.stores.opening import open_store
from pytest_sessioneval.stores.sql import SqlStore

KILLS = 50 if os.environ.get("SESSIONEVAL_TEST_EXAMPLES") == "full" else 3
"""How many writers are killed."""

_EVERYWHERE = pytest.mark.parametrize("store_url", ["sqlite", "postgres"], indirect=True)

# Opens the store when told to, then acknowledges each batch after it was put.
_WRITER = """
import sys
from pathlib import Path
from store_values import stored
from pytest_sessioneval.stores.opening import open_store
from pytest_sessioneval.suites.model import FeedbackEntry

url, name, batches, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
print("ready", flush=True)
sys.stdin.readline()
store = open_store(url, root=Path())
for batch in range(batches):
    keys = [f"{name}-{batch}-{number}" for number in range(size)]
    store.put_opinions(name, [stored(key, session=name) for key in keys])
    store.put_feedback(
        [FeedbackEntry(session_id="shared", message_index=batch, rating=1, comment=name),
         FeedbackEntry(session_id=name, message_index=batch, rating=-1)]
    )
    print(*keys, flush=True)
store.close()
"""


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a store that is not there yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/.sessioneval/store.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def durable_server() -> Iterator[PostgresServer]:
    """Yield a server of this test's own that writes to the disk what it acknowledges."""
    reason = missing_programs()
    if reason and os.environ.get("SESSIONEVAL_REQUIRE_POSTGRES") == "1":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="se-pg-") as folder:
        server = PostgresServer(Path(folder))
        server.create(durable=True)
        server.start()
        server.make_database()
        yield server
        server.stop("immediate")


def _writer(url: str, name: str, *, batches: int, size: int) -> subprocess.Popen[str]:
    here = Path(__file__).parent.parent
    path = os.pathsep.join([str(here), *filter(None, sys.path), str(Path.cwd())])
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, url, name, str(batches), str(size)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        text=True,
    )


def _start_together(writers: Sequence[subprocess.Popen[str]]) -> None:
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()


def _lines(writer: subprocess.Popen[str], count: int) -> list[list[str]]:
    assert writer.stdout is not None
    return [writer.stdout.readline().split() for _ in range(count)]


def _rest(writer: subprocess.Popen[str], size: int) -> list[list[str]]:
    """Return the batches acknowledged to the end; a line cut short was not."""
    lines = writer.communicate()[0].splitlines(keepends=True)
    return [line.split() for line in lines if line.endswith("\n") and len(line.split()) == size]


def _open(url: str) -> SqlStore:
    store = open_store(url, root=Path())
    assert isinstance(store, SqlStore)
    return store


@_EVERYWHERE
def test_processes_that_write_at_once_lose_nothing(store_url: str) -> None:
    """Eight processes make one store together; every verdict and thumb acknowledged is there."""
    writers = [_writer(store_url, f"w{number}", batches=20, size=3) for number in range(8)]
    _start_together(writers)
    acknowledged = [key for writer in writers for key in writer.communicate()[0].split()]
    assert [writer.returncode for writer in writers] == [0] * 8
    assert len(acknowledged) == 8 * 20 * 3
    with closing(_open(store_url)) as store:
        assert set(acknowledged) == set(store.opinions(acknowledged))
        thumbs = [(entry.session_id, entry.message_index) for entry in store.feedback()]
    sessions = ("shared", *(f"w{number}" for number in range(8)))
    assert [(name, index) for name in sessions for index in range(20)] == thumbs


@_EVERYWHERE
def test_killed_writers_leave_every_acknowledged_row(store_url: str) -> None:
    """After kill -9 the store opens, has what was acknowledged, whole batches only, and writes."""
    moments = random.Random(5)  # noqa: S311  the same moments every time
    size = 5
    kept: list[str] = []
    for number in range(KILLS):
        writer = _writer(store_url, f"w{number}", batches=100_000, size=size)
        _start_together([writer])
        batches = _lines(writer, moments.randrange(1, 25))
        writer.kill()
        batches += _rest(writer, size)
        assert writer.returncode == -9
        kept += [key for batch in batches for key in batch]
        with closing(_open(store_url)) as store:
            assert set(kept) == set(store.opinions(kept))
            rows = store._database.rows("SELECT count(*) FROM evaluations WHERE run_id <> 'later'")
            assert int(str(rows[0][0])) % size == 0
            store.put_opinions("later", [stored(f"after-{number}")])
            assert list(store.opinions([f"after-{number}"])) == [f"after-{number}"]


def test_a_crashed_server_has_every_acknowledged_row(durable_server: PostgresServer) -> None:
    """A server that crashed while somebody wrote starts again with what it acknowledged."""
    size = 5
    writer = _writer(durable_server.url(), "w", batches=100_000, size=size)
    _start_together([writer])
    batches = _lines(writer, 30)
    durable_server.stop("immediate")
    batches += _rest(writer, size)
    assert writer.returncode == 1
    durable_server.start()
    keys = [key for batch in batches for key in batch]
    with closing(_open(durable_server.url())) as store:
        assert set(keys) == set(store.opinions(keys))

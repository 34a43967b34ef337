"""Several processes on one store, and processes that are killed while they write."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from store_values import stored

from pytest_sessioneval.stores.sqlite import open_sqlite

# Opens the store when told to, then acknowledges each batch after it was put.
_WRITER = """
import sys
from pathlib import Path
from store_values import stored
from pytest_sessioneval.stores.sqlite import open_sqlite

file, name, batches, size = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
print("ready", flush=True)
sys.stdin.readline()
store = open_sqlite(file)
for batch in range(batches):
    keys = [f"{name}-{batch}-{number}" for number in range(size)]
    store.put_opinions(name, [stored(key, session=name) for key in keys])
    print(*keys, flush=True)
store.close()
"""


def _writer(file: Path, name: str, *, batches: int, size: int) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path), str(Path.cwd())])
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(file), name, str(batches), str(size)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
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


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    """Four processes make one store together and every row each acknowledged is there."""
    file = tmp_path / ".sessioneval" / "store.db"
    writers = [_writer(file, f"w{number}", batches=20, size=3) for number in range(4)]
    _start_together(writers)
    acknowledged = [key for writer in writers for key in writer.communicate()[0].split()]
    assert [writer.returncode for writer in writers] == [0] * 4
    assert len(acknowledged) == 4 * 20 * 3
    with closing(open_sqlite(file)) as store:
        assert set(acknowledged) == set(store.opinions(acknowledged))
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {".sessioneval"}


def test_a_killed_writer_leaves_every_acknowledged_row(tmp_path: Path) -> None:
    """After kill -9 the store opens, has what was acknowledged, whole batches only, and writes."""
    file = tmp_path / "store.db"
    writer = _writer(file, "w", batches=100_000, size=5)
    _start_together([writer])
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline().split() for _ in range(15)]
    writer.kill()
    acknowledged += [line.split() for line in writer.communicate()[0].splitlines()]
    assert writer.returncode == -9
    with closing(open_sqlite(file)) as store:
        complete = [batch for batch in acknowledged if len(batch) == 5]
        keys = [key for batch in complete for key in batch]
        assert set(keys) == set(store.opinions(keys))
        kept = store._database.rows("SELECT count(*) FROM evaluations")
        assert int(str(kept[0][0])) % 5 == 0
        store.put_opinions("later", [stored("after")])
        assert list(store.opinions(["after"])) == ["after"]

"""Whether the process that works on a run or a job is gone."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.evaluation.process_locks import LEASE, Owner, is_gone

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=9)

_OWNER = """
import sys
from pathlib import Path
from pytest_sessioneval.evaluation.process_locks import Owner
owner = Owner(Path(sys.argv[1]))
print(owner.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def killed(tmp_path: Path) -> str:
    """Return the name of a process that was killed."""
    with subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert not is_gone(name, LONG_AGO, NOW)
        process.kill()
    return name


def test_who_works_here_is_there_however_long_nothing_was_said(tmp_path: Path) -> None:
    """Until it says that it is gone; two of one process are told apart."""
    one, two = Owner(tmp_path), Owner(tmp_path)
    assert one.name != two.name
    assert not is_gone(one.name, LONG_AGO, NOW)
    one.release()
    assert (True, False) == (is_gone(one.name, NOW, NOW), is_gone(two.name, NOW, NOW))
    two.release()


def test_a_process_of_this_machine_that_was_killed_is_gone_at_once(killed: str) -> None:
    """However lately it said that it works."""
    assert is_gone(killed, NOW, NOW)


def test_what_a_killed_process_left_is_cleared_by_the_next(killed: str, tmp_path: Path) -> None:
    """Its file goes, and it stays gone; those of processes that live stay."""
    living = Owner(tmp_path)
    later = Owner(tmp_path)
    assert 2 == len(list(tmp_path.iterdir()))
    assert is_gone(killed, NOW, NOW)
    assert not is_gone(living.name, LONG_AGO, NOW)
    living.release()
    later.release()
    assert [] == list(tmp_path.iterdir())


def test_a_process_of_another_machine_is_gone_after_it_said_nothing_for_a_while() -> None:
    """It cannot be looked at from here."""
    name = "elsewhere:/var/lib/x.lock"
    assert not is_gone(name, NOW - LEASE, NOW)
    assert is_gone(name, NOW - LEASE - timedelta(seconds=1), NOW)


def test_where_no_lock_can_be_made_is_told(tmp_path: Path) -> None:
    """With the place, and what to do."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match=r"no lock can be made here: .*--out"):
        Owner(tmp_path / "file")

"""Whether the process that works on a run is gone."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from pytest_sessioneval.evaluation.owners import LEASE, is_abandoned, owner
from pytest_sessioneval.stores.run_statuses import BackgroundRun

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=9)


def _run(name: str, seen_at: datetime = NOW) -> BackgroundRun:
    return BackgroundRun("run-1", "{}", name, seen_at)


def test_who_works_here_has_a_name_of_its_own() -> None:
    """Also two of one process."""
    assert owner() != owner()


def test_this_process_works_however_long_it_said_nothing() -> None:
    """It is there to be seen."""
    assert not is_abandoned(_run(owner(), LONG_AGO), NOW)


def test_a_process_of_this_machine_that_ended_is_gone_at_once() -> None:
    """However lately it said that it works."""
    code = "from pytest_sessioneval.evaluation.owners import owner; print(owner())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert is_abandoned(_run(done.stdout.strip()), NOW)


def test_another_process_with_the_same_number_is_not_the_same() -> None:
    """Numbers are given out again; the time of the start tells them apart."""
    machine, process, _, token = owner().split(" | ")
    assert str(os.getpid()) == process
    assert is_abandoned(_run(f"{machine} | {process} | 1 | {token}"), NOW)


def test_a_process_of_another_machine_is_gone_after_a_minute_of_silence() -> None:
    """It cannot be looked at from here."""
    name = "elsewhere pid:[1] | 1 | 1 | a"
    assert not is_abandoned(_run(name, NOW - LEASE), NOW)
    assert is_abandoned(_run(name, NOW - LEASE - timedelta(seconds=1)), NOW)

"""Runs in the background whose process is gone: noted as interrupted by whoever looks first."""

from __future__ import annotations

from datetime import datetime

from pytest_sessioneval.evaluation.process_locks import is_gone
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.stores.run_statuses import BackgroundRun

__all__ = ["end_abandoned", "is_abandoned"]


def end_abandoned(store: Store, now: datetime) -> None:
    """Note of every run whose process is gone that it was interrupted; raises ``StoreError``."""
    for run in store.run_states.running():
        if is_abandoned(run, now):
            store.run_states.end_abandoned(run)


def is_abandoned(run: BackgroundRun, now: datetime) -> bool:
    """Return whether the process that worked on the run has ended."""
    return is_gone(run.owner, run.seen_at, now)

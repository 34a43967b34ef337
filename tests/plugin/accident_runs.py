"""What the runs of gated suites say of their gate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from plugin_runs import Runs

__all__ = ["FAILED", "OK", "STOPS", "WRITE", "Run", "gated_axis", "status_of"]

OK, FAILED = pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED

STOPS = "*The merge is stopped."

WRITE = "--sessioneval-update-baseline"

Run = Callable[..., pytest.RunResult]


def status_of(runs: Runs) -> str:
    """Return what the gate says of the last run."""
    return str(runs.suite["gate"]["decision"]["status"])


def gated_axis(runs: Runs) -> dict[str, Any]:
    """Return the first comparison of the one gated axis of the last run."""
    (axis,) = (one for one in runs.suite["gate"]["decision"]["axes"] if one["gated"])
    return dict(axis["comparisons"][0])

"""What `sessioneval judge-noise` measured is told in later runs of the suite."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from gated_suite import AXIS, GATE, STEADY, GatedSuite, moved
from plugin_runs import Runs

from pytest_sessioneval.stores.protocol import MeasuredNoise
from pytest_sessioneval.stores.sqlite import open_sqlite

ONCE = GATE + "[judge]\nbaseline_repeats = 1\n"


@pytest.fixture
def gated_once(gated: GatedSuite, pytester: pytest.Pytester) -> GatedSuite:
    """Return a suite whose baseline was judged once, and whose sessions were recorded anew."""
    gated.write(STEADY, ONCE)
    assert 0 == pytester.runpytest_inprocess("-q", "--sessioneval-update-baseline").ret
    gated.write(moved(2, -2), ONCE)
    return gated


def keep_spread(root: Path, report: dict[str, Any], sd: float) -> None:
    """Put a spread into the store, as the command does, for the suite, judge and rubric."""
    noise = MeasuredNoise(
        suite=report["suite"],
        rubric_version=report["rubric_version"],
        judge_version=report["judge"]["version"],
        axis=AXIS,
        sd=sd,
        degrees=80,
        measured_at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    with closing(open_sqlite(root / ".sessioneval" / "store.db")) as store:
        store.put_noise([noise])


def share(runs: Runs) -> float | None:
    """Return the judge's part of the uncertainty, as the last run's report has it."""
    (suite,) = runs.last["suites"]
    (axis,) = (one for one in suite["gate"]["decision"]["axes"] if AXIS == one["axis"])
    found: float | None = axis["comparisons"][0]["judge_noise_share"]
    return found


@pytest.mark.usefixtures("gated_once")
@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
def test_a_measured_spread_is_told(
    pytester: pytest.Pytester, runs: Runs, workers: tuple[str, ...]
) -> None:
    """Before, nothing is known; after, it is 2 × sd² / n of the squared standard error."""
    pytester.runpytest_inprocess("-q")
    assert share(runs) is None
    keep_spread(pytester.path, runs.suite, 1.0)
    result = pytester.runpytest_inprocess("-q", *workers)
    differences = [now - then for now, then in zip(moved(2, -2), STEADY, strict=True)]
    mean = sum(differences) / 24
    variance = sum((one - mean) ** 2 for one in differences) / 23
    assert 2 * 1.0 / variance == pytest.approx(share(runs))
    result.stdout.fnmatch_lines(["*judge noise * of the uncertainty (* visible without it)*"])


@pytest.mark.usefixtures("gated_once")
def test_a_spread_decides_nothing(pytester: pytest.Pytester, runs: Runs) -> None:
    """However noisy the judge is said to be, status and interval stay as they were."""
    pytester.runpytest_inprocess("-q")
    before = runs.suite["gate"]["decision"]
    keep_spread(pytester.path, runs.suite, 40.0)
    assert 0 == pytester.runpytest_inprocess("-q").ret
    after = runs.suite["gate"]["decision"]
    assert (1.0, before["status"]) == (share(runs), after["status"])
    assert [axis["comparisons"][0]["overall"] for axis in before["axes"]] == [
        axis["comparisons"][0]["overall"] for axis in after["axes"]
    ]


@pytest.mark.usefixtures("gated_once")
def test_another_judges_spread_says_nothing(pytester: pytest.Pytester, runs: Runs) -> None:
    """It is kept by the judge's version."""
    pytester.runpytest_inprocess("-q")
    suite = runs.suite
    keep_spread(pytester.path, {**suite, "judge": {"version": "other@1#aa"}}, 1.0)
    pytester.runpytest_inprocess("-q")
    assert share(runs) is None

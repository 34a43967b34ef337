"""How a gate decides, seen in whole runs: tasks, the floor, strict, margins, repeats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import pytest
from gated_suite import AXIS, CONFTEST, GATE, STEADY, GatedSuite, Mark, moved
from plugin_runs import Runs, outcomes

OK, FAILED = pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED
_WRITE = "--sessioneval-update-baseline"
_CLUSTERED = 'cluster = "task"'
_OTHER = "efficiency"


def _axes(runs: Runs) -> dict[str, dict[str, Any]]:
    """Return the gated axes of the last run's decision, by name."""
    return {one["axis"]: one for one in runs.suite["gate"]["decision"]["axes"] if one["gated"]}


def _compared(runs: Runs) -> dict[str, Any]:
    (comparison,) = _axes(runs)[AXIS]["comparisons"]
    return dict(comparison)


def _status(runs: Runs) -> str:
    return str(runs.suite["gate"]["decision"]["status"])


def _tasks(gated: GatedSuite, marks: Sequence[Mark], *, each: int) -> None:
    """Write the sessions anew, every ``each`` of them on one task."""
    for number, mark in enumerate(marks):
        gated.session(f"s{number:02d}", mark, task=f"task {number // each}")


# -- sessions that share a task -------------------------------------------------------


def test_the_floor_counts_tasks(pytester: pytest.Pytester, gated: GatedSuite, runs: Runs) -> None:
    """24 sessions of 12 tasks are 12 observations: too few to pass, where 24 would be enough."""
    gated.write(STEADY, suite=_CLUSTERED)
    _tasks(gated, STEADY, each=2)
    assert OK == pytester.runpytest_inprocess("-q", _WRITE).ret
    _tasks(gated, moved(2, -2), each=2)

    result = pytester.runpytest_inprocess("-q")

    assert (OK, "inconclusive") == (result.ret, _status(runs))
    assert ("clustered", 24, 12) == (
        _compared(runs)["method"],
        _compared(runs)["overall"]["pairs"],
        _compared(runs)["overall"]["units"],
    )
    result.stdout.fnmatch_lines(
        [
            " gate: It cannot be told * About 8 more tasks would settle it. This is a warning *",
            f" {AXIS}: *n=24 pairs (24 changed, 12 tasks) * 12 independent pairs, 20 needed*",
        ]
    )
    gated.rules(f'{GATE}on_inconclusive = "fail"\n', suite=_CLUSTERED)
    assert FAILED == pytester.runpytest_inprocess("-q").ret
    gated.rules(GATE)
    assert OK == pytester.runpytest_inprocess("-q").ret
    assert ("passed", "paired") == (_status(runs), _compared(runs)["method"])


def test_tasks_widen_the_interval(pytester: pytest.Pytester, gated: GatedSuite, runs: Runs) -> None:
    """Sessions that move together tell less: by hand, over 20 tasks with 19 degrees of freedom."""
    before = (80, 60) * 20
    by = [(-10, -8, 1, 8, 10)[number // 2 % 5] for number in range(40)]
    gated.write(before, suite=_CLUSTERED)
    _tasks(gated, before, each=2)
    assert OK == pytester.runpytest_inprocess("-q", _WRITE).ret
    _tasks(gated, [mark + change for mark, change in zip(before, by, strict=True)], each=2)

    pytester.runpytest_inprocess("-q")

    sums = [by[first] + by[first + 1] - 2 * fmean(by) for first in range(0, 40, 2)]
    error = math.sqrt(20 / 19 * sum(total**2 for total in sums)) / 40
    reach = 1.7291328 * error  # Student's t, 19 degrees of freedom, 95 %
    test = _compared(runs)["overall"]
    assert (20, 40) == (test["units"], test["pairs"])
    assert [fmean(by) - reach, fmean(by) + reach] == pytest.approx([test["low"], test["high"]])
    assert "passed" == _status(runs)


# -- how many it takes ------------------------------------------------------------------


@pytest.mark.parametrize(("sessions", "status"), [(19, "inconclusive"), (20, "passed")])
def test_the_floor_is_twenty(
    sessions: int, status: str, pytester: pytest.Pytester, gated: GatedSuite, runs: Runs
) -> None:
    """With one session less nothing passes, however alike both sides are."""
    gated.write(STEADY[:sessions])
    gated.bless(pytester)
    gated.write([f"{mark}, again" for mark in STEADY[:sessions]])
    result = pytester.runpytest_inprocess("-q")
    assert (OK, status) == (result.ret, _status(runs))
    lacking = "* About 1 more session would settle it.*" if sessions < 20 else "*Nothing got worse*"
    result.stdout.fnmatch_lines([f" gate: {lacking}"])


@pytest.mark.parametrize(("sessions", "status"), [(58, "inconclusive"), (59, "passed")])
def test_strict_takes_fifty_nine(
    sessions: int, status: str, pytester: pytest.Pytester, gated: GatedSuite, runs: Runs
) -> None:
    """Ln .05 / ln .95 = 58.4: with fewer, a total failure of one in twenty may be unseen."""
    gated.write((80,) * sessions)
    gated.bless(pytester)
    gated.write(("80, again",) * sessions, f"{GATE}strict = true\n")
    result = pytester.runpytest_inprocess("-q")
    enough = sessions == 59
    assert (OK if enough else FAILED, status) == (result.ret, _status(runs))
    assert enough == (_compared(runs)["overall"]["free_bound"] > -5)
    if not enough:
        result.stdout.fnmatch_lines(
            [
                " gate: *a rare total failure could have gone unseen. About 1 more session *",
                f" {AXIS}: *strict: not shown without assumptions (bound -5.0), 1 missing*",
            ]
        )
    gated.rules(GATE)
    assert OK == pytester.runpytest_inprocess("-q").ret


# -- several axes -----------------------------------------------------------------------


@pytest.mark.parametrize(("margin", "status"), [(3, "regressed"), (10, "passed")])
def test_every_axis_has_its_own_margin(
    margin: int, status: str, pytester: pytest.Pytester, gated: GatedSuite, runs: Runs
) -> None:
    """Five points down on both axes: as bad as the worse of them."""
    gated.write()
    gated.bless(pytester)
    gate = (
        f'[gate]\naxes = ["{_OTHER}", "{AXIS}"]\n[gate.margins]\n{AXIS} = {margin}\ndefault = 9\n'
    )
    gated.write(moved(-4, -6), gate)
    result = pytester.runpytest_inprocess("-q", "--junitxml=junit.xml")
    case = gated.junit(pytester.path / "junit.xml")
    assert case is not None
    assert status == _status(runs)
    assert {_OTHER: "passed", AXIS: status} == {
        name: a["status"] for name, a in _axes(runs).items()
    }
    assert ("passed", status) == tuple(
        case.properties[f"gate_{axis}_status"] for axis in (_OTHER, AXIS)
    )
    assert (FAILED if status == "regressed" else OK) == result.ret


def test_junit_has_every_number_of_the_line(
    pytester: pytest.Pytester, gated: GatedSuite, runs: Runs
) -> None:
    """What a reader sees of an axis, a program finds as properties of the gate's test case."""
    gated.write()
    gated.bless(pytester)
    gated.write((30, *moved(-4, 2)[1:-1]))
    pytester.runpytest_inprocess("-q", "--junitxml=junit.xml")
    case = gated.junit(pytester.path / "junit.xml")
    assert case is not None
    compared = _compared(runs)
    shown = {name: value for name, value in compared["overall"].items() if value is not None}
    shown |= {
        "comparison": "regressed",
        "before": compared["baseline_mean"],
        "after": compared["candidate_mean"],
        **{name: compared[name] for name in ("changed", "fell", "rose", "missing_share")},
        "broken": 1,
        "newly_null": 0,
        "newly_scored": 0,
        "unjudged": 0,
    }
    expected = {f"gate_{AXIS}_baseline_{name}": str(value) for name, value in shown.items()}
    expected |= {"gate_status": "regressed", f"gate_{AXIS}_status": "regressed"}
    expected |= {
        f"gate_{AXIS}_margin": "5.0",
        "gate_baseline_lost": "1",
        "gate_baseline_added": "0",
    }
    assert expected == {k: v for k, v in case.properties.items() if not k.endswith("noise_share")}


# -- the judge's own noise --------------------------------------------------------------


def test_repeats_show_the_judges_own_noise(
    pytester: pytest.Pytester, gated: GatedSuite, runs: Runs
) -> None:
    """A baseline judged three times shows what the judge adds: here, most of the uncertainty."""
    gated.write()
    noisy = CONFTEST.replace("int(mark) for", "int(mark) + (0, 8, -8)[case.repeat] for")
    (gated.root / "conftest.py").write_text(noisy, "utf-8")
    assert OK == pytester.runpytest_inprocess("-q", _WRITE).ret
    assert 24 == gated.baseline.read_text("utf-8").count(
        f'"{AXIS}": {{"score": 80, "spread": 16, "repeats": 3, "noise": 8}}'
    ) + gated.baseline.read_text("utf-8").count(
        f'"{AXIS}": {{"score": 60, "spread": 16, "repeats": 3, "noise": 8}}'
    )
    gated.write(moved(8, -8))
    (gated.root / "conftest.py").write_text(noisy, "utf-8")

    result = pytester.runpytest_inprocess("-q")

    assert OK == result.ret
    error = 8 * math.sqrt(24 / 23) / math.sqrt(24)
    share = (64 / 3 + 64) / 24 / error**2
    assert min(1.0, share) == pytest.approx(_compared(runs)["judge_noise_share"])
    result.stdout.fnmatch_lines(
        [
            f" {AXIS}: *judge noise * % of the uncertainty*",
            f"*{AXIS}: most of the uncertainty is the judge's own; more repeats help*",
        ]
    )


# -- copies -----------------------------------------------------------------------------


def test_copies_of_good_sessions_count_once(
    pytester: pytest.Pytester, gated: GatedSuite, runs: Runs
) -> None:
    """A drop is not diluted by writing the sessions that did not drop several times."""
    gated.write()
    gated.bless(pytester)
    gated.write(moved(-9, -11))
    for number in range(24, 80):
        copy = gated.folder / f"s{number}.json"
        copy.write_bytes((gated.folder / "s00.json").read_bytes())
    result = pytester.runpytest_inprocess("-q")
    assert (FAILED, "regressed") == (result.ret, _status(runs))
    assert 24 == _compared(runs)["overall"]["pairs"]
    assert {"passed": 24, "failed": 1} == outcomes(result)


def test_a_bad_session_overwritten_by_a_good_one_is_lost(
    pytester: pytest.Pytester, gated: GatedSuite, runs: Runs
) -> None:
    """One recording stands for one session: the other of the two is missing."""
    gated.write()
    gated.bless(pytester)
    (gated.folder / "s01.json").write_bytes((gated.folder / "s00.json").read_bytes())
    result = pytester.runpytest_inprocess("-q")
    assert (FAILED, "incomplete") == (result.ret, _status(runs))
    assert ["s01.json"] == runs.suite["gate"]["decision"]["baselines"][0]["lost"]

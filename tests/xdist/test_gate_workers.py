"""A gate's decision does not depend on how many processes run the items."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from gated_suite import AXIS, GATE, STEADY, GatedSuite, Mark, moved
from gating_cases import Repository

OK, FAILED = pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED
_WRITE = "--sessioneval-update-baseline"


def _gates(folder: Path) -> dict[str, Any]:
    """Return what the only run in an output folder says of each suite's gate."""
    (report,) = folder.glob("runs/*/report.json")
    suites = json.loads(report.read_text("utf-8"))["suites"]
    return {suite["suite"]: suite["gate"] for suite in suites}


@pytest.fixture
def blessed(pytester: pytest.Pytester, gated: GatedSuite) -> GatedSuite:
    """Return a suite of 24 sessions, mean 70, whose baseline is written."""
    gated.write()
    gated.bless(pytester)
    return gated


def test_no_number_of_any_decision_depends_on_workers(
    pytester: pytest.Pytester, gated: GatedSuite
) -> None:
    """Suites that pass, regress, are undecided, incomplete and deselected: all the same."""
    now: dict[str, Sequence[Mark]] = {
        "passed": moved(2, -2),
        "regressed": moved(-9, -11),
        "inconclusive": moved(20, -20),
        "incomplete": (*moved(2, -2)[:-2], "down"),
        "not_run": STEADY,
        "no_baseline": STEADY,
        "not_comparable": STEADY,
        "lost": moved(2, -2)[:-1],
        "added": (*moved(2, -2), 0),
    }
    suites = [GatedSuite(gated.root, place=name, name=name) for name in now]
    for suite in suites:
        suite.write()
    assert OK == pytester.runpytest_inprocess("-q", _WRITE).ret
    for suite in suites:
        suite.write(now[suite.name])
        if suite.name == "no_baseline":
            suite.baseline.unlink()
        if suite.name == "not_comparable":
            text = suite.baseline.read_text("utf-8")
            suite.baseline.write_text(text.replace('"judge": "', '"judge": "another-'), "utf-8")
    selection = ("-k", "not not_run", f"--sessioneval-fail-drop={AXIS}:3%")

    alone = pytester.runpytest_inprocess("--sessioneval-out=alone", *selection)
    many = pytester.runpytest_inprocess("-n2", "--sessioneval-out=many", *selection)

    one, two = _gates(pytester.path / "alone"), _gates(pytester.path / "many")
    assert {name: {"lost": "incomplete", "added": "passed"}.get(name, name) for name in now} == {
        name: gate["decision"]["status"] for name, gate in one.items()
    }
    assert one == two
    assert FAILED == alone.ret == many.ret
    assert _failed(alone) == _failed(many)


def _failed(result: pytest.RunResult) -> list[str]:
    """Return the failed items; pytest 8 shows no reason for one that a worker reported."""
    lines = [line for line in result.outlines if line.startswith("FAILED")]
    reasons = pytest.version_tuple >= (9,)
    return sorted(line if reasons else line.partition(" - ")[0] for line in lines)


def test_workers_write_the_same_baseline(pytester: pytest.Pytester, blessed: GatedSuite) -> None:
    """``--sessioneval-update-baseline`` writes the same bytes, once."""
    alone = blessed.baseline.read_bytes()
    blessed.baseline.unlink()
    result = pytester.runpytest_inprocess("-n2", _WRITE)
    assert OK == result.ret
    assert alone == blessed.baseline.read_bytes()
    assert 1 == sum(line.startswith("wrote ") for line in result.outlines)


def test_workers_write_no_baseline_of_a_part(
    pytester: pytest.Pytester, blessed: GatedSuite
) -> None:
    """A selection made in the workers is known to the controller, which says why not."""
    before = blessed.baseline.read_bytes()
    blessed.write(moved(2, -2))
    result = pytester.runpytest_inprocess("-n2", _WRITE, "-k", "s00 or s01")
    assert FAILED == result.ret
    assert before == blessed.baseline.read_bytes()
    result.stdout.fnmatch_lines(["*is not written: only a part of the suite was selected*(-k))*"])


def test_a_failure_that_stops_workers_decides_nothing(
    pytester: pytest.Pytester, blessed: GatedSuite
) -> None:
    """After ``-x`` xdist says interrupted (exit 2), which no decision changes."""
    blessed.write(("down", *moved(2, -2)[1:]))
    result = pytester.runpytest_inprocess("-n2", "-x", "--sessioneval-out=out")
    assert pytest.ExitCode.INTERRUPTED == result.ret
    assert _gates(pytester.path / "out")["orders"] is None


def test_a_worker_that_crashed_turns_nothing_green(
    pytester: pytest.Pytester, blessed: GatedSuite
) -> None:
    """The session that took its worker down is a failure in the last line."""
    text = (
        "import os\n"
        "def pytest_runtest_setup(item):\n"
        "    if 's05' in item.nodeid:\n"
        "        os._exit(1)\n"
    )
    (blessed.folder / "conftest.py").write_text(text, "utf-8")
    blessed.write(moved(2, -2))
    result = pytester.runpytest_inprocess("-n2")
    assert FAILED == result.ret
    result.stdout.fnmatch_lines(["FAILED suite/s05.json*"])


def test_a_value_that_is_refused_is_refused_once(
    pytester: pytest.Pytester, gated: GatedSuite
) -> None:
    """Exit 4 with one line, not one for each worker."""
    gated.write((80,), "")
    result = pytester.runpytest_inprocess("-n2", "--sessioneval-fail-under=nowhere:70")
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    assert 1 == sum("no suite has an axis" in line for line in result.errlines)


def test_shortcuts_hold_and_fail_with_workers(
    pytester: pytest.Pytester, blessed: GatedSuite
) -> None:
    """One that holds and one that does not, in one failed report of the gate."""
    blessed.write(moved(-4), GATE)
    result = pytester.runpytest_inprocess(
        "-n2", f"--sessioneval-fail-under={AXIS}:67", f"--sessioneval-fail-drop={AXIS}:4"
    )
    assert FAILED == result.ret
    result.stdout.fnmatch_lines([f"FAILED orders::gate - fail-under {AXIS}:67*FAILED"])
    result.stdout.fnmatch_lines([f"*fail-drop {AXIS}:4 * held"])


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git executable on PATH")
def test_a_revision_rules_with_workers(
    pytester: pytest.Pytester, gated: GatedSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``git:main`` under ``-n 2``: its baseline and margins count, and the report says so."""
    monkeypatch.delenv("SESSIONEVAL_JUDGE")
    judge = '[judge]\nmodel = "hook:marks"\n'
    repository = Repository(pytester.path)
    gated.write(STEADY, GATE + judge)
    assert OK == pytester.runpytest_inprocess("-q", _WRITE).ret
    repository.commit("Bless the suite")
    repository.git("checkout", "--quiet", "-b", "change")
    lenient = f"{GATE}break = 100\n[gate.margins]\ndefault = 60\n"
    gated.write(moved(-9, -11), lenient + judge)
    repository.commit()
    against = "--sessioneval-compare=git:main"

    alone = pytester.runpytest_inprocess("--sessioneval-out=alone", against)
    many = pytester.runpytest_inprocess("-n2", "--sessioneval-out=many", against)

    assert FAILED == alone.ret == many.ret
    one, two = _gates(pytester.path / "alone"), _gates(pytester.path / "many")
    assert one == two
    decision = two["orders"]["decision"]
    assert ("regressed", ["gate settings"]) == (
        decision["status"],
        decision["against"]["overruled"],
    )
    assert _failed(alone) == _failed(many)


def test_tasks_and_strict_do_not_depend_on_workers(
    pytester: pytest.Pytester, gated: GatedSuite
) -> None:
    """What groups sessions, and a bound of its own, reach the decision through workers too."""
    gated.write((80, 60) * 20, suite='cluster = "task"')
    _in_pairs(gated, (80, 60) * 20)
    assert OK == pytester.runpytest_inprocess("-q", _WRITE).ret
    _in_pairs(gated, moved(4, -6, start=(80, 60) * 20))
    gated.rules(f"{GATE}strict = true\n", suite='cluster = "task"')

    alone = pytester.runpytest_inprocess("--sessioneval-out=alone")
    many = pytester.runpytest_inprocess("-n2", "--sessioneval-out=many")

    one, two = _gates(pytester.path / "alone"), _gates(pytester.path / "many")
    assert one == two
    assert alone.ret == many.ret
    (compared,) = next(a for a in two["orders"]["decision"]["axes"] if a["gated"])["comparisons"]
    assert ("clustered", 20) == (compared["method"], compared["overall"]["units"])
    assert compared["overall"]["free_bound"] is not None


def _in_pairs(gated: GatedSuite, marks: Sequence[Mark]) -> None:
    """Write the sessions anew, two to a task."""
    for number, mark in enumerate(marks):
        gated.session(f"s{number:02d}", mark, task=f"task {number // 2}")

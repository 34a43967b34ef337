"""``[gate] sequential = "obf"``: what else a suite and a run may have beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from plugin_runs import Runs, Sessions, good_messages, outcomes, refusal
from stopping_suite import (
    AXIS,
    BEFORE,
    FAILED,
    GATE,
    JUDGE,
    OK,
    SAME,
    WORSE,
    Suite,
    decision_of,
    sixty_sessions,
)


@pytest.fixture
def suite(
    pytester: pytest.Pytester, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Suite]:
    """Return a suite of 60 sessions whose baseline is written."""
    with sixty_sessions(pytester, sessions, monkeypatch) as found:
        yield found


def test_another_suite_of_the_run_is_judged_as_ever(suite: Suite, runs: Runs) -> None:
    """One stops early, the other has no gate."""
    suite.record(WORSE, again=" again")
    suite.sessions.suite(JUDGE.format(suite="").replace("orders", "others"), "other")
    for name in "abc":
        suite.sessions.text(f"other/s{name}.json", json.dumps({"messages": good_messages(name)}))
    result, calls = suite.calls(suite.run)
    assert (FAILED, 24 + 3) == (result.ret, calls)
    states = [[s["state"] for s in one["sessions"]] for one in runs.last["suites"]]
    assert {"passed": 27, "skipped": 36, "failed": 1} == outcomes(result)
    assert ["passed"] * 3 in states


def test_a_run_that_stopped_early_is_no_side_of_a_comparison(suite: Suite, runs: Runs) -> None:
    """Most of it was not judged: whatever is held against it is incomplete."""
    suite.record(WORSE, again=" again")
    suite.run()
    before = runs.folders[-1].name
    suite.record_in_order(SAME)
    result = suite.run(f"--sessioneval-compare={before}")
    assert FAILED == result.ret
    assert "incomplete" == decision_of(runs)["status"]


def test_canaries_are_judged_whatever_a_look_decides(suite: Suite, runs: Runs) -> None:
    """Ten calls more, made before the first look: the check of the judge is not stopped early."""
    for number in range(10):
        said = json.dumps({"messages": good_messages(f"canary {number}, mark 80")})
        suite.sessions.text(f"suite/canaries/c{number}.json", said)
    suite.rules(GATE + 'canaries = ["canaries/*.json"]\n')
    assert OK == suite.run("--sessioneval-update-baseline").ret
    suite.record(WORSE, again=" again")
    result, calls = suite.calls(suite.run)
    assert (FAILED, 24 + 10) == (result.ret, calls)
    assert ("regressed", 24) == (decision_of(runs)["status"], decision_of(runs)["look"]["judged"])
    assert 10 == len(runs.suite["canaries"])


def test_a_part_of_the_suite_is_looked_at_as_any_suite(suite: Suite, runs: Runs) -> None:
    """The order is drawn from what was selected; both that and the look are said."""
    suite.record(WORSE, again=" again")
    result = suite.run("-k", "s0 or s1 or s2 or s3")
    decision = decision_of(runs)
    assert ("regressed", 40) == (decision["status"], decision["look"]["planned"])
    assert decision["look"]["judged"] < 40
    assert 20 == len(decision["baselines"][0]["left_out"])
    result.stdout.fnmatch_lines([" Only a part of the suite was selected*"])
    result.stdout.fnmatch_lines([" Decided early, after * of 40 sessions*"])


def test_new_sessions_wait_for_the_last_look(suite: Suite, runs: Runs) -> None:
    """They have nothing to be compared with, so that no early decision needs them."""
    suite.record(WORSE, again=" again")
    suite.record((80,) * 20, first=60)
    _, calls = suite.calls(suite.run)
    new = [s["state"] for s in runs.suite["sessions"] if s["key"] >= "s60"]
    assert 24 == calls
    assert ["skipped"] * 20 == new


def test_strict_proves_at_the_end_alone(suite: Suite, runs: Runs) -> None:
    """Its bound is good for one try at its level: nothing passes before every session is in."""
    suite.rules(GATE + "strict = true\n[gate.margins]\ndefault = 20\n")
    suite.record_in_order(SAME)
    result, calls = suite.calls(suite.run)
    assert (OK, 60) == (result.ret, calls)
    assert ("passed", 4) == (decision_of(runs)["status"], decision_of(runs)["look"]["look"])


def test_strict_still_stops_at_a_regression(suite: Suite) -> None:
    """No proof is needed to stop a merge."""
    suite.rules(GATE + "strict = true\n")
    suite.record(WORSE, again=" again")
    result, calls = suite.calls(suite.run)
    assert (FAILED, 24) == (result.ret, calls)


def test_a_baseline_is_written_of_every_session(suite: Suite) -> None:
    """A run that writes its baseline decides nothing, and judges all: three times over."""
    suite.record(WORSE, again=" again")
    result, calls = suite.calls(lambda: suite.run("--sessioneval-update-baseline"))
    assert (OK, 3 * 60) == (result.ret, calls)
    assert {"passed": 60} == outcomes(result)
    assert 60 == suite.baseline.read_text().count('"key":')


def test_without_a_baseline_every_session_is_judged(suite: Suite, runs: Runs) -> None:
    """There is nothing that a look could decide."""
    suite.baseline.unlink()
    suite.record(BEFORE, again=" again")
    result, calls = suite.calls(suite.run)
    assert (FAILED, 60) == (result.ret, calls)
    assert ("no_baseline", None) == (decision_of(runs)["status"], decision_of(runs)["look"])


def test_the_junit_file_and_the_markdown_say_it(suite: Suite, runs: Runs) -> None:
    """Whoever reads only one of them sees after how many sessions it was decided."""
    suite.record(WORSE, again=" again")
    suite.run("--junitxml=junit.xml")
    junit = (suite.pytester.path / "junit.xml").read_text()
    assert '<property name="gate_look_judged" value="24"' in junit
    assert 36 == junit.count('message="the gate had decided after 24 of 60 sessions"')
    report = (runs.folders[-1] / "report.md").read_text()
    assert "- Decided early, after 24 of 60 sessions (look 1 of 4)" in report
    first = report.splitlines()[0].replace("\\", "")
    assert first.startswith(f"# Session scores: merge stopped, {AXIS} (-1")
    assert first.endswith(") regressed; 24 sessions passed, 36 left unjudged")
    assert "larger budget" not in report


@pytest.mark.parametrize(
    ("section", "told"),
    [
        (f"[thresholds.session]\n{AXIS} = 10\n", "[[]thresholds.session]*remove the section"),
        (f"[thresholds.mean]\n{AXIS} = 10\n", "[[]thresholds.mean]*remove the section"),
    ],
)
def test_thresholds_refuse_it(suite: Suite, section: str, told: str) -> None:
    """A session that is left out was never held against them: exit 4, and what to do."""
    suite.rules(section + GATE)
    result, calls = suite.calls(suite.run)
    assert 0 == calls
    refused = refusal(result)
    assert "suite orders" in refused
    assert 'or set sequential = "off"' in refused
    result.stderr.fnmatch_lines([f"*{told}*"])


def test_workers_hear_of_a_refusal_once(suite: Suite) -> None:
    """Exit 4 with one line, not one for each worker."""
    suite.rules(f"[thresholds.mean]\n{AXIS} = 10\n" + GATE)
    result = suite.pytester.runpytest_inprocess("-n2")
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    assert 1 == sum("[thresholds.mean] must see them all" in line for line in result.errlines)


@pytest.mark.parametrize("option", ["--sessioneval-fail-under", "--sessioneval-fail-drop"])
def test_shortcuts_refuse_it(suite: Suite, option: str) -> None:
    """A mean over what a decision left is no mean of the suite."""
    result, calls = suite.calls(lambda: suite.run(f"{option}={AXIS}:10"))
    assert 0 == calls
    assert "leave the option out" in refusal(result)

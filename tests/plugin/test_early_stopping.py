"""``[gate] sequential = "obf"``: judging ends with the look that decides, and never by accident."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from plugin_runs import Runs, Sessions, good_messages, outcomes, refusal

from pytest_sessioneval.gate.sequential import seeded_order
from pytest_sessioneval.testing import JudgeRequest, JudgeServer, faithful_reply

OK, FAILED, INTERRUPTED = 0, 1, 2
_AXIS = "goal_completion"
_JUDGE = f"""
[suite]
name = "orders"
sessions = ["s*.json"]
{{suite}}
[judge]
model = "openai:loopback"
[[judge.experts]]
id = "one"
instruction = "Judge the session."
axes = ["{_AXIS}"]
"""
_GATE = f'[gate]\naxes = ["{_AXIS}"]\nsequential = "obf"\n'
_BEFORE = (80, 60) * 30
"""The scores of 60 sessions: looks after 24, 36, 48 and all of them."""
_WORSE = tuple(mark - (0 if n % 10 == 0 else 20) for n, mark in enumerate(_BEFORE))
"""Nine of ten a level lower."""
_SAME = (20, -20) * 12 + (0,) * 36
"""Changes by place in the order of judging: as many a level higher as lower, all of them early, so
that the third look is the first to rule a drop out."""
_BETWEEN = (20, -20, -20, 0, 0) * 12
"""The same: three to four points lower at every look, and far too scattered to say so."""
_BLESSED: dict[str, bytes] = {}


@dataclass
class Suite:
    """Sixty sessions judged over HTTP, one call each, and their baseline."""

    pytester: pytest.Pytester
    sessions: Sessions
    server: JudgeServer
    marks: dict[int, int]
    """What the judge gives each session, by number."""

    @property
    def baseline(self) -> Path:
        """The baseline file."""
        return self.pytester.path / "suite" / "baseline.json"

    def record(self, marks: Sequence[int], *, again: str = "", first: int = 0) -> None:
        """Write a session per mark; ``again`` makes them other recordings."""
        for number, mark in enumerate(marks, first):
            self.marks[number] = mark
            said = good_messages(f"number {number}{again}")
            text = json.dumps({"messages": said, "metadata": {"task": f"t{number // 2}"}})
            self.sessions.text(f"suite/s{number:02d}.json", text)

    def record_in_order(self, by: Sequence[int]) -> None:
        """Write other recordings whose scores change by these, in the order of judging.

        The order does not depend on scores: a run that asks nobody tells its seed.
        """
        self.record(_BEFORE, again=" again")
        self.run("--sessioneval-offline")
        seed = _decision(Runs(self.pytester.path))["look"]["seed"]
        order = seeded_order({f"s{number:02d}.json": None for number in range(60)}, seed)
        for key, change in zip(order, by, strict=True):
            self.marks[int(key[1:3])] += change

    def rules(self, gate: str = _GATE, *, suite: str = "") -> None:
        """Write the suite file."""
        self.sessions.suite(_JUDGE.format(suite=suite) + gate, "suite")

    def bless(self) -> None:
        """Write the baseline of the sessions as they are, and forget that they were judged."""
        key = "".join(path.read_text() for path in sorted(self.baseline.parent.glob("s*")))
        if key not in _BLESSED:
            assert OK == self.run("--sessioneval-update-baseline").ret
            _BLESSED[key] = self.baseline.read_bytes()
        self.baseline.write_bytes(_BLESSED[key])

    def run(self, *arguments: str) -> pytest.RunResult:
        """Return what pytest said."""
        return self.pytester.runpytest_inprocess("-q", *arguments, no_reraise_ctrlc=True)

    def calls(self, run: Callable[[], pytest.RunResult]) -> tuple[pytest.RunResult, int]:
        """Return what a run said, and how many requests it made."""
        before = self.server.calls
        result = run()
        return result, self.server.calls - before


@pytest.fixture
def suite(
    pytester: pytest.Pytester,
    sessions: Sessions,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Suite]:
    """Return a suite of 60 sessions whose baseline is written."""
    marks: dict[int, int] = {}

    def reply(request: JudgeRequest) -> str:
        asked = next(text for role, text in request.messages.values() if role == "user")
        number = re.search(r"about number (\d+)", asked)
        return faithful_reply(request, marks[int(number[1])] if number else 80)

    with JudgeServer(reply) as server:
        monkeypatch.setenv("COLUMNS", "1000")
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        found = Suite(pytester, sessions, server, marks)
        found.record(_BEFORE)
        found.rules()
        found.bless()
        yield found


def _decision(runs: Runs) -> dict[str, Any]:
    return dict(runs.suite["gate"]["decision"])


def _states(runs: Runs) -> dict[str, int]:
    states = [session["state"] for session in runs.suite["sessions"]]
    return {state: states.count(state) for state in sorted(set(states))}


def _kept(report: dict[str, Any]) -> dict[str, Any]:
    """Return what must not depend on how a decision was reached."""
    (suite,) = report["suites"]
    axes = [
        (one["key"], one["state"], one["verdict"]["axes"] if one["verdict"] else None)
        for one in suite["sessions"]
    ]
    return {"gate": suite["gate"], "axes": axes, "means": suite["means"]}


# -- what it saves ------------------------------------------------------------------


def test_a_clear_regression_stops_at_the_first_look(suite: Suite, runs: Runs) -> None:
    """24 of 60 sessions are judged; the others are skipped, and nobody was asked about them."""
    suite.record(_WORSE, again=" again")
    result, calls = suite.calls(suite.run)
    assert FAILED == result.ret
    assert 24 == calls
    assert {"passed": 24, "skipped": 36, "failed": 1} == outcomes(result)
    decision = _decision(runs)
    assert "regressed" == decision["status"]
    look = decision["look"]
    assert (1, 4, 24, 60) == tuple(look[name] for name in ("look", "looks", "judged", "planned"))
    assert {"passed": 24, "skipped": 36} == _states(runs)
    result.stdout.fnmatch_lines([f" gate: {_AXIS} got worse: *The merge is stopped."])
    result.stdout.fnmatch_lines([" Decided early, after 24 of 60 sessions (look 1 of 4)*"])
    result.stdout.fnmatch_lines([" 24 passed, 36 left unjudged"])


def test_no_change_stops_when_a_look_shows_it(suite: Suite, runs: Runs) -> None:
    """Not before: the first look is too early to rule a drop out."""
    suite.record_in_order(_SAME)
    result, calls = suite.calls(suite.run)
    decision = _decision(runs)
    assert (OK, "passed", 48) == (result.ret, decision["status"], calls)
    assert (3, 48) == (decision["look"]["look"], decision["look"]["judged"])
    assert {"passed": 49, "skipped": 12} == outcomes(result)


def test_what_cannot_be_told_is_judged_to_the_end(suite: Suite, runs: Runs) -> None:
    """The last look decides at the level that is left, and says so."""
    suite.record_in_order(_BETWEEN)
    result, calls = suite.calls(suite.run)
    decision = _decision(runs)
    assert 60 == calls
    assert ("inconclusive", 4, 60) == (
        decision["status"],
        decision["look"]["look"],
        decision["look"]["judged"],
    )
    assert {"passed": 60} == _states(runs)
    assert 0.03 < decision["alpha"] < 0.05
    result.stdout.fnmatch_lines([" Decided at the last of 4 looks, after all 60 sessions*"])


def test_no_more_is_asked_than_the_looks_take_however_many_are_in_flight(suite: Suite) -> None:
    """Judging never runs ahead of a look: the calls are the same with one thread and with 60."""
    suite.record(_WORSE, again=" again")
    assert 24 == suite.calls(lambda: suite.run("--sessioneval-concurrency=60"))[1]


def test_a_window_smaller_than_a_look_holds_nothing_up(suite: Suite) -> None:
    """Sessions of a look are judged though their items, later in the run, have not reported."""
    suite.record(_WORSE, again=" again")
    result, calls = suite.calls(lambda: suite.run("--sessioneval-concurrency=1"))
    assert (FAILED, 24) == (result.ret, calls)


def test_the_calls_are_announced_as_the_most_there_can_be(suite: Suite) -> None:
    """Nobody knows beforehand how many it will take."""
    suite.record(_WORSE, again=" again")
    result = suite.pytester.runpytest_inprocess()
    result.stdout.fnmatch_lines(["judging at most 60 sessions: at most 60 calls to *"])


# -- the same whatever happened before ------------------------------------------------


def test_a_second_run_decides_the_same_and_asks_nobody(suite: Suite, runs: Runs) -> None:
    """Order and looks are fixed by what is compared: running again rolls no dice."""
    suite.record_in_order(_SAME)
    suite.run()
    first = _kept(runs.last)
    _, calls = suite.calls(suite.run)
    assert 0 == calls
    assert first == _kept(runs.last)


def test_what_is_in_the_store_makes_no_difference(suite: Suite, runs: Runs) -> None:
    """Verdicts of a run that judged all of them do not enter a look that is earlier."""
    suite.record(_WORSE, again=" again")
    suite.rules(_GATE.replace("obf", "off"))
    assert 60 == suite.calls(suite.run)[1]
    suite.rules()
    result, calls = suite.calls(suite.run)
    assert (FAILED, 0) == (result.ret, calls)
    assert {"passed": 24, "skipped": 36} == _states(runs)
    assert 24 == _decision(runs)["look"]["judged"]


def test_workers_decide_the_same(suite: Suite, runs: Runs) -> None:
    """Under ``-n 2`` the controller takes the looks: the same calls, decision and last line."""
    suite.record_in_order(_SAME)
    suite.run()
    alone = _kept(runs.last)
    for kept in (suite.pytester.path / ".sessioneval").glob("store.db*"):
        kept.unlink()
    result, calls = suite.calls(lambda: suite.pytester.runpytest_inprocess("-n2"))
    assert (OK, alone["gate"]["decision"]["look"]["judged"]) == (result.ret, calls)
    assert alone == _kept(runs.last)
    assert {"passed": calls + 1, "skipped": 60 - calls} == outcomes(result)


def test_tasks_are_never_split(suite: Suite, runs: Runs) -> None:
    """With two sessions a task the looks count tasks, and the floor does too."""
    suite.rules(suite='cluster = "task"')
    (suite.baseline).unlink()
    assert OK == suite.run("--sessioneval-update-baseline").ret
    suite.record(_WORSE, again=" again")
    result = suite.run()
    decision = _decision(runs)
    assert FAILED == result.ret
    assert ("regressed", 48) == (decision["status"], decision["look"]["judged"])
    assert 24 == decision["axes"][0]["comparisons"][0]["overall"]["units"]


# -- it cannot go green by accident ----------------------------------------------------


def test_a_judge_that_is_down_is_incomplete(suite: Suite, runs: Runs) -> None:
    """A look with a hole in it decides nothing, and neither does the last one."""
    suite.record_in_order(_SAME)
    suite.server.fail(1, status=401, message="no such key")
    result = suite.run()
    assert FAILED == result.ret
    assert "incomplete" == _decision(runs)["status"]
    assert {"passed": 59, "not_scored": 1} == _states(runs)


def test_a_lost_session_is_incomplete(suite: Suite, runs: Runs) -> None:
    """Sessions that are not reached are still there; one that is gone is lost."""
    suite.record_in_order(_SAME)
    (suite.baseline.parent / "s07.json").unlink()
    result = suite.run()
    (use,) = _decision(runs)["baselines"]
    assert FAILED == result.ret
    assert ("incomplete", ["s07.json"]) == (_decision(runs)["status"], use["lost"])


def test_a_spent_budget_is_incomplete(suite: Suite, runs: Runs) -> None:
    """What the budget left out is not what a look left out: it fails as not scored."""
    suite.record_in_order(_SAME)
    result = suite.run("--sessioneval-max-calls=30")
    assert FAILED == result.ret
    assert "incomplete" == _decision(runs)["status"]
    assert {"passed": 30, "not_scored": 30} == _states(runs)


def test_a_judged_session_that_does_not_report_is_incomplete(suite: Suite, runs: Runs) -> None:
    """Every session up to the look is owed, also when its verdict let the look decide."""
    suite.record_in_order(_SAME)
    suite.run()
    judged = next(s["key"] for s in runs.suite["sessions"] if s["state"] == "passed")
    skip = (
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        f"    marked = [item for item in items if {judged!r} in item.nodeid]\n"
        "    marked[0].add_marker(pytest.mark.skip(reason='flaky'))\n"
    )
    suite.sessions.text("conftest.py", skip)
    result = suite.run()
    assert FAILED == result.ret
    assert "incomplete" == _decision(runs)["status"]


def test_ten_that_are_worse_are_not_passed_over_by_unchanged_ones(suite: Suite, runs: Runs) -> None:
    """Fifty identical files let no look pass; at the end it is as without early stopping."""
    suite.record([mark - 20 for mark in _BEFORE[:10]], again=" again")
    result = suite.run()
    assert FAILED == result.ret
    decision = _decision(runs)
    assert ("inconclusive", 60) == (decision["status"], decision["look"]["judged"])
    result.stdout.fnmatch_lines(["*10 changed sessions alone do not rule out a drop of*"])


def test_an_unreadable_file_is_incomplete(suite: Suite, runs: Runs) -> None:
    """Its sessions may be those that got worse."""
    suite.record_in_order(_SAME)
    suite.sessions.text("suite/s99.json", '{"messages": [')
    result = suite.run()
    assert FAILED == result.ret
    assert "incomplete" == _decision(runs)["status"]


def test_offline_without_verdicts_is_incomplete(suite: Suite, runs: Runs) -> None:
    """Nobody was asked about any session of the first look."""
    suite.record_in_order(_SAME)
    result, calls = suite.calls(lambda: suite.run("--sessioneval-offline"))
    assert (FAILED, 0) == (result.ret, calls)
    assert "incomplete" == _decision(runs)["status"]


def test_stopping_at_the_first_failure_is_incomplete(suite: Suite, runs: Runs) -> None:
    """After ``-x`` the sessions without a turn are missing from whatever a look had decided."""
    suite.record_in_order(_SAME)
    suite.run()
    assert "passed" == _decision(runs)["status"]
    suite.sessions.text("suite/test_fails.py", "def test_fails():\n    assert False\n")
    reverse = "def pytest_collection_modifyitems(items):\n    items.reverse()\n"
    suite.sessions.text("conftest.py", reverse)
    result = suite.run("-x")
    assert FAILED == result.ret
    assert "incomplete" == _decision(runs)["status"]


def test_an_interrupted_run_decides_nothing(suite: Suite, runs: Runs) -> None:
    """Exit 2, also when a look had decided before."""
    suite.record_in_order(_SAME)
    suite.sessions.text("suite/test_stop.py", "def test_stop():\n    raise KeyboardInterrupt\n")
    result = suite.run()
    assert INTERRUPTED == result.ret
    assert runs.suite["gate"] is None


# -- with what else there is ------------------------------------------------------------


def test_another_suite_of_the_run_is_judged_as_ever(suite: Suite, runs: Runs) -> None:
    """One stops early, the other has no gate."""
    suite.record(_WORSE, again=" again")
    suite.sessions.suite(_JUDGE.format(suite="").replace("orders", "others"), "other")
    for name in "abc":
        suite.sessions.text(f"other/s{name}.json", json.dumps({"messages": good_messages(name)}))
    result, calls = suite.calls(suite.run)
    assert (FAILED, 24 + 3) == (result.ret, calls)
    states = [[s["state"] for s in one["sessions"]] for one in runs.last["suites"]]
    assert {"passed": 27, "skipped": 36, "failed": 1} == outcomes(result)
    assert ["passed"] * 3 in states


def test_a_run_that_stopped_early_is_no_side_of_a_comparison(suite: Suite, runs: Runs) -> None:
    """Most of it was not judged: whatever is held against it is incomplete."""
    suite.record(_WORSE, again=" again")
    suite.run()
    before = runs.folders[-1].name
    suite.record_in_order(_SAME)
    result = suite.run(f"--sessioneval-compare={before}")
    assert FAILED == result.ret
    assert "incomplete" == _decision(runs)["status"]


def test_canaries_are_judged_whatever_a_look_decides(suite: Suite, runs: Runs) -> None:
    """Ten calls more, made before the first look: the check of the judge is not stopped early."""
    for number in range(10):
        said = json.dumps({"messages": good_messages(f"canary {number}, mark 80")})
        suite.sessions.text(f"suite/canaries/c{number}.json", said)
    suite.rules(_GATE + 'canaries = ["canaries/*.json"]\n')
    assert OK == suite.run("--sessioneval-update-baseline").ret
    suite.record(_WORSE, again=" again")
    result, calls = suite.calls(suite.run)
    assert (FAILED, 24 + 10) == (result.ret, calls)
    assert ("regressed", 24) == (_decision(runs)["status"], _decision(runs)["look"]["judged"])
    assert 10 == len(runs.suite["canaries"])


def test_a_part_of_the_suite_is_looked_at_as_any_suite(suite: Suite, runs: Runs) -> None:
    """The order is drawn from what was selected; both that and the look are said."""
    suite.record(_WORSE, again=" again")
    result = suite.run("-k", "s0 or s1 or s2 or s3")
    decision = _decision(runs)
    assert ("regressed", 40) == (decision["status"], decision["look"]["planned"])
    assert decision["look"]["judged"] < 40
    assert 20 == len(decision["baselines"][0]["left_out"])
    result.stdout.fnmatch_lines([" Only a part of the suite was selected*"])
    result.stdout.fnmatch_lines([" Decided early, after * of 40 sessions*"])


def test_new_sessions_wait_for_the_last_look(suite: Suite, runs: Runs) -> None:
    """They have nothing to be compared with, so that no early decision needs them."""
    suite.record(_WORSE, again=" again")
    suite.record((80,) * 20, first=60)
    _, calls = suite.calls(suite.run)
    new = [s["state"] for s in runs.suite["sessions"] if s["key"] >= "s60"]
    assert 24 == calls
    assert ["skipped"] * 20 == new


def test_strict_proves_at_the_end_alone(suite: Suite, runs: Runs) -> None:
    """Its bound is good for one try at its level: nothing passes before every session is in."""
    suite.rules(_GATE + "strict = true\n[gate.margins]\ndefault = 20\n")
    suite.record_in_order(_SAME)
    result, calls = suite.calls(suite.run)
    assert (OK, 60) == (result.ret, calls)
    assert ("passed", 4) == (_decision(runs)["status"], _decision(runs)["look"]["look"])


def test_strict_still_stops_at_a_regression(suite: Suite) -> None:
    """No proof is needed to stop a merge."""
    suite.rules(_GATE + "strict = true\n")
    suite.record(_WORSE, again=" again")
    result, calls = suite.calls(suite.run)
    assert (FAILED, 24) == (result.ret, calls)


def test_a_baseline_is_written_of_every_session(suite: Suite) -> None:
    """A run that writes its baseline decides nothing, and judges all: three times over."""
    suite.record(_WORSE, again=" again")
    result, calls = suite.calls(lambda: suite.run("--sessioneval-update-baseline"))
    assert (OK, 3 * 60) == (result.ret, calls)
    assert {"passed": 60} == outcomes(result)
    assert 60 == suite.baseline.read_text().count('"key":')


def test_without_a_baseline_every_session_is_judged(suite: Suite, runs: Runs) -> None:
    """There is nothing that a look could decide."""
    suite.baseline.unlink()
    suite.record(_BEFORE, again=" again")
    result, calls = suite.calls(suite.run)
    assert (FAILED, 60) == (result.ret, calls)
    assert ("no_baseline", None) == (_decision(runs)["status"], _decision(runs)["look"])


def test_the_junit_file_and_the_markdown_say_it(suite: Suite, runs: Runs) -> None:
    """Whoever reads only one of them sees after how many sessions it was decided."""
    suite.record(_WORSE, again=" again")
    suite.run("--junitxml=junit.xml")
    junit = (suite.pytester.path / "junit.xml").read_text()
    assert '<property name="gate_look_judged" value="24"' in junit
    assert 36 == junit.count('message="the gate had decided after 24 of 60 sessions"')
    report = (runs.folders[-1] / "report.md").read_text()
    assert "- Decided early, after 24 of 60 sessions (look 1 of 4)" in report
    first = report.splitlines()[0].replace("\\", "")
    assert first.startswith(f"# Session scores: merge stopped, {_AXIS} (-1")
    assert first.endswith(") regressed; 24 sessions passed, 36 left unjudged")
    assert "larger budget" not in report


@pytest.mark.parametrize(
    ("section", "told"),
    [
        (f"[thresholds.session]\n{_AXIS} = 10\n", "[[]thresholds.session]*remove the section"),
        (f"[thresholds.mean]\n{_AXIS} = 10\n", "[[]thresholds.mean]*remove the section"),
    ],
)
def test_thresholds_refuse_it(suite: Suite, section: str, told: str) -> None:
    """A session that is left out was never held against them: exit 4, and what to do."""
    suite.rules(section + _GATE)
    result, calls = suite.calls(suite.run)
    assert 0 == calls
    refused = refusal(result)
    assert "suite orders" in refused
    assert 'or set sequential = "off"' in refused
    result.stderr.fnmatch_lines([f"*{told}*"])


def test_workers_hear_of_a_refusal_once(suite: Suite) -> None:
    """Exit 4 with one line, not one for each worker."""
    suite.rules(f"[thresholds.mean]\n{_AXIS} = 10\n" + _GATE)
    result = suite.pytester.runpytest_inprocess("-n2")
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    assert 1 == sum("[thresholds.mean] must see them all" in line for line in result.errlines)


@pytest.mark.parametrize("option", ["--sessioneval-fail-under", "--sessioneval-fail-drop"])
def test_shortcuts_refuse_it(suite: Suite, option: str) -> None:
    """A mean over what a decision left is no mean of the suite."""
    result, calls = suite.calls(lambda: suite.run(f"{option}={_AXIS}:10"))
    assert 0 == calls
    assert "leave the option out" in refusal(result)

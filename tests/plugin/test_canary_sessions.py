"""Canary sessions in a run: judged each time, never counted, and they tell who moved."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import closing

import pytest
from canary_suite import AXIS, CANARIES, SESSIONS, WRITE, Judge, Suite, decision_of, drifting_judge
from plugin_runs import Runs, outcomes


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Judge]:
    """Have sessions judged by a server that a test can have drift."""
    with drifting_judge(monkeypatch) as judge:
        yield judge


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    """Return the suite, without a baseline."""
    made = Suite(pytester.path)
    made.write()
    return made


@pytest.fixture
def blessed(suite: Suite, judge: Judge, pytester: pytest.Pytester) -> Suite:
    """Return the suite with its baseline, and its sessions recorded anew since."""
    suite.bless(judge, pytester)
    return suite


# -- writing -------------------------------------------------------------------------


@pytest.mark.usefixtures("judge")
def test_the_baseline_holds_their_scores(suite: Suite, pytester: pytest.Pytester) -> None:
    """Beside the sessions' and not among them; the terminal says so."""
    result = pytester.runpytest_inprocess("-q", WRITE)
    held = suite.baseline
    assert (2, SESSIONS, CANARIES) == (
        held["format"],
        len(held["sessions"]),
        len(held["canaries"]),
    )
    scores = [one["axes"][AXIS]["score"] for one in held["canaries"]]
    assert [40, 60, 80] * 4 == scores
    result.stdout.fnmatch_lines(["12 canary sessions new, gone or scored differently: *"])


@pytest.mark.usefixtures("blessed")
def test_the_same_again_writes_the_same(suite: Suite, pytester: pytest.Pytester) -> None:
    """Scores of sessions that did not change keep the canaries of their day."""
    pytester.runpytest_inprocess("-q", WRITE)
    before = (suite.folder / "baseline.json").read_bytes()
    result = pytester.runpytest_inprocess("-q", WRITE)
    result.stdout.fnmatch_lines(["*holds these scores already*"])
    assert before == (suite.folder / "baseline.json").read_bytes()


def test_scores_of_two_judges_are_no_baseline(
    blessed: Suite, judge: Judge, pytester: pytest.Pytester
) -> None:
    """Old scores from the store beside canaries of a judge that moved: exit 1, nothing written."""
    pytester.runpytest_inprocess("-q")
    before = (blessed.folder / "baseline.json").read_bytes()
    judge.shift = -20
    result = pytester.runpytest_inprocess("-q", WRITE)
    assert 1 == result.ret
    result.stdout.fnmatch_lines(["*the judge moved since the last one*24 of 24 sessions*"])
    assert before == (blessed.folder / "baseline.json").read_bytes()
    fresh = f"--sessioneval-store=sqlite:///{pytester.path}/fresh.db"
    assert 0 == pytester.runpytest_inprocess("-q", WRITE, fresh).ret
    assert [20, 40, 60] * 4 == [one["axes"][AXIS]["score"] for one in blessed.baseline["canaries"]]


@pytest.mark.usefixtures("suite")
def test_canaries_that_were_not_judged_are_no_baseline(
    judge: Judge, pytester: pytest.Pytester
) -> None:
    """One failed answer is enough."""
    judge.server.fail(status=401, message="wrong key")
    result = pytester.runpytest_inprocess("-q", WRITE, "--sessioneval-concurrency=1")
    assert 1 == result.ret
    result.stdout.fnmatch_lines(["*is not written: canaries not scored: canaries/c00.json*"])


# -- running -------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
def test_a_judge_that_moved_is_told_apart(
    blessed: Suite,
    judge: Judge,
    pytester: pytest.Pytester,
    runs: Runs,
    workers: tuple[str, ...],
) -> None:
    """Every session twenty points lower, as every canary: the judge moved, not the agent."""
    judge.shift = -20
    file = pytester.path / "junit.xml"
    result = pytester.runpytest_inprocess(f"--junitxml={file}", *workers)
    assert (1, {"passed": SESSIONS, "failed": 1}) == (result.ret, outcomes(result))
    result.stdout.fnmatch_lines(["*gate: The judge moved, not the agent: the 12 canary*stopped.*"])
    assert "not_comparable" == decision_of(runs)["status"]
    case = next(case for case in ET.parse(file).iter("testcase") if "gate" == case.get("name"))  # noqa: S314
    failure = case.find("failure")
    assert failure is not None
    assert "The judge moved, not the agent" in (failure.text or "")
    shift = f"gate_{AXIS}_baseline_canary_shift"
    assert "-20.0" == {one.get("name"): one.get("value") for one in case.iter("property")}[shift]
    assert "The judge moved, not the agent" in (runs.folders[-1] / "report.md").read_text("utf-8")
    assert blessed.folder.is_dir()


@pytest.mark.usefixtures("blessed")
@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
def test_a_judge_that_stayed_is_vouched_for(
    judge: Judge, pytester: pytest.Pytester, runs: Runs, workers: tuple[str, ...]
) -> None:
    """Passed; asked about once per run, whatever the store has."""
    before = judge.server.calls
    result = pytester.runpytest_inprocess("-q", *workers)
    assert (0, "passed") == (result.ret, decision_of(runs)["status"])
    result.stdout.fnmatch_lines(["*The judge did not move since the baseline was written*"])
    assert SESSIONS + CANARIES == judge.server.calls - before
    pytester.runpytest_inprocess("-q", *workers)
    assert SESSIONS + 2 * CANARIES == judge.server.calls - before


def test_a_drop_of_the_agent_is_still_one(
    blessed: Suite, pytester: pytest.Pytester, runs: Runs
) -> None:
    """Sessions lower, canaries as they were: the agent regressed."""
    for number in range(SESSIONS):
        blessed.session(f"s{number:02d}", 40 + 20 * (number % 2))
    assert 1 == pytester.runpytest_inprocess("-q").ret
    assert "regressed" == decision_of(runs)["status"]


@pytest.mark.usefixtures("blessed")
def test_canaries_count_nowhere(pytester: pytest.Pytester, runs: Runs) -> None:
    """Not in items, means, counts or pairs; their calls are in what was spent."""
    result = pytester.runpytest_inprocess("-q")
    suite = runs.suite
    assert {"passed": SESSIONS + 1} == outcomes(result)
    assert (SESSIONS, SESSIONS) == (len(suite["sessions"]), suite["counts"]["passed"])
    assert SESSIONS == runs.mean(AXIS)["sessions"]
    assert CANARIES == len(suite["canaries"])
    (use,) = decision_of(runs)["baselines"]
    assert (SESSIONS, SESSIONS, []) == (use["sessions"], use["pairs"], use["added"])
    assert SESSIONS + CANARIES == suite["spent"]["calls"]


@pytest.mark.usefixtures("blessed")
def test_canaries_are_not_in_the_store(pytester: pytest.Pytester) -> None:
    """Neither as sessions nor as evaluations: listings and trends know nothing of them."""
    pytester.runpytest_inprocess("-q")
    with closing(sqlite3.connect(pytester.path / ".sessioneval" / "store.db")) as store:
        for table in ("sessions", "evaluations"):
            rows = store.execute(f"SELECT DISTINCT session_key FROM {table}")  # noqa: S608
            keys = sorted(key for (key,) in rows)
            assert [f"s{number:02d}.json" for number in range(SESSIONS)] == keys


@pytest.mark.usefixtures("blessed")
def test_calls_are_told_beforehand(pytester: pytest.Pytester) -> None:
    """The canaries' among them."""
    result = pytester.runpytest_inprocess()
    result.stdout.fnmatch_lines(
        ["judging 24 sessions and 12 canary sessions: 36 calls to openai:loopback (0 from store)"]
    )


PRICES = """[[model]]
name = "openai:loopback"
[model.prices]
input = 1.0
cached = 0.1
output = 10.0
"""


def test_what_they_cost_is_told_where_all_else_is_stored(
    blessed: Suite, pytester: pytest.Pytester, runs: Runs
) -> None:
    """They alone are asked about then, and measured themselves: they may be longer.

    What is told counts no cached prompts, and half of what they take is cached.
    """
    for number in range(CANARIES):
        blessed.session(f"canaries/c{number:02d}", 40 + 20 * (number % 3), "please " * 2_000)
    (pytester.path / "prices.toml").write_text(PRICES, "utf-8")
    assert 0 == pytester.runpytest_inprocess("-q", WRITE).ret
    result = pytester.runpytest_inprocess("--sessioneval-prices=prices.toml")
    (line,) = (line for line in result.outlines if line.startswith("judging "))
    head, _, about = line.partition(", about $")
    asked = "judging 0 sessions and 12 canary sessions: 12 calls to openai:loopback (24 from store)"
    assert asked == head
    assert 1 < float(about) / runs.suite["spent"]["cost_usd"] < 3


def test_what_a_suite_calls_a_secret_is_none_of_the_judges_there_either(
    blessed: Suite, judge: Judge, pytester: pytest.Pytester
) -> None:
    """The hook's kinds are replaced in them as in any session."""
    hook = 'def pytest_sessioneval_redaction_patterns():\n    return {"customer-id": r"K-\\d{6}"}\n'
    pytester.makeconftest(hook)
    for number in range(CANARIES):
        blessed.session(f"canaries/c{number:02d}", 60, f"for K-{number:06d}")
    pytester.runpytest_inprocess("-q", WRITE)
    shown = [request.text for request in judge.server.requests]
    assert any("canaries/c" in text for text in shown)
    assert not any("for K-0" in text for text in shown)


@pytest.mark.usefixtures("blessed")
def test_a_part_of_the_suite_has_them_judged_too(
    judge: Judge, pytester: pytest.Pytester, runs: Runs
) -> None:
    """A decision is a decision; without a session there is none, and nobody is asked."""
    judge.shift = -20
    assert 1 == pytester.runpytest_inprocess("-q", "-k", "s00 or s01").ret
    assert "not_comparable" == decision_of(runs)["status"]
    before = judge.server.calls
    pytester.runpytest_inprocess("-q", "-k", "nothing")
    pytester.runpytest_inprocess("-q", "--co")
    assert before == judge.server.calls


@pytest.mark.usefixtures("blessed")
def test_offline_says_that_they_were_not_judged(
    judge: Judge, pytester: pytest.Pytester, runs: Runs
) -> None:
    """Nobody is asked, and the run passes with that note."""
    pytester.runpytest_inprocess("-q")
    before = judge.server.calls
    result = pytester.runpytest_inprocess("-q", "--sessioneval-offline")
    assert (0, before, "passed") == (result.ret, judge.server.calls, decision_of(runs)["status"])
    result.stdout.fnmatch_lines(["*The canaries were not judged in this run*"])


_INTERRUPTIBLE = """
import signal, sys
import pytest
# Started by a job in the background, a process ignores Ctrl-C; Python then does too.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(pytest.main(["-v"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_an_interrupt_while_waiting_for_them_is_pytests_own(
    blessed: Suite, judge: Judge, pytester: pytest.Pytester
) -> None:
    """Every item has reported, and the judge hangs: Ctrl-C ends with 2 and without a traceback."""
    assert 0 == pytester.runpytest_inprocess("-q").ret
    before = judge.server.calls
    judge.server.hold()
    with pytester.popen([sys.executable, "-u", "-c", _INTERRUPTIBLE]) as process:
        judge.server.wait_for_calls(before + CANARIES)
        assert process.stdout is not None
        said = b""
        while b"100%" not in said:
            said += os.read(process.stdout.fileno(), 4096)
        process.send_signal(signal.SIGINT)
        try:
            assert 2 == process.wait(timeout=60)
        finally:
            process.kill()  # else leaving would wait for one that did not hear
        said += process.stdout.read()
    assert b"KeyboardInterrupt" in said
    assert b"Traceback" not in said
    assert blessed.folder.is_dir()

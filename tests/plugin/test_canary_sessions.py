"""Canary sessions in a run: judged each time, never counted, and they tell who moved."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from plugin_runs import Runs, outcomes, refusal

from pytest_sessioneval.cli import program
from pytest_sessioneval.testing import JudgeRequest, JudgeServer, faithful_reply

AXIS = "tool_usage_quality"
SESSIONS, CANARIES = 24, 12
SUITE = f"""
[suite]
name = "orders"
[judge]
model = "openai:loopback"
baseline_repeats = 1
[[judge.experts]]
id = "one"
instruction = "Judge the session."
axes = ["{AXIS}", "efficiency"]
[gate]
axes = ["{AXIS}"]
canaries = ["canaries/*.json"]
"""
_WRITE = "--sessioneval-update-baseline"


class Judge:
    """A judge that gives the mark a session was written with, and drifts when told."""

    def __init__(self) -> None:
        self.server = JudgeServer(self.reply)
        self.shift = 0

    def reply(self, request: JudgeRequest) -> str:
        """Return the reply that moves with the shift."""
        said = next(text for role, text in request.messages.values() if role == "user")
        mark = int(said.rpartition("mark ")[2].split()[0])
        return faithful_reply(request, min(100, max(0, mark + self.shift)))


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Judge]:
    """Have sessions judged by a server that a test can have drift."""
    judge = Judge()
    with judge.server as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("COLUMNS", "1000")
        yield judge


@dataclass(frozen=True)
class Suite:
    """A suite of 24 sessions beside 12 canaries."""

    root: Path

    @property
    def folder(self) -> Path:
        """Its folder."""
        return self.root / "suite"

    @property
    def baseline(self) -> dict[str, Any]:
        """Its baseline."""
        held: dict[str, Any] = json.loads((self.folder / "baseline.json").read_text("utf-8"))
        return held

    def write(self, more: str = "") -> None:
        """Write all of it."""
        (self.folder / "canaries").mkdir(parents=True)
        (self.folder / "sessioneval.toml").write_text(SUITE + more, "utf-8")
        for number in range(SESSIONS):
            self.session(f"s{number:02d}", 60 + 20 * (number % 2))
        for number in range(CANARIES):
            self.session(f"canaries/c{number:02d}", 40 + 20 * (number % 3))

    def session(self, name: str, mark: int, note: str = "") -> None:
        """Write one session that says what it deserves."""
        said = [
            {"role": "user", "content": f"Where is order {name}? mark {mark} {note}"},
            {"role": "assistant", "content": "It was shipped on Monday, and arrives on Friday."},
        ]
        (self.folder / f"{name}.json").write_text(json.dumps({"messages": said}), "utf-8")

    def record_again(self) -> None:
        """Record every session anew, as good as before."""
        for number in range(SESSIONS):
            self.session(f"s{number:02d}", 60 + 20 * (number % 2), "again")


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    """Return the suite, without a baseline."""
    made = Suite(pytester.path)
    made.write()
    return made


@pytest.fixture
def blessed(suite: Suite, judge: Judge, pytester: pytest.Pytester) -> Suite:
    """Return the suite with its baseline, and its sessions recorded anew since."""
    assert 0 == pytester.runpytest_inprocess("-q", _WRITE).ret
    assert SESSIONS + CANARIES == judge.server.calls
    suite.record_again()
    return suite


def decision(runs: Runs) -> dict[str, Any]:
    """Return the last run's decision."""
    found: dict[str, Any] = runs.suite["gate"]["decision"]
    return found


# -- writing -------------------------------------------------------------------------


@pytest.mark.usefixtures("judge")
def test_the_baseline_holds_their_scores(suite: Suite, pytester: pytest.Pytester) -> None:
    """Beside the sessions' and not among them; the terminal says so."""
    result = pytester.runpytest_inprocess("-q", _WRITE)
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
    pytester.runpytest_inprocess("-q", _WRITE)
    before = (suite.folder / "baseline.json").read_bytes()
    result = pytester.runpytest_inprocess("-q", _WRITE)
    result.stdout.fnmatch_lines(["*holds these scores already*"])
    assert before == (suite.folder / "baseline.json").read_bytes()


def test_scores_of_two_judges_are_no_baseline(
    blessed: Suite, judge: Judge, pytester: pytest.Pytester
) -> None:
    """Old scores from the store beside canaries of a judge that moved: exit 1, nothing written."""
    pytester.runpytest_inprocess("-q")
    before = (blessed.folder / "baseline.json").read_bytes()
    judge.shift = -20
    result = pytester.runpytest_inprocess("-q", _WRITE)
    assert 1 == result.ret
    result.stdout.fnmatch_lines(["*the judge moved since the last one*24 of 24 sessions*"])
    assert before == (blessed.folder / "baseline.json").read_bytes()
    fresh = f"--sessioneval-store=sqlite:///{pytester.path}/fresh.db"
    assert 0 == pytester.runpytest_inprocess("-q", _WRITE, fresh).ret
    assert [20, 40, 60] * 4 == [one["axes"][AXIS]["score"] for one in blessed.baseline["canaries"]]


@pytest.mark.usefixtures("suite")
def test_canaries_that_were_not_judged_are_no_baseline(
    judge: Judge, pytester: pytest.Pytester
) -> None:
    """One failed answer is enough."""
    judge.server.fail(status=401, message="wrong key")
    result = pytester.runpytest_inprocess("-q", _WRITE, "--sessioneval-concurrency=1")
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
    assert "not_comparable" == decision(runs)["status"]
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
    assert (0, "passed") == (result.ret, decision(runs)["status"])
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
    assert "regressed" == decision(runs)["status"]


@pytest.mark.usefixtures("blessed")
def test_canaries_count_nowhere(pytester: pytest.Pytester, runs: Runs) -> None:
    """Not in items, means, counts or pairs; their calls are in what was spent."""
    result = pytester.runpytest_inprocess("-q")
    suite = runs.suite
    assert {"passed": SESSIONS + 1} == outcomes(result)
    assert (SESSIONS, SESSIONS) == (len(suite["sessions"]), suite["counts"]["passed"])
    assert SESSIONS == runs.mean(AXIS)["sessions"]
    assert CANARIES == len(suite["canaries"])
    (use,) = decision(runs)["baselines"]
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
    assert 0 == pytester.runpytest_inprocess("-q", _WRITE).ret
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
    pytester.runpytest_inprocess("-q", _WRITE)
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
    assert "not_comparable" == decision(runs)["status"]
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
    assert (0, before, "passed") == (result.ret, judge.server.calls, decision(runs)["status"])
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


# -- what cannot turn it green -------------------------------------------------------


@pytest.mark.usefixtures("judge")
def test_canaries_without_scores_stop_the_merge(
    suite: Suite, pytester: pytest.Pytester, runs: Runs
) -> None:
    """Added after the baseline was written: the line says how to score them."""
    text = (suite.folder / "sessioneval.toml").read_text("utf-8")
    plain = text.replace('canaries = ["canaries/*.json"]', "").replace(
        "[suite]", '[suite]\nsessions = ["s*.json"]'
    )
    (suite.folder / "sessioneval.toml").write_text(plain, "utf-8")
    assert 0 == pytester.runpytest_inprocess("-q", _WRITE).ret
    assert 1 == suite.baseline["format"]
    (suite.folder / "sessioneval.toml").write_text(text, "utf-8")
    result = pytester.runpytest_inprocess("-q")
    assert (1, "incomplete") == (result.ret, decision(runs)["status"])
    result.stdout.fnmatch_lines(["*the baseline has no scores of the canaries*"])


@pytest.mark.parametrize("spoil", ["lost", "changed"])
def test_canaries_that_are_not_as_they_were_stop_the_merge(
    blessed: Suite, judge: Judge, pytester: pytest.Pytester, runs: Runs, spoil: str
) -> None:
    """Named; else the one that shows the drift could be taken away."""
    if spoil == "lost":
        (blessed.folder / "canaries" / "c03.json").unlink()
    else:
        blessed.session("canaries/c03", 40, "edited")
    result = pytester.runpytest_inprocess("-q")
    assert (1, "incomplete") == (result.ret, decision(runs)["status"])
    result.stdout.fnmatch_lines(["*1 canary session *(canaries/c03.json)*stopped*"])
    assert judge.shift == 0


@pytest.mark.usefixtures("blessed")
def test_a_canary_that_nobody_judged_stops_the_merge(
    judge: Judge, pytester: pytest.Pytester, runs: Runs
) -> None:
    """They are asked about first, so that the budget is not spent before."""
    judge.server.fail(status=401, message="wrong key")
    result = pytester.runpytest_inprocess("-q", "--sessioneval-concurrency=1")
    assert (1, "incomplete") == (result.ret, decision(runs)["status"])
    assert ["canaries/c00.json"] == decision(runs)["canaries"][0]["unjudged"]


def test_an_unreadable_canary_is_an_item_that_errors(
    blessed: Suite, pytester: pytest.Pytester
) -> None:
    """As any session's file."""
    (blessed.folder / "canaries" / "c03.json").write_text("{", "utf-8")
    result = pytester.runpytest_inprocess("-q")
    assert 1 == result.ret
    assert {"passed": SESSIONS, "failed": 1, "errors": 1} == outcomes(result)


@pytest.mark.usefixtures("judge")
def test_too_few_are_refused_before_anybody_is_asked(
    suite: Suite, pytester: pytest.Pytester, judge: Judge
) -> None:
    """Nine could not tell: exit 4."""
    for number in range(3):
        (suite.folder / "canaries" / f"c{number:02d}.json").unlink()
    said = refusal(pytester.runpytest_inprocess("-q"))
    assert "names 9 sessions; 10 to 20 can tell" in said
    assert 0 == judge.server.calls


@pytest.mark.usefixtures("judge")
def test_a_glob_that_leads_out_is_refused(suite: Suite, pytester: pytest.Pytester) -> None:
    """With its line."""
    text = (suite.folder / "sessioneval.toml").read_text("utf-8")
    file = suite.folder / "sessioneval.toml"
    file.write_text(text.replace("canaries/*.json", "../*.json"), "utf-8")
    assert "gate.canaries: '../*.json'" in refusal(pytester.runpytest_inprocess("-q"))


def test_what_the_suite_shows_of_its_agent_does_not_move_them(
    blessed: Suite, judge: Judge, pytester: pytest.Pytester
) -> None:
    """Profiles and expectations are about the agent: canaries are judged without."""
    text = (blessed.folder / "sessioneval.toml").read_text("utf-8")
    (blessed.folder / "agent.md").write_text("You are the most polite of clerks.", "utf-8")
    more = '\n[profiles]\ndefault = "agent.md"\n'
    (blessed.folder / "sessioneval.toml").write_text(text + more, "utf-8")
    before = judge.server.calls
    pytester.runpytest_inprocess("-q")
    asked = judge.server.requests[before:]
    shown = ["most polite of clerks" in request.text for request in asked]
    canaries = ["order canaries/" in request.text for request in asked]
    assert (SESSIONS, CANARIES) == (sum(shown), sum(canaries))
    assert not any(both for both in zip(shown, canaries, strict=True) if all(both))


def test_the_command_decides_the_same_of_its_report(
    blessed: Suite, judge: Judge, pytester: pytest.Pytester, runs: Runs
) -> None:
    """``sessioneval compare`` knows the canaries of baseline and report."""
    judge.shift = -20
    pytester.runpytest_inprocess("-q")
    report = runs.folders[-1] / "report.json"
    arguments = [str(blessed.folder / "baseline.json"), str(report), "--json"]
    done = CliRunner().invoke(program, ["compare", *arguments, "--suite", str(blessed.folder)])
    told = json.loads(done.stdout)
    assert (1, "not_comparable") == (done.exit_code, told["status"])
    assert decision(runs)["canaries"] == told["canaries"]


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git executable on PATH")
def test_a_pull_request_cannot_take_them_away(
    blessed: Suite, judge: Judge, pytester: pytest.Pytester, runs: Runs
) -> None:
    """Held against a revision, its setting and its scores count."""
    from gating_cases import Repository

    repository = Repository(pytester.path)
    repository.commit("Bless the suite")
    text = (blessed.folder / "sessioneval.toml").read_text("utf-8")
    file = blessed.folder / "sessioneval.toml"
    file.write_text(text.replace('canaries = ["canaries/*.json"]', ""), "utf-8")
    judge.shift = -20
    result = pytester.runpytest_inprocess("-q", "--sessioneval-compare=git:main")
    assert (1, "not_comparable") == (result.ret, decision(runs)["status"])
    assert "The judge moved" in result.stdout.str()

"""Canary sessions that are lost, changed, unjudged or taken away cannot turn a run green."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest
from canary_suite import CANARIES, SESSIONS, WRITE, Judge, Suite, decision_of, drifting_judge
from click.testing import CliRunner
from plugin_runs import Runs, outcomes, refusal

from pytest_sessioneval.cli import program


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
    assert 0 == pytester.runpytest_inprocess("-q", WRITE).ret
    assert 1 == suite.baseline["format"]
    (suite.folder / "sessioneval.toml").write_text(text, "utf-8")
    result = pytester.runpytest_inprocess("-q")
    assert (1, "incomplete") == (result.ret, decision_of(runs)["status"])
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
    assert (1, "incomplete") == (result.ret, decision_of(runs)["status"])
    result.stdout.fnmatch_lines(["*1 canary session *(canaries/c03.json)*stopped*"])
    assert judge.shift == 0


@pytest.mark.usefixtures("blessed")
def test_a_canary_that_nobody_judged_stops_the_merge(
    judge: Judge, pytester: pytest.Pytester, runs: Runs
) -> None:
    """They are asked about first, so that the budget is not spent before."""
    judge.server.fail(status=401, message="wrong key")
    result = pytester.runpytest_inprocess("-q", "--sessioneval-concurrency=1")
    assert (1, "incomplete") == (result.ret, decision_of(runs)["status"])
    assert ["canaries/c00.json"] == decision_of(runs)["canaries"][0]["unjudged"]


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
    assert decision_of(runs)["canaries"] == told["canaries"]


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
    assert (1, "not_comparable") == (result.ret, decision_of(runs)["status"])
    assert "The judge moved" in result.stdout.str()

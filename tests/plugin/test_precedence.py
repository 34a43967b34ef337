"""Command line over environment over ini over suite file over default; who may name a store."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from plugin_runs import MARKING_CONFTEST, Runs, Sessions, outcomes, refusal

from pytest_sessioneval.testing import JudgeServer

_JUDGES = """
def judge(level):
    def give(case):
        return {axis.name: level for axis in case.axes}
    give.version = str(level)
    return give

def pytest_sessioneval_judges():
    return {"line": judge(80), "environment": judge(60), "ini": judge(40), "suite": judge(20)}
"""
_REMOTE = "postgresql://somebody:secret-word@127.0.0.1:9/forged"


@pytest.fixture
def _recorded(pytester: pytest.Pytester, sessions: Sessions) -> None:
    pytester.makeconftest(_JUDGES)
    sessions.good("recorded/a.json")


@pytest.fixture
def run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, sessions: Sessions
) -> Callable[[set[str]], pytest.RunResult]:
    """Return a run with the judge named in each of the places, by the name of the place."""

    def runpytest(places: set[str]) -> pytest.RunResult:
        sessions.suite("[judge]\nmodel = 'hook:suite'\n" * ("suite" in places), "recorded")
        pytester.makeini("[pytest]\n" + "sessioneval_judge = hook:ini\n" * ("ini" in places))
        if "environment" in places:
            monkeypatch.setenv("SESSIONEVAL_JUDGE", "hook:environment")
        return pytester.runpytest(*["--sessioneval-judge=hook:line"] * ("line" in places))

    return runpytest


@pytest.mark.usefixtures("_recorded")
@pytest.mark.parametrize(
    ("places", "judge", "mean"),
    [
        ({"line", "environment", "ini", "suite"}, "hook:line", 80),
        ({"environment", "ini", "suite"}, "hook:environment", 60),
        ({"ini", "suite"}, "hook:ini", 40),
        ({"suite"}, "hook:suite", 20),
        (set(), "evidence", 100),
    ],
    ids=["line", "environment", "ini", "suite", "default"],
)
def test_the_nearer_word_wins(
    run: Callable[[set[str]], pytest.RunResult],
    runs: Runs,
    places: set[str],
    judge: str,
    mean: int,
) -> None:
    """The judge named nearest to the user is the one that is asked."""
    assert {"passed": 1} == outcomes(run(places))
    given = runs.mean("tool_usage_quality")["mean"]
    assert [judge, mean] == [runs.suite["judge"]["model"], given]


@pytest.mark.usefixtures("_recorded")
def test_an_empty_environment_variable_says_nothing(
    run: Callable[[set[str]], pytest.RunResult], monkeypatch: pytest.MonkeyPatch, runs: Runs
) -> None:
    """``SESSIONEVAL_JUDGE=`` is as good as none."""
    monkeypatch.setenv("SESSIONEVAL_JUDGE", "")
    run({"ini"})
    assert "hook:ini" == runs.suite["judge"]["model"]


@pytest.mark.usefixtures("_recorded")
def test_addopts_come_after_the_environment(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, sessions: Sessions, runs: Runs
) -> None:
    """An option in ``addopts`` is a file's word: the environment overrules it."""
    sessions.suite(folder="recorded")
    pytester.makeini("[pytest]\naddopts = --sessioneval-judge=hook:line\n")
    pytester.runpytest()
    assert "hook:line" == runs.suite["judge"]["model"]
    monkeypatch.setenv("SESSIONEVAL_JUDGE", "hook:environment")
    pytester.runpytest()
    assert "hook:environment" == runs.suite["judge"]["model"]


@pytest.mark.parametrize(
    "option", [("--sessioneval-repeats=2",), ("--sessioneval-repeats", "2")], ids=["=", "two words"]
)
def test_the_suite_file_gives_way(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs, option: tuple[str, ...]
) -> None:
    """An option given either way overrides what the suite file says of repeats."""
    pytester.makeconftest(MARKING_CONFTEST)
    sessions.suite("[judge]\nmodel = 'hook:marks'\nrepeats = 3\n", "recorded")
    sessions.marked("recorded/a.json", 60)
    pytester.runpytest(*option)
    assert 2 == runs.suite["judge"]["repeats"]


def test_a_rubric_can_be_given_on_the_command_line(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """A rubric file, relative to where pytest was called from, replaces the suite's."""
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json")
    levels = "\n".join(f'{level} = "so much: {level}"' for level in (0, 20, 40, 60, 80, 100))
    sessions.text(
        "mine.toml",
        'name = "mine"\nversion = 3\n[[axes]]\nname = "tool_usage_quality"\n'
        f'question = "How well were tools used?"\n[axes.levels]\n{levels}\n',
    )
    result = pytester.runpytest("--sessioneval-rubric=mine.toml")
    assert {"passed": 1} == outcomes(result)
    assert runs.suite["rubric_version"].startswith("mine@3#")


@pytest.mark.parametrize("how", ["ini", "addopts"])
def test_a_file_cannot_name_a_remote_store(
    pytester: pytest.Pytester, sessions: Sessions, how: str
) -> None:
    """Forged verdicts could come from there: only a person or the machine names such a store."""
    option = {
        "ini": f"sessioneval_store = {_REMOTE}",
        "addopts": f"addopts = --sessioneval-store={_REMOTE}",
    }
    pytester.makeini(f"[pytest]\n{option[how]}\n")
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json")
    message = refusal(pytester.runpytest())
    assert "on the command line or by SESSIONEVAL_STORE only" in message
    assert "secret-word" not in message


@pytest.mark.parametrize("how", ["line", "environment"])
def test_a_remote_store_is_asked_for_by_who_runs(
    pytester: pytest.Pytester, sessions: Sessions, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Typed, the URL is tried, and what fails is told without its password."""
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json")
    if how == "environment":
        monkeypatch.setenv("SESSIONEVAL_STORE", _REMOTE)
    message = refusal(pytester.runpytest(*([f"--sessioneval-store={_REMOTE}"] * (how == "line"))))
    assert "the store cannot be reached" in message
    assert "secret-word" not in message


def test_a_file_may_name_an_embedded_store(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """An SQLite file below the root can be named in the ini."""
    pytester.makeini("[pytest]\nsessioneval_store = sqlite:///kept/scores.db\n")
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json")
    assert {"passed": 1} == outcomes(pytester.runpytest())
    assert (pytester.path / "kept" / "scores.db").is_file()


def test_a_base_url_in_a_suite_file_is_refused(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """Where sessions are sent is never a word of the repository under test."""
    sessions.suite("[judge]\nmodel = 'openai:x'\nbase_url = 'https://evil.example'\n", "recorded")
    sessions.good("recorded/a.json")
    assert "sessioneval.toml:3: [judge] has no key 'base_url'" in refusal(pytester.runpytest())


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "n2"])
def test_a_recording_that_is_typed_is_looked_for_here_first(
    pytester: pytest.Pytester,
    runs: Runs,
    sessions: Sessions,
    monkeypatch: pytest.MonkeyPatch,
    workers: tuple[str, ...],
) -> None:
    """What ``SESSIONEVAL_RECORD`` wrote is found by the same words, outside of the suite."""
    sessions.good("suite/a.json")
    with JudgeServer() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SESSIONEVAL_RECORD", "replies.jsonl")
        pytester.runpytest("--sessioneval", "suite", "--sessioneval-judge=openai:loopback")
        recorded = runs.suite["means"]
        monkeypatch.delenv("SESSIONEVAL_RECORD")
        asked = server.calls
        words = ("--sessioneval-judge=recorded:replies.jsonl", "--sessioneval-store=sqlite:///b.db")
        result = pytester.runpytest("--sessioneval", "suite", *words, *workers)
        assert asked == server.calls
    assert {"passed": 1} == outcomes(result)
    assert recorded == runs.suite["means"]

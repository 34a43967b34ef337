"""What the second run asks: nothing, unless what an expert is shown or bound by has changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from plugin_runs import Runs, Sessions, good_messages, outcomes, refusal

from pytest_sessioneval.suites.rubric import rubric_source
from pytest_sessioneval.testing import JudgeServer

_BREAKING = """
import sqlite3

def breaks(case):
    with sqlite3.connect(".sessioneval/store.db") as connection:
        connection.execute("DROP TABLE IF EXISTS {table}")
    connection.close()
    return {{axis.name: 100 for axis in case.axes}}

def pytest_sessioneval_judges():
    return {{"breaks": breaks}}
"""


@pytest.fixture
def _judged(pytester: pytest.Pytester, sessions: Sessions, judge_server: JudgeServer) -> None:
    """Write a suite of two sessions and judge it: six calls."""
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json", "recorded/b.json")
    assert {"passed": 2} == outcomes(pytester.runpytest())
    assert 6 == judge_server.calls


@pytest.mark.usefixtures("_judged")
def test_a_second_run_asks_nobody(
    pytester: pytest.Pytester, judge_server: JudgeServer, runs: Runs
) -> None:
    """Everything is in the store, and the section says so."""
    result = pytester.runpytest()
    assert {"passed": 2} == outcomes(result)
    assert 6 == judge_server.calls
    result.stdout.fnmatch_lines(["*2 sessions * 0 judged, 2 from*"])
    assert [0, 2, 0] == [
        runs.suite["judged"],
        runs.suite["from_store"],
        runs.suite["spent"]["calls"],
    ]


@pytest.mark.usefixtures("_judged")
def test_a_second_run_says_the_same(pytester: pytest.Pytester, runs: Runs) -> None:
    """Scores from the store are the scores that were given."""
    before = runs.suite["means"]
    pytester.runpytest()
    assert before == runs.suite["means"]


@pytest.mark.usefixtures("_judged")
@pytest.mark.parametrize(
    ("suite", "calls"),
    [
        ("[thresholds.session]\ncommunication = 20\n[thresholds.mean]\ncommunication = 30\n", 6),
        ('[suite]\nkey = "path"\n', 6),
        ('[suite]\nname = "renamed"\n', 6),
        ('[[expect]]\nmust_call = ["find_order"]\n', 12),
        ('[[expect]]\nsession = "a.json"\nmust_call = ["find_order"]\n', 9),
        ('[suite]\nrubric = "mine.toml"\n', 12),
        ('[profiles]\ndefault = "profile.md"\n', 12),
        ('[suite]\nfeedback = ["feedback.jsonl"]\n', 9),
        ("[judge]\nmodel = 'openai:loopback'\ntemperature = 0.5\n", 12),
        ("[judge]\nmodel = 'openai:loopback'\nrepeats = 2\n", 12),
    ],
    ids=[
        "thresholds",
        "key",
        "name",
        "expectation",
        "expectation-of-one",
        "rubric",
        "profile",
        "feedback-on-one",
        "temperature",
        "repeats",
    ],
)
def test_only_what_moves_a_score_asks_again(
    pytester: pytest.Pytester,
    sessions: Sessions,
    judge_server: JudgeServer,
    suite: str,
    calls: int,
) -> None:
    """Thresholds and names ask nobody; what an expert is shown or bound by asks again."""
    sessions.text("recorded/mine.toml", rubric_source("agent").replace("Score the", "Rate the"))
    sessions.text("recorded/profile.md", "You find orders.\n")
    thumb = {"session_id": "a", "message_index": 3, "rating": -1}
    sessions.text("recorded/feedback.jsonl", json.dumps(thumb) + "\n")
    sessions.suite(suite, "recorded")
    assert pytest.ExitCode.OK == pytester.runpytest().ret
    assert calls == judge_server.calls


@pytest.mark.usefixtures("_judged")
def test_an_edited_session_asks_again(
    pytester: pytest.Pytester, sessions: Sessions, judge_server: JudgeServer
) -> None:
    """The changed session is judged, the other is not."""
    said = [*good_messages("a"), {"role": "user", "content": "Thank you!"}]
    sessions.text("recorded/a.json", json.dumps({"messages": said}))
    pytester.runpytest()
    assert 9 == judge_server.calls


@pytest.mark.usefixtures("_judged")
@pytest.mark.parametrize("how", ["touched", "laid out anew", "moved"])
def test_the_same_session_asks_nobody(
    pytester: pytest.Pytester, judge_server: JudgeServer, how: str
) -> None:
    """Neither a file's time nor its white space nor its name is part of a verdict."""
    path = Path("recorded/a.json")
    if how == "touched":
        path.touch()
    elif how == "moved":
        path.rename("recorded/z.json")
    else:
        content = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(content, indent=4), encoding="utf-8")
    pytester.runpytest()
    assert 6 == judge_server.calls


@pytest.mark.usefixtures("_judged")
def test_another_judge_asks_again(pytester: pytest.Pytester, judge_server: JudgeServer) -> None:
    """Verdicts belong to the model that gave them."""
    pytester.runpytest("--sessioneval-judge=openai:other")
    assert 12 == judge_server.calls
    pytester.runpytest()
    assert 12 == judge_server.calls


@pytest.mark.usefixtures("_judged")
@pytest.mark.parametrize("options", [("--sessioneval-out=o",), ("-p", "no:cacheprovider")])
def test_how_it_is_told_asks_nobody(
    pytester: pytest.Pytester, judge_server: JudgeServer, options: tuple[str, ...]
) -> None:
    """Report options are in no verdict's key."""
    pytester.runpytest(*options)
    assert 6 == judge_server.calls


@pytest.mark.usefixtures("_judged")
def test_another_store_is_empty(pytester: pytest.Pytester, judge_server: JudgeServer) -> None:
    """A store of its own knows nothing of the others'."""
    pytester.runpytest("--sessioneval-store=sqlite:///other.db")
    assert 12 == judge_server.calls


@pytest.mark.usefixtures("_judged")
@pytest.mark.parametrize("arguments", [(), ("--sessioneval", "recorded")])
def test_a_broken_store_is_refused_in_one_line(
    pytester: pytest.Pytester, arguments: tuple[str, ...]
) -> None:
    """A store that is none stops the run before anything is asked, and says what to do."""
    for path in Path(".sessioneval").glob("store.db*"):
        path.write_bytes(b"garbage" * 1000)
    message = refusal(pytester.runpytest(*arguments))
    assert "store.db: the store is broken or no SQLite database" in message
    assert "move the file away" in message


def test_a_store_that_cannot_be_made_is_refused_in_one_line(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """A file where the store's folder should be is named."""
    sessions.text("file", "")
    sessions.good("recorded/a.json")
    result = pytester.runpytest("--sessioneval", "recorded", "--sessioneval-store=sqlite:///file/s")
    assert "file" in refusal(result)


def test_a_tracked_store_is_refused(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """Scores that a commit could bring are not believed."""
    sessions.good("recorded/a.json")
    sessions.text("kept.db", "")
    for command in (("init", "-q"), ("add", "kept.db")):
        assert 0 == pytester.run("git", *command).ret
    options = ("--sessioneval", "recorded", "--sessioneval-store=sqlite:///kept.db")
    assert "kept.db: git tracks this file" in refusal(pytester.runpytest(*options))


@pytest.fixture
def break_table(pytester: pytest.Pytester, sessions: Sessions) -> Callable[[str], pytest.RunResult]:
    """Return a run during which a table of the store is lost."""

    def runpytest(table: str) -> pytest.RunResult:
        pytester.makeconftest(_BREAKING.format(table=table))
        sessions.good("recorded/a.json", "recorded/b.json")
        result = pytester.runpytest("--sessioneval", "recorded", "--sessioneval-judge=hook:breaks")
        said = result.stdout.str() + result.stderr.str()
        assert f"no such table: {table}" in said
        assert "Traceback" not in said
        assert "INTERNALERROR" not in said
        return result

    return runpytest


def test_verdicts_that_cannot_be_kept_end_the_run(
    break_table: Callable[[str], pytest.RunResult],
) -> None:
    """A store that breaks while sessions are judged is told in a line: pytest's internal exit."""
    result = break_table("evaluations")
    assert pytest.ExitCode.INTERNAL_ERROR == result.ret
    assert "passed" not in result.stdout.str()


def test_a_run_that_cannot_be_kept_is_reported_and_no_success(
    break_table: Callable[[str], pytest.RunResult], runs: Runs
) -> None:
    """A store that breaks at the end loses the run's summary, and not its report."""
    result = break_table("runs")
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    assert 2 == runs.suite["counts"]["passed"]
    result.stdout.fnmatch_lines(["internal error: *store.db: *"])

"""What other plugins and conftest files can add: readers, judges, and a look at the run."""

from __future__ import annotations

import pytest
from plugin_runs import MARKING_CONFTEST, Runs, Sessions, outcomes, refusal

_READER = '''
from pytest_sessioneval.transcripts.model import Message, Transcript
from pytest_sessioneval.transcripts.reader import FileReading, FoundSession

class ShoutReader:
    """Reads {"shouted": ["text", ...]}: user and agent in turn."""

    name = "shout"
    version = 1

    def detects(self, document):
        return isinstance(document.value, dict) and "shouted" in document.value

    def read(self, document, limits):
        messages = tuple(
            Message(index=n, role="assistant" if n % 2 else "user", text=text)
            for n, text in enumerate(document.value["shouted"])
        )
        found = Transcript(session_id="loud", source="shout", messages=messages)
        return FileReading("shout", 1, (FoundSession(found),))

    def companions(self, path):
        return ()

    def owns(self, path):
        return False

def pytest_sessioneval_readers():
    return [ShoutReader()]
'''
_WATCHER = """
from pathlib import Path

def pytest_sessioneval_run_finished(run):
    (suite,) = run.suites
    reports = Path(".sessioneval/runs", run.run_id, "report.json").is_file()
    Path("seen.txt").write_text(f"{suite.suite} {len(suite.results)} {reports}")
"""


def _judge(body: str) -> str:
    return (
        f"def judge(case):\n    {body}\n\n"
        "def pytest_sessioneval_judges():\n    return {'mine': judge}\n"
    )


@pytest.fixture
def _two(sessions: Sessions) -> None:
    """Write two sessions."""
    sessions.good("recorded/a.json", "recorded/b.json")


_RUN = ("--sessioneval", "recorded", "--sessioneval-judge=hook:mine")


def test_a_third_partys_format_is_read(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """A reader from a conftest recognises what the built-in ones do not."""
    pytester.makeconftest(_READER)
    sessions.text("recorded/loud.json", '{"shouted": ["WHERE IS MY ORDER?", "IN THE POST!"]}')
    result = pytester.runpytest("--sessioneval", "recorded")
    assert {"passed": 1} == outcomes(result)
    assert ["loud"] == [session["session_id"] for session in runs.suite["sessions"]]


def test_without_the_reader_it_is_no_session(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """The same file, without the conftest, is a suite without a session."""
    sessions.text("recorded/loud.json", '{"shouted": ["WHERE IS MY ORDER?", "IN THE POST!"]}')
    assert "no session in" in refusal(pytester.runpytest("--sessioneval", "recorded"))


def test_a_new_reader_looks_at_known_files_again(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """What no reader recognised yesterday is read by the one that was added today."""
    sessions.good("recorded/a.json")
    sessions.text("recorded/loud.json", '{"shouted": ["WHERE IS MY ORDER?", "IN THE POST!"]}')
    assert {"passed": 1} == outcomes(pytester.runpytest("--sessioneval", "recorded"))
    pytester.makeconftest(_READER)
    assert {"passed": 2} == outcomes(pytester.runpytest("--sessioneval", "recorded"))


@pytest.mark.usefixtures("_two")
def test_a_python_judge_scores(pytester: pytest.Pytester, runs: Runs) -> None:
    """``hook:NAME`` asks the function of that name; what it says is in the report."""
    pytester.makeconftest(_judge("return {axis.name: 60 for axis in case.axes}"))
    assert {"passed": 2} == outcomes(pytester.runpytest(*_RUN))
    assert [60, 2] == [runs.mean("communication")[key] for key in ("mean", "scored")]


@pytest.mark.usefixtures("_two")
def test_an_unknown_python_judge_is_refused(pytester: pytest.Pytester) -> None:
    """A name that no hook returned is told with those there are."""
    pytester.makeconftest(MARKING_CONFTEST)
    message = refusal(pytester.runpytest(*_RUN))
    assert "no Python judge is named 'mine'; there are: marks" in message


@pytest.mark.usefixtures("_two")
@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise RuntimeError('out of ideas')", "hook:mine broke: RuntimeError: out of ideas"),
        ("raise SystemExit(7)", "SystemExit"),
        ("return {}", "must score exactly"),
        ("return {axis.name: 101 for axis in case.axes}", "101 is no score"),
        ("return {axis.name: float('nan') for axis in case.axes}", "nan is no score"),
        ("return 'good'", "returned str; accepted: a mapping"),
    ],
    ids=["raises", "exits", "empty", "too-much", "nan", "words"],
)
def test_a_python_judge_that_breaks_leaves_its_session_unscored(
    pytester: pytest.Pytester, runs: Runs, body: str, told: str
) -> None:
    """One session's judge fails with its message; the other session is judged."""
    guard = "if 'a.json' in case.transcript.messages[0].text: "
    fine = "\n    return {axis.name: 60 for axis in case.axes}"
    pytester.makeconftest(_judge(guard + body + fine))
    result = pytester.runpytest(*_RUN)
    assert {"passed": 1, "failed": 1} == outcomes(result)
    assert told in " ".join(result.stdout.str().split())
    assert [60, 1, {"failed": 1}] == [
        runs.mean("communication")[key] for key in ("mean", "scored", "unscored")
    ]


@pytest.mark.usefixtures("_two")
def test_an_edited_python_judge_is_asked_again(pytester: pytest.Pytester, runs: Runs) -> None:
    """A judge whose source changed is another judge."""
    pytester.makeconftest(_judge("return {axis.name: 60 for axis in case.axes}"))
    pytester.runpytest(*_RUN)
    # Of another length: Python's own cache knows a file by its size and the second it is of.
    pytester.makeconftest(_judge("return {axis.name: 100 for axis in case.axes}"))
    pytester.runpytest(*_RUN)
    assert 100 == runs.mean("communication")["mean"]


@pytest.mark.usefixtures("_two")
def test_the_finished_run_is_shown(pytester: pytest.Pytester) -> None:
    """``pytest_sessioneval_run_finished`` sees the run once its reports are written."""
    pytester.makeconftest(_WATCHER)
    pytester.runpytest("--sessioneval", "recorded")
    assert "recorded 2 True" == (pytester.path / "seen.txt").read_text(encoding="utf-8")


@pytest.mark.usefixtures("_two")
def test_a_watcher_that_breaks_is_told(pytester: pytest.Pytester) -> None:
    """What a hook of somebody else raises is not swallowed: the run is no success."""
    pytester.makeconftest("def pytest_sessioneval_run_finished(run):\n    1 / 0\n")
    result = pytester.runpytest("--sessioneval", "recorded")
    assert pytest.ExitCode.OK != result.ret
    assert "ZeroDivisionError" in result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize("hook", ["readers", "judges", "redaction_patterns"])
@pytest.mark.usefixtures("_two")
def test_a_hook_that_breaks_is_told(pytester: pytest.Pytester, hook: str) -> None:
    """A conftest that cannot give its readers, judges or patterns stops the run."""
    pytester.makeconftest(f"def pytest_sessioneval_{hook}():\n    1 / 0\n")
    result = pytester.runpytest(*_RUN)
    assert pytest.ExitCode.OK != result.ret
    assert "ZeroDivisionError" in result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize(
    ("hook", "given", "told"),
    [
        ("readers", "3", "returned int; accepted: a list of readers"),
        ("readers", "'abc'", "returned str; accepted: a list of readers"),
        ("readers", "[3]", "this one lacks name, version, detects, read, companions, owns"),
        ("readers", "builtin_readers()[:1]", "each reader needs a name of its own"),
        ("judges", "['mine']", "returned list; accepted: a dictionary of judges by name"),
        ("redaction_patterns", "3", "returned int; accepted: a dictionary of regular expressions"),
    ],
)
@pytest.mark.usefixtures("_two")
def test_a_hook_that_gives_something_else_is_refused(
    pytester: pytest.Pytester, hook: str, given: str, told: str
) -> None:
    """A slip in a conftest is told with the hook's name and what it takes, and is no traceback."""
    pytester.makeconftest(
        "from pytest_sessioneval.transcripts.registry import builtin_readers\n"
        f"def pytest_sessioneval_{hook}():\n    return {given}\n"
    )
    message = refusal(pytester.runpytest(*_RUN))
    assert message.startswith(f"pytest_sessioneval_{hook}")
    assert told in message

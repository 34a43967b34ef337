"""What items are called, and that each can be named on the command line."""

from __future__ import annotations

import pytest
from plugin_runs import Runs, Sessions, outcomes, refusal


def _collected(result: pytest.RunResult) -> list[str]:
    """Return the node ids that ``--co -q`` printed."""
    return result.outlines[: result.outlines.index("")]


@pytest.fixture
def recorded(sessions: Sessions) -> Sessions:
    """Return a folder with a file of one session and a file of three."""
    sessions.good("recorded/a.json", "recorded/deep/b.json")
    sessions.several("recorded/many.jsonl", 3)
    return sessions


@pytest.mark.usefixtures("recorded")
def test_ids_are_paths(pytester: pytest.Pytester) -> None:
    """A session is called by its file; one of several by its file and its place in it."""
    ids = _collected(pytester.runpytest("--sessioneval", "recorded", "--co", "-q"))
    assert ["recorded/a.json", "recorded/deep/b.json"] == ids[:2]
    assert 3 == len(ids[2:])
    assert all(node.startswith("recorded/many.jsonl::") for node in ids[2:])


@pytest.mark.usefixtures("recorded")
def test_every_id_can_be_named(pytester: pytest.Pytester) -> None:
    """Each id, given back to pytest, runs this one item under this very id."""
    ids = _collected(pytester.runpytest("--sessioneval", "recorded", "--co", "-q"))
    assert 5 == len(ids)
    for node in ids:
        assert [node] == _collected(pytester.runpytest("--sessioneval", node, "--co", "-q"))


def test_ids_do_not_depend_on_the_argument(pytester: pytest.Pytester, recorded: Sessions) -> None:
    """A suite's items are called alike, whatever of the suite is named."""
    recorded.suite(folder="recorded")
    whole = _collected(pytester.runpytest("--co", "-q"))
    assert whole == _collected(pytester.runpytest("recorded", "--co", "-q"))
    assert whole[:1] == _collected(pytester.runpytest("recorded/a.json", "--co", "-q"))
    assert whole[1:2] == _collected(pytester.runpytest("recorded/deep", "--co", "-q"))
    assert whole[2:] == _collected(pytester.runpytest("recorded/many.jsonl", "--co", "-q"))


@pytest.mark.usefixtures("recorded")
def test_verbose_output_shows_the_id(pytester: pytest.Pytester) -> None:
    """``-v`` prints the node id as it can be given back, dots and all."""
    result = pytester.runpytest("--sessioneval", "recorded", "-v")
    result.stdout.fnmatch_lines(
        [
            "recorded/a.json PASSED*",
            "recorded/deep/b.json PASSED*",
            "recorded/many.jsonl::* PASSED*",
        ]
    )


def test_one_file_can_be_judged(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """A file named with ``--sessioneval`` is judged; its neighbours are not."""
    sessions.good("recorded/a.json", "recorded/b.json")
    assert {"passed": 1} == outcomes(pytester.runpytest("--sessioneval", "recorded/a.json"))


def test_two_files_of_one_folder_are_one_suite(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """Files named side by side are averaged together."""
    sessions.good("recorded/a.json", "recorded/b.json", "recorded/c.json")
    result = pytester.runpytest("--sessioneval", "recorded/a.json", "recorded/b.json")
    assert {"passed": 2} == outcomes(result)
    assert 2 == len(runs.suite["sessions"])


def test_a_file_in_the_current_folder_can_be_judged(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """A file at the root is called by its name."""
    sessions.good("a.json")
    result = pytester.runpytest("--sessioneval", "a.json", "-v")
    result.stdout.fnmatch_lines(["a.json PASSED*"])


@pytest.mark.usefixtures("recorded")
def test_an_unknown_session_is_a_usage_error(pytester: pytest.Pytester) -> None:
    """An id that the file does not hold is refused by pytest itself."""
    result = pytester.runpytest("--sessioneval", "recorded/many.jsonl::nobody")
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(["ERROR: not found: *many.jsonl::nobody*"])


def test_a_missing_folder_is_a_usage_error(pytester: pytest.Pytester) -> None:
    """A path that does not exist is refused by pytest itself."""
    result = pytester.runpytest("--sessioneval", "nowhere")
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(["ERROR: file or directory not found: nowhere"])


def test_a_named_file_without_a_session_is_an_error(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """A ``package.json`` that somebody names holds no session, and says so in one line."""
    sessions.text("recorded/package.json", '{"name": "left-pad"}')
    result = pytester.runpytest("--sessioneval", "recorded/package.json")
    assert {"errors": 1} == outcomes(result)
    result.stdout.fnmatch_lines(["*package.json: holds no session that a reader recognises*"])


def test_a_named_file_without_a_session_in_a_suite_is_an_error(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """The same in a folder that has a suite file, named without the flag."""
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json")
    sessions.text("recorded/package.json", '{"name": "left-pad"}')
    assert {"errors": 1} == outcomes(pytester.runpytest("recorded/package.json"))


def test_an_unnamed_file_without_a_session_is_listed(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """A ``package.json`` nobody named is counted and listed, and fails nothing."""
    sessions.good("recorded/a.json")
    sessions.text("recorded/package.json", '{"name": "left-pad"}')
    result = pytester.runpytest("--sessioneval", "recorded")
    assert {"passed": 1} == outcomes(result)
    assert ["package.json"] == runs.suite["sources"]["not_sessions"]
    result.stdout.fnmatch_lines(["*1 without a session*"])


@pytest.mark.parametrize("flag", [("--sessioneval",), ()])
def test_a_folder_without_a_session_is_refused(
    pytester: pytest.Pytester, sessions: Sessions, flag: tuple[str, ...]
) -> None:
    """A suite that matches no session must not be green."""
    sessions.text("recorded/package.json", '{"name": "left-pad"}')
    if not flag:
        sessions.suite(folder="recorded")
    message = refusal(pytester.runpytest(*flag, "recorded"))
    assert message.startswith("suite recorded: no session in ")
    assert "; 1 JSON file holds no session that a reader recognises." in message

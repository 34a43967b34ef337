"""Plain ``pytest`` where a folder holds a ``sessioneval.toml``; nested suites; where files go."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugin_runs import Runs, Sessions, outcomes


def test_a_suite_file_is_enough(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """Plain ``pytest`` judges the sessions of a folder with a suite file."""
    sessions.suite('[suite]\nname = "orders"\n', "recorded")
    sessions.good("recorded/a.json")
    result = pytester.runpytest()
    assert {"passed": 1} == outcomes(result)
    result.stdout.fnmatch_lines(["*session scores: orders*"])


def test_a_folder_without_one_is_left_alone(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """Sessions outside of suites are no business of a plain ``pytest``."""
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json", "elsewhere/b.json")
    assert {"passed": 1} == outcomes(pytester.runpytest())


def test_the_root_can_be_a_suite(pytester: pytest.Pytester, sessions: Sessions, runs: Runs) -> None:
    """A suite file beside pytest's ini makes the whole repository a suite."""
    pytester.makeini("[pytest]\n")
    sessions.suite('[suite]\nname = "all"\n')
    sessions.good("a.json", "deep/er/b.json")
    result = pytester.runpytest()
    assert {"passed": 2} == outcomes(result)
    assert "all" == runs.suite["suite"]


def test_its_own_reports_are_no_sessions(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """A suite in the root does not judge what the last run wrote."""
    pytester.makeini("[pytest]\n")
    sessions.suite()
    sessions.good("a.json")
    pytester.runpytest()
    assert {"passed": 1} == outcomes(pytester.runpytest())


def test_a_suite_within_a_suite_is_its_own(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """The inner suite's sessions count once, in the inner suite."""
    sessions.suite('[suite]\nname = "outer"\n', "outer")
    sessions.suite('[suite]\nname = "inner"\n', "outer/inner")
    sessions.good("outer/a.json", "outer/inner/b.json", "outer/inner/deep/c.json")
    result = pytester.runpytest()
    assert {"passed": 3} == outcomes(result)
    assert {"outer": 1, "inner": 2} == {
        suite["suite"]: len(suite["sessions"]) for suite in runs.last["suites"]
    }


def test_a_folder_of_suites_is_no_empty_suite(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """``--sessioneval`` on a folder that holds suites runs them, by their own files."""
    sessions.suite('[suite]\nname = "one"\n', "all/one")
    sessions.suite('[suite]\nname = "two"\n', "all/two")
    sessions.good("all/one/a.json", "all/two/b.json")
    result = pytester.runpytest("--sessioneval", "all")
    assert {"passed": 2} == outcomes(result)
    assert ["one", "two"] == [suite["suite"] for suite in runs.last["suites"]]


def test_a_path_inside_a_suite_keeps_the_suite(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """A folder below the suite file is judged by that file, and keys do not change."""
    sessions.suite('[suite]\nname = "orders"\n', "recorded")
    sessions.good("recorded/a.json", "recorded/deep/b.json")
    result = pytester.runpytest("recorded/deep")
    assert {"passed": 1} == outcomes(result)
    assert ["orders", "deep/b.json"] == [runs.suite["suite"], runs.suite["sessions"][0]["key"]]


@pytest.mark.parametrize("flag", [(), ("--sessioneval",)])
def test_two_suites_of_one_name_are_told_apart(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs, flag: tuple[str, ...]
) -> None:
    """The second of two suites with one name is called by its path."""
    for folder in ("one/sub", "two/sub"):
        sessions.suite(folder=folder)
        sessions.good(f"{folder}/a.json")
    pytester.runpytest(*flag, "one/sub", "two/sub")
    assert ["sub", "two/sub"] == [suite["suite"] for suite in runs.last["suites"]]


def test_store_and_reports_lie_at_the_root(
    pytester: pytest.Pytester, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Called from below, pytest's root is still where ``.sessioneval`` lies."""
    pytester.makeini("[pytest]\n")
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json")
    monkeypatch.chdir(pytester.path / "recorded")
    pytester.runpytest()
    assert (pytester.path / ".sessioneval" / "store.db").is_file()
    assert not (pytester.path / "recorded" / ".sessioneval").exists()


def test_nothing_is_written_beside_foreign_sessions(
    pytester: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A folder outside of the root is read; what is written lies where pytest was called."""
    pytester.makeini("[pytest]\n")
    foreign = tmp_path_factory.mktemp("foreign")
    Sessions(foreign).good("a.json")
    result = pytester.runpytest("--sessioneval", str(foreign))
    assert {"passed": 1} == outcomes(result)
    assert [Path("a.json")] == [path.relative_to(foreign) for path in foreign.rglob("*")]
    assert (pytester.path / ".sessioneval" / "store.db").is_file()


def test_sessions_globs_choose_the_files(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """``[suite] sessions`` names the files; others are not read."""
    sessions.suite('[suite]\nsessions = ["kept/**/*.json"]\n', "recorded")
    sessions.good("recorded/kept/a.json", "recorded/kept/deep/b.json", "recorded/other/c.json")
    assert {"passed": 2} == outcomes(pytester.runpytest())

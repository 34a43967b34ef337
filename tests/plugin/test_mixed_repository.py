"""Ordinary tests beside transcripts, and what a repository says is to be ignored."""

from __future__ import annotations

import pytest
from plugin_runs import Runs, Sessions, outcomes

_TEST = "def test_ordinary():\n    assert True\n"


@pytest.fixture
def mixed(sessions: Sessions) -> Sessions:
    """Return a suite with ordinary tests above, in and below it."""
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json", "recorded/deep/b.json")
    for name in ("test_above.py", "recorded/test_beside.py", "recorded/deep/test_below.py"):
        sessions.text(name, _TEST)
    return sessions


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_both_are_collected(pytester: pytest.Pytester, mode: str) -> None:
    """Tests and sessions of one folder run side by side, in every import mode."""
    result = pytester.runpytest(f"--import-mode={mode}")
    assert {"passed": 5} == outcomes(result)


@pytest.mark.usefixtures("mixed")
def test_they_come_in_order_of_their_names(pytester: pytest.Pytester) -> None:
    """Files are collected by name, whatever they hold."""
    result = pytester.runpytest("--co", "-q")
    assert [
        "recorded/a.json",
        "recorded/deep/b.json",
        "recorded/deep/test_below.py::test_ordinary",
        "recorded/test_beside.py::test_ordinary",
        "test_above.py::test_ordinary",
    ] == result.outlines[:5]


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize("flag", [(), ("--sessioneval",)])
def test_a_test_module_of_a_suite_can_be_named(
    pytester: pytest.Pytester, flag: tuple[str, ...]
) -> None:
    """A module named on the command line runs as always: it is no session that went wrong."""
    assert {"passed": 1} == outcomes(pytester.runpytest(*flag, "recorded/test_beside.py"))


@pytest.mark.usefixtures("mixed")
def test_a_test_of_a_suite_can_be_named(pytester: pytest.Pytester) -> None:
    """One test of a module beside the sessions runs by its node id."""
    result = pytester.runpytest("recorded/deep/test_below.py::test_ordinary", "test_above.py")
    assert {"passed": 2} == outcomes(result)


def test_a_failing_test_is_no_business_of_the_suite(
    pytester: pytest.Pytester, mixed: Sessions
) -> None:
    """An ordinary test beside the sessions fails as always, with its traceback."""
    mixed.text("recorded/test_beside.py", "def test_ordinary():\n    assert 1 == 2\n")
    result = pytester.runpytest()
    assert {"passed": 4, "failed": 1} == outcomes(result)
    result.stdout.fnmatch_lines(["E*assert 1 == 2"])


def test_a_broken_module_is_a_collection_error(pytester: pytest.Pytester, mixed: Sessions) -> None:
    """A test module that cannot be imported ends the run as always: exit 2, nothing judged."""
    mixed.text("recorded/test_beside.py", "import no_such_module_anywhere\n")
    result = pytester.runpytest()
    assert {"errors": 1} == outcomes(result)
    assert pytest.ExitCode.INTERRUPTED == result.ret


def test_fixtures_of_the_folder_apply(pytester: pytest.Pytester, mixed: Sessions) -> None:
    """A conftest within a suite serves the tests within the suite."""
    mixed.text(
        "recorded/deep/conftest.py",
        "import pytest\n@pytest.fixture\ndef depth():\n    return 2\n",
    )
    mixed.text("recorded/deep/test_below.py", "def test_it(depth):\n    assert depth == 2\n")
    assert {"passed": 5} == outcomes(pytester.runpytest())


def test_packages_within_a_suite_import(pytester: pytest.Pytester, mixed: Sessions) -> None:
    """A package of tests within a suite is a package: its modules import one another."""
    mixed.text("recorded/pack/__init__.py", "")
    mixed.text("recorded/pack/values.py", "TWO = 2\n")
    mixed.text(
        "recorded/pack/test_pack.py",
        "from .values import TWO\n\ndef test_it():\n    assert TWO == 2\n",
    )
    assert {"passed": 6} == outcomes(pytester.runpytest())


@pytest.mark.parametrize(
    "conftest",
    [
        "collect_ignore = ['b.json']",
        "collect_ignore_glob = ['b*']",
        "def pytest_ignore_collect(collection_path):\n    return collection_path.stem == 'b'",
    ],
    ids=["collect_ignore", "collect_ignore_glob", "pytest_ignore_collect"],
)
@pytest.mark.parametrize("folder", ["recorded", "recorded/deep"], ids=["root", "below"])
def test_what_a_conftest_ignores_is_no_item(
    pytester: pytest.Pytester, sessions: Sessions, conftest: str, folder: str
) -> None:
    """A conftest's word holds for sessions as it does for tests, wherever it lies."""
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json", f"{folder}/b.json")
    sessions.text(f"{folder}/conftest.py", conftest)
    assert {"passed": 1} == outcomes(pytester.runpytest())


@pytest.mark.parametrize("flag", [(), ("--sessioneval", "recorded")])
def test_norecursedirs_hold(
    pytester: pytest.Pytester, sessions: Sessions, flag: tuple[str, ...]
) -> None:
    """A folder pytest does not enter holds no sessions; hidden ones never do."""
    pytester.makeini("[pytest]\nnorecursedirs = old\n")
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json", "recorded/old/b.json", "recorded/.hidden/c.json")
    assert {"passed": 1} == outcomes(pytester.runpytest(*flag))


@pytest.mark.parametrize("option", ["--ignore=recorded/b.json", "--ignore-glob=*/b.*"])
def test_ignore_options_hold(pytester: pytest.Pytester, sessions: Sessions, option: str) -> None:
    """``--ignore`` leaves a session out as it leaves out a test."""
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json", "recorded/b.json")
    assert {"passed": 1} == outcomes(pytester.runpytest(option))


def test_an_ignored_session_is_not_read(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """A broken file that is ignored is no error."""
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json")
    sessions.text("recorded/b.json", "{broken")
    assert {"passed": 1} == outcomes(pytester.runpytest("--ignore=recorded/b.json"))


def test_testpaths_are_collected(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """A suite named in ``testpaths`` is run by a plain ``pytest``."""
    pytester.makeini("[pytest]\ntestpaths = recorded\n")
    sessions.suite(folder="recorded")
    sessions.suite(folder="other")
    sessions.good("recorded/a.json", "other/b.json")
    assert {"passed": 1} == outcomes(pytester.runpytest())


def test_other_files_are_not_looked_into(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """A suite in a repository's root does not list the repository as files without sessions."""
    pytester.makeini("[pytest]\n")
    sessions.suite()
    sessions.good("a.json")
    sessions.text("setup.cfg", "[metadata]\nname = left-pad\n")
    sessions.text("Pipfile", "[[source]]\nurl = 'https://example.org'\n")
    sessions.text("main.js", "// a program\n{ let x = 1 }\n")
    sessions.text("page.html", "{% extends 'base' %}\n")
    sessions.text("README", "[A link](https://example.org)\n")
    sessions.text("numbers.txt", "[1, 2, 3]\n")
    assert {"passed": 1} == outcomes(pytester.runpytest())
    assert [] == runs.suite["sources"]["not_sessions"]


def test_sessions_are_found_under_any_name(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """A file whose name says nothing is a session when it begins like one and is one."""
    sessions.suite(folder="recorded")
    content = sessions.good("recorded/a.json").read_text(encoding="utf-8")
    for n, head in enumerate(["", "\ufeff", "// made by a tool\n", "\n\n  ", "[\n"]):
        said = content.replace("a.json", f"number {n}")
        sessions.text(f"recorded/{n}.log", head + said + "]" * ("[" in head))
    assert {"passed": 6} == outcomes(pytester.runpytest())

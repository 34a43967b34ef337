"""Sessions in files with odd names: run, named and reported like any other, or told."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from plugin_runs import Runs, Sessions, outcomes

_ODD = (
    "a b.json",
    "a::b.json",
    "[x].json",
    "new\nline.json",
    "ü\u2028x.json",
    "-k.json",
    "%s.json",
)


@pytest.fixture
def _odd(sessions: Sessions) -> None:
    """Write a suite of sessions with odd names."""
    sessions.suite(folder="recorded")
    sessions.good(*(f"recorded/{name}" for name in _ODD))


@pytest.fixture
def no_text(sessions: Sessions) -> Path:
    """Write a suite with one session whose name is no UTF-8."""
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json", "recorded/b.json")
    path = Path(os.fsdecode(b"recorded/\xff.json"))
    path.write_bytes(Path("recorded/b.json").read_bytes())
    return path


@pytest.mark.usefixtures("_odd")
def test_every_name_is_run_and_reported(pytester: pytest.Pytester, runs: Runs) -> None:
    """Whatever a file is called, its session is judged under its own name."""
    assert {"passed": len(_ODD)} == outcomes(pytester.runpytest("--junitxml=out.xml"))
    assert sorted(_ODD) == [session["path"] for session in runs.suite["sessions"]]
    ET.parse(pytester.path / "out.xml")  # noqa: S314  our own file


@pytest.mark.usefixtures("_odd")
def test_every_name_passes_between_processes(pytester: pytest.Pytester) -> None:
    """Workers and controller mean the same session by it."""
    assert {"passed": len(_ODD)} == outcomes(pytester.runpytest_inprocess("-n2"))


@pytest.mark.usefixtures("no_text")
@pytest.mark.parametrize(
    "arguments", [(), ("-v", "--junitxml=out.xml"), ("--sessioneval-shard=1/1",)]
)
def test_a_name_that_is_no_text_is_an_error_of_its_own(
    pytester: pytest.Pytester, runs: Runs, arguments: tuple[str, ...]
) -> None:
    """The file must be renamed; the other sessions are judged."""
    result = pytester.runpytest(*arguments)
    assert {"passed": 2, "errors": 1} == outcomes(result)
    result.stdout.fnmatch_lines(["*recorded/?.json: has a name that is not UTF-8; rename it*"])
    assert 1 == runs.suite["counts"]["unreadable"]


@pytest.mark.usefixtures("no_text")
def test_a_name_that_is_no_text_is_an_error_among_workers(pytester: pytest.Pytester) -> None:
    """What is said about it can be sent to another process."""
    result = pytester.runpytest_inprocess("-n2")
    assert {"passed": 2, "errors": 1} == outcomes(result)


def test_a_name_that_is_no_text_can_be_given(pytester: pytest.Pytester, no_text: Path) -> None:
    """Naming it on the command line says the same."""
    result = pytester.runpytest("--sessioneval", str(no_text))
    assert {"errors": 1} == outcomes(result)
    result.stdout.fnmatch_lines(["*has a name that is not UTF-8; rename it*"])


def test_a_folder_whose_name_is_no_text_is_told(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """Each session in it is an error that names it."""
    sessions.suite(folder="recorded")
    content = sessions.good("recorded/a.json").read_bytes()
    folder = Path(os.fsdecode(b"recorded/\xff"))
    folder.mkdir()
    (folder / "b.json").write_bytes(content)
    result = pytester.runpytest("-v")
    assert {"passed": 1, "errors": 1} == outcomes(result)
    result.stdout.fnmatch_lines(["*recorded/?/b.json: has a name that is not UTF-8; rename it*"])

"""Rows of sessions are run a shorter way than pytest's own, and nobody can tell.

Most tests run the same selection twice, the second time with a hook that keeps
the short way from being taken, and compare what each run shows.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from typing import Any

import pytest
from both_ways import ALONE, FORCING, HOOKS, SPY, Twice, record
from plugin_runs import Sessions, outcomes

from pytest_sessioneval.testing import JudgeServer


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load no plugin that happens to be installed: each may make pytest run every item itself."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", ALONE)


@pytest.fixture
def twice(pytester: pytest.Pytester, sessions: Sessions) -> Twice:
    """Return the runner of both ways, everything judged already."""
    record(sessions)
    return Twice(pytester)


# -- when ------------------------------------------------------------------------------


def test_rows_are_run_the_short_way(twice: Twice) -> None:
    """All sessions but the last of each row; with a hook of somebody else, none."""
    twice()
    assert Counter({False: 7, True: 4}) == twice.ways(0)
    assert Counter({True: 11}) == twice.ways(1)


def test_where_judges_are_asked_pytest_runs_the_items(
    twice: Twice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a Python judge prints or logs meanwhile is captured as pytest captures it."""
    monkeypatch.setenv("SESSIONEVAL_JUDGE", "hook:eighty")
    judge = (
        "\ndef eighty(case):\n    return {axis.name: 80 for axis in case.axes}\n"
        "\ndef pytest_sessioneval_judges():\n    return {'eighty': eighty}\n"
    )
    twice(conftest=judge)
    assert Counter({True: 11}) == twice.ways(0)
    twice(conftest=judge)  # now from the store
    assert Counter({False: 7, True: 4}) == twice.ways(2)


def test_judges_behind_http_leave_the_short_way(twice: Twice, judge_server: JudgeServer) -> None:
    """They print nothing that pytest would have to capture."""
    twice()
    assert Counter({False: 7, True: 4}) == twice.ways(0)
    assert len(judge_server.requests) > 0


@pytest.mark.parametrize("hook", HOOKS)
def test_a_conftest_that_watches_items_sees_them_all(twice: Twice, hook: str) -> None:
    """Whoever implements a hook of the protocol has it called for every session."""
    twice(conftest=HOOKS[hook])
    assert Counter({True: 11}) == twice.ways(0)


@pytest.mark.parametrize(
    "option", ["--setup-show", "--setup-only", "--setup-plan", "--pdb", "--trace"]
)
def test_options_that_show_or_enter_items_see_them_all(twice: Twice, option: str) -> None:
    """Where a person looks into single items, pytest runs them."""
    twice(option, "-k", "a.json or b.json or d.json")
    assert False not in twice.ways(0)


def test_a_hook_deeper_in_the_suite_counts(twice: Twice, sessions: Sessions) -> None:
    """A conftest that only one folder has makes pytest run all of them itself."""
    sessions.text("recorded/deep/conftest.py", HOOKS["makereport"])
    twice()
    assert Counter({True: 11}) == twice.ways(0)


# -- what shows ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("-v",),
        ("-vv",),
        ("-q",),
        ("-qq",),
        ("-s",),
        ("-rA",),
        ("-x",),
        ("--maxfail=2",),
        ("--lf",),
        ("--ff",),
        ("--stepwise-reset",),
        ("--tb=line",),
        ("--color=yes", "-v"),
        ("--capture=sys",),
        ("-o", "console_output_style=count"),
        ("-o", "console_output_style=classic"),
        ("-o", "log_cli=true", "-o", "log_cli_level=DEBUG"),
        ("--show-capture=all", "-rA"),
        ("-k", "a.json or c.json"),
        ("--deselect", "recorded/b.json"),
        ("recorded/deep", "recorded/c.json"),
        ("recorded/many.jsonl",),
    ],
    ids=" ".join,
)
def test_the_output_is_the_same(twice: Twice, arguments: tuple[str, ...]) -> None:
    """Every line, in order, and the exit."""
    twice(*arguments)
    assert twice.shown(1) == twice.shown(0)
    assert twice.results[1].ret == twice.results[0].ret


@pytest.mark.parametrize("arguments", [(), ("-x",), ("-s",), ("--capture=no", "-v")], ids=" ".join)
def test_the_reports_are_the_same(twice: Twice, arguments: tuple[str, ...]) -> None:
    """Three reports per session with all they hold, between start and finish, in order."""
    twice(*arguments)
    assert twice.reports(1) == twice.reports(0)


def test_last_failed_is_the_same(twice: Twice) -> None:
    """What ``--lf`` runs next does not depend on how the run before was made."""
    names = []
    for forcing in ("", FORCING):
        twice.pytester.makeconftest(SPY + forcing)
        twice.pytester.runpytest("--cache-clear")
        twice.pytester.makeconftest("")
        listed = twice.pytester.runpytest("--lf", "--co", "-q").outlines
        names.append([line for line in listed if "::" in line or line.endswith("json")])
    assert names[1] == names[0]
    assert {"recorded/c.json", "recorded/deep/c.json"} < set(names[0])


def _cases(pytester: pytest.Pytester, *, logging: str) -> list[dict[str, Any]]:
    """Return all that JUnit XML says of each case, but for the time it took."""
    pytester.runpytest("--junitxml=out.xml", "-o", f"junit_logging={logging}")
    root = ET.parse(pytester.path / "out.xml").getroot()  # noqa: S314  our own file
    return [
        {
            "attributes": {key: value for key, value in case.attrib.items() if key != "time"},
            "inside": [(part.tag, sorted(part.attrib.items()), part.text) for part in case.iter()][
                1:
            ],
        }
        for case in root.iter("testcase")
    ]


@pytest.mark.parametrize("logging", ["no", "all"])
def test_junit_xml_is_the_same(twice: Twice, logging: str) -> None:
    """Cases, properties, failures, errors and captured output."""
    found = []
    for forcing in ("", FORCING):
        twice.pytester.makeconftest(SPY + forcing)
        found.append(_cases(twice.pytester, logging=logging))
    assert found[1] == found[0]
    assert 19 == len(found[0])


def _durations(result: pytest.RunResult) -> Counter[tuple[str, str]]:
    """Return the phases and items that ``--durations`` lists."""
    lines = (re.match(r"\d+\.\d\ds (\w+) +(\S+)", line) for line in result.outlines)
    return Counter((line[1], line[2]) for line in lines if line)


def test_durations_list_the_same(twice: Twice) -> None:
    """Each session's three phases are timed."""
    twice("--durations=0", "-vv")
    assert _durations(twice.results[1]) == _durations(twice.results[0])
    phases = {phase for phase, name in _durations(twice.results[0]) if name == "recorded/a.json"}
    assert {"setup", "call", "teardown"} == phases


def test_workers_report_the_same(twice: Twice) -> None:
    """Under ``-n2`` the same sessions end in the same way, whichever way they are run."""
    twice("-n2")
    assert outcomes(twice.results[1]) == outcomes(twice.results[0])
    assert twice.results[1].ret == twice.results[0].ret

    def reports(place: int) -> list[str]:
        return sorted(json.dumps(line["report"]) for line in twice.logs[place] if "report" in line)

    assert reports(1) == reports(0)


# -- marks -----------------------------------------------------------------------------

_MARKING = """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        if item.name in ("a.json", "c.json"):
            item.add_marker({mark})
"""


@pytest.mark.parametrize(
    "mark",
    [
        "pytest.mark.skip(reason='known')",
        "pytest.mark.skipif(True, reason='known')",
        "pytest.mark.skipif(False, reason='known')",
        "pytest.mark.xfail(reason='known')",
        "pytest.mark.xfail(reason='known', strict=True)",
        "pytest.mark.xfail(reason='known', run=False)",
        "pytest.mark.filterwarnings('error')",
    ],
)
def test_marks_hold(twice: Twice, mark: str) -> None:
    """Sessions that a conftest skips, or expects to fail, are skipped or fail as expected."""
    twice("-rA", conftest=_MARKING.format(mark=mark))
    assert twice.reports(1) == twice.reports(0)
    assert twice.shown(1) == twice.shown(0)


@pytest.mark.parametrize("folder", ["recorded", "deep"])
def test_a_mark_on_the_folder_holds(twice: Twice, folder: str) -> None:
    """A folder may be marked as well as its sessions, above them or after others."""
    marking = (
        "import pytest\n\ndef pytest_collection_modifyitems(items):\n    for item in items:\n"
        f"        if item.parent.name == {folder!r} and item.name.endswith('.json'):\n"
        "            item.parent.own_markers[:] = [pytest.mark.skip(reason='known').mark]\n"
    )
    twice("-rs", conftest=marking)
    assert twice.reports(1) == twice.reports(0)
    assert outcomes(twice.results[1]) == outcomes(twice.results[0])

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
from plugin_runs import Sessions, failing_messages, good_messages, outcomes

from pytest_sessioneval.testing import JudgeServer

_SPY = """
import json, os
from pathlib import Path

_LOG = Path(__file__).parent / "log.jsonl"

def _log(**what):
    with _LOG.open("a") as file:
        file.write(json.dumps(what, default=str) + "\\n")

def pytest_runtest_logstart(nodeid, location):
    _log(start=nodeid, location=location)

def pytest_runtest_logfinish(nodeid, location):
    _log(finish=nodeid, location=location)

def pytest_runtest_logreport(report):
    own = os.environ.get("PYTEST_CURRENT_TEST", "").startswith(report.nodeid)
    _log(
        report=[report.nodeid, report.when, report.outcome, report.location],
        keywords=sorted(report.keywords),
        properties=report.user_properties,
        text=report.longreprtext,
        sections=report.sections,
        wasxfail=getattr(report, "wasxfail", None),
        own_way=own,
    )
"""
"""A conftest that notes each report, and whether pytest itself ran the item.

pytest names the item under way in the environment; the short way does not.
"""

_HOOKS = {
    "setup": "def pytest_runtest_setup(item):\n    pass\n",
    "call": "def pytest_runtest_call(item):\n    pass\n",
    "teardown": "def pytest_runtest_teardown(item):\n    pass\n",
    "makereport": "def pytest_runtest_makereport(item, call):\n    pass\n",
    "protocol": "def pytest_runtest_protocol(item, nextitem):\n    return None\n",
    "interact": "def pytest_exception_interact(node, call, report):\n    pass\n",
}
_FORCING = _HOOKS["setup"]
"""A hook that makes pytest run every item itself."""

_TIMES = re.compile(r"\b\d+\.\d\ds\b|\bin \d+\.\d+ seconds|=+(?= )|(?<= )=+|runs/\S+?(?=/)")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load no plugin that happens to be installed: each may make pytest run every item itself."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-W error -p pytest_sessioneval.plugin -p xdist.plugin")


@pytest.fixture
def _recorded(sessions: Sessions) -> None:
    """Rows of sessions that pass and fail, an unreadable one, a file of several, ordinary tests."""
    sessions.suite(
        "[thresholds.session]\ntool_usage_quality = 60\n"
        "[thresholds.mean]\ntool_usage_quality = 10\n",
        "recorded",
    )
    sessions.good("recorded/a.json", "recorded/b.json", "recorded/d.json", "recorded/g.json")
    sessions.bad("recorded/c.json")
    sessions.text("recorded/h.json", '{"messages": [')
    sessions.good("recorded/deep/a.json", "recorded/deep/b.json")
    sessions.bad("recorded/deep/c.json")
    lines = [good_messages("x"), failing_messages("y"), good_messages("z")]
    content = "\n".join(json.dumps({"messages": said}) for said in lines)
    sessions.text("recorded/many.jsonl", content + "\n")
    test = "def test_passes():\n    print('printed')\n\ndef test_fails():\n    assert 1 == 2\n"
    for name in ("test_above.py", "recorded/test_between.py", "recorded/deep/test_below.py"):
        sessions.text(name, test)


_KNOWN: dict[str, bytes] = {}
"""The store with the verdicts on those sessions, and which of them failed, once they were run."""


class Twice:
    """Runs a selection both ways and keeps what each logged."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.results: list[pytest.RunResult] = []
        self.logs: list[list[dict[str, Any]]] = []
        pytester.makeconftest("")
        if not _KNOWN:  # once for all: from then on, verdicts are in the store
            pytester.runpytest("-q")
            for name in (".sessioneval/store.db", ".pytest_cache/v/cache/lastfailed"):
                _KNOWN[name] = (pytester.path / name).read_bytes()
        for name, content in _KNOWN.items():
            path = pytester.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def __call__(self, *arguments: str, conftest: str = "") -> Twice:
        """Run the short way, then pytest's own."""
        for forcing in ("", _FORCING):
            self.pytester.makeconftest(_SPY + conftest + forcing)
            log = self.pytester.path / "log.jsonl"
            log.unlink(missing_ok=True)
            self.results.append(self.pytester.runpytest(*arguments))
            lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
            self.logs.append([json.loads(line) for line in lines])
        return self

    def ways(self, place: int) -> Counter[bool]:
        """Return how many sessions were run by pytest itself (True) and the short way (False)."""
        return Counter(
            line["own_way"]
            for line in self.logs[place]
            if "report" in line
            and line["report"][1] == "call"
            and "sessioneval" in line["keywords"]
            and "::thresholds" not in line["report"][0]
        )

    def reports(self, place: int) -> list[dict[str, Any]]:
        """Return what was logged, without the way it was run.

        Nor with the text of an expected failure: pytest 8 shows its own
        traceback there, with every hook that is registered.
        """
        return [
            {
                name: value
                for name, value in line.items()
                if name != "own_way" and not (name == "text" and line.get("wasxfail") is not None)
            }
            for line in self.logs[place]
        ]

    def shown(self, place: int) -> list[str]:
        """Return the output without what differs between any two runs."""
        return [_TIMES.sub("", line) for line in self.results[place].outlines]


@pytest.fixture
def twice(pytester: pytest.Pytester, _recorded: None) -> Twice:
    """Return the runner of both ways, everything judged already."""
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


@pytest.mark.parametrize("hook", _HOOKS)
def test_a_conftest_that_watches_items_sees_them_all(twice: Twice, hook: str) -> None:
    """Whoever implements a hook of the protocol has it called for every session."""
    twice(conftest=_HOOKS[hook])
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
    sessions.text("recorded/deep/conftest.py", _HOOKS["makereport"])
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
    for forcing in ("", _FORCING):
        twice.pytester.makeconftest(_SPY + forcing)
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
    for forcing in ("", _FORCING):
        twice.pytester.makeconftest(_SPY + forcing)
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


# -- beside ordinary tests -------------------------------------------------------------

_FIXTURES = """
import pytest
from pathlib import Path

def _say(what):
    with (Path(__file__).parent / "events.txt").open("a") as file:
        file.write(what + "\\n")

@pytest.fixture(scope="session", autouse=True)
def whole():
    _say("session up")
    yield
    _say("session down")

@pytest.fixture(scope="module", autouse=True)
def module(request):
    _say(f"module up for {request.node.nodeid}")
    yield
    _say(f"module down for {request.node.nodeid}")

@pytest.fixture(autouse=True)
def one(request):
    _say(f"up for {request.node.nodeid}")
    yield
    _say(f"down for {request.node.nodeid}")

@pytest.fixture
def package():
    yield
"""
_PACKAGE = """
import pytest
from conftest import _say

@pytest.fixture(scope="package")
def package(request):
    _say(f"package up for {request.node.nodeid}")
    yield
    _say("package down")
"""
_USING = "def test_one(package):\n    pass\n\ndef test_two(package):\n    pass\n"


@pytest.fixture
def _fixtures(sessions: Sessions) -> None:
    """Sessions before, between and after tests that use fixtures of every scope."""
    sessions.suite(folder="recorded")
    sessions.suite(folder="last")
    sessions.good(*(f"recorded/{name}.json" for name in ("a", "b", "u", "v", "z")))
    sessions.good("recorded/pack/a.json", "recorded/pack/b.json", "recorded/pack/z.json")
    sessions.good("last/a.json", "last/b.json")
    sessions.text("recorded/pack/__init__.py", "")
    sessions.text("recorded/pack/conftest.py", _PACKAGE)
    for name in ("recorded/test_m.py", "recorded/pack/test_m.py", "test_z.py", "first/test_a.py"):
        sessions.text(name, _USING)


def test_a_folder_that_cannot_be_set_up_fails_them_all(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """Sessions within a package whose set-up fails are errors, each of them."""
    sessions.suite(folder="pack/recorded")
    sessions.good(*(f"pack/recorded/{name}.json" for name in "abc"))
    sessions.text("pack/__init__.py", "def setup_module():\n    raise RuntimeError('no set-up')\n")
    sessions.text("pack/test_it.py", "def test_it():\n    pass\n")
    assert {"errors": 4} == outcomes(pytester.runpytest())


@pytest.mark.usefixtures("_fixtures")
@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_fixtures_live_as_long(pytester: pytest.Pytester, mode: str) -> None:
    """Set up and torn down in the same order, whichever way the sessions between them are run."""
    lived = []
    for forcing in ("", _FORCING):
        pytester.makeconftest(_FIXTURES + forcing)
        result = pytester.runpytest(f"--import-mode={mode}")
        assert {"passed": 18} == outcomes(result)
        events = pytester.path / "events.txt"
        lived.append(events.read_text(encoding="utf-8").splitlines())
        events.unlink()
    assert lived[1] == lived[0]


@pytest.mark.usefixtures("_fixtures")
@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_fixtures_live_as_without_us(pytester: pytest.Pytester, mode: str) -> None:
    """Sessions beside them change nothing about the fixtures of ordinary tests."""
    lived = []
    pytester.makeconftest(_FIXTURES)
    for ours in ("-p", "pytest_sessioneval.plugin"), ("-p", "no:pytest_sessioneval.plugin"):
        pytester.runpytest(*ours, f"--import-mode={mode}")
        events = pytester.path / "events.txt"
        lived.append(events.read_text(encoding="utf-8").splitlines())
        events.unlink()
    assert lived[1] == lived[0]

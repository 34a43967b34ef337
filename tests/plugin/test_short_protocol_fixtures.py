"""Fixtures of ordinary tests live as long, whichever way the sessions beside them are run."""

from __future__ import annotations

import pytest
from both_ways import ALONE, FORCING
from plugin_runs import Sessions, outcomes

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


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load no plugin that happens to be installed: each may make pytest run every item itself."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", ALONE)


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
    for forcing in ("", FORCING):
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

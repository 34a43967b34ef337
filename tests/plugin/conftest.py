"""What the plugin's tests share: recorded sessions, judges, and the reports of their runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from gated_suite import GatedSuite
from inner_runs import LEAN, clear_surroundings, import_everything
from plugin_runs import MARKING_CONFTEST, Runs, Sessions, marking_reply

from pytest_sessioneval.testing import JudgeServer


@pytest.fixture(scope="session", autouse=True)
def _modules() -> None:
    """Import everything once."""
    import_everything()


@pytest.fixture(autouse=True)
def _surroundings(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what this machine's environment says; warnings are errors in inner runs too."""
    clear_surroundings(pytester, monkeypatch)


@pytest.fixture
def _installed(_surroundings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have runs find the plugin as a user's do: it is installed, and nobody names it."""
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    monkeypatch.setenv("PYTEST_ADDOPTS", f"-W error {LEAN}")


@pytest.fixture
def sessions(pytester: pytest.Pytester) -> Sessions:
    """Return a writer of sessions below the run's root."""
    return Sessions(pytester.path)


@pytest.fixture
def runs(pytester: pytest.Pytester) -> Runs:
    """Return the runs made below the run's root."""
    return Runs(pytester.path)


@pytest.fixture
def marking_judge(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have sessions judged by a Python judge that gives the mark each was written with."""
    pytester.makeconftest(MARKING_CONFTEST)
    monkeypatch.setenv("SESSIONEVAL_JUDGE", "hook:marks")


@pytest.fixture
def judge_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    """Have sessions judged by a server that counts; marked ones get their mark, others 80.

    The default panel asks it three times a session.
    """
    with JudgeServer(marking_reply) as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SESSIONEVAL_JUDGE", "openai:loopback")
        yield server


@pytest.fixture
def gated(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> GatedSuite:
    """Return a suite with a gate, judged as its sessions say; lines are not wrapped."""
    monkeypatch.setenv("SESSIONEVAL_JUDGE", "hook:marks")
    monkeypatch.setenv("COLUMNS", "1000")
    return GatedSuite(pytester.path)


@pytest.fixture
def blessed(pytester: pytest.Pytester, gated: GatedSuite) -> GatedSuite:
    """Return a suite of 24 sessions, mean 70, whose baseline is written."""
    gated.write()
    gated.bless(pytester)
    return gated


@pytest.fixture
def run(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Return what runs pytest below the root."""
    return lambda *arguments: pytester.runpytest_inprocess("-q", *arguments, no_reraise_ctrlc=True)

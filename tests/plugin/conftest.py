"""What the plugin's tests share: recorded sessions, judges, and the reports of their runs."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Iterator

import pytest
from gated_suite import GatedSuite
from plugin_runs import MARKING_CONFTEST, Runs, Sessions, marking_reply

from pytest_sessioneval.testing import JudgeServer

_OURS = ("SESSIONEVAL_", "OPENAI_", "ANTHROPIC_", "OLLAMA_", "GITHUB_")
_HEAVY = (
    "pandas",
    "psycopg",
    "pandas.io.formats.csvs",
    "httpx",
    "scipy.special",
    "httpcore",  # which httpx imports when it is first needed, and whose errors it knows by class
    "pytest_sessioneval.judging.evidence_judge",
    "pytest_sessioneval.judging.process.opinions",
    "pytest_sessioneval.shell.run",
    "pytest_sessioneval.shell.fixture",
    "pytest_sessioneval.shell.hint",
)


@pytest.fixture(scope="session", autouse=True)
def _modules() -> None:
    """Import everything once: pytester takes out what a run in this process imported."""
    for name in _HEAVY:
        importlib.import_module(name)
    for name in ("judging.backends", "transcripts.formats"):
        package = importlib.import_module(f"pytest_sessioneval.{name}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


@pytest.fixture(autouse=True)
def _surroundings(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what this machine's environment says; warnings are errors in inner runs too.

    Hypothesis would be imported anew by every run, which takes two seconds.
    """
    for name in [name for name in os.environ if name.startswith(_OURS)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(pytester.path)  # pytester takes PYTEST_ADDOPTS away: it comes first
    monkeypatch.setenv("PYTEST_ADDOPTS", "-W error -p no:hypothesispytest")


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

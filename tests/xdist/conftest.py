"""What runs in several processes share: distinct sessions and a judge that counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gated_suite import GatedSuite
from inner_runs import clear_surroundings, import_everything

from pytest_sessioneval.testing import JudgeServer

_SUITE = """
[judge]
model = "openai:loopback"
[[judge.experts]]
id = "one"
instruction = "Judge the session."
axes = ["goal_completion", "efficiency"]
"""


@pytest.fixture(scope="session", autouse=True)
def _modules() -> None:
    """Import everything once."""
    import_everything()


@pytest.fixture(autouse=True)
def _surroundings(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what this machine's environment says; warnings are errors in inner runs too."""
    clear_surroundings(pytester, monkeypatch, "-p no:cacheprovider")


@pytest.fixture
def judge_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    """Have every run of the test ask this server."""
    with JudgeServer() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def make_suite(pytester: pytest.Pytester) -> Callable[..., Path]:
    """Return a writer of a suite of ``count`` distinct sessions, one judge call each."""

    def make(count: int, *, extra: str = "") -> Path:
        folder = pytester.mkdir("suite")
        for number in range(count):
            session = [
                {"role": "user", "content": f"Where is parcel number {number}, please?"},
                {"role": "assistant", "content": f"Parcel number {number} arrives tomorrow."},
            ]
            text = json.dumps(session)
            (folder / f"s{number:03}.json").write_text(text, encoding="utf-8")
        (folder / "sessioneval.toml").write_text(_SUITE + extra, encoding="utf-8")
        return folder

    return make


@pytest.fixture
def gated(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> GatedSuite:
    """Return a suite with a gate, judged as its sessions say; lines are not wrapped."""
    monkeypatch.setenv("SESSIONEVAL_JUDGE", "hook:marks")
    monkeypatch.setenv("COLUMNS", "1000")
    return GatedSuite(pytester.path)

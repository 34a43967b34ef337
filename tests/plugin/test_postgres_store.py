"""Runs that keep their verdicts on a PostgreSQL server: the same, and shared between machines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from plugin_runs import Runs, Sessions, outcomes, refusal

from pytest_sessioneval.testing import JudgeServer

_KILLS = 50 if os.environ.get("SESSIONEVAL_TEST_EXAMPLES") == "full" else 2
_SESSIONS = 40


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, pytester: pytest.Pytester) -> str:
    """Return the URL of an empty store, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{pytester.path}/kept/store.db"
    return str(request.getfixturevalue("postgres_url"))


def _facts(runs: Runs) -> list[object]:
    return [runs.suite[name] for name in ("judged", "from_store", "means")]


@pytest.mark.parametrize("workers", [(), ("-n1",)], ids=["alone", "worker"])
def test_a_second_run_asks_nobody(
    pytester: pytest.Pytester,
    sessions: Sessions,
    judge_server: JudgeServer,
    runs: Runs,
    postgres_url: str,
    *,
    workers: tuple[str, ...],
) -> None:
    """Verdicts come back from the server with the same scores, and no file is made for them."""
    sessions.good(*(f"recorded/{number}.json" for number in range(4)))
    options = ("--sessioneval", "recorded", f"--sessioneval-store={postgres_url}", *workers)
    assert {"passed": 4} == outcomes(pytester.runpytest(*options))
    judged, _, means = _facts(runs)
    assert (4, 12) == (judged, judge_server.calls)
    assert {"passed": 4} == outcomes(pytester.runpytest(*options))
    assert [0, 4, means] == _facts(runs)
    assert 12 == judge_server.calls
    assert not (pytester.path / ".sessioneval" / "store.db").exists()


def test_the_environment_names_the_server(
    pytester: pytest.Pytester,
    sessions: Sessions,
    runs: Runs,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CI sets SESSIONEVAL_STORE from a secret: the runs of two machines share their verdicts."""
    monkeypatch.setenv("SESSIONEVAL_STORE", postgres_url)
    sessions.good("recorded/a.json")
    pytester.runpytest("--sessioneval", "recorded", "--sessioneval-out=one")
    pytester.runpytest("--sessioneval", "recorded")
    assert [0, 1] == _facts(runs)[:2]


def test_a_file_under_test_names_no_server(
    pytester: pytest.Pytester, sessions: Sessions, postgres_url: str
) -> None:
    """An ini file cannot send sessions, or fetch verdicts, elsewhere; its URL is not repeated."""
    sessions.good("recorded/a.json")
    pytester.makeini(f"[pytest]\nsessioneval_store = {postgres_url}\n")
    said = refusal(pytester.runpytest("--sessioneval", "recorded"))
    assert "a store other than sqlite:///… may be named by --sessioneval-store" in said
    assert "postgresql" not in said


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "n2"])
def test_a_server_that_does_not_answer_is_refused(
    pytester: pytest.Pytester, sessions: Sessions, workers: tuple[str, ...]
) -> None:
    """No server is one line before anything is judged, without the password."""
    sessions.good("recorded/a.json")
    url = "postgresql://me:s3cret@/db?host=/nowhere"
    options = ("--sessioneval", "recorded", "-p", "no:cacheprovider", *workers)
    result = pytester.runpytest(*options, f"--sessioneval-store={url}")
    said = result.stdout.str() + result.stderr.str()
    assert "postgresql://me@/nowhere/db: the store cannot be reached" in said
    assert "s3cret" not in said
    assert "Traceback" not in said
    assert pytest.ExitCode.USAGE_ERROR == result.ret


def test_killed_runs_lose_no_reported_verdict(
    pytester: pytest.Pytester, sessions: Sessions, store_url: str, runs: Runs
) -> None:
    """Whatever a run reported before kill -9, the next one has from the store."""
    sessions.good(*(f"recorded/{number:02}.json" for number in range(_SESSIONS)))
    store = f"--sessioneval-store={store_url}"
    # Each round another profile: the sessions are new to the store, and their files are not.
    for number in range(_KILLS):
        suite = f'[profiles]\ndefault = "p{number}.md"\n'
        sessions.suite(suite, folder="recorded")
        sessions.text(f"recorded/p{number}.md", f"Be helpful, the {number}. time.")
        reported = _killed_after(1 + (7 * number) % (_SESSIONS // 2), pytester.path, store)
        pytester.runpytest("recorded", store, "--sessioneval-offline")
        states = {row["path"]: row["state"] for row in runs.suite["sessions"]}
        assert {"passed"} == {states[name] for name in reported}


def _killed_after(count: int, where: Path, store: str) -> set[str]:
    """Run pytest, kill it once that many sessions were reported; return those reported."""
    command = [sys.executable, "-m", "pytest", "-v", "--color=no", "recorded", store]
    with subprocess.Popen(command, cwd=where, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        reported: set[str] = set()
        for line in running.stdout:
            if line.startswith("recorded/") and " PASSED" in line:
                reported.add(line.partition(" ")[0].removeprefix("recorded/"))
            if len(reported) == count:
                running.kill()
    assert len(reported) >= count
    return reported

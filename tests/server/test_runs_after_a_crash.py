"""A real server process that is killed: what was judged is kept, and the rest is resumed."""

from __future__ import annotations

import re
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
from running import JUDGE, PATIENCE_S, states, suite
from served import killed_in_the_end

from pytest_sessioneval.stores.opening import open_store
from pytest_sessioneval.testing import JudgeServer

_SESSIONS = [f"s{number:02}" for number in range(12)]


def serving(
    folder: Path, home: Path, store: str, judge: JudgeServer
) -> AbstractContextManager[tuple[httpx.Client, subprocess.Popen[str]]]:
    """Yield a client of a server process of its own, and the process; it is killed in the end."""
    options = ("--judge", JUDGE, "--concurrency", "2", "--store", store)
    return killed_in_the_end(
        home, str(folder), *options, environ=judge.environ, patience_s=PATIENCE_S
    )


def polled(client: httpx.Client, run_id: str, enough: str) -> Any:
    """Return the run's status once it says so in its words."""
    deadline = monotonic() + PATIENCE_S
    while True:
        answer = client.get(f"/eval/run/{run_id}")
        if re.search(enough, answer.text):
            return answer.json()
        assert monotonic() < deadline, answer.text


def test_a_killed_server_loses_no_verdict_and_its_run_is_resumed(
    tmp_path: Path, store_url: str, server: JudgeServer
) -> None:
    """After ``kill -9`` the next server shows the run interrupted and asks only what is missing."""
    folder = suite(tmp_path / "s", *_SESSIONS)
    server.hold()
    with serving(folder, tmp_path, store_url, server) as (client, process):
        run_id = client.post("/eval/run", json={}).json()["run_id"]
        server.wait_for_calls(2)
        server.release(2)
        server.wait_for_calls(4)
        server.release(2)
        server.wait_for_calls(6)
        polled(client, run_id, '(?s)(?:"state":"ok".*){4}')
        process.kill()
    store = open_store(store_url, root=tmp_path)
    kept = len(store.evaluated_sessions())
    assert "running" == store.runs()[0].state
    store.close()
    assert (4, 6) == (kept, server.calls)
    server.release()
    with serving(folder, tmp_path, store_url, server) as (client, _):
        status = client.get(f"/eval/run/{run_id}").json()
        assert "interrupted" == status["state"]
        assert set(states(status).values()) <= {"ok", "pending"}
        answer = client.post(f"/eval/run/{run_id}/resume")
        assert (200, run_id) == (answer.status_code, answer.json()["run_id"])
        status = polled(client, run_id, '"state":"done","started_at"')
    assert dict.fromkeys(_SESSIONS, "ok") == states(status)
    assert 6 + len(_SESSIONS) - kept == server.calls

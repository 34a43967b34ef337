"""A real server process that is killed while it scores: what it answered as completed is a row."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from scoring_cases import CONTEXT, read_rows
from served import killed_in_the_end

_SAMPLE = {"answer": CONTEXT, "contexts": [CONTEXT], "metrics": ["faithfulness"]}


def _call(client: httpx.Client, number: int) -> str:
    """Send a call of a session; return its job's id, or nothing where the server is gone."""
    sample = {**_SAMPLE, "session_id": f"s{number % 3}", "question": f"question {number}"}
    try:
        answer = client.post("/api/score/session_async", json=sample)
    except httpx.TransportError:
        return ""
    assert answer.status_code == 200, answer.text
    return str(answer.json()["job_id"])


def test_a_killed_server_loses_no_call_it_answered_as_completed(
    tmp_path: Path, store_url: str
) -> None:
    """After ``kill -9`` each is a row of its session; what was under way is interrupted."""
    completed: dict[str, Any] = {}
    serving = partial(killed_in_the_end, tmp_path, "--store", store_url)
    with serving() as (client, process), ThreadPoolExecutor(8) as callers:
        sent = [callers.submit(_call, client, number) for number in range(120)]
        for future in sent[:40]:
            job_id = future.result()
            job = client.get(f"/api/score/session/jobs/{job_id}").json()
            if job["status"] == "completed":
                completed[job_id] = job
        process.kill()
        answered = {future.result() for future in sent} - {""}
    assert completed
    with serving() as (client, _):
        after = {job["job_id"]: job for job in client.get("/api/score/session/jobs").json()}
        sessions = client.get("/api/score/sessions").json()
        runs = client.get("/eval/runs").json()
    assert answered <= after.keys()
    assert completed == {job_id: after[job_id] for job_id in completed}
    ended = {(job["status"], job["error"]) for job in after.values()}
    assert ended <= {("completed", None), ("failed", "interrupted")}
    for session in sessions:
        rows = read_rows(tmp_path / ".sessioneval" / "runs" / session["run_id"] / "scores.csv")
        expected = [
            job["request_summary"]["question"]
            for job in session["jobs"]
            if job["status"] == "completed"
        ]
        assert sorted(expected) == sorted(row["question"] for row in rows)
        assert [f"session-score-{n + 1}" for n in range(len(rows))] == [
            row["sample_id"] for row in rows
        ]
    assert {"done"} == {run["state"] for run in runs}

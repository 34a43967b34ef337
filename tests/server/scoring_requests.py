"""Samples sent to a service, the jobs they become, and the rows of their reports."""

from __future__ import annotations

import re
from typing import Any

from scoring_cases import CONTEXT, PATIENCE_S, answer_of, read_rows
from served import Caller

from pytest_sessioneval.server.service import Service

__all__ = ["SAMPLE", "ended_job", "rows_of", "sent_job", "without_chance"]

SAMPLE: dict[str, Any] = {
    "question": "Where?",
    "answer": answer_of(1, 1),
    "contexts": [CONTEXT],
    "metrics": ["faithfulness", "context_recall"],
}


def sent_job(client: Caller, session_id: str = "chat 1/2", **given: Any) -> dict[str, Any]:
    """Return the job that a call answered with."""
    answer = client.post(
        "/api/score/session_async", json={**SAMPLE, "session_id": session_id, **given}
    )
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    return job


def ended_job(service: Service, client: Caller, job: dict[str, Any]) -> dict[str, Any]:
    """Return a job once it has ended."""
    service.scoring.wait(job["job_id"], PATIENCE_S)
    ended: dict[str, Any] = client.get(f"/api/score/session/jobs/{job['job_id']}").json()
    return ended


def without_chance(text: str) -> str:
    """Replace what is random, or measured."""
    text = re.sub(r'"job_id": "[0-9a-f]{12}"', '"job_id": "0123456789ab"', text)
    text = re.sub(r'"latency_ms": [0-9.]+', '"latency_ms": 1.5', text)
    return re.sub(r"2026-11-22T12:00:\d\d(\.\d+)?Z", "2026-11-22T12:00:00Z", text)


def rows_of(service: Service, job: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows of the report that a job, or a session, is written to."""
    return read_rows(service.settings.out / "runs" / job["run_id"] / "scores.csv")

"""Runs in the background under test: a folder of sessions, a judge on loopback, and waiting."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from served import NOW, Caller, record

from pytest_sessioneval.evaluation.settings import EvaluationSettings
from pytest_sessioneval.server.service import Service
from pytest_sessioneval.stores.run_statuses import RunStatus
from pytest_sessioneval.testing import JudgeServer, transcript
from pytest_sessioneval.transcripts.model import Transcript

__all__ = [
    "AXES",
    "JUDGE",
    "ONE_AT_A_TIME",
    "PATIENCE_S",
    "asked",
    "ended",
    "judged_by",
    "once",
    "said",
    "same",
    "started",
    "states",
    "suite",
    "ticking",
    "under_way",
]

JUDGE = "openai:loopback"
PATIENCE_S = 30.0
ONE_AT_A_TIME = EvaluationSettings(concurrency=1)
AXES = (
    "task_complexity",
    "goal_completion",
    "tool_usage_quality",
    "efficiency",
    "communication",
    "subagent_orchestration",
    "self_extension",
)
_ONE_EXPERT = """
[[judge.experts]]
id = "one"
instruction = "Look at all of it."
axes = ["goal_completion", "communication"]
"""


def said(name: str, **fields: Any) -> Transcript:
    """Return a session of that id."""
    turns = (("user", f"Where is my parcel {name}?"), ("assistant", f"Parcel {name} has arrived."))
    return transcript(*turns, session_id=name, **fields)


def suite(folder: Path, *sessions: str | Transcript) -> Path:
    """Return a folder of these sessions, each judged by one expert: one question each."""
    (folder / "sessioneval.toml").parent.mkdir(parents=True, exist_ok=True)
    (folder / "sessioneval.toml").write_text(_ONE_EXPERT, encoding="utf-8")
    for one in sessions:
        found = said(one) if isinstance(one, str) else one
        record(folder, found, name=f"{found.session_id}.jsonl")
    return folder


def judged_by(server: JudgeServer, **settings: Any) -> dict[str, Any]:
    """Return the settings of a service whose judge is that server."""
    return {"judge": JUDGE, "environ": server.environ, **settings}


def once(service: Service, run_id: str, until: Callable[[RunStatus], bool]) -> RunStatus:
    """Return the run's status once it is so."""
    status = service.runs.wait(run_id, until, timeout_s=PATIENCE_S)
    assert status is not None
    assert until(status), status
    return status


def ended(service: Service, run_id: str) -> RunStatus:
    """Return the run's status once nothing of it goes on any more."""
    service.runs.wait(run_id, timeout_s=PATIENCE_S)
    return once(service, run_id, lambda status: status.finished_at is not None)


def asked(server: JudgeServer) -> list[str]:
    """Return the sessions that were asked about, in order, once per request."""
    texts = [request.text for request in server.requests]
    return [text.partition("Parcel ")[2].split()[0] for text in texts]


def ticking() -> Callable[[], datetime]:
    """Return a clock that is a second further whenever it is read."""
    moments = iter(range(1_000_000))
    return lambda: NOW + timedelta(seconds=next(moments))


def started(call: Caller, **request: Any) -> str:
    """Start a run and return its id."""
    answer = call.post("/eval/run", json=request)
    assert 200 == answer.status_code, answer.text
    return str(answer.json()["run_id"])


def under_way(call: Caller, server: JudgeServer) -> str:
    """Start a run, return its id once the judge is asked; its answers wait to be released."""
    server.hold()
    run_id = started(call)
    server.wait_for_calls(1)
    return run_id


def states(status: Any) -> dict[str, str]:
    """Return each session's state by its id."""
    return {one["session_id"]: one["state"] for one in status["sessions"]}


def same(text: str) -> str:
    """Return an answer without ids, digests of versions, and the judge's port."""
    text = re.sub(r"\d{8}-\d{6}-[0-9a-f]{6}", "20261122-120000-abcdef", text)
    text = re.sub(r"@(\d+)#[0-9a-f]{8}", r"@\1#01234567", text)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)

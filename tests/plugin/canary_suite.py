"""A suite beside its canaries, a judge that can drift, and what its runs decided."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from plugin_runs import Runs

from pytest_sessioneval.testing import JudgeRequest, JudgeServer, faithful_reply

__all__ = [
    "AXIS",
    "CANARIES",
    "SESSIONS",
    "WRITE",
    "Judge",
    "Suite",
    "decision_of",
    "drifting_judge",
]

AXIS = "tool_usage_quality"
SESSIONS, CANARIES = 24, 12
_SUITE = f"""
[suite]
name = "orders"
[judge]
model = "openai:loopback"
baseline_repeats = 1
[[judge.experts]]
id = "one"
instruction = "Judge the session."
axes = ["{AXIS}", "efficiency"]
[gate]
axes = ["{AXIS}"]
canaries = ["canaries/*.json"]
"""
WRITE = "--sessioneval-update-baseline"


class Judge:
    """A judge that gives the mark a session was written with, and drifts when told."""

    def __init__(self) -> None:
        self.server = JudgeServer(self.reply)
        self.shift = 0

    def reply(self, request: JudgeRequest) -> str:
        """Return the reply that moves with the shift."""
        said = next(text for role, text in request.messages.values() if role == "user")
        mark = int(said.rpartition("mark ")[2].split()[0])
        return faithful_reply(request, min(100, max(0, mark + self.shift)))


@dataclass(frozen=True)
class Suite:
    """A suite of 24 sessions beside 12 canaries."""

    root: Path

    @property
    def folder(self) -> Path:
        """Its folder."""
        return self.root / "suite"

    @property
    def baseline(self) -> dict[str, Any]:
        """Its baseline."""
        held: dict[str, Any] = json.loads((self.folder / "baseline.json").read_text("utf-8"))
        return held

    def write(self, more: str = "") -> None:
        """Write all of it."""
        (self.folder / "canaries").mkdir(parents=True)
        (self.folder / "sessioneval.toml").write_text(_SUITE + more, "utf-8")
        for number in range(SESSIONS):
            self.session(f"s{number:02d}", 60 + 20 * (number % 2))
        for number in range(CANARIES):
            self.session(f"canaries/c{number:02d}", 40 + 20 * (number % 3))

    def session(self, name: str, mark: int, note: str = "") -> None:
        """Write one session that says what it deserves."""
        said = [
            {"role": "user", "content": f"Where is order {name}? mark {mark} {note}"},
            {"role": "assistant", "content": "It was shipped on Monday, and arrives on Friday."},
        ]
        (self.folder / f"{name}.json").write_text(json.dumps({"messages": said}), "utf-8")

    def record_again(self) -> None:
        """Record every session anew, as good as before."""
        for number in range(SESSIONS):
            self.session(f"s{number:02d}", 60 + 20 * (number % 2), "again")

    def bless(self, judge: Judge, pytester: pytest.Pytester) -> None:
        """Write its baseline, then record its sessions anew."""
        assert 0 == pytester.runpytest_inprocess("-q", WRITE).ret
        assert SESSIONS + CANARIES == judge.server.calls
        self.record_again()


@contextmanager
def drifting_judge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Judge]:
    """Have sessions judged by a server that a test can have drift; lines are not wrapped."""
    judge = Judge()
    with judge.server as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("COLUMNS", "1000")
        yield judge


def decision_of(runs: Runs) -> dict[str, Any]:
    """Return the last run's decision."""
    found: dict[str, Any] = runs.suite["gate"]["decision"]
    return found

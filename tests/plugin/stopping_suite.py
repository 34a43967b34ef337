"""A suite of sixty sessions whose judging may stop early, and what its runs decided."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from plugin_runs import Runs, Sessions, good_messages

from pytest_sessioneval.gate.sequential import seeded_order
from pytest_sessioneval.testing import JudgeRequest, JudgeServer, faithful_reply

__all__ = [
    "AXIS",
    "BEFORE",
    "BETWEEN",
    "FAILED",
    "GATE",
    "INTERRUPTED",
    "JUDGE",
    "OK",
    "SAME",
    "WORSE",
    "Suite",
    "decision_of",
    "sixty_sessions",
    "states_of",
]

OK, FAILED, INTERRUPTED = 0, 1, 2
AXIS = "goal_completion"
JUDGE = f"""
[suite]
name = "orders"
sessions = ["s*.json"]
{{suite}}
[judge]
model = "openai:loopback"
[[judge.experts]]
id = "one"
instruction = "Judge the session."
axes = ["{AXIS}"]
"""
GATE = f'[gate]\naxes = ["{AXIS}"]\nsequential = "obf"\n'
BEFORE = (80, 60) * 30
"""The scores of 60 sessions: looks after 24, 36, 48 and all of them."""
WORSE = tuple(mark - (0 if n % 10 == 0 else 20) for n, mark in enumerate(BEFORE))
"""Nine of ten a level lower."""
SAME = (20, -20) * 12 + (0,) * 36
"""Changes by place in the order of judging: as many a level higher as lower, all of them early, so
that the third look is the first to rule a drop out."""
BETWEEN = (20, -20, -20, 0, 0) * 12
"""The same: three to four points lower at every look, and far too scattered to say so."""
_BLESSED: dict[str, bytes] = {}


@dataclass
class Suite:
    """Sixty sessions judged over HTTP, one call each, and their baseline."""

    pytester: pytest.Pytester
    sessions: Sessions
    server: JudgeServer
    marks: dict[int, int]
    """What the judge gives each session, by number."""

    @property
    def baseline(self) -> Path:
        """The baseline file."""
        return self.pytester.path / "suite" / "baseline.json"

    def record(self, marks: Sequence[int], *, again: str = "", first: int = 0) -> None:
        """Write a session per mark; ``again`` makes them other recordings."""
        for number, mark in enumerate(marks, first):
            self.marks[number] = mark
            said = good_messages(f"number {number}{again}")
            text = json.dumps({"messages": said, "metadata": {"task": f"t{number // 2}"}})
            self.sessions.text(f"suite/s{number:02d}.json", text)

    def record_in_order(self, by: Sequence[int]) -> None:
        """Write other recordings whose scores change by these, in the order of judging.

        The order does not depend on scores: a run that asks nobody tells its seed.
        """
        self.record(BEFORE, again=" again")
        self.run("--sessioneval-offline")
        seed = decision_of(Runs(self.pytester.path))["look"]["seed"]
        order = seeded_order({f"s{number:02d}.json": None for number in range(60)}, seed)
        for key, change in zip(order, by, strict=True):
            self.marks[int(key[1:3])] += change

    def rules(self, gate: str = GATE, *, suite: str = "") -> None:
        """Write the suite file."""
        self.sessions.suite(JUDGE.format(suite=suite) + gate, "suite")

    def bless(self) -> None:
        """Write the baseline of the sessions as they are, and forget that they were judged."""
        key = "".join(path.read_text() for path in sorted(self.baseline.parent.glob("s*")))
        if key not in _BLESSED:
            assert OK == self.run("--sessioneval-update-baseline").ret
            _BLESSED[key] = self.baseline.read_bytes()
        self.baseline.write_bytes(_BLESSED[key])

    def run(self, *arguments: str) -> pytest.RunResult:
        """Return what pytest said."""
        return self.pytester.runpytest_inprocess("-q", *arguments, no_reraise_ctrlc=True)

    def calls(self, run: Callable[[], pytest.RunResult]) -> tuple[pytest.RunResult, int]:
        """Return what a run said, and how many requests it made."""
        before = self.server.calls
        result = run()
        return result, self.server.calls - before


@contextmanager
def sixty_sessions(
    pytester: pytest.Pytester, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Suite]:
    """Yield a suite of 60 sessions whose baseline is written; lines are not wrapped."""
    marks: dict[int, int] = {}

    def reply(request: JudgeRequest) -> str:
        asked = next(text for role, text in request.messages.values() if role == "user")
        number = re.search(r"about number (\d+)", asked)
        return faithful_reply(request, marks[int(number[1])] if number else 80)

    with JudgeServer(reply) as server:
        monkeypatch.setenv("COLUMNS", "1000")
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        found = Suite(pytester, sessions, server, marks)
        found.record(BEFORE)
        found.rules()
        found.bless()
        yield found


def decision_of(runs: Runs) -> dict[str, Any]:
    """Return the last run's decision."""
    return dict(runs.suite["gate"]["decision"])


def states_of(runs: Runs) -> dict[str, int]:
    """Return how many sessions of the last run ended in which state."""
    states = [session["state"] for session in runs.suite["sessions"]]
    return {state: states.count(state) for state in sorted(set(states))}

"""Judges that a test scripts: what they answer, and when."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from pytest_sessioneval.judging.model import Answer, Case
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.verdicts.model import AxisOpinion, CallCount, Scored

__all__ = ["PATIENCE_S", "HeldJudge", "ScriptedJudge", "scored"]

PATIENCE_S = 30.0
"""How long a test waits for what must happen before it calls that a deadlock."""


class ScriptedJudge:
    """A judge whose answers are a test's function of the case; every axis 60 without one."""

    def __init__(
        self,
        answer: Callable[[Case], Answer] | None = None,
        *,
        name: str = "script",
        identity: Mapping[str, Any] | None = None,
        unsupported: Mapping[str, str] | None = None,
        notice: str = "",
        sees_metadata: bool = False,
        shares_prefix: bool = False,
    ) -> None:
        self.name = name
        self.sees_metadata = sees_metadata
        self.shares_prefix = shares_prefix
        self._notice = notice
        self.closed = False
        self._answer = answer or scored
        self._identity = dict(identity or {"judge": name})
        self._unsupported = dict(unsupported or {})

    @property
    def identity(self) -> Mapping[str, Any]:
        """Return what the test says."""
        return self._identity

    def notice(self, suite: Suite) -> str:  # noqa: ARG002
        """Return what the test says."""
        return self._notice

    def unsupported(self, suite: Suite) -> Mapping[str, str]:  # noqa: ARG002
        """Return what the test says."""
        return self._unsupported

    def judge(self, case: Case) -> Answer:
        """Return the test's answer."""
        return self._answer(case)

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True


def scored(case: Case, score: int = 60, **fields: Any) -> Answer:
    """Return an answer with this score on every axis asked for."""
    axes: dict[str, AxisOpinion] = {axis.name: Scored(score=score) for axis in case.axes}
    return Answer(axes=axes, **{"model": "script-1", "spent": CallCount(calls=1), **fields})


class HeldJudge(ScriptedJudge):
    """A judge whose every answer waits until the test lets it go."""

    def __init__(
        self, answer: Callable[[Case], Answer] | None = None, *, held: bool = True
    ) -> None:
        super().__init__(answer)
        self.asked: list[str] = []
        """The sessions asked about, in order, once per question."""
        self.peak = 0
        """Most questions in flight at once."""
        self._in_flight = 0
        self._held = held
        self._free: Counter[str] = Counter()
        self._turn = threading.Condition()

    def judge(self, case: Case) -> Answer:
        """Return the test's answer, once this session, or everything, is released."""
        name = case.session_id
        with self._turn:
            self.asked.append(name)
            self._in_flight += 1
            self.peak = max(self.peak, self._in_flight)
            self._turn.notify_all()
            self._turn.wait_for(lambda: not self._held or self._free[name])
            self._free[name] -= 1
            self._in_flight -= 1
        return super().judge(case)

    def wait_for_calls(self, count: int) -> None:
        """Return once that many questions have been asked in all."""
        with self._turn:
            asked = self._turn.wait_for(lambda: len(self.asked) >= count, PATIENCE_S)
        assert asked, f"{len(self.asked)} of {count} questions were asked"

    def release(self, *names: str) -> None:
        """Let one question of each of these sessions go; without names: everything, for good."""
        with self._turn:
            self._held = self._held and bool(names)
            self._free.update(names)
            self._turn.notify_all()

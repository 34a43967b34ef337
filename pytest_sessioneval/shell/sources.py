"""Where items get their results from: this process's evaluation, or the controller's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.plan import Plan
from pytest_sessioneval.judging.dispatch import Progress
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.run import SessionResult

__all__ = ["ResultSource", "Tick"]

Tick = Callable[[Progress], None]


class ResultSource(Protocol):
    """What an item, a collector and the fixture ask; the answers are the same in every process."""

    def select(self, suite: Suite, members: Sequence[Member]) -> frozenset[str]:
        """Return the ids of the members that scope, since, limit and shard leave."""
        ...

    def check(self, plan: Plan) -> None:
        """Raise ``UsageError`` when a suite cannot be judged, or gated, as it asks to be.

        The plan need not name sessions yet.
        """
        ...

    def start(self, plan: Plan) -> None:
        """Begin to judge."""
        ...

    def result(self, suite: str, member_id: str, tick: Tick | None = None) -> SessionResult:
        """Return how a planned session ended, waiting for it."""
        ...

    def judge(self, suite: Suite, member: Member, transcript: Transcript) -> SessionResult:
        """Return how a session that is in no file ended."""
        ...

    def close(self) -> None:
        """Release what is held."""
        ...

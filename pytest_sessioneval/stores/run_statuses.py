"""How a run and its sessions are, field by field as the service promises it, and who keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.stores.listings import Average
from pytest_sessioneval.stores.summary import RunState

__all__ = [
    "BackgroundRun",
    "PlacedSession",
    "RunSession",
    "RunStates",
    "RunStatus",
    "named",
]


class RunSession(Frozen):
    """One session of a run."""

    session_id: str
    """The session's id as recorded; empty: the run came to no session."""
    state: Literal["pending", "running", "ok", "failed"]
    """``ok``: judged, and kept."""
    avg: dict[str, Average | None] | None = None
    """Per axis the mean over the experts, once it is ``ok``."""
    error: str | None = None
    """``Type: message``, when it ``failed``."""


class RunStatus(Frozen):
    """How a run is now."""

    run_id: str
    """``YYYYMMDD-HHMMSS-xxxxxx``, or the id that was given to it."""
    state: RunState
    """``done``: every session had its turn, whether or not it failed."""
    started_at: datetime
    """UTC."""
    finished_at: datetime | None
    """UTC; null: it goes on."""
    judge_model: str | None
    """Who judges, as configured; null: not known yet. Of several suites: each once."""
    judge_version: str | None
    """``name@n#digest`` of judge, panel, prompts and protocol; null: not known."""
    rubric_version: str | None
    """``name@n#digest``; null: not known."""
    sessions: tuple[RunSession, ...]
    """Its sessions, in the order judged."""


@dataclass(frozen=True, slots=True)
class PlacedSession:
    """A session of a run, and what finds it again."""

    suite: str
    key: str
    """The session's key in the suite; empty: it was never found."""
    now: RunSession


@dataclass(frozen=True, slots=True)
class BackgroundRun:
    """What is kept of a run in the background beside the ordinary row of runs."""

    run_id: str
    request: str
    """What was asked for, as JSON."""
    owner: str
    """The process that works on it, or did."""
    seen_at: datetime
    """When that process last said so, UTC."""
    judge_model: str | None = None
    judge_version: str | None = None
    rubric_version: str | None = None
    cancelled: bool = False
    """Somebody wants it ended."""


def named(names: Iterable[str]) -> str | None:
    """Return the distinct names in their order as one text; None where there is none."""
    return ", ".join(dict.fromkeys(names)) or None


class RunStates(Protocol):
    """Keeps what a run in the background needs to be seen elsewhere and to be resumed.

    Every method raises ``StoreError`` when it cannot, and returns as a ``Store``'s do.
    """

    def begin(self, run: BackgroundRun, started_at: datetime) -> None:
        """Note that a run began in the background."""
        ...

    def put(self, run: BackgroundRun) -> None:
        """Keep who judges in a run that has begun."""
        ...

    def put_sessions(self, run_id: str, sessions: Iterable[tuple[int, PlacedSession]]) -> None:
        """Keep how sessions of a run are, each at its position."""
        ...

    def end(self, run_id: str, state: RunState, finished_at: datetime) -> None:
        """Note how a run ended that has no summary."""
        ...

    def end_abandoned(self, run: BackgroundRun) -> None:
        """Note that a run was broken off when its process was last seen, if it is still that one's.

        Of several processes that find it at once, each notes the same.
        """
        ...

    def take(self, run: BackgroundRun, state: RunState, *, owner: str, now: datetime) -> bool:
        """Return whether the run is the new owner's now, and running; one alone gets it.

        It does not where the run is not in that state, or somebody else's by now.
        """
        ...

    def seen(self, owner: str, run_ids: Sequence[str], now: datetime) -> frozenset[str]:
        """Note that the owner works on these runs; return those that somebody wants ended."""
        ...

    def cancel(self, run_id: str) -> None:
        """Tell the run's owner to end it."""
        ...

    def of(self, run_ids: Sequence[str]) -> dict[str, BackgroundRun]:
        """Return what is kept of these runs, by id; those that are none in the background lack."""
        ...

    def running(self) -> tuple[BackgroundRun, ...]:
        """Return the runs that were never ended, whoever works on them."""
        ...

    def sessions(self, run_ids: Sequence[str]) -> dict[str, list[PlacedSession]]:
        """Return the sessions of runs in the background, in order, by run."""
        ...

    def judged(self, run_ids: Sequence[str]) -> dict[str, list[PlacedSession]]:
        """Return the sessions that runs of any kind asked about and nobody has since, by run.

        By suite and key.
        """
        ...

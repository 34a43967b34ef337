"""How a session of a run in the background ended, in the words of its status. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.stores.run_statuses import RunSession
from pytest_sessioneval.verdicts.model import NOT_ANSWERED, Unscored, UnscoredReason
from pytest_sessioneval.verdicts.run import SessionResult

__all__ = ["described", "ended", "failed", "is_answered"]

_LONGEST = 500
_KINDS: dict[UnscoredReason, str] = {
    "failed": "JudgeError",
    "declined": "RefusalError",
    "skipped": "BudgetSpentError",
}


def is_answered(result: SessionResult) -> bool:
    """Return whether every expert answered: what they said is kept."""
    return not _unanswered(result)


def ended(result: SessionResult, *, unreadable: str | None = None) -> RunSession:
    """Return how a session ended: ``ok`` where every expert answered, whatever the scores.

    ``unreadable`` is why its transcript could not be read.
    """
    session_id = result.session.session_id
    if unreadable is not None:
        return failed(session_id, unreadable)
    unanswered = _unanswered(result)
    if unanswered or result.verdict is None:
        return failed(session_id, "; ".join(unanswered) or "JudgeError: nobody was asked")
    averages = {
        axis: round(given.score) if given.kind == "scored" else None
        for axis, given in result.verdict.axes.items()
    }
    return RunSession(session_id=session_id, state="ok", avg=averages)


def failed(session_id: str, error: str) -> RunSession:
    """Return a session that failed for this reason."""
    return RunSession(session_id=session_id, state="failed", error=one_line(error, _LONGEST))


def described(error: BaseException) -> str:
    """Return an error as ``Type: message``."""
    return f"{type(error).__name__}: {error}"


def _unanswered(result: SessionResult) -> tuple[str, ...]:
    """Return what experts gave instead of an answer, each sentence once."""
    axes: Iterable[object] = result.verdict.axes.values() if result.verdict is not None else ()
    return tuple(
        dict.fromkeys(
            f"{_KINDS[axis.reason]}: {axis.detail}"
            for axis in axes
            if isinstance(axis, Unscored) and axis.reason in NOT_ANSWERED
        )
    )

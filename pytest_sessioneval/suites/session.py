"""A session as a member of a suite: what pairs it, groups it and says where it lies."""

from __future__ import annotations

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.transcripts.model import SessionSummary

__all__ = ["SuiteSession"]


class SuiteSession(Frozen):
    """One session of a suite, without its text."""

    suite: str
    """The suite's name."""
    key: str
    """What pairs the session with itself in another run; unique in the suite."""
    cluster: str | None = None
    """What groups sessions that attempt the same task; null: it stands alone."""
    path: str
    """Its file, relative to the suite's folder, with forward slashes."""
    summary: SessionSummary
    """What collection keeps of it."""

    @property
    def session_id(self) -> str:
        """The session's id as recorded."""
        return self.summary.session_id

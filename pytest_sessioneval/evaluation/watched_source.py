"""Transcripts for judging, and word of each session whose turn has come."""

from __future__ import annotations

from collections.abc import Callable

from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.redaction import SECRETS
from pytest_sessioneval.transcripts.redaction_policy import RedactionPolicy
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

__all__ = ["Place", "WatchedSource"]

Place = tuple[str, str]
"""What an evaluation knows a session by: suite and member id."""


class WatchedSource(TranscriptSource):
    """A source that tells when a session is about to be judged, and why it cannot be read.

    Both are told in the thread that judges.
    """

    def __init__(
        self, began: Callable[[Place], None], broke: Callable[[Place, Exception], None]
    ) -> None:
        super().__init__(Registry(builtin_readers()))
        self._began = began
        self._broke = broke

    def load(self, member: Member, policy: RedactionPolicy = SECRETS) -> Transcript:
        """Return the member's transcript; raises as reading it does."""
        place = (member.session.suite, member.id)
        self._began(place)
        try:
            return super().load(member, policy)
        except Exception as error:
            self._broke(place, error)
            raise

"""What the evaluation endpoints take and give, beside what the store lists."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pytest_sessioneval.evaluation.posted import Posting
from pytest_sessioneval.evaluation.session_source import ServedSuite
from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.suites.model import FeedbackEntry
from pytest_sessioneval.verdicts.run import FileProblem

__all__ = [
    "FeedbackGiven",
    "FeedbackOfSession",
    "Health",
    "PostedSession",
    "PostedSessions",
    "SessionId",
    "SourceOverview",
    "StoredText",
]

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _storable(text: object) -> object:
    return _UNSTORABLE.sub("�", text) if isinstance(text, str) else text


def _no_other_one(value: object) -> object:
    """Return what true and 1.0 are not: the whole number 1."""
    return repr(value) if isinstance(value, bool | float) else value


StoredText = Annotated[str, BeforeValidator(_storable)]
"""Text as readers of transcripts keep it: what no database holds becomes U+FFFD."""
SessionId = Annotated[str, Field(min_length=1), BeforeValidator(_storable)]
"""The id of a session, kept likewise."""


class Health(Frozen):
    """The server is up."""

    status: Literal["ok"] = "ok"
    """Always the same."""
    version: str
    """That of pytest-sessioneval."""


class FeedbackGiven(BaseModel):
    """A person's thumb on one message."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "session_id": "task-3.trial-0",
                    "message_index": 12,
                    "rating": -1,
                    "comment": "Refunded the wrong order.",
                }
            ]
        },
    )

    session_id: Annotated[SessionId, Field(description="The session.")]
    message_index: Annotated[
        int, Field(strict=True, ge=0, le=2**31 - 1, description="The message, from 0.")
    ]
    rating: Annotated[
        Literal[1, -1],
        BeforeValidator(_no_other_one),
        Field(description="1: thumbs up; -1: thumbs down."),
    ]
    comment: Annotated[
        StoredText | None, Field(description="What the person wrote with it; secrets are removed.")
    ] = None


class FeedbackOfSession(Frozen):
    """People's thumbs on one session."""

    feedback: tuple[FeedbackEntry, ...]
    """One per message, by message."""


class PostedSession(Frozen):
    """One session of a posted transcript."""

    session_id: str
    """By which it is asked for."""
    state: Literal["new", "known", "replaced"]
    """``known``: the same content was there already; ``replaced``: other content of this id was."""


class PostedSessions(Frozen):
    """What came of posting a transcript."""

    session_id: str
    """The first session's."""
    sessions: tuple[PostedSession, ...]
    """All sessions of the body, in its order."""
    problems: tuple[str, ...]
    """Sessions of it that could not be read, and why."""
    skipped_lines: int
    """Lines of it that were left out."""

    @classmethod
    def of(cls, posting: Posting) -> PostedSessions:
        """Return it as it is answered."""
        return cls(
            session_id=posting.sessions[0].session_id,
            sessions=tuple(
                PostedSession(session_id=one.session_id, state=one.state)
                for one in posting.sessions
            ),
            problems=posting.problems,
            skipped_lines=posting.skipped,
        )


class SourceOverview(Frozen):
    """One folder that sessions come from."""

    suite: str
    """The suite's name; ``posted`` for sessions that were posted."""
    folder: str
    """Where it lies on the server."""
    sessions: int
    """Sessions found."""
    files_read: int
    """Files that hold at least one."""
    other_files: int
    """JSON files that hold none."""
    copies: int
    """Copies and beginnings of other sessions: left out."""
    skipped_lines: dict[str, int]
    """Lines left out of files that are sound beside them, by reason."""
    problems: tuple[FileProblem, ...]
    """Files and sessions that cannot be read."""
    problem: str | None
    """Why suite file, folder or judge cannot be used as they stand; null: they can."""

    @classmethod
    def of(cls, served: ServedSuite) -> SourceOverview:
        """Return the overview of one folder."""
        sources = served.sources
        return cls(
            suite=served.suite.name,
            folder=str(served.suite.root),
            sessions=len(served.members),
            files_read=sources.files_read,
            other_files=len(sources.not_sessions),
            copies=len(sources.duplicates),
            skipped_lines=sources.skipped_lines,
            problems=sources.problems,
            problem=served.problem or None,
        )

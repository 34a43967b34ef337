"""The seams of judging: what a judge is shown, what it answers, what a backend carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pytest_sessioneval.suites.model import (
    Axis,
    Expectation,
    Expert,
    FeedbackEntry,
    Rubric,
    Suite,
)
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import AxisOpinion, CallCount, Evidence, QuoteCount, View

__all__ = ["Answer", "Backend", "Case", "Completion", "Embedded", "Embedder", "Judge", "Prompt"]


@dataclass(frozen=True, slots=True)
class Case:
    """One session in front of one expert: all it is shown and bound by."""

    session_id: str
    """For messages to people; never shown to the judge."""
    transcript: Transcript
    """Redacted already."""
    rubric: Rubric
    """What is scored."""
    expert: Expert
    """Who is asked."""
    axes: tuple[Axis, ...]
    """The axes asked for: the expert's, without those that cannot apply to this session."""
    repeat: int = 0
    """Which repetition, from 0."""
    nonce: str = ""
    """32 hex digits; unpredictable to whoever wrote the transcript, shared by its experts."""
    profile: str = ""
    """What the agent was told to be; empty: unknown."""
    feedback: tuple[FeedbackEntry, ...] = ()
    """People's thumbs, where the suite shows them."""
    expectations: tuple[Expectation, ...] = ()
    """What must have happened in this session."""
    use_outcome: bool = False
    """Whether the recorded outcome may score goal_completion."""
    max_chars: int = 400_000
    """Most characters of the transcript to read, for judges that are not asked in words."""
    context_tokens: int = 128_000
    """What a judge that is asked in words may be sent and answer together."""
    reply_tokens: int | None = None
    """Longest reply asked for; None: the suite sets none."""
    segment: int | None = None
    """Which part of the session is only read for evidence, from 0; None: the session is scored."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a judge said of a case: every axis asked for, exactly once."""

    axes: Mapping[str, AxisOpinion]
    comment: str = ""
    model: str = ""
    """The model that answered, as it names itself."""
    spent: CallCount = field(default_factory=CallCount)
    sent: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    coverage: float = 1.0
    """Share of the transcript's characters that was shown, 0–1."""
    quotes: QuoteCount = field(default_factory=QuoteCount)
    """What became of the quotes given as evidence."""
    steering: tuple[Evidence, ...] = ()
    """Passages of the transcript that address the judge, by its word or by our heuristics."""
    view: View | None = None
    """What was not shown; None: nothing."""


class Judge(Protocol):
    """Answers cases.

    ``identity`` is everything about the judge that can move a score (name,
    model, parameters, prompt and protocol versions) as JSON: it goes into the
    verdict key. ``judge`` may be called from several threads at once; it raises
    ``JudgeError`` when it has no answer, and anything else is a bug in it.
    """

    name: str
    sees_metadata: bool
    """Whether a score may rest on what a transcript's digest leaves out: ids, title, metadata."""
    shares_prefix: bool
    """Whether it costs less to ask about a session again once it has answered about it."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Return all that can move a score, as JSON values."""
        ...

    def notice(self, suite: Suite) -> str:
        """Return what the judge says plainly of its scores there; empty: nothing."""
        ...

    def unsupported(self, suite: Suite) -> Mapping[str, str]:
        """Return the axes it cannot score in this suite, and how to get each scored."""
        ...

    def judge(self, case: Case) -> Answer:
        """Return the answer to a case; raises ``JudgeError``."""
        ...

    def close(self) -> None:
        """Release connections; no call may follow."""
        ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request: fixed rules, then the transcript, then what is asked.

    ``prefix`` is identical for every expert of a session, so that prefix caches work.
    """

    system: str
    prefix: str
    question: str
    schema: Mapping[str, Any]
    """JSON Schema of the reply."""
    repair: tuple[str, str] | None = None
    """The rejected reply and what is wrong with it, when this asks for a corrected one."""
    masked: bool = False
    """Whether this asks again, with the passages taken out that address the judge."""
    segment: int | None = None
    """Which part of a session this asks to read for evidence, from 0; None: it asks for scores."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A backend's reply to one prompt."""

    text: str
    model: str
    spent: CallCount
    sent: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    refused: bool = False
    """The provider marked the reply as a refusal."""
    truncated: bool = False
    """The reply was cut at the longest length asked for."""


class Backend(Protocol):
    """Carries prompts to a model; one module per protocol."""

    name: str
    model: str

    def complete(self, prompt: Prompt) -> Completion:
        """Return the reply; raises ``TransportError`` or ``RefusalError``."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


@dataclass(frozen=True, slots=True)
class Embedded:
    """Texts as vectors, in the order given, all of one length."""

    vectors: tuple[tuple[float, ...], ...]
    spent: CallCount = field(default_factory=CallCount)


class Embedder(Protocol):
    """Turns texts into vectors that can be compared."""

    model: str

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Return one vector per text; raises ``TransportError``."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...

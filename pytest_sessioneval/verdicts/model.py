"""What an expert said of a session, and what the panel makes of it.

A score and a reason why there is none are two types, so that no code can take
one for the other: ``Scored`` has a number, ``Unscored`` has a reason.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from pytest_sessioneval.frozen import Frozen

__all__ = [
    "NOT_ANSWERED",
    "WITHHELD",
    "AxisOpinion",
    "AxisResult",
    "CallCount",
    "Evidence",
    "Opinion",
    "PanelScore",
    "QuoteCount",
    "Score",
    "Scored",
    "Unscored",
    "UnscoredReason",
    "Verdict",
    "View",
]

Score = Annotated[int, Field(ge=0, le=100)]
"""An expert's score on one axis: an integer 0–100, 100 is best."""

UnscoredReason = Literal[
    "not_applicable",
    "unsupported",
    "unverified",
    "tampered",
    "declined",
    "failed",
    "skipped",
]
"""Why there is no score.

``not_applicable``: the experts asked said so. ``unsupported``: this judge
cannot score this axis. ``unverified``: no evidence that checks out.
``tampered``: the transcript steers its judge. ``declined``: the judge refused.
``failed``: transport, malformed, off-vocabulary. ``skipped``: budget,
cancelled, early stop. Never merged, never a number.
"""


NOT_ANSWERED: frozenset[UnscoredReason] = frozenset({"failed", "declined", "skipped"})
"""Reasons that mean nobody judged: never kept, asked again in the next run."""

WITHHELD: tuple[UnscoredReason, ...] = (
    "failed",
    "declined",
    "skipped",
    "tampered",
    "unverified",
)
"""Reasons of one expert that leave an axis without a mean over the others, the one to tell first:
what says least about the session (nobody answered) hides what says more, never the other way."""


class Evidence(Frozen):
    """A place in the transcript that a score rests on."""

    message: int
    """Index of the cited message."""
    quote: str = ""
    """The words cited, as they stand in the message; empty: the message as a whole."""
    polarity: Literal["positive", "negative"] = "negative"
    """Whether it speaks for or against the agent."""
    agent_id: str | None = None
    """The sub-agent whose message it is; null: the main agent's transcript."""
    verified: bool = True
    """The quote was found in the cited message by code."""
    note: str = ""
    """What the place shows, in a few words; the embedded judge's own text."""
    tool: str | None = None
    """The tool whose call or result the place is; null: none, or it is not known."""


class Scored(Frozen):
    """An expert's score on one axis."""

    kind: Literal["scored"] = "scored"
    """Tells the two apart in JSON."""
    score: Score
    """0–100, 100 is best."""
    comment: str = ""
    """The expert's reason, in at most a few sentences."""
    evidence: tuple[Evidence, ...] = ()
    """What the score rests on; only verified evidence."""
    failure_tag: str | None = None
    """One of the rubric's failure tags, ``other``, or null for none."""


class Unscored(Frozen):
    """Why there is no score on one axis."""

    kind: Literal["unscored"] = "unscored"
    """Tells the two apart in JSON."""
    reason: UnscoredReason
    """See UnscoredReason."""
    detail: str = ""
    """One sentence: what happened, and what to do where something can be done."""
    evidence: tuple[Evidence, ...] = ()
    """What was cited, also when it could not be verified."""
    masked_score: Score | None = None
    """For ``tampered``, the score without the text that addresses the judge; counts nowhere."""


AxisOpinion = Annotated[Scored | Unscored, Field(discriminator="kind")]


class CallCount(Frozen):
    """What asking for one opinion took."""

    calls: int = 0
    """Requests sent, retries and repairs included."""
    retries: int = 0
    """Requests that were repeated because no answer arrived."""
    repairs: int = 0
    """Requests that asked for a corrected reply."""
    input_tokens: int = 0
    """Prompt tokens the responses reported, cached ones included."""
    output_tokens: int = 0
    """Completion tokens the responses reported."""
    cached_tokens: int = 0
    """Prompt tokens the responses reported as read from a cache."""
    cache_write_tokens: int = 0
    """Prompt tokens the responses reported as written to a cache."""
    reasoning_tokens: int = 0
    """Completion tokens the responses reported as reasoning; they are part of output_tokens."""
    cost_usd: float = 0.0
    """US dollars, by the price table's prices; without the calls whose price is not known."""
    unpriced_calls: int = 0
    """Requests whose price is not known."""

    def __add__(self, other: CallCount) -> CallCount:
        """Return the sum, field by field."""
        return CallCount(
            calls=self.calls + other.calls,
            retries=self.retries + other.retries,
            repairs=self.repairs + other.repairs,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            cost_usd=round(self.cost_usd + other.cost_usd, 9),
            unpriced_calls=self.unpriced_calls + other.unpriced_calls,
        )


class View(Frozen):
    """What of a session a judge did not see, where it was too long to be shown whole."""

    parts: int = 0
    """In how many parts it was read before it was scored; 0: it was shown at once, shortened."""
    quotes: int = 0
    """Passages that the parts' readers quoted for the scoring."""
    dropped: int = 0
    """Passages that they quoted and that had no room in the scoring, or that nobody could find."""
    left_out: tuple[str, ...] = ()
    """Messages shown neither in a part nor at once: labels and ranges, ``M3``, ``M7–M80``."""
    shortened: tuple[str, ...] = ()
    """Messages shown with their middle left out: labels, the first forty of them."""
    more_shortened: int = 0
    """How many were shortened beside those."""


class QuoteCount(Frozen):
    """The quotes that a judge gave as evidence, as code looked them up."""

    given: int = 0
    """Quotes given, those of repaired replies included."""
    moved: int = 0
    """Found in exactly one other message than the one cited: they count there."""
    rejected: int = 0
    """Not found, too short, from a role that proves nothing, or text that steers the judge."""

    def __add__(self, other: QuoteCount) -> QuoteCount:
        """Return the sum, field by field."""
        return QuoteCount(
            given=self.given + other.given,
            moved=self.moved + other.moved,
            rejected=self.rejected + other.rejected,
        )


class Opinion(Frozen):
    """One expert's answer on one session."""

    key: str
    """The verdict key: digest of the transcript and of all the expert was shown or bound by."""
    expert_id: str
    """Which seat of the panel."""
    repeat: int = 0
    """Which repetition, from 0."""
    axes: dict[str, AxisOpinion]
    """Per axis the expert answers: a score or a reason there is none."""
    comment: str = ""
    """What the expert says of the session as a whole."""
    judge_model: str
    """The model that answered, as it names itself, else as it was asked for."""
    judge_version: str
    """``name@n#digest`` of judge, panel, prompts and protocol."""
    rubric_version: str
    """``name@n#digest`` of the rubric."""
    judged_at: datetime
    """When the answer arrived, UTC."""
    spent: CallCount = CallCount()
    """What it took; zero for the embedded judge."""
    sent: dict[str, str | int | float | bool | None] = {}
    """The parameters that were sent: temperature, seed and so on, only those set."""
    coverage: float = 1.0
    """Share of the transcript's characters that the judge was shown, 0–1."""
    quotes: QuoteCount = QuoteCount()
    """What became of the quotes it gave; zero for judges whose places need no looking up."""
    steering: tuple[Evidence, ...] = ()
    """Passages that address whoever judges, by this judge's word or by our heuristics."""
    view: View | None = None
    """What it was not shown; null: nothing, or the judge does not say."""


class PanelScore(Frozen):
    """The panel's score on one axis."""

    kind: Literal["scored"] = "scored"
    """Tells the two apart in JSON."""
    score: Annotated[float, Field(ge=0, le=100)]
    """Mean over the experts' scores, 0–100."""
    spread: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Largest minus smallest of the experts' scores."""
    count: Annotated[int, Field(ge=1)] = 1
    """How many scores the mean rests on (experts × repeats)."""


AxisResult = Annotated[PanelScore | Unscored, Field(discriminator="kind")]


class Verdict(Frozen):
    """The panel's result on one session."""

    session_id: str
    """The session's id."""
    digest: str
    """Digest of the transcript that was judged."""
    axes: dict[str, AxisResult]
    """Per axis of the rubric, in its order: the panel's score or a reason there is none."""
    opinions: tuple[Opinion, ...] = ()
    """One per expert and repeat, in panel order."""
    from_store: bool = False
    """Every opinion was already there: nothing was asked for this verdict."""

    @property
    def coverage(self) -> float:
        """Smallest share of the transcript's characters that an expert was shown, 0–1."""
        return min((opinion.coverage for opinion in self.opinions), default=1.0)

    @property
    def scores(self) -> dict[str, float]:
        """The scored axes and their scores, 0–100, in rubric order."""
        return {name: axis.score for name, axis in self.axes.items() if axis.kind == "scored"}

"""The panel: its seats, what each is asked about a session, and the verdict they reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean

from pytest_sessioneval.judging.keys import (
    digest_of,
    metadata_digest,
    opinion_key,
    seat_digest,
)
from pytest_sessioneval.judging.model import Judge
from pytest_sessioneval.judging.models import DEFAULT_CONTEXT, ModelTable, known_models
from pytest_sessioneval.suites.expectations import expectations_for
from pytest_sessioneval.suites.feedback import feedback_by_session
from pytest_sessioneval.suites.model import Axis, Expectation, Expert, FeedbackEntry, Rubric, Suite
from pytest_sessioneval.suites.rubric import rubric_version
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.transcripts.model import SessionSummary
from pytest_sessioneval.transcripts.redaction import redact_text
from pytest_sessioneval.verdicts.model import (
    WITHHELD,
    AxisOpinion,
    AxisResult,
    Opinion,
    PanelScore,
    Scored,
    Unscored,
    Verdict,
)
from pytest_sessioneval.verdicts.run import JudgeIdentity, SeatIdentity

__all__ = [
    "EMBEDDED",
    "SCORING_VERSION",
    "Panel",
    "Question",
    "Seat",
    "combine",
    "longest_excerpt",
    "panel_experts",
    "panel_result",
    "profile_of",
    "shows_feedback",
]

EMBEDDED = "evidence"
"""The embedded judge's name: one seat that answers every axis."""

SCORING_VERSION = "1"
"""Raised when ``combine`` makes another score out of the same opinions: baselines made before
are then not comparable, instead of regressed."""

_CHARS_PER_TOKEN = 3  # for judges that are not asked in words, and for every judge's version
_RESERVED_TOKENS = 8_000
_FEWEST_TOKENS = 2_000

_NO_SUBAGENTS = Unscored(reason="not_applicable", detail="the session has no sub-agents")


@dataclass(frozen=True, slots=True)
class Seat:
    """One expert and the judge that answers for it."""

    expert: Expert
    judge: Judge
    digest: str
    context_tokens: int = DEFAULT_CONTEXT
    """What a judge that is asked in words may be sent and answer together."""

    @property
    def max_chars(self) -> int:
        """Most characters of a session for a judge that is not asked in words."""
        return _max_chars(self.context_tokens)


@dataclass(frozen=True, slots=True)
class Question:
    """One seat's question about one session, once."""

    seat: Seat
    repeat: int
    axes: tuple[Axis, ...]
    key: str
    profile: str
    feedback: tuple[FeedbackEntry, ...]
    expectations: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """Who judges a suite, and by what."""

    suite: Suite
    seats: tuple[Seat, ...]
    repeats: int
    rubric_version: str
    version: str
    feedback: Mapping[str, tuple[FeedbackEntry, ...]]
    """What is shown of people's thumbs, by session id."""

    @classmethod
    def of(
        cls,
        suite: Suite,
        judges: Mapping[str, Judge],
        *,
        repeats: int | None = None,
        models: ModelTable | None = None,
    ) -> Panel:
        """Return the suite's panel; ``judges`` holds one judge per model the panel names.

        ``models`` knows how much each can read, where the suite does not say;
        default: the package's own table.
        """
        suite = _redacted(suite)
        settings = suite.settings.judge
        version = rubric_version(suite.rubric)
        known = models or known_models()
        seats = tuple(
            _seat(expert, judge, suite, settings.context_tokens or known.context_tokens(name))
            for expert in panel_experts(suite)
            for judge in (judges[expert.model or settings.model],)
            for name in (judge.name,)
        )
        times = settings.repeats if repeats is None else repeats
        digest = digest_of([[seat.expert.id, seat.digest] for seat in seats])
        names = {seat.judge.name for seat in seats}
        name = names.pop() if len(names) == 1 else "panel"
        shown = feedback_by_session(suite) if shows_feedback(suite) else {}
        return cls(suite, seats, times, version, f"{name}@1#{digest[:8]}", shown)

    def questions(self, session: SuiteSession) -> tuple[Question, ...]:
        """Return all that is asked about a session, by seat, then repeat.

        A seat none of whose axes can apply to the session is not asked.
        """
        suite, summary = self.suite, session.summary
        profile = profile_of(suite, summary)
        feedback = self.feedback.get(summary.session_id, ())
        expectations = expectations_for(suite, session.key)
        seen = any(seat.judge.sees_metadata for seat in self.seats)
        metadata = metadata_digest(summary) if seen else ""
        asked: list[Question] = []
        for seat in self.seats:
            axes = tuple(
                axis
                for axis in suite.rubric.axes
                if axis.name in seat.expert.axes and _can_apply(axis, summary)
            )
            if not axes:
                continue
            for repeat in range(self.repeats):
                key = opinion_key(
                    seat.digest,
                    summary.digest,
                    repeat=repeat,
                    profile=profile,
                    feedback=feedback,
                    expectations=expectations,
                    use_outcome=suite.settings.suite.use_outcome,
                    metadata=metadata if seat.judge.sees_metadata else "",
                )
                asked.append(Question(seat, repeat, axes, key, profile, feedback, expectations))
        return tuple(asked)

    def unsupported(self) -> dict[str, str]:
        """Return the axes no seat can score in this suite, and how to get each scored."""
        found: dict[str, str] = {}
        for axis in self.suite.rubric.axis_names:
            seats = [seat for seat in self.seats if axis in seat.expert.axes]
            reasons = [seat.judge.unsupported(self.suite).get(axis) for seat in seats]
            if not seats:
                found[axis] = "no expert of the panel answers it: add it to an expert's axes"
            elif all(reasons):
                found[axis] = str(reasons[0])
        return found

    def identity(self) -> JudgeIdentity:
        """Return who judges, as reports show it."""
        notices = dict.fromkeys(seat.judge.notice(self.suite) for seat in self.seats)
        return JudgeIdentity(
            model=self.suite.settings.judge.model,
            version=self.version,
            seats=tuple(
                SeatIdentity(
                    id=seat.expert.id,
                    model=seat.expert.model or self.suite.settings.judge.model,
                    axes=seat.expert.axes,
                )
                for seat in self.seats
            ),
            repeats=self.repeats,
            notice=" ".join(filter(None, notices)),
            unsupported=self.unsupported(),
        )


def longest_excerpt(suite: Suite) -> int:
    """Return how many characters of a transcript a judge reads that is not asked in words."""
    judge = suite.settings.judge
    return _max_chars(judge.context_tokens or known_models().context_tokens(judge.model))


def profile_of(suite: Suite, summary: SessionSummary) -> str:
    """Return what a session's agent was told to be, as far as the suite says; empty: unknown."""
    named = suite.profiles.get(summary.profile_id or "default")
    return named or suite.profiles.get("default", "")


def _redacted(suite: Suite) -> Suite:
    """Return the suite without secrets in what its judge is shown beside the transcript."""
    policy = suite.redaction
    return suite.model_copy(
        update={
            "profiles": {name: redact_text(text, policy) for name, text in suite.profiles.items()},
            "feedback": tuple(
                entry.model_copy(update={"comment": redact_text(entry.comment, policy)})
                if entry.comment
                else entry
                for entry in suite.feedback
            ),
        }
    )


def _seat(expert: Expert, judge: Judge, suite: Suite, context_tokens: int) -> Seat:
    digest = seat_digest(
        judge,
        expert,
        rubric_version=rubric_version(suite.rubric),
        max_chars=_max_chars(context_tokens),
        redaction=suite.redaction,
        metrics=_metrics_identity() if suite.rubric.has_metrics else "",
    )
    return Seat(expert, judge, digest, context_tokens)


def _metrics_identity() -> str:
    from pytest_sessioneval.judging.metrics.tables import metrics_identity  # noqa: PLC0415

    return metrics_identity()  # imported here: most rubrics have no metrics


def _max_chars(context_tokens: int) -> int:
    return max(context_tokens - _RESERVED_TOKENS, _FEWEST_TOKENS) * _CHARS_PER_TOKEN


def shows_feedback(suite: Suite) -> bool:
    """Whether experts see people's thumbs: as configured, else only without a gate."""
    configured = suite.settings.judge.show_feedback
    return suite.settings.gate is None if configured is None else configured


def panel_experts(suite: Suite) -> tuple[Expert, ...]:
    """Return the suite's experts: configured, else the rubric's, else one for all axes.

    The embedded judge has one seat, whatever the rubric's panel is.
    """
    settings = suite.settings.judge
    if settings.experts:
        return settings.experts
    whole = Expert(id=EMBEDDED, instruction="", axes=suite.rubric.axis_names)
    if settings.model == EMBEDDED:
        return (whole,)
    return suite.rubric.experts or _default_experts(suite.rubric)


def _default_experts(rubric: Rubric) -> tuple[Expert, ...]:
    """Return an expert for the axes with levels, one for metrics, and one that makes questions.

    As far as there are such axes. Who makes questions out of an answer must not
    see the question that was asked.
    """
    by_expert: dict[str, list[str]] = {"judge": [], "metrics": [], "questions": []}
    for axis in rubric.axes:
        alone = "questions" if axis.metric == "answer_relevancy" else "metrics"
        by_expert["judge" if axis.metric is None else alone].append(axis.name)
    return tuple(
        Expert(id=name, instruction="", axes=tuple(axes))
        for name, axes in by_expert.items()
        if axes
    )


def combine(
    rubric: Rubric, session: SuiteSession, opinions: Sequence[Opinion], *, from_store: bool
) -> Verdict:
    """Return the panel's verdict: per axis the mean over its experts, or why there is none.

    There is no mean over the experts that survived: one that failed, declined,
    was skipped, or whose evidence did not check out leaves the axis unscored.
    An expert that finds an axis not applicable has answered; the mean is then
    over those that scored it.
    """
    axes: dict[str, AxisResult] = {}
    for axis in rubric.axes:
        if not _can_apply(axis, session.summary):
            axes[axis.name] = _NO_SUBAGENTS
            continue
        given = [opinion.axes[axis.name] for opinion in opinions if axis.name in opinion.axes]
        axes[axis.name] = panel_result(given)
    return Verdict(
        session_id=session.session_id,
        digest=session.summary.digest,
        axes=axes,
        opinions=tuple(opinions),
        from_store=from_store,
    )


def panel_result(given: Sequence[AxisOpinion]) -> AxisResult:
    """Return what the panel makes of its experts' answers on one axis; see ``combine``."""
    if len(given) == 1 and isinstance(given[0], Scored):
        return _panel_score(float(given[0].score), 0.0, 1)
    unscored = [opinion for opinion in given if isinstance(opinion, Unscored)]
    for reason in WITHHELD:
        for opinion in unscored:
            if opinion.reason == reason:
                return opinion
    scores = [opinion.score for opinion in given if isinstance(opinion, Scored)]
    if scores:
        return _panel_score(fmean(scores), max(scores) - min(scores), len(scores))
    for opinion in unscored:
        if opinion.reason == "not_applicable":
            return opinion
    if unscored:
        return unscored[0]
    return Unscored(reason="unsupported", detail="no expert of the panel answers this axis")


@cache
def _panel_score(score: float, spread: float, count: int) -> PanelScore:
    """Return the score, the same object for the same numbers: runs hold few and repeat them."""
    return PanelScore(score=score, spread=spread, count=count)


def _can_apply(axis: Axis, summary: SessionSummary) -> bool:
    return axis.applies_if == "always" or summary.subsession_count > 0

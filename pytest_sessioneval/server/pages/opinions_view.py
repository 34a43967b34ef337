"""What every expert said of a session, side by side, each quote with its place. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from pytest_sessioneval.judging.panel import panel_result
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.reasons import REASONS
from pytest_sessioneval.reports.wording import experts_on
from pytest_sessioneval.server.pages.links import session_url
from pytest_sessioneval.server.pages.transcript_view import MESSAGES, Cited
from pytest_sessioneval.stores.protocol import KeptOpinion
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import (
    AxisOpinion,
    AxisResult,
    Evidence,
    Opinion,
    Verdict,
)

__all__ = [
    "AxisView",
    "CitationView",
    "EvaluationView",
    "ExpertView",
    "evaluation_view",
    "latest_opinions",
]

_FIRST_CITED = 6
_MOST_CITED = 60
_AGENT = 40


@dataclass(frozen=True, slots=True)
class CitationView:
    """One place that an expert cites."""

    number: int
    label: str
    """``M12``, or ``A1.M3``."""
    url: str
    """The quote in its message, else the message."""
    quote: str
    note: str
    in_favour: bool
    verified: bool


@dataclass(frozen=True, slots=True)
class ExpertView:
    """What one expert said on one axis."""

    who: str
    score: int | None
    reason: str
    """Why there is no score; empty: there is."""
    meaning: str
    """What that reason means."""
    words: str
    """The expert's comment, or what was said of the missing score."""
    failure_tag: str | None
    citations: tuple[CitationView, ...]
    more: tuple[CitationView, ...]
    """Those that are shown on demand."""
    left_out: int
    """Those that are not shown."""


@dataclass(frozen=True, slots=True)
class AxisView:
    """One axis: the panel's score, and every expert's beside each other."""

    name: str
    score: float | None
    reason: str
    """Why there is no score; empty: there is."""
    meaning: str
    spread: float
    """Between the experts' scores, in points."""
    experts: tuple[ExpertView, ...]


@dataclass(frozen=True, slots=True)
class EvaluationView:
    """A session's latest evaluation."""

    axes: tuple[AxisView, ...]
    comments: tuple[tuple[str, str], ...]
    """Who, and what was said of the session as a whole."""
    models: tuple[str, ...]
    judge_version: str
    rubric_version: str
    digest: str
    """Of the transcript that was judged."""
    cited: tuple[Cited, ...]
    """Every place that is cited, numbered as in ``axes``."""


def latest_opinions(kept: Sequence[KeptOpinion]) -> tuple[KeptOpinion, ...]:
    """Return the opinions of the latest evaluation: of its transcript, rubric and judge."""
    if not kept:
        return ()
    newest = max(kept, key=lambda one: one.stored.opinion.judged_at)
    return tuple(one for one in kept if _group(one) == _group(newest))


def evaluation_view(
    kept: Sequence[KeptOpinion],
    *,
    session_id: str,
    axes: Sequence[str] = (),
    transcript: Transcript | None = None,
) -> EvaluationView | None:
    """Return the evaluation that these opinions of one session make; None without any.

    ``axes`` is the order in which axes are shown, ``transcript`` tells how
    sub-agents are numbered.
    """
    if not kept:
        return None
    answered = {axis: None for one in kept for axis in one.stored.opinion.axes}
    order = [*(axis for axis in axes if axis in answered)]
    order += [axis for axis in answered if axis not in order]
    opinions = sorted(
        (one.stored.opinion for one in kept), key=lambda one: (one.expert_id, one.repeat)
    )
    verdict = Verdict(
        session_id=session_id,
        digest=kept[0].stored.digest,
        axes={axis: panel_result(_given(opinions, axis)) for axis in order},
        opinions=tuple(opinions),
    )
    agents = {
        one.agent_id: number
        for number, one in enumerate(transcript.subsessions if transcript else (), start=1)
    }
    listing = _Listing(session_id, agents)
    shown = tuple(
        _axis(name, result, tuple(listing.experts(verdict, name)))
        for name, result in verdict.axes.items()
    )
    return EvaluationView(
        axes=shown,
        comments=tuple(_comments(verdict)),
        models=tuple(sorted({one.judge_model for one in opinions})),
        judge_version=opinions[0].judge_version,
        rubric_version=opinions[0].rubric_version,
        digest=verdict.digest,
        cited=tuple(listing.cited),
    )


class _Listing:
    """Numbers what is cited, in the order in which it is shown."""

    def __init__(self, session_id: str, agents: Mapping[str, int]) -> None:
        self._session_id = session_id
        self._agents = agents
        self._numbers = count(1)
        self.cited: list[Cited] = []

    def experts(self, verdict: Verdict, axis: str) -> Iterator[ExpertView]:
        for who, said in experts_on(verdict, axis):
            yield self._expert(who, said)

    def _expert(self, who: str, said: AxisOpinion) -> ExpertView:
        shown = said.evidence[:_MOST_CITED]
        cited = tuple(self._citation(evidence) for evidence in shown)
        answer = ExpertView(
            who=who,
            score=None,
            reason="",
            meaning="",
            words="",
            failure_tag=None,
            citations=cited[:_FIRST_CITED],
            more=cited[_FIRST_CITED:],
            left_out=len(said.evidence) - len(shown),
        )
        if said.kind == "scored":
            return replace(
                answer, score=said.score, words=said.comment, failure_tag=said.failure_tag
            )
        meaning = REASONS[said.reason][0]
        return replace(answer, reason=said.reason, meaning=meaning, words=said.detail)

    def _citation(self, evidence: Evidence) -> CitationView:
        number = next(self._numbers)
        quote = one_line(evidence.quote)
        self.cited.append(Cited(number, evidence.message, evidence.quote, evidence.agent_id))
        url = session_url(
            self._session_id,
            start=evidence.message // MESSAGES * MESSAGES,
            agent=evidence.agent_id,
            anchor=f"q{number}",
        )
        return CitationView(
            number=number,
            label=self._label(evidence),
            url=url,
            quote=quote,
            note=one_line(evidence.note),
            in_favour=evidence.polarity == "positive",
            verified=evidence.verified,
        )

    def _label(self, evidence: Evidence) -> str:
        if evidence.agent_id is None:
            return f"M{evidence.message}"
        number = self._agents.get(evidence.agent_id)
        if number is None:
            return f"M{evidence.message} of sub-agent {one_line(evidence.agent_id, _AGENT)}"
        return f"A{number}.M{evidence.message}"


def _axis(name: str, result: AxisResult, experts: tuple[ExpertView, ...]) -> AxisView:
    if result.kind == "scored":
        return AxisView(name, result.score, "", "", result.spread, experts)
    return AxisView(name, None, result.reason, REASONS[result.reason][0], 0.0, experts)


def _given(opinions: Sequence[Opinion], axis: str) -> list[AxisOpinion]:
    return [opinion.axes[axis] for opinion in opinions if axis in opinion.axes]


def _comments(verdict: Verdict) -> Iterator[tuple[str, str]]:
    for opinion in verdict.opinions:
        if opinion.comment.strip():
            repeat = f" (repeat {opinion.repeat + 1})" if opinion.repeat else ""
            yield opinion.expert_id + repeat, opinion.comment


def _group(kept: KeptOpinion) -> tuple[str, str, str]:
    opinion = kept.stored.opinion
    return kept.stored.digest, opinion.rubric_version, opinion.judge_version

"""People's thumbs as evidence of how good a judge is; never part of a score (METHOD §2.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.agreement.deviation import auc
from pytest_sessioneval.gate.agreement.resampling import bootstrap_interval, wilson

__all__ = ["Concordance", "Separation", "Share", "ThumbedSession", "Validity", "validity"]


@dataclass(frozen=True, slots=True)
class ThumbedSession:
    """One judged session, and the thumbs on it."""

    key: str
    cluster: str | None
    messages: int
    """Messages of the main agent: those that can have a thumb."""
    scores: Mapping[str, float]
    """The panel's score per scored axis."""
    criticised: frozenset[int]
    """Messages that an expert cites against the agent, in words that were found there."""
    thumbs: Mapping[int, int]
    """1 or -1 by message; empty: nobody answered."""

    @property
    def balance(self) -> int:
        """Thumbs up minus thumbs down."""
        return sum(self.thumbs.values())


class Share(Frozen):
    """A share with Wilson's interval, two-sided 90 %."""

    count: int
    """How many."""
    of: int
    """Of how many."""
    share: float | None
    """0–1; null: of none."""
    low: float
    """Lower limit, 0–1."""
    high: float
    """Upper limit, 0–1."""


class Separation(Frozen):
    """Whether one axis puts sessions with thumbs up above those with thumbs down."""

    axis: str
    """The axis."""
    up: int
    """Scored sessions with more thumbs up than down."""
    down: int
    """Scored sessions with more thumbs down than up."""
    auc: float | None
    """P(score of an up session > score of a down one), ties half; 0.5 is chance. Null: one side
    is empty."""
    low: float | None
    """Lower limit of its 90 % interval, by resampling sessions or their tasks; null: too few."""
    high: float | None
    """Upper limit."""


class Concordance(Frozen):
    """Whether judge and people object to the same messages."""

    recall: Share
    """Messages with thumbs down that the judge cites against the agent."""
    cited: Share
    """Base rate of that: any message of the same sessions that the judge so cites."""
    precision: Share
    """Messages so cited, among those with a thumb, whose thumb is down."""
    disliked: Share
    """Base rate of that: thumbs down among all thumbs."""


class Validity(Frozen):
    """What thumbs say of a judge."""

    responses: Share
    """Judged sessions with a thumb, of all."""
    down: Share
    """Thumbs down, of all thumbs."""
    undecided: int
    """Sessions with as many thumbs up as down: on neither side."""
    misplaced: int
    """Thumbs on messages that their session does not have; left out."""
    axes: tuple[Separation, ...]
    """One per axis with a score."""
    concordance: Concordance
    """Whether they object to the same messages."""


def validity(sessions: Sequence[ThumbedSession], axes: Sequence[str]) -> Validity:
    """Return what the thumbs on judged sessions say of their judge.

    Sessions count as up or down by the balance of their thumbs. Who answers is
    no sample of the users, so a good figure is evidence and no proof.
    """
    placed = [_placed(one) for one in sessions]
    misplaced = sum(
        len(one.thumbs) - len(kept.thumbs) for one, kept in zip(sessions, placed, strict=True)
    )
    thumbed = [one for one in placed if one.thumbs]
    given = [thumb for one in thumbed for thumb in one.thumbs.values()]
    return Validity(
        responses=_share(len(thumbed), len(placed)),
        down=_share(given.count(-1), len(given)),
        undecided=sum(not one.balance for one in thumbed),
        misplaced=misplaced,
        axes=tuple(
            _separation(thumbed, axis)
            for axis in axes
            if any(axis in one.scores for one in sessions)
        ),
        concordance=_concordance(thumbed),
    )


def _placed(session: ThumbedSession) -> ThumbedSession:
    thumbs = {at: thumb for at, thumb in session.thumbs.items() if at < session.messages}
    return ThumbedSession(
        session.key,
        session.cluster,
        session.messages,
        session.scores,
        session.criticised,
        thumbs,
    )


def _separation(sessions: Iterable[ThumbedSession], axis: str) -> Separation:
    rows = [(one.scores[axis], one.balance) for one in sessions if axis in one.scores]
    units = [
        ("session", one.key) if one.cluster is None else ("cluster", one.cluster)
        for one in sessions
        if axis in one.scores
    ]
    interval = bootstrap_interval(rows, _auc, clusters=units)
    return Separation(
        axis=axis,
        up=sum(balance > 0 for _, balance in rows),
        down=sum(balance < 0 for _, balance in rows),
        auc=_auc(rows),
        low=None if interval is None else interval[0],
        high=None if interval is None else interval[1],
    )


def _auc(rows: Sequence[tuple[float, int]]) -> float | None:
    up = [score for score, balance in rows if balance > 0]
    return auc(up, [score for score, balance in rows if balance < 0])


def _concordance(sessions: Sequence[ThumbedSession]) -> Concordance:
    rated = [(thumb, at in one.criticised) for one in sessions for at, thumb in one.thumbs.items()]
    both = sum(cited and thumb < 0 for thumb, cited in rated)
    down = sum(thumb < 0 for thumb, _ in rated)
    messages = sum(one.messages for one in sessions)
    criticised = sum(at < one.messages for one in sessions for at in one.criticised)
    return Concordance(
        recall=_share(both, down),
        cited=_share(criticised, messages),
        precision=_share(both, sum(cited for _, cited in rated)),
        disliked=_share(down, len(rated)),
    )


def _share(count: int, of: int) -> Share:
    low, high = wilson(count, of)
    return Share(count=count, of=of, share=count / of if of else None, low=low, high=high)

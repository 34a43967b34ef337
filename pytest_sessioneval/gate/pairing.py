"""Pairing: which sessions of a run are compared with which of a baseline, and which cannot be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.gate.model import AxisScore, NoScore, SessionScores
from pytest_sessioneval.verdicts.model import UnscoredReason

__all__ = [
    "UNJUDGED",
    "AxisPairs",
    "Gap",
    "Pair",
    "Pairing",
    "axis_pairs",
    "duplicate_keys",
    "pair_sessions",
    "require_unique",
    "unit_of",
]

UNJUDGED: frozenset[UnscoredReason] = frozenset({"failed", "declined", "skipped"})
"""Reasons that mean nobody judged: they make a comparison incomplete, never easier to pass."""

Unit = tuple[str, str]
"""What counts as independent: ``("cluster", name)`` or ``("session", key)``."""

_NAMED = 5
_NOBODY = NoScore(unscored="failed")


@dataclass(frozen=True, slots=True)
class Pairing:
    """How two sets of sessions lie against each other; every tuple is sorted by key."""

    pairs: tuple[tuple[SessionScores, SessionScores], ...]
    """(baseline, candidate) of each key that both have."""
    lost: tuple[str, ...]
    """Keys of the baseline that the run should have and has not."""
    left_out: tuple[str, ...]
    """Keys of the baseline that selection left out of the run."""
    added: tuple[str, ...]
    """Keys that only the run has."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One session scored on both sides."""

    key: str
    unit: Unit
    before: AxisScore
    after: AxisScore
    digests: tuple[str, str]
    """Of the transcripts judged, baseline and candidate."""

    @property
    def changed(self) -> bool:
        """Whether the transcript is another one than in the baseline."""
        return self.digests[0] != self.digests[1]

    @property
    def difference(self) -> float:
        """Candidate minus baseline, in points; negative is a drop."""
        return self.after.score - self.before.score


@dataclass(frozen=True, slots=True)
class Gap:
    """One session that nobody judged on an axis, and why."""

    key: str
    reason: UnscoredReason


@dataclass(frozen=True, slots=True)
class AxisPairs:
    """One axis of a pairing."""

    pairs: tuple[Pair, ...]
    """Scored on both sides, sorted by key."""
    unjudged: tuple[Gap, ...]
    """Not judged, on either side or among the added sessions, sorted by key."""
    unverified: tuple[str, ...]
    """Sessions of the run, added ones too, whose judgement had no evidence that checks out."""
    newly_null: tuple[tuple[str, float], ...]
    """Scored in the baseline (with that score), without a score now."""
    newly_scored: tuple[str, ...]
    """Without a score in the baseline, scored now."""
    null_both: tuple[str, ...]
    """Without a score on both sides."""


def duplicate_keys(keys: Iterable[str]) -> tuple[str, ...]:
    """Return the keys that occur more than once, sorted."""
    return tuple(sorted(key for key, count in Counter(keys).items() if count > 1))


def require_unique(keys: Iterable[str], *, suite: str) -> None:
    """Raise ``SuiteError`` when two sessions of a gated suite have one key."""
    twice = duplicate_keys(keys)
    if twice:
        shown = ", ".join(map(repr, twice[:_NAMED])) + (", …" if len(twice) > _NAMED else "")
        raise SuiteError(
            f"suite {suite!r}: several sessions have the same key ({shown}), so a gate cannot "
            'pair them; set [suite] key to something unique, such as "path"'
        )


def unit_of(session: SessionScores) -> Unit:
    """Return what the session is one observation of: its cluster, else itself."""
    if session.cluster is None:
        return ("session", session.key)
    return ("cluster", session.cluster)


def pair_sessions(
    baseline: Sequence[SessionScores],
    candidate: Sequence[SessionScores],
    *,
    left_out: Collection[str] | None = frozenset(),
) -> Pairing:
    """Return how the two sides lie against each other, paired by key.

    ``left_out`` holds the keys that selection left out; None: not known which,
    so that no session counts as lost. Keys are unique on each side.
    """
    before = {session.key: session for session in baseline}
    after = {session.key: session for session in candidate}
    missing = sorted(before.keys() - after.keys())
    return Pairing(
        pairs=tuple((before[key], after[key]) for key in sorted(before.keys() & after.keys())),
        lost=tuple(key for key in missing if left_out is not None and key not in left_out),
        left_out=tuple(key for key in missing if left_out is None or key in left_out),
        added=tuple(sorted(after.keys() - before.keys())),
    )


def axis_pairs(pairing: Pairing, added: Sequence[SessionScores], axis: str) -> AxisPairs:
    """Return one axis of a pairing; ``added`` are the run's sessions that are new in it.

    An axis that a session does not mention was not judged there. ``tampered``
    counts as not judged where the baseline has a score: a transcript that
    steers its judge must not leave the comparison by it.
    """
    pairs: list[Pair] = []
    gaps: list[Gap] = []
    unverified: list[str] = []
    newly_null: list[tuple[str, float]] = []
    newly_scored: list[str] = []
    null_both: list[str] = []
    for before_session, after_session in pairing.pairs:
        key = after_session.key
        before = before_session.axes.get(axis, _NOBODY)
        after = after_session.axes.get(axis, _NOBODY)
        if isinstance(after, NoScore) and after.unscored == "unverified":
            unverified.append(key)
        gap = _gap(before, after)
        if gap is not None:
            gaps.append(Gap(key, gap))
        elif isinstance(before, AxisScore) and isinstance(after, AxisScore):
            digests = (before_session.digest, after_session.digest)
            pairs.append(Pair(key, unit_of(after_session), before, after, digests))
        elif isinstance(before, AxisScore):
            newly_null.append((key, before.score))
        elif isinstance(after, AxisScore):
            newly_scored.append(key)
        else:
            null_both.append(key)
    for session in added:
        point = session.axes.get(axis, _NOBODY)
        if isinstance(point, NoScore) and point.unscored in UNJUDGED:
            gaps.append(Gap(session.key, point.unscored))
        elif isinstance(point, NoScore) and point.unscored == "unverified":
            unverified.append(session.key)
    return AxisPairs(
        pairs=tuple(pairs),
        unjudged=tuple(sorted(gaps, key=lambda gap: gap.key)),
        unverified=tuple(sorted(unverified)),
        newly_null=tuple(newly_null),
        newly_scored=tuple(newly_scored),
        null_both=tuple(null_both),
    )


def _gap(before: AxisScore | NoScore, after: AxisScore | NoScore) -> UnscoredReason | None:
    """Return why a pair was not judged, the run's reason first; None: it was."""
    if isinstance(after, NoScore):
        steered = after.unscored == "tampered" and isinstance(before, AxisScore)
        if steered or after.unscored in UNJUDGED:
            return after.unscored
    if isinstance(before, NoScore) and before.unscored in UNJUDGED:
        return before.unscored
    return None

"""Which sessions people are asked to label: drawn at random, or chosen to find disagreement."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from pytest_sessioneval.verdicts.model import Verdict

__all__ = ["CONTESTED", "Drawn", "Suspect", "draw_random", "stratum_of", "suspects"]

CONTESTED = 40
"""Points between two experts from which a score is contested (METHOD §2.2)."""

_HIGH = 60
_LOW = 40
_BANDS = ((25, "0-25"), (50, "26-50"), (75, "51-75"))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A stratified random sample of keys."""

    keys: tuple[str, ...]
    """In an order that tells nothing of strata or scores."""
    propensity: float
    """The chance that every key of the frame had, 0–1."""
    strata: Mapping[str, tuple[int, int]]
    """Per stratum: how many keys it has, and how many of them were drawn."""


def draw_random(strata: Mapping[str, str], count: int, *, seed: int) -> Drawn:
    """Return ``count`` of the keys of ``strata`` (stratum by key), or all where there are fewer.

    Every key has the same chance, ``count`` of all, and every stratum gets its
    share, rounded up or down: one systematic draw with a random start through
    the keys in order of their strata, in random order within each (Madow 1949).
    Equal chances are what lets a plain mean over the labelled stand for all. The
    same keys, strata, count and seed give the same draw. Raises ``ValueError``
    for no key or a count below 1.
    """
    if not strata or count < 1:
        raise ValueError("drawing needs at least one key and a count of at least 1")
    chance = random.Random(seed)  # noqa: S311 - reproducible on purpose
    order = sorted(strata)
    chance.shuffle(order)
    order.sort(key=lambda key: strata[key])
    count = min(count, len(order))
    start, step = chance.random(), len(order) / count
    # The last place can round up to the length of the list where floats end.
    places = (min(int((start + number) * step), len(order) - 1) for number in range(count))
    keys = [order[place] for place in places]
    sizes, drawn = Counter(strata.values()), Counter(strata[key] for key in keys)
    chance.shuffle(keys)
    return Drawn(
        keys=tuple(keys),
        propensity=count / len(order),
        strata={name: (sizes[name], drawn[name]) for name in sorted(sizes)},
    )


def stratum_of(verdict: Verdict | None, axes: Sequence[str]) -> str:
    """Return the band of the session's mean over the axes, or why there is none."""
    if verdict is None:
        return "not judged"
    scores = [verdict.scores[axis] for axis in axes if axis in verdict.scores]
    if not scores:
        return "not scored"
    mean = fmean(scores)
    return next((name for highest, name in _BANDS if mean <= highest), "76+")


@dataclass(frozen=True, slots=True)
class Suspect:
    """A session on which judge and people, or two experts, disagree."""

    key: str
    why: str
    """In a few words, with the numbers."""
    weight: tuple[int, float]
    """The larger, the sooner it should be looked at."""


def suspects(
    verdicts: Mapping[str, Verdict], thumbs: Mapping[str, Sequence[int]], axes: Sequence[str]
) -> list[Suspect]:
    """Return the sessions to look at, the most telling first; both mappings are by key.

    First those with more thumbs down than up and a mean of 60 or more, and
    those with more up and a mean of 40 or less, the widest gap first; then those
    on which experts are 40 points or more apart; then those whose score had no
    evidence that checks out, or whose transcript steers its judge. A sample for
    finding faults of the judge: nothing can be averaged over it.
    """
    found = []
    for key, verdict in verdicts.items():
        suspect = _suspect(key, verdict, thumbs.get(key, ()), axes)
        if suspect is not None:
            found.append(suspect)
    found.sort(key=lambda one: (-one.weight[0], -one.weight[1], one.key))
    return found


def _suspect(
    key: str, verdict: Verdict, thumbs: Sequence[int], axes: Sequence[str]
) -> Suspect | None:
    scores = [verdict.scores[axis] for axis in axes if axis in verdict.scores]
    balance = sum(thumbs)
    if scores and balance:
        mean = fmean(scores)
        if balance < 0 and mean >= _HIGH:
            return Suspect(key, f"thumbs down, and a mean of {mean:.0f}", (3, mean))
        if balance > 0 and mean <= _LOW:
            return Suspect(key, f"thumbs up, and a mean of {mean:.0f}", (3, 100 - mean))
    results = {axis: verdict.axes[axis] for axis in axes if axis in verdict.axes}
    spreads = {axis: one.spread for axis, one in results.items() if one.kind == "scored"}
    widest = max(spreads, key=lambda axis: spreads[axis], default=None)
    if widest is not None and spreads[widest] >= CONTESTED:
        why = f"experts are {spreads[widest]:.0f} apart on {widest}"
        return Suspect(key, why, (2, spreads[widest]))
    for axis, one in results.items():
        if one.kind == "unscored" and one.reason in {"tampered", "unverified"}:
            return Suspect(key, f"{one.reason} on {axis}", (1, float(one.reason == "tampered")))
    return None

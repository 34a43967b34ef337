"""Early stopping: judge in a fixed random order and stop at the look that decides.

Group-sequential testing with the O'Brien–Fleming-type spending function of
Lan & DeMets (1983): the level that early looks use up is taken from the later
ones, so that looking often does not make a false verdict likelier. The order
and the looks are fixed before anything is judged and never depend on a score
or a file name. A suite with per-session thresholds cannot stop early: what it
leaves out was never held against them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.distributions import (
    legendre_nodes,
    normal_quantile,
    normal_upper_tail,
)
from pytest_sessioneval.gate.model import Baseline, Candidate
from pytest_sessioneval.gate.outcome import Decision, EarlyStop
from pytest_sessioneval.gate.statistics import ALPHA
from pytest_sessioneval.suites.model import GateSettings

__all__ = [
    "LOOKS",
    "Look",
    "LookPlan",
    "decide_look",
    "obf_boundaries",
    "obf_spending",
    "plan_looks",
    "seeded_order",
]

LOOKS = 5
"""Looks that are planned where the suite is large enough."""

_FARTHEST = 9.0
_NODES = 96
_PANELS = 4
_SMALLEST_STEP = 0.02


class Look(Frozen):
    """One moment at which the gate may decide."""

    sessions: Annotated[int, Field(ge=1)]
    """Sessions judged by then, from the start of the order."""
    alpha: Annotated[float, Field(gt=0, lt=1)]
    """One-sided level of every test at this look."""


class LookPlan(Frozen):
    """An order of judging and the looks on the way, fixed beforehand."""

    seed: str
    """What the order was drawn with."""
    order: tuple[str, ...]
    """Every key of the run, in the order of judging; clusters stay together."""
    looks: Annotated[tuple[Look, ...], Field(min_length=1)]
    """In order; the last has all sessions."""


def obf_spending(fraction: float, alpha: float = ALPHA) -> float:
    """Return the level that may be used up when this fraction of the sessions is judged.

    2 (1 - Φ(z / √t)), z the upper quantile at alpha / 2 (Lan & DeMets 1983); fraction in (0, 1].
    """
    return 2 * normal_upper_tail(normal_quantile(1 - alpha / 2) / math.sqrt(fraction))


def obf_boundaries(fractions: Sequence[float], alpha: float = ALPHA) -> tuple[float, ...]:
    """Return the one-sided boundary for z at each look; ``fractions`` ascend to 1.

    At the looks' fractions of all sessions, the chance of having crossed a
    boundary by then is ``obf_spending``. The chance is integrated look by look
    (Armitage, McPherson & Rowe 1969) with Gauss–Legendre quadrature. Fractions
    must lie at least 0.02 apart.
    """
    steps = [after - before for before, after in zip([0.0, *fractions], fractions, strict=False)]
    if not steps or min(steps) < _SMALLEST_STEP or abs(fractions[-1] - 1) > 1e-12:  # noqa: PLR2004
        raise ValueError(f"looks must ascend to 1 by steps of {_SMALLEST_STEP} or more")
    boundaries: list[float] = []
    mass: list[tuple[float, float]] = [(0.0, 1.0)]  # (where the sum is, chance): not crossed yet
    spent = 0.0
    for step, fraction in zip(steps, fractions, strict=True):
        sd = math.sqrt(step)
        budget = obf_spending(fraction, alpha) - spent
        edge = _crossing(mass, sd, budget)
        boundaries.append(edge / math.sqrt(fraction))
        spent += budget
        mass = _advance(mass, sd, edge, reach=_FARTHEST * math.sqrt(fraction))
    return tuple(boundaries)


def seeded_order(clusters: Mapping[str, str | None], seed: str) -> tuple[str, ...]:
    """Return the keys in an order that depends on the seed and the names alone.

    ``clusters`` maps each key to its cluster. Sessions of one cluster follow
    each other: a look counts whole clusters.
    """

    def rank(kind: str, name: str) -> str:
        return hashlib.sha256(f"{seed}\0{kind}\0{name}".encode()).hexdigest()

    def place(key: str) -> tuple[str, str, str]:
        cluster = clusters[key]
        first = rank("session", key) if cluster is None else rank("cluster", cluster)
        return first, rank("session", key), key

    return tuple(sorted(clusters, key=place))


def plan_looks(
    clusters: Mapping[str, str | None],
    seed: str,
    *,
    min_pairs: int,
    looks: int = LOOKS,
    alpha: float = ALPHA,
) -> LookPlan:
    """Return the order of judging and its looks; ``clusters`` maps each key to its cluster.

    Looks lie at equal shares of the independent units; those with fewer than
    ``min_pairs`` units, which could not pass, are left out, and their level is
    not spent. A suite too small for two looks gets the last one alone.
    Raises ``ValueError`` without a session.
    """
    if not clusters:
        raise ValueError("no session to plan looks for")
    order = seeded_order(clusters, seed)
    ends: list[int] = []  # sessions judged when each unit, in order, is complete
    for position, key in enumerate(order):
        follower = order[position + 1] if position + 1 < len(order) else None
        together = follower is not None and clusters[key] is not None
        if not together or clusters[key] != clusters[follower or key]:
            ends.append(position + 1)
    units = len(ends)
    wanted = sorted({max(1, round(units * look / looks)) for look in range(1, looks + 1)})
    counts = [count for count in wanted if count >= min_pairs and count < units] + [units]
    counts = [c for c in counts if c == units or (units - c) / units >= _SMALLEST_STEP]
    levels = [normal_upper_tail(z) for z in obf_boundaries([c / units for c in counts], alpha)]
    return LookPlan(
        seed=seed,
        order=order,
        looks=tuple(
            Look(sessions=ends[count - 1], alpha=level)
            for count, level in zip(counts, levels, strict=True)
        ),
    )


def decide_look(
    plan: LookPlan,
    look: int,
    candidate: Candidate,
    baselines: Mapping[str, Baseline],
    settings: GateSettings,
) -> Decision | None:
    """Return the decision if look number ``look`` (from 0) reaches one, else None: judge on.

    ``candidate`` holds at least the sessions judged by that look; later ones
    are ignored. An early look decides only ``passed``, ``regressed`` or
    ``not_comparable``; the last look always decides.
    """
    here, last = plan.looks[look], plan.looks[-1]
    ahead = frozenset(plan.order[here.sessions :])
    left_out = None if candidate.left_out is None else candidate.left_out | ahead
    seen = candidate.model_copy(
        update={
            "sessions": tuple(s for s in candidate.sessions if s.key not in ahead),
            "left_out": left_out,
        }
    )
    decision = decide(seen, baselines, settings, alpha=here.alpha)
    if here is last or here.sessions == last.sessions:
        return decision
    if decision.status not in {"passed", "regressed", "not_comparable"}:
        return None
    stop = EarlyStop(
        look=look + 1, looks=len(plan.looks), judged=here.sessions, planned=len(plan.order)
    )
    return decision.model_copy(update={"early_stop": stop})


def _crossing(mass: Sequence[tuple[float, float]], sd: float, budget: float) -> float:
    """Return the edge that the next sum crosses with chance ``budget``."""
    low, high = -_FARTHEST, _FARTHEST
    while high - low > 1e-12:  # noqa: PLR2004 -- of a standard deviation
        edge = (low + high) / 2
        crossed = math.fsum(
            chance * normal_upper_tail((edge - place) / sd) for place, chance in mass
        )
        low, high = (edge, high) if crossed > budget else (low, edge)
    return (low + high) / 2


def _advance(
    mass: Sequence[tuple[float, float]], sd: float, edge: float, *, reach: float
) -> list[tuple[float, float]]:
    """Return where the next sum is and how likely, among those below the edge."""
    nodes, weights = legendre_nodes(_NODES)
    width = (edge + reach) / _PANELS
    scale = 1 / (sd * math.sqrt(2 * math.pi))
    moved = []
    for panel in range(_PANELS):
        middle = -reach + (panel + 0.5) * width
        for node, weight in zip(nodes, weights, strict=True):
            place = middle + node * width / 2
            density = math.fsum(
                chance * math.exp(-(((place - was) / sd) ** 2) / 2) for was, chance in mass
            )
            moved.append((place, density * scale * weight * width / 2))
    return moved

"""Early stopping: judge in a fixed random order and stop at the look that decides.

Group-sequential testing with the O'Brien–Fleming-type spending function of
Lan & DeMets (1983): the level that early looks use up is taken from the later
ones, so that looking often does not make a false verdict likelier. The order
and the looks are fixed before anything is judged and never depend on a score of the run or
on how files are named. What is left out was never held against anything but
the decision: a suite with thresholds cannot stop early.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Annotated

from pydantic import Field

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.baseline import baseline_text
from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.distributions import (
    legendre_nodes,
    normal_quantile,
    normal_upper_tail,
)
from pytest_sessioneval.gate.model import Baseline, Candidate
from pytest_sessioneval.gate.outcome import BaselineUse, Decision, LookTaken
from pytest_sessioneval.gate.statistics import ALPHA
from pytest_sessioneval.suites.model import GateSettings

__all__ = [
    "LOOKS",
    "Look",
    "LookPlan",
    "ReachedLook",
    "decide_at",
    "decide_look",
    "obf_boundaries",
    "obf_spending",
    "order_seed",
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
    """Every key of the run, in the order of judging: first those that a baseline has, in which
    clusters stay together, then the others."""
    looks: Annotated[tuple[Look, ...], Field(min_length=1)]
    """In order; the last has all sessions."""


class ReachedLook(Frozen):
    """How far a run went along its plan."""

    plan: LookPlan
    """The order and the looks."""
    look: Annotated[int, Field(ge=0)]
    """The look that decided, or the last one; from 0."""


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
    return _integrated(tuple(fractions), alpha)


@cache
def _integrated(fractions: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    """Return the boundaries; the same looks are planned for every suite of a size."""
    boundaries: list[float] = []
    mass: list[tuple[float, float]] = [(0.0, 1.0)]  # (where the sum is, chance): not crossed yet
    spent = 0.0
    for before, fraction in zip([0.0, *fractions], fractions, strict=False):
        sd = math.sqrt(fraction - before)
        budget = obf_spending(fraction, alpha) - spent
        edge = _crossing(mass, sd, budget)
        boundaries.append(edge / math.sqrt(fraction))
        spent += budget
        if fraction == fractions[-1]:
            break  # nobody looks after the last
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


def order_seed(suite: str, digests: Mapping[str, str], baselines: Mapping[str, Baseline]) -> str:
    """Return what the order is drawn with: the same for the same sessions and baselines.

    ``digests`` maps each key to its transcript's. So nobody can roll the dice
    again by running again, and another recording draws another sample.
    """
    drawn = hashlib.sha256(suite.encode())
    for name, baseline in sorted(baselines.items()):
        drawn.update(f"\0{name}\0{baseline_text(baseline)}".encode())
    for key, digest in sorted(digests.items()):
        drawn.update(f"\0{key}\0{digest}".encode())
    return drawn.hexdigest()[:16]


def plan_looks(
    clusters: Mapping[str, str | None],
    seed: str,
    *,
    min_pairs: int,
    added: Collection[str] = (),
    looks: int = LOOKS,
    alpha: float = ALPHA,
) -> LookPlan:
    """Return the order of judging and its looks; ``clusters`` maps each key to its cluster.

    ``added`` are the keys that no baseline has: they come last, and no look but
    the last waits for them. Looks lie at equal shares of the independent units
    among the others; those with fewer than ``min_pairs`` units, which could not
    pass, are left out, and their level is not spent. A suite too small for two
    looks gets the last one alone. Raises ``ValueError`` without a session.
    """
    if not clusters:
        raise ValueError("no session to plan looks for")
    new = {key: cluster for key, cluster in clusters.items() if key in added}
    known = {key: cluster for key, cluster in clusters.items() if key not in new}
    paired = seeded_order(known, seed)
    order = (*paired, *seeded_order(new, seed))
    ends = _unit_ends(paired, known)
    ends[-1:] = [len(order)]
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


def decide_at(
    plan: LookPlan,
    look: int,
    candidate: Candidate,
    baselines: Mapping[str, Baseline],
    settings: GateSettings,
    *,
    required: bool = False,
) -> Decision:
    """Return what the gate says at look number ``look`` (from 0), whatever that is.

    ``candidate`` holds every session of the run; the scores of those after the
    look are ignored. ``required`` and what is raised: as ``decide`` has it.
    """
    here = plan.looks[look]
    ahead = frozenset(plan.order[here.sessions :])
    left_out = None if candidate.left_out is None else candidate.left_out | ahead
    seen = candidate.model_copy(
        update={
            "sessions": tuple(s for s in candidate.sessions if s.key not in ahead),
            "left_out": left_out,
        }
    )
    decision = decide(seen, baselines, settings, alpha=here.alpha, required=required)
    taken = LookTaken(
        seed=plan.seed,
        look=look + 1,
        looks=len(plan.looks),
        judged=here.sessions,
        planned=len(plan.order),
    )
    uses = tuple(_with_not_reached(use, ahead) for use in decision.baselines)
    return decision.model_copy(update={"look": taken, "baselines": uses})


def decide_look(
    plan: LookPlan,
    look: int,
    candidate: Candidate,
    baselines: Mapping[str, Baseline],
    settings: GateSettings,
) -> Decision | None:
    """Return the decision if look number ``look`` (from 0) reaches one, else None: judge on.

    ``candidate`` as for ``decide_at``. An early look decides only ``passed``,
    ``regressed`` or ``not_comparable``; the last look always decides. It does not
    decide ``passed`` where ``strict`` asks for a proof, which is made once and
    needs every session, nor where it saw unchanged transcripts alone and changed
    ones are still to come.
    """
    decision = decide_at(plan, look, candidate, baselines, settings)
    if plan.looks[look].sessions == plan.looks[-1].sessions:
        return decision
    if decision.status in {"regressed", "not_comparable"}:
        return decision
    if decision.status != "passed" or settings.strict:
        return None
    coming = frozenset(plan.order[plan.looks[look].sessions :])
    changing = {name for name, one in baselines.items() if _changes(candidate, one) & coming}
    blind = any(
        not one.changed and one.baseline in changing
        for axis in decision.gated
        for one in axis.comparisons
    )
    return None if blind else decision


def _changes(candidate: Candidate, baseline: Baseline) -> set[str]:
    """Return the keys of both whose transcripts differ."""
    before = {session.key: session.digest for session in baseline.sessions}
    return {s.key for s in candidate.sessions if s.digest != before.get(s.key, s.digest)}


def _with_not_reached(use: BaselineUse, ahead: Collection[str]) -> BaselineUse:
    return use.model_copy(
        update={
            "left_out": tuple(key for key in use.left_out if key not in ahead),
            "not_reached": tuple(key for key in use.left_out if key in ahead),
        }
    )


def _unit_ends(order: Sequence[str], clusters: Mapping[str, str | None]) -> list[int]:
    """Return how many sessions are judged when each independent unit, in order, is complete."""
    ends: list[int] = []
    for position, key in enumerate(order):
        follower = order[position + 1] if position + 1 < len(order) else None
        together = follower is not None and clusters[key] is not None
        if not together or clusters[key] != clusters[follower or key]:
            ends.append(position + 1)
    return ends


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

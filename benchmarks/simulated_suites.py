"""Simulated suites with a known drop, and the published error rates of the gate on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_sessioneval.gate.model import (
    AxisScore,
    Baseline,
    Candidate,
    SessionScores,
    Versions,
)
from pytest_sessioneval.suites.model import GateSettings

__all__ = [
    "AS_PUBLISHED",
    "AXIS",
    "DROPS",
    "PUBLISHED_RUNS",
    "SCENARIOS",
    "SIZES",
    "Generator",
    "Published",
    "Scenario",
    "setting_for",
    "sides",
]

Scores = NDArray[np.float64]
Sides = tuple[Scores, Scores]
Generator = np.random.Generator

AXIS = "score"
SIZES = (10, 20, 50, 200)
DROPS = (0, 5, 10)
PUBLISHED_RUNS = 4000
VERSIONS = Versions(rubric="r@1", judge="j@1", scoring="1")


def on_grid(scores: Scores, step: float) -> Scores:
    """Return scores as a judge gives them: multiples of ``step`` between 0 and 100."""
    return np.asarray(np.clip(step * np.round(scores / step), 0, 100), dtype=np.float64)


def smooth(drop: float, shape: tuple[int, int], rng: Generator) -> Sides:
    """Return nearly normal scores on a grid of 5; the drop hits every session."""
    ability = rng.normal(72, 14, shape)
    before, after = (ability - fall + rng.normal(0, 6, shape) for fall in (0, drop))
    return (
        on_grid(before + rng.normal(0, 5, shape), 5),
        on_grid(after + rng.normal(0, 5, shape), 5),
    )


def ceiling(drop: float, shape: tuple[int, int], rng: Generator) -> Sides:
    """Return scores near 100 of which most pairs tie; half of the sessions drop twice as far."""
    ability = 99 - rng.gamma(0.8, 9, shape)

    def recorded() -> Scores:
        moved = rng.random(shape) < 0.25
        return np.asarray(ability + np.where(moved, rng.normal(0, 10, shape), 0.0))

    before, after = recorded(), recorded()
    after -= np.where(rng.random(shape) < 0.5, 2 * drop, 0)
    return (
        on_grid(before + rng.normal(0, 2, shape), 10),
        on_grid(after + rng.normal(0, 2, shape), 10),
    )


def noisy(drop: float, shape: tuple[int, int], rng: Generator) -> Sides:
    """Return what a poor judge says: spread 15, and one judgement in twelve is garbage."""
    ability = rng.normal(70, 12, shape)

    def judged(true: Scores) -> Scores:
        garbage = on_grid(rng.uniform(0, 100, shape), 5)
        said = on_grid(true + rng.normal(0, 15, shape), 5)
        return np.where(rng.random(shape) < 0.08, garbage, said)

    return (
        judged(ability + rng.normal(0, 6, shape)),
        judged(ability - drop + rng.normal(0, 6, shape)),
    )


def binary(drop: float, shape: tuple[int, int], rng: Generator) -> Sides:
    """Return successes as 100 and failures as 0; both sides share most of their luck."""
    luck = rng.standard_normal(shape)
    before, after = (
        0.8 * luck + 0.6 * rng.standard_normal(shape) < bar for bar in (0.84, 0.84 - drop)
    )
    return np.where(before, 100.0, 0.0), np.where(after, 100.0, 0.0)


def catastrophe(drop: float, shape: tuple[int, int], rng: Generator) -> Sides:
    """Return good scores with rare collapses to 0–20; the drop makes them more frequent."""
    ability = rng.normal(86, 7, shape)

    def recorded(rate: float) -> Scores:
        fine = on_grid(ability + rng.normal(0, 3, shape), 5)
        broken = on_grid(rng.uniform(0, 20, shape), 5)
        return np.where(rng.random(shape) < rate, broken, fine)

    return recorded(0.03), recorded(0.03 + drop)


@dataclass(frozen=True)
class Published:
    """The published rates of one scenario, by size: 10, 20, 50 and 200 sessions."""

    false_pass: tuple[float, ...]
    power_pass: tuple[float, ...]
    power_regressed: tuple[float, ...]
    false_alarm: tuple[float, ...]


@dataclass(frozen=True)
class Scenario:
    """A kind of suite, the largest setting of its drop, and its published rates."""

    generate: Callable[[float, tuple[int, int], Generator], Sides]
    largest: float
    published: Published


SCENARIOS = {
    "smooth": Scenario(
        smooth,
        40,
        Published(
            (0.05, 0.05, 0.05, 0.05),
            (0.39, 0.62, 0.94, 1.00),
            (0.84, 0.98, 1.00, 1.00),
            (0.04, 0.02, 0.00, 0.00),
        ),
    ),
    "ceiling": Scenario(
        ceiling,
        60,
        Published(
            (0.05, 0.05, 0.05, 0.05),
            (0.65, 0.90, 1.00, 1.00),
            (0.75, 0.96, 1.00, 1.00),
            (0.02, 0.00, 0.00, 0.00),
        ),
    ),
    "noisy": Scenario(
        noisy,
        60,
        Published(
            (0.04, 0.05, 0.05, 0.05),
            (0.14, 0.22, 0.40, 0.86),
            (0.34, 0.51, 0.86, 1.00),
            (0.05, 0.05, 0.05, 0.00),
        ),
    ),
    "binary": Scenario(
        binary,
        3,
        Published(
            (0.14, 0.08, 0.05, 0.06),
            (0.22, 0.18, 0.19, 0.50),
            (0.13, 0.24, 0.45, 0.91),
            (0.03, 0.05, 0.05, 0.05),
        ),
    ),
    "catastrophe": Scenario(
        catastrophe,
        0.5,
        Published(
            (0.28, 0.14, 0.08, 0.06),
            (0.56, 0.56, 0.62, 0.97),
            (0.14, 0.38, 0.74, 0.99),
            (0.00, 0.01, 0.03, 0.00),
        ),
    ),
}


def setting_for(scenario: Scenario, drop: float, samples: int = 400_000) -> float:
    """Return the setting at which the mean score, as judged, falls by ``drop`` points.

    Bisection on the same random numbers: what rounding and the ends of the scale
    take from the drop is put back.
    """
    if drop == 0:
        return 0.0
    low, high = 0.0, scenario.largest
    for _ in range(22):
        middle = (low + high) / 2
        before, after = scenario.generate(middle, (1, samples), np.random.default_rng(99))
        low, high = (middle, high) if float(before.mean() - after.mean()) < drop else (low, middle)
    return (low + high) / 2


def sides(before: Scores, after: Scores) -> tuple[Candidate, Baseline]:
    """Return one simulated run and its baseline; every transcript is recorded anew."""
    recordings = [
        tuple(
            SessionScores(
                key=f"session-{number:03d}",
                digest=f"{recording}-{number}",
                axes={AXIS: AxisScore(score=score)},
            )
            for number, score in enumerate(scores.tolist())
        )
        for recording, scores in (("before", before), ("after", after))
    ]
    return (
        Candidate(suite="simulated", versions=VERSIONS, axes=(AXIS,), sessions=recordings[1]),
        Baseline(suite="simulated", versions=VERSIONS, axes=(AXIS,), sessions=recordings[0]),
    )


AS_PUBLISHED = GateSettings.model_validate({"axes": (AXIS,), "min_pairs": 2, "break": 100})
"""The floor of 20 pairs and the hard floor per session are switched off."""

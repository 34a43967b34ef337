"""Error rates of the gate as shipped: simulated runs go through ``decide`` itself.

Five kinds of suite, four sizes, a true drop of 0, 5 and 10 points where 5 are
tolerated. Prints beside the published numbers of the same simulation

* false pass: passed although the true drop is 5 (should be 5 %),
* power: passed although nothing changed, regressed when the drop is 10,
* false alarm: regressed although nothing changed (at most 5 %),

each with the floor of 20 pairs and the hard floor per session switched off, as
published, and then how often a merge goes ahead under the settings as shipped.
``--sequential`` adds early stopping at five looks of 200 sessions, ``--strict``
the distribution-free bound. Exits 1 when a number is farther from the published
one than chance explains.

    python benchmarks/gate_error_rates.py                     # a few minutes
    nice python benchmarks/gate_error_rates.py --runs 4000    # as published
"""

from __future__ import annotations

import argparse
import math
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.model import (
    AxisScore,
    Baseline,
    Candidate,
    SessionScores,
    Versions,
)
from pytest_sessioneval.gate.sequential import LookPlan, decide_look, plan_looks
from pytest_sessioneval.suites.model import GateSettings

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
AS_SHIPPED = GateSettings(axes=(AXIS,))
WITHOUT_BREAK = GateSettings.model_validate({"axes": (AXIS,), "break": 100})
STRICT = GateSettings.model_validate({"axes": (AXIS,), "break": 100, "strict": True})


@dataclass(frozen=True)
class Rates:
    """Shares of the simulated runs, 0–1."""

    passed: float
    regressed: float
    merged: float
    """Not blocked, under the settings as shipped."""
    merged_without_break: float
    """The same with the hard floor per session switched off."""
    strict: float | None
    """Passed with ``strict``; None where that was not asked for."""


def rates(
    scenario: Scenario, setting: float, size: int, runs: int, rng: Generator, *, strict: bool
) -> Rates:
    """Return how often the gate says what, over ``runs`` simulated runs of ``size`` sessions."""
    before, after = scenario.generate(setting, (runs, size), rng)
    passed = regressed = merged = without = free = 0
    for old, new in zip(before, after, strict=True):
        candidate, baseline = sides(old, new)
        against = {"baseline": baseline}
        status = decide(candidate, against, AS_PUBLISHED).status
        passed += status == "passed"
        regressed += status == "regressed"
        merged += not decide(candidate, against, AS_SHIPPED).blocks
        without += not decide(candidate, against, WITHOUT_BREAK).blocks
        free += strict and decide(candidate, against, STRICT).status == "passed"
    return Rates(
        passed / runs,
        regressed / runs,
        merged / runs,
        without / runs,
        free / runs if strict else None,
    )


Found = dict[tuple[str, int, int], Rates]


@dataclass(frozen=True)
class Comparison:
    """One table: a rate as simulated here and as published."""

    title: str
    drop: int
    simulated: Callable[[Rates], float]
    published: Callable[[Published], tuple[float, ...]]


COMPARISONS = (
    Comparison(
        "False pass: passed although the true drop is 5 (nominal .05)",
        5,
        lambda found: found.passed,
        lambda known: known.false_pass,
    ),
    Comparison(
        "Power: passed when nothing changed",
        0,
        lambda found: found.passed,
        lambda known: known.power_pass,
    ),
    Comparison(
        "Power: regressed when the true drop is 10",
        10,
        lambda found: found.regressed,
        lambda known: known.power_regressed,
    ),
    Comparison(
        "False alarm: regressed when nothing changed (nominal at most .05)",
        0,
        lambda found: found.regressed,
        lambda known: known.false_alarm,
    ),
)


def allowance(published: float, runs: int) -> float:
    """Return how far chance may carry a simulated rate from a published one: 3.5 sigma.

    Both are simulated; the published one is rounded to two decimals.
    """
    share = min(max(published, 0.005), 0.995)
    spread = math.sqrt(share * (1 - share) * (1 / runs + 1 / PUBLISHED_RUNS))
    return 3.5 * spread + 0.005


def comparison_rows(found: Found, table: Comparison, runs: int) -> Iterator[tuple[str, int]]:
    """Yield each row of a table and how many of its cells are too far off."""
    names = sorted({name for name, _, _ in found}, key=list(SCENARIOS).index)
    sizes = sorted({size for _, size, _ in found})
    yield "| scenario | " + " | ".join(f"n={size}" for size in sizes) + " |", 0
    yield "|---|" + "---|" * len(sizes), 0
    for name in names:
        cells, off = [], 0
        for size in sizes:
            here = table.simulated(found[name, size, table.drop])
            known = table.published(SCENARIOS[name].published)[SIZES.index(size)]
            far = abs(here - known) > allowance(known, runs)
            off += far
            cells.append(f"{here:.3f} ({known:.2f}){' !' if far else ''}")
        yield f"| {name} | " + " | ".join(cells) + " |", off


def policy_rows(found: Found) -> Iterator[str]:
    """Yield the table of how often a merge goes ahead, with and without ``break``."""
    sizes = sorted({size for _, size, _ in found})
    heads = [f"n={size}, drop {drop}" for size in sizes for drop in DROPS]
    yield "| scenario | " + " | ".join(heads) + " |"
    yield "|---|" + "---|" * len(heads)
    for name in sorted({name for name, _, _ in found}, key=list(SCENARIOS).index):
        cells = [
            f"{found[name, size, drop].merged:.2f} / "
            f"{found[name, size, drop].merged_without_break:.2f}"
            for size in sizes
            for drop in DROPS
        ]
        yield f"| {name} | " + " | ".join(cells) + " |"


def strict_rows(found: Found) -> Iterator[str]:
    """Yield the table of ``strict``: false pass at a drop of 5, and power at none."""
    sizes = sorted({size for _, size, _ in found})
    yield "| scenario | " + " | ".join(f"n={size}" for size in sizes) + " |"
    yield "|---|" + "---|" * len(sizes)
    for name in sorted({name for name, _, _ in found}, key=list(SCENARIOS).index):
        pairs = [(found[name, size, 5].strict, found[name, size, 0].strict) for size in sizes]
        yield f"| {name} | " + " | ".join(f"{a:.3f} / {b:.3f}" for a, b in pairs) + " |"


@dataclass(frozen=True)
class Stopping:
    """Early stopping over simulated runs of 200 sessions."""

    passed: float
    regressed: float
    judged: float
    """Sessions judged, on average."""


PUBLISHED_STOPPING = {
    "passed at drop 5, worst scenario": 0.069,
    "passed at drop 0, mean": 0.863,
    "regressed at drop 10, mean": 0.980,
    "regressed at drop 0, worst scenario": 0.049,
    "judged at drop 0, mean": 119,
    "judged at drop 5, mean": 147,
    "judged at drop 10, mean": 89,
}


def stopped(plan: LookPlan, candidate: Candidate, baseline: Baseline) -> tuple[str, int]:
    """Return the status of one run that may stop early, and how many sessions it judged."""
    for number, look in enumerate(plan.looks):
        decision = decide_look(plan, number, candidate, {"baseline": baseline}, AS_PUBLISHED)
        if decision is not None:
            return decision.status, look.sessions
    raise AssertionError("the last look always decides")


def stopping(name: str, drop: int, runs: int, seed: int) -> Stopping:
    """Return what early stopping does to one scenario at one true drop."""
    scenario, size = SCENARIOS[name], SIZES[-1]
    rng = np.random.default_rng(zlib.crc32(f"{seed} {name} {drop} sequential".encode()))
    before, after = scenario.generate(setting_for(scenario, drop), (runs, size), rng)
    keys: dict[str, str | None] = {f"session-{number:03d}": None for number in range(size)}
    plan = plan_looks(keys, str(seed), min_pairs=20)
    ends = [stopped(plan, *sides(old, new)) for old, new in zip(before, after, strict=True)]
    return Stopping(
        sum(status == "passed" for status, _ in ends) / runs,
        sum(status == "regressed" for status, _ in ends) / runs,
        sum(judged for _, judged in ends) / runs,
    )


def stopping_rows(scenarios: Sequence[str], runs: int, seed: int) -> Iterator[str]:
    """Yield the table of early stopping beside the published one (8000 runs)."""
    ends = {(name, drop): stopping(name, drop, runs, seed) for name in scenarios for drop in DROPS}

    def mean(values: Sequence[float]) -> float:
        return sum(values) / len(values)

    def over(drop: int, pick: Callable[[Stopping], float]) -> list[float]:
        return [pick(ends[name, drop]) for name in scenarios]

    here = [
        max(over(5, lambda end: end.passed)),
        mean(over(0, lambda end: end.passed)),
        mean(over(10, lambda end: end.regressed)),
        max(over(0, lambda end: end.regressed)),
        *(mean(over(drop, lambda end: end.judged)) for drop in DROPS),
    ]
    yield "| early stopping, 200 sessions | here | published |"
    yield "|---|---|---|"
    for (label, published), value in zip(PUBLISHED_STOPPING.items(), here, strict=True):
        yield f"| {label} | {value:.3g} | {published:g} |"


def simulate(arguments: argparse.Namespace) -> Found:
    """Return the rates of every scenario, size and drop asked for."""
    found: Found = {}
    for name in arguments.scenarios:
        scenario = SCENARIOS[name]
        settings = {drop: setting_for(scenario, drop) for drop in DROPS}
        for size in arguments.sizes:
            started = time.perf_counter()
            for drop in DROPS:
                seed = zlib.crc32(f"{arguments.seed} {name} {size} {drop}".encode())
                found[name, size, drop] = rates(
                    scenario,
                    settings[drop],
                    size,
                    arguments.runs,
                    np.random.default_rng(seed),
                    strict=arguments.strict,
                )
            took = time.perf_counter() - started
            print(f"{name}, {size} sessions: {took:.1f} s", file=sys.stderr, flush=True)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return 1 when a rate is farther off than chance explains."""
    parser = argparse.ArgumentParser(description="Simulate the gate's error rates.")
    parser.add_argument("--runs", type=int, default=200, help="runs per cell (default 200)")
    parser.add_argument("--seed", type=int, default=1, help="seed (default 1)")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, choices=SIZES)
    parser.add_argument("--scenarios", nargs="+", default=list(SCENARIOS), choices=SCENARIOS)
    parser.add_argument("--strict", action="store_true", help="the distribution-free bound too")
    parser.add_argument("--sequential", action="store_true", help="early stopping too")
    parsed = parser.parse_args(arguments)
    found = simulate(parsed)
    off = 0
    for table in COMPARISONS:
        print(f"\n### {table.title}; {parsed.runs} runs, published in brackets\n")
        for row, far in comparison_rows(found, table, parsed.runs):
            print(row)
            off += far
    print("\n### Merges that go ahead, settings as shipped / with break = 100\n")
    print("\n".join(policy_rows(found)))
    if parsed.strict:
        print("\n### strict: passed at a true drop of 5 / when nothing changed\n")
        print("\n".join(strict_rows(found)))
    if parsed.sequential:
        print()
        print("\n".join(stopping_rows(parsed.scenarios, parsed.runs, parsed.seed)))
    print(f"\n{off} cells farther from the published ones than chance explains")
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main())

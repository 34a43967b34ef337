"""Early stopping over simulated suites: error rates, and how many sessions are judged."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from simulated_suites import AS_PUBLISHED, DROPS, SCENARIOS, SIZES, setting_for, sides

from pytest_sessioneval.gate.model import Baseline, Candidate
from pytest_sessioneval.gate.sequential import LookPlan, decide_look, plan_looks

__all__ = ["stopping_rows"]


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

"""What canaries notice: simulated judgements go through ``judge_drift`` as shipped.

A set of canaries is scored once for the baseline (the mean of three judgements,
as shipped) and once in a run, by a judge of some spread that then shifts. Prints
how often the judge is called *moved*: at no shift a false alarm (at most 1 % of
the runs on each axis), else what is noticed.

    python benchmarks/canary_power.py                # half a minute
    python benchmarks/canary_power.py --runs 10000
"""

from __future__ import annotations

import argparse
from statistics import fmean

import numpy as np

from pytest_sessioneval.gate.drift import judge_drift

SPREADS = (3, 6, 10)
SHIFTS = (0, 3, 5, 10, 20)
COUNTS = (10, 15, 20)
BASELINE_REPEATS = 3


def moved(canaries: int, spread: float, shift: float, runs: int, rng: np.random.Generator) -> float:
    """Return the share of runs, 0–1, in which the judge is said to have moved."""
    alarms = 0
    for _ in range(runs):
        true = rng.uniform(20, 80, canaries)
        before = true + rng.normal(0, spread, (BASELINE_REPEATS, canaries))
        now = true + shift + rng.normal(0, spread, canaries)
        then = {str(n): fmean(np.clip(before[:, n], 0, 100)) for n in range(canaries)}
        today = {str(n): float(np.clip(now[n], 0, 100)) for n in range(canaries)}
        alarms += judge_drift("score", then, today).status == "moved"
    return alarms / runs


def main() -> None:
    """Print one row per number of canaries and spread of the judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=2000, help="per number (default 2000)")
    parser.add_argument("--seed", type=int, default=20261121)
    chosen = parser.parse_args()
    rng = np.random.default_rng(chosen.seed)
    print(f"called moved, of {chosen.runs} runs; the baseline's scores are means of three")
    print(f"{'canaries':>8} {'spread':>7}" + "".join(f"{f'shift {s}':>10}" for s in SHIFTS))
    for canaries in COUNTS:
        for spread in SPREADS:
            shares = [moved(canaries, spread, shift, chosen.runs, rng) for shift in SHIFTS]
            row = "".join(f"{100 * share:9.1f}%" for share in shares)
            print(f"{canaries:8} {spread:7}{row}")


if __name__ == "__main__":
    main()

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
from early_stopping_rates import stopping_rows
from simulated_suites import (
    AS_PUBLISHED,
    AXIS,
    DROPS,
    PUBLISHED_RUNS,
    SCENARIOS,
    SIZES,
    Generator,
    Published,
    Scenario,
    setting_for,
    sides,
)

from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.suites.model import GateSettings

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

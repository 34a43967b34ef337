"""What held-out cases say of a fit: pairs that may be compared, and no more than there is."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from pytest_sessioneval.gate.fitting.discrimination import (
    Cases,
    kinds_held_out,
    tasks_held_out,
)
from pytest_sessioneval.gate.fitting.logistic import fit_logistic

RIDGE = 5.0


def cases(count: int = 120, *, signal: float, seed: int = 1, kinds: int = 1) -> Cases:
    """Return cases, two a task; the first of three columns rises by ``signal`` with success."""
    chance = random.Random(seed)  # noqa: S311
    labels = [chance.random() < 0.5 for _ in range(count)]
    return Cases(
        rows=[
            [chance.gauss(signal * label, 1), *(chance.gauss(0, 1) for _ in range(2))]
            for label in labels
        ],
        labels=labels,
        tasks=[number // 2 for number in range(count)],
        kinds=[number // 2 % kinds for number in range(count)],
    )


def test_a_strong_signal_is_found() -> None:
    """Two deviations apart: P(success rated higher) is 0.92 for a fit that knew everything."""
    found = tasks_held_out(cases(400, signal=2.0), ridge=RIDGE, seed=1)
    assert found is not None
    assert pytest.approx(0.921, abs=0.03) == found.auc
    assert 0.5 < found.low < found.auc < found.high <= 1
    assert found.brier < 0.15 < found.brier_of_base_rate


def test_knowing_the_task_is_no_skill() -> None:
    """Both attempts at a task end alike and look alike: held out together, nothing is known."""
    chance = random.Random(3)  # noqa: S311
    tasks = [n // 2 for n in range(160)]
    looks = [[chance.gauss(0, 1) for _ in range(40)] for _ in range(80)]
    ends = [chance.random() < 0.5 for _ in range(80)]
    made = Cases([looks[t] for t in tasks], [ends[t] for t in tasks], tasks, [0] * 160)
    apart = tasks_held_out(made, ridge=RIDGE, seed=1)
    leaked = tasks_held_out(replace(made, tasks=list(range(160))), ridge=RIDGE, seed=1)
    assert apart is not None
    assert leaked is not None
    assert apart.low < 0.5 < leaked.low


def test_knowing_the_kind_is_no_skill() -> None:
    """One kind succeeds nine times of ten, the other once: within each there is nothing to tell."""
    chance = random.Random(4)  # noqa: S311
    kinds = [n // 2 % 2 for n in range(200)]
    labels = [chance.random() < (0.9 if kind else 0.1) for kind in kinds]
    rows = [[float(kind), chance.gauss(0, 1)] for kind in kinds]
    made = Cases(rows, labels, [n // 2 for n in range(200)], kinds)
    known = tasks_held_out(made, ridge=RIDGE, seed=1)
    unknown = tasks_held_out(replace(made, kinds=[0] * 200), ridge=RIDGE, seed=1)
    assert known is not None
    assert unknown is not None
    assert known.low < 0.5
    assert unknown.auc > 0.8


def test_kinds_held_out_is_the_share_of_pairs_by_hand() -> None:
    """Fit without a kind, predict it, count its pairs."""
    made = cases(90, signal=0.7, kinds=3, seed=5)
    rows, labels, kinds = np.asarray(made.rows), np.asarray(made.labels), np.asarray(made.kinds)
    won, pairs = 0.0, 0
    for kind in range(3):
        fit = fit_logistic(rows[kinds != kind], labels[kinds != kind].astype(float), ridge=RIDGE)
        odds = fit.log_odds(rows[kinds == kind])
        ends = labels[kinds == kind]
        for good, bad in product(odds[ends], odds[~ends]):
            won += float(good > bad) + float(good == bad) / 2
            pairs += 1
    found = kinds_held_out(made, ridge=RIDGE, seed=1)
    assert found is not None
    assert won / pairs == pytest.approx(found.auc, abs=1e-12)


def test_the_same_seed_gives_the_same_figures() -> None:
    """A calibration can be made again."""
    made = cases(signal=0.5)
    assert tasks_held_out(made, ridge=RIDGE, seed=7) == tasks_held_out(made, ridge=RIDGE, seed=7)


def test_kinds_of_one_outcome_each_cannot_be_compared() -> None:
    """There is no pair of one kind, so there is no figure."""
    made = cases(40, signal=1.0)
    alone = replace(made, kinds=list(made.labels))
    assert None is tasks_held_out(alone, ridge=RIDGE, seed=1)

"""Fits to labels that mean nothing: neither better nor worse than a coin, and rarely accepted."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from pytest_sessioneval.gate.fitting.discrimination import Cases, HeldOut, tasks_held_out

TRIES = 60


def by_chance(seed: int) -> Cases:
    """Return 60 cases, two a task, whose columns know nothing of the labels."""
    chance = random.Random(seed)  # noqa: S311
    return Cases(
        rows=[[chance.gauss(0, 1) for _ in range(4)] for _ in range(60)],
        labels=[chance.random() < 0.5 for _ in range(60)],
        tasks=[number // 2 for number in range(60)],
        kinds=[0] * 60,
    )


@pytest.fixture(scope="module")
def found() -> list[HeldOut]:
    """Return what many such tries come to."""
    tries = (tasks_held_out(by_chance(seed), ridge=5.0, seed=seed) for seed in range(TRIES))
    return [one for one in tries if one is not None]


def test_they_score_one_half_on_average(found: list[HeldOut]) -> None:
    """Pooled over fits they would score below: that is why only pairs of one fit count."""
    assert TRIES == len(found)
    assert pytest.approx(0.5, abs=0.04) == fmean(one.auc for one in found)


def test_they_rarely_pass(found: list[HeldOut]) -> None:
    """A few of a hundred have an interval above one half."""
    assert sum(one.low > 0.5 for one in found) <= 4


def test_their_probabilities_are_no_better_than_the_base_rate(found: list[HeldOut]) -> None:
    """Estimating from nothing costs something, and the Brier score shows it."""
    assert fmean(one.brier_of_base_rate for one in found) < fmean(one.brier for one in found)

"""Agreement against published values and against the definitions, written out in loops."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agreement_cases import LEVELS, level
from hypothesis import assume, given, strategies as st

from pytest_sessioneval.gate.agreement.coefficients import (
    Measurement,
    accuracy,
    cohen_kappa,
    intraclass,
    krippendorff_alpha,
    nearest_level,
    quadratic_kappa,
)

_CANONICAL = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)
"""Krippendorff's example: four observers, twelve units."""

UNITS = list(zip(*_CANONICAL, strict=True))

SHROUT_FLEISS = [
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
]

MEASUREMENTS: tuple[Measurement, ...] = ("nominal", "ordinal", "interval")

pairs = st.lists(st.tuples(level, level), min_size=1, max_size=30)

maybe = st.one_of(st.none(), st.sampled_from((0.0, 20.0, 33.3, 80.0)))

units = st.lists(st.lists(maybe, min_size=1, max_size=4), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def refs(shared_data: Path) -> dict[str, Any]:
    """Return the reference numbers that the method page was written with."""
    path = shared_data.parent / "reference" / "refs.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


# -- Krippendorff's alpha --------------------------------------------------------------


@pytest.mark.parametrize("measurement", MEASUREMENTS)
def test_alpha_is_the_references_to_a_millionth(
    refs: dict[str, Any], measurement: Measurement
) -> None:
    """Krippendorff's example gives the reference values, missing ratings and all."""
    expected = refs["krippendorff_canonical"][measurement]
    assert pytest.approx(expected, abs=1e-6) == krippendorff_alpha(UNITS, measurement)


@pytest.mark.parametrize(
    ("measurement", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_is_what_krippendorff_published(measurement: Measurement, published: float) -> None:
    """His example's alpha, as printed in "Computing Krippendorff's Alpha-Reliability"."""
    assert pytest.approx(published, abs=5e-4) == krippendorff_alpha(UNITS, measurement)


@pytest.mark.parametrize("measurement", MEASUREMENTS)
@given(given_units=units)
def test_alpha_is_its_definition(
    measurement: Measurement, given_units: list[list[float | None]]
) -> None:
    """Summed over all ordered pairs, one by one, it is the same."""
    expected = _alpha_by_pairs(given_units, measurement)
    found = krippendorff_alpha(given_units, measurement)
    assert expected is None if found is None else pytest.approx(expected, abs=1e-9) == found


def test_alpha_is_unknown_where_all_values_are_the_same() -> None:
    """A judge that gives everything 80 to sessions labelled 80 has shown nothing."""
    assert krippendorff_alpha([[80.1, 80.1]] * 40) is None


def test_alpha_is_unknown_where_nothing_was_rated_twice() -> None:
    """Units with one rating are left out, and none is left."""
    assert krippendorff_alpha([[1, None], [None, 2]]) is None


def _alpha_by_pairs(rows: list[list[float | None]], measurement: Measurement) -> float | None:
    kept = [[value for value in row if value is not None] for row in rows]
    kept = [row for row in kept if len(row) > 1]
    flat = [value for row in kept for value in row]
    total = len(flat)

    def squared(a: float, b: float) -> float:
        if measurement == "nominal":
            return float(a != b)
        if measurement == "interval":
            return (a - b) ** 2
        low, high = min(a, b), max(a, b)
        between = sum(1 for value in flat if low <= value <= high)
        return (between - (flat.count(a) + flat.count(b)) / 2) ** 2 if a != b else 0.0

    observed = sum(
        squared(a, b) / (len(row) - 1)
        for row in kept
        for i, a in enumerate(row)
        for j, b in enumerate(row)
        if i != j
    )
    expected = sum(squared(a, b) for i, a in enumerate(flat) for j, b in enumerate(flat) if i != j)
    if not expected:
        return None
    return 1 - (observed / total) / (expected / (total * (total - 1)))


# -- kappas ----------------------------------------------------------------------------


def test_quadratic_kappa_is_the_references() -> None:
    """The method page's example, levels 0 to 3."""
    found = quadratic_kappa([0, 1, 2, 2, 3], [0, 1, 1, 2, 3], [0, 1, 2, 3])
    assert pytest.approx(48 / 53, abs=1e-9) == found
    assert pytest.approx(0.90566, abs=1e-5) == found


@given(pairs)
def test_quadratic_kappa_is_its_definition(given_pairs: list[tuple[int, int]]) -> None:
    """The weighted tables of what was observed and what chance gives say the same."""
    first, second = zip(*given_pairs, strict=True)
    table = np.zeros((len(LEVELS), len(LEVELS)))
    for a, b in given_pairs:
        table[LEVELS.index(a), LEVELS.index(b)] += 1
    weights = np.subtract.outer(range(len(LEVELS)), range(len(LEVELS))) ** 2
    by_chance = np.outer(table.sum(axis=1), table.sum(axis=0)) / len(given_pairs)
    found = quadratic_kappa(first, second, LEVELS)
    if (weights * by_chance).sum() == 0:
        assert found is None
    else:
        expected = 1 - (weights * table).sum() / (weights * by_chance).sum()
        assert pytest.approx(expected, abs=1e-9) == found


@given(pairs)
def test_cohens_kappa_is_its_definition(given_pairs: list[tuple[int, int]]) -> None:
    """Agreement beyond what the two raters' habits give by chance."""
    first, second = zip(*given_pairs, strict=True)
    count = len(given_pairs)
    agreed = sum(a == b for a, b in given_pairs) / count
    by_chance = sum(a == b for a, b in product(first, second)) / count**2
    assert pytest.approx(agreed) == accuracy(first, second)
    if by_chance == 1:
        assert cohen_kappa(first, second) is None
    else:
        expected = (agreed - by_chance) / (1 - by_chance)
        assert pytest.approx(expected, abs=1e-9) == cohen_kappa(first, second)


def test_cohens_kappa_of_a_worked_example() -> None:
    """Fifty grant proposals: both yes 20, both no 15, 5 and 10 apart; kappa 0.4."""
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert pytest.approx(0.4) == cohen_kappa(first, second)


@pytest.mark.parametrize(
    ("value", "position"), [(-5, 0), (0, 0), (9.9, 0), (10, 1), (53.3, 3), (97, 5), (120, 5)]
)
def test_a_value_counts_as_the_nearest_level(value: float, position: int) -> None:
    """A panel's mean falls between levels; half way, it is the higher one."""
    assert position == nearest_level(value, LEVELS)


# -- intraclass correlation ------------------------------------------------------------


def test_intraclass_correlations_are_shrout_and_fleiss() -> None:
    """Their table 4, in the two decimals they printed."""
    found = intraclass(SHROUT_FLEISS)
    assert found is not None
    assert pytest.approx(0.29, abs=5e-3) == found.single
    assert pytest.approx(0.62, abs=5e-3) == found.average


def test_intraclass_correlations_are_the_references(refs: dict[str, Any]) -> None:
    """To a millionth."""
    found = intraclass(SHROUT_FLEISS)
    assert found is not None
    assert pytest.approx(refs["shrout_fleiss"]["ICC21"], abs=1e-6) == found.single
    assert pytest.approx(refs["shrout_fleiss"]["ICC2k"], abs=1e-6) == found.average


@given(st.lists(st.tuples(level, level, level), min_size=2, max_size=15))
def test_intraclass_correlations_follow_from_variances(rows: list[tuple[int, int, int]]) -> None:
    """Mean squares as an analysis of variance has them, by numpy."""
    table = np.array(rows, dtype=float)
    assume(np.ptp(table) > 0)
    n, k = table.shape
    between = k * table.mean(axis=1).var(ddof=1)
    raters = n * table.mean(axis=0).var(ddof=1)
    total = table.var(ddof=0) * n * k
    residual = (total - between * (n - 1) - raters * (k - 1)) / ((n - 1) * (k - 1))
    found = intraclass(rows)
    assert found is not None
    single = (between - residual) / (between + (k - 1) * residual + k * (raters - residual) / n)
    assert pytest.approx(single, abs=1e-9) == found.single


@pytest.mark.parametrize("rows", [[], [[1, 2]], [[1], [2]], [[7, 7], [7, 7]]])
def test_intraclass_correlation_needs_something_that_varies(rows: list[list[float]]) -> None:
    """One session, one rater, or one value throughout."""
    assert intraclass(rows) is None

"""Agreement against published values and against the definitions, written out in loops."""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
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
from pytest_sessioneval.gate.agreement.deviation import (
    auc,
    correlation,
    mean_absolute_error,
    mean_bias,
    slope,
)
from pytest_sessioneval.gate.agreement.resampling import bootstrap_interval, wilson
from pytest_sessioneval.gate.agreement.stability import (
    effective_votes,
    flipped,
    mean_correlation,
    repeat_sd,
)
from pytest_sessioneval.gate.statistics import clopper_pearson

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
LEVELS = (0, 20, 40, 60, 80, 100)

level = st.sampled_from(LEVELS)
pairs = st.lists(st.tuples(level, level), min_size=1, max_size=30)
maybe = st.one_of(st.none(), st.sampled_from((0.0, 20.0, 33.3, 80.0)))
units = st.lists(st.lists(maybe, min_size=1, max_size=4), min_size=1, max_size=12)
scores = st.lists(st.integers(0, 20).map(lambda value: value * 5.0), min_size=1, max_size=20)


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


# -- distances and order ---------------------------------------------------------------


def test_a_judge_that_adds_ten_points_is_off_by_ten() -> None:
    """Bias and distance are ten points, and the slope is that of a faithful judge."""
    labels = [10.0, 40, 70, 90]
    lenient = [label + 10 for label in labels]
    assert 10 == mean_bias(lenient, labels)
    assert 10 == mean_absolute_error(lenient, labels)
    assert pytest.approx(1) == slope(lenient, labels)


@given(st.lists(st.tuples(level, level), min_size=3, max_size=20))
def test_slope_and_correlation_are_numpys(given_pairs: list[tuple[int, int]]) -> None:
    """The least-squares line, and Pearson's r."""
    given_scores, labels = zip(*given_pairs, strict=True)
    assume(len(set(labels)) > 1)
    expected = np.polyfit(labels, given_scores, 1)[0]
    assert pytest.approx(expected, abs=1e-9) == slope(given_scores, labels)
    if len(set(given_scores)) > 1:
        expected = np.corrcoef(given_scores, labels)[0, 1]
        assert pytest.approx(expected, abs=1e-9) == correlation(given_scores, labels)


def test_nothing_follows_from_labels_that_are_all_the_same() -> None:
    """There is no line through one label."""
    assert slope([1, 2, 3], [50, 50, 50]) is None
    assert correlation([1, 2, 3], [50, 50, 50]) is None


def test_auc_is_the_references() -> None:
    """80 and 90 against 70 and 80: three and a half of four comparisons."""
    assert auc([80, 90], [70, 80]) == 0.875


@given(scores, scores)
def test_auc_is_every_comparison(positive: list[float], negative: list[float]) -> None:
    """Each positive with each negative: a win counts one, a tie a half."""
    won = sum((p > n) + (p == n) / 2 for p, n in product(positive, negative))
    assert pytest.approx(won / len(positive) / len(negative)) == auc(positive, negative)


def test_auc_needs_both_sides() -> None:
    """With nothing but successes nothing can be told apart."""
    assert auc([80, 90], []) is None


# -- intervals -------------------------------------------------------------------------


def test_the_bootstrap_gives_the_same_interval_again() -> None:
    """It is seeded by nothing but itself."""
    rows = [float(number % 7) for number in range(40)]
    first = bootstrap_interval(rows, lambda drawn: math.fsum(drawn) / len(drawn))
    assert first == bootstrap_interval(rows, lambda drawn: math.fsum(drawn) / len(drawn))


def test_the_bootstrap_of_a_mean_is_near_to_the_normal_interval() -> None:
    """Where theory knows the answer, it is found: 1.645 standard errors to each side."""
    rows = [float(number % 11) for number in range(200)]
    mean = sum(rows) / len(rows)
    reach = 1.645 * np.std(rows) / math.sqrt(len(rows))
    found = bootstrap_interval(rows, lambda drawn: sum(drawn) / len(drawn))
    assert pytest.approx((mean - reach, mean + reach), abs=0.06) == found


def test_clusters_are_drawn_as_a_whole() -> None:
    """Four copies of each session add no certainty, where they are told to be one task."""
    rows = [float(number // 4) for number in range(80)]
    tasks = [number // 4 for number in range(80)]

    def mean(drawn: Any) -> float:
        return float(sum(drawn) / len(drawn))

    alone = bootstrap_interval(rows, mean)
    together = bootstrap_interval(rows, mean, clusters=tasks)
    assert alone is not None
    assert together is not None
    assert pytest.approx(2, rel=0.15) == (together[1] - together[0]) / (alone[1] - alone[0])


def test_one_session_has_no_interval() -> None:
    """Nothing can be said of how it might have been otherwise."""
    assert bootstrap_interval([1.0], lambda drawn: drawn[0]) is None


def test_there_is_no_interval_where_most_resamples_say_nothing() -> None:
    """A single failure among successes is missing in a third of the resamples."""
    rows = [(80.0, True)] * 9 + [(20.0, False)]

    def separation(drawn: Any) -> float | None:
        return auc([s for s, good in drawn if good], [s for s, good in drawn if not good])

    assert bootstrap_interval(rows, separation) is None


@pytest.mark.parametrize(
    ("successes", "trials", "interval"),
    [(0, 10, (0.0, 0.2775)), (5, 10, (0.2366, 0.7634)), (81, 263, (0.2553, 0.3662))],
)
def test_wilsons_interval_is_as_published(
    successes: int, trials: int, interval: tuple[float, float]
) -> None:
    """Two-sided 95 %; the last is Newcombe's example (1998, table I)."""
    assert pytest.approx(interval, abs=5e-4) == wilson(successes, trials, alpha=0.025)


@given(st.integers(0, 40), st.integers(1, 40))
def test_wilsons_limits_solve_the_score_equation(successes: int, trials: int) -> None:
    """At each limit inside (0, 1) the observed share lies 1.645 standard errors away."""
    assume(0 < successes < trials)
    share = successes / trials
    for limit in wilson(successes, trials):
        error = math.sqrt(limit * (1 - limit) / trials)
        assert pytest.approx(1.6448536, abs=1e-6) == abs(share - limit) / error


def test_no_attack_of_sixty_leaves_five_percent_open() -> None:
    """The method page's example: 0 of 60 is at most 4.9 %."""
    assert pytest.approx(0.049, abs=5e-4) == clopper_pearson(0, 60)[1]


# -- stability and votes ---------------------------------------------------------------


def test_the_spread_of_repeats_is_pooled_within_sessions() -> None:
    """Sessions far apart add nothing; one rated once says nothing."""
    repeats = [[10.0, 20, 30], [80.0, 80], [50.0]]
    assert pytest.approx(math.sqrt((100 + 0 + 100) / 3)) == repeat_sd(repeats)


def test_the_spread_of_repeats_needs_a_rerun() -> None:
    """Nothing was asked twice."""
    assert repeat_sd([[10.0], [20.0]]) is None


@pytest.mark.parametrize(
    ("given_scores", "expected"),
    [([40, 60], True), ([50, 60], False), ([50, 49.9], True), ([20, 40], False), ([50], False)],
)
def test_a_session_flips_when_repeats_lie_on_both_sides(
    given_scores: list[float], *, expected: bool
) -> None:
    """The line itself passes."""
    assert expected == flipped(given_scores, 50)


def test_nine_votes_at_the_references_correlation_are_two() -> None:
    """As the method page has it from Nine Judges, Two Effective Votes."""
    assert pytest.approx(2) == effective_votes(9, 0.4375)


@pytest.mark.parametrize(("correlated", "votes"), [(0, 3), (1, 1), (-0.4, 3)])
def test_votes_lie_between_one_and_the_seats(correlated: float, votes: float) -> None:
    """Independent seats count in full, equal ones as one; no panel is worth more than it has."""
    assert pytest.approx(votes) == effective_votes(3, correlated)


def test_mean_correlation_is_over_all_pairs() -> None:
    """Two alike and one opposite: 1, -1 and -1."""
    columns = [[1.0, 2, 3], [2.0, 4, 6], [3.0, 2, 1]]
    assert pytest.approx(-1 / 3) == mean_correlation(columns)


def test_mean_correlation_of_one_rater_is_unknown() -> None:
    """There is no pair."""
    assert mean_correlation([[1.0, 2, 3]]) is None

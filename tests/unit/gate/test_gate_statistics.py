"""The gate's statistics against published values and the reference numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from gate_builders import WORKED

from pytest_sessioneval.gate.statistics import (
    clopper_pearson,
    detectable_effect,
    distribution_free_lower,
    distribution_free_pairs,
    holm,
    interval,
    mcnemar,
    mean_estimate,
    p_drop,
    p_noninferior,
    pooled_variance,
    sample_size,
    unseen_share,
    welch_estimate,
)

TWENTY = [float(number) for number in range(20)]
FOUR_CLUSTERS = [number % 4 for number in range(20)]


@pytest.fixture(scope="module")
def refs(shared_data: Path) -> dict[str, Any]:
    """Return the reference numbers that the method page was written with."""
    path = shared_data.parent / "reference" / "refs.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize(
    ("name", "computed"),
    [
        ("mean", lambda: mean_estimate(WORKED).mean),
        ("sd", lambda: mean_estimate(WORKED).se * math.sqrt(10)),
        ("t_lcl", lambda: interval(mean_estimate(WORKED))[0]),
        ("t_ucl", lambda: interval(mean_estimate(WORKED))[1]),
        ("p_ni_margin5", lambda: p_noninferior(mean_estimate(WORKED), 5)),
        ("p_drop", lambda: p_drop(mean_estimate(WORKED))),
        ("miller_n_3pp_omega2_1_9", lambda: sample_size(1 / 3, 0.03, alpha=0.025)),
        (
            "miller_n_3pp_omega2_1_9_sigma2_1_6_K10",
            lambda: sample_size(math.sqrt(1 / 9 + 2 / 6 / 10), 0.03, alpha=0.025),
        ),
        ("ni_n_one_sided_delta5_sd12_power80", lambda: sample_size(12, 5)),
        ("mde_one_sided_n50_sd12_power80", lambda: detectable_effect(12 / math.sqrt(50))),
        ("clopper_pearson_upper95_0_of_20", lambda: clopper_pearson(0, 20)[1]),
        ("clopper_pearson_lower_7of10_onesided95", lambda: clopper_pearson(7, 10)[0]),
        ("cluster_se_0_19_mod4_inspect", lambda: mean_estimate(TWENTY, FOUR_CLUSTERS).se),
        (
            "cluster_se_0_19_mod4_miller",
            lambda: mean_estimate(TWENTY, FOUR_CLUSTERS).se * math.sqrt(3 / 4),
        ),
        ("iid_se_0_19", lambda: mean_estimate(TWENTY).se),
    ],
)
def test_reference_number_holds(refs: dict[str, Any], name: str, computed: Any) -> None:
    """Every closed-form reference number is reproduced to a millionth."""
    assert refs[name] == pytest.approx(computed(), abs=1e-6)


def test_reference_pairs_without_any_difference(refs: dict[str, Any]) -> None:
    """The fewest pairs that can pass strictly are the reference's bound, rounded up."""
    bounds = [refs[f"gaffke_min_n_zero_diffs_delta5_range{reach}"] for reach in (100, 50)]
    assert [math.ceil(bound) for bound in bounds] == [
        distribution_free_pairs(5, 100),
        distribution_free_pairs(5, 50),
    ]


def test_sampled_reference_bound_is_near(refs: dict[str, Any]) -> None:
    """The exact distribution-free bound lies within sampling error of the sampled reference."""
    computed = distribution_free_lower([1.0] * 7 + [0.0] * 3, 0)
    assert refs["gaffke_mc_lower_7of10"] == pytest.approx(computed, abs=1e-3)


def test_worked_example_by_hand() -> None:
    """The worked example gives the method page's interval, without any file at hand."""
    low, high = interval(mean_estimate(WORKED))
    assert (-7.3636816, 1.3636816) == pytest.approx((low, high), abs=1e-6)


def test_single_value_has_no_zero_width_interval() -> None:
    """One value shows no spread: the interval is all numbers, and nothing is proven."""
    estimate = mean_estimate([3.0])
    assert (-math.inf, math.inf) == interval(estimate)
    assert (1.0, 1.0) == (p_noninferior(estimate, 5), p_drop(estimate))


def test_single_cluster_has_no_zero_width_interval() -> None:
    """Twenty sessions of one task are one observation."""
    estimate = mean_estimate(TWENTY, ["task"] * 20)
    assert (math.inf, 1) == (estimate.se, estimate.units)


def test_clusters_of_one_are_sessions() -> None:
    """Where every session is its own cluster the two standard errors agree."""
    assert mean_estimate(WORKED).se == pytest.approx(mean_estimate(WORKED, range(10)).se)


@pytest.mark.parametrize(
    ("drop", "margin", "expected"),
    [(0.0, 5.0, 0.0), (-4.0, 5.0, 0.0), (-5.0, 5.0, 1.0), (0.0, 0.0, 0.0), (-1.0, 0.0, 1.0)],
)
def test_equal_differences_are_decided_by_the_mean(
    drop: float, margin: float, expected: float
) -> None:
    """Without any spread the p-value is 0 or 1, never a division by zero."""
    assert expected == p_noninferior(mean_estimate([drop] * 30), margin)


def test_interval_and_p_value_agree_at_the_margin() -> None:
    """The lower limit lies at the margin exactly where the p-value is alpha."""
    estimate = mean_estimate(WORKED)
    low, _ = interval(estimate)
    assert p_noninferior(estimate, -low) == pytest.approx(0.05, abs=1e-9)


def test_welch_matches_hand_computation() -> None:
    """Means 3 and 6, variances 2.5 and 10, five values each: worked by hand."""
    estimate = welch_estimate([1.0, 2, 3, 4, 5], [2.0, 4, 6, 8, 10])
    assert (3.0, math.sqrt(2.5), 5.882352941176471) == pytest.approx(
        (estimate.mean, estimate.se, estimate.df), abs=1e-9
    )


def test_holm_matches_hand_computation() -> None:
    """Holm multiplies the smallest by the count, the next by one less, and never goes down."""
    assert {"a": 0.03, "c": 0.06, "b": 0.06} == pytest.approx(
        holm({"a": 0.01, "b": 0.04, "c": 0.03})
    )


def test_holm_never_exceeds_one() -> None:
    """Adjusted p-values are probabilities."""
    assert {"a": 1.0, "b": 1.0} == holm({"a": 0.9, "b": 0.8})


def test_mcnemar_matches_binomial_by_hand() -> None:
    """One against nine discordant pairs: 2 (1 + 10) / 2^10."""
    assert 22 / 1024 == mcnemar(1, 9)


def test_mcnemar_without_discordance_says_nothing() -> None:
    """No discordant pair, no evidence."""
    assert mcnemar(0, 0) == 1.0


def test_mcnemar_is_symmetric() -> None:
    """Losing nulls is as telling as gaining them."""
    assert mcnemar(2, 7) == mcnemar(7, 2)


@pytest.mark.parametrize(("bound", "pairs"), [(0.1391, 20), (0.0458, 64)])
def test_unseen_share_is_the_rule_of_three_made_exact(bound: float, pairs: int) -> None:
    """What n sessions may all have missed is 1 - alpha^(1/n)."""
    assert bound == pytest.approx(unseen_share(pairs), abs=1e-4)


def test_clopper_pearson_ends_at_zero_and_one() -> None:
    """No failure has lower bound 0, only failures upper bound 1."""
    assert (0.0, 1.0) == (clopper_pearson(0, 5)[0], clopper_pearson(5, 5)[1])


def test_pooled_variance_weighs_by_degrees_of_freedom() -> None:
    """Standard deviations 2 (3 values) and 4 (2 values) pool to (2·4 + 1·16) / 3."""
    assert 8.0 == pooled_variance([(2.0, 3), (4.0, 2), (9.0, 1)])


def test_pooled_variance_of_single_judgements_is_unknown() -> None:
    """One judgement per session says nothing about the judge's noise."""
    assert pooled_variance([(0.0, 1), (0.0, 1)]) is None


def test_sample_size_is_corrected_when_small() -> None:
    """Below twenty sessions the t quantiles ask for more than the normal ones."""
    normal = (detectable_effect(1.0) * 5 / 5) ** 2
    assert normal < sample_size(5, 5) < normal + 3


def test_sample_size_of_no_spread_is_none() -> None:
    """Without any spread no number of sessions is asked for beyond the floor."""
    assert sample_size(0, 5) == 0


def test_free_bound_is_clopper_pearson_for_yes_and_no() -> None:
    """On 0/1 data the distribution-free bound is Clopper–Pearson's."""
    for successes in (1, 4, 7, 10):
        values = [1.0] * successes + [0.0] * (10 - successes)
        expected = clopper_pearson(successes, 10)[0]
        assert expected == pytest.approx(distribution_free_lower(values, 0), abs=1e-6)


def test_free_bound_of_no_difference_is_the_unseen_share() -> None:
    """With no difference at all the bound is minus 100 times what may be unseen."""
    bound = distribution_free_lower([0.0] * 20, -100)
    assert -100 * unseen_share(20) == pytest.approx(bound, abs=1e-5)


def test_free_bound_agrees_with_sampling() -> None:
    """The exact bound is the alpha quantile of sampled Dirichlet-weighted means."""
    import numpy as np

    values = [*WORKED, 20.0, -40.0]
    weights = np.random.default_rng(7).dirichlet(np.ones(len(values) + 1), size=200_000)
    sampled = np.quantile(weights @ np.array([*values, -100.0]), 0.05)
    assert float(sampled) == pytest.approx(distribution_free_lower(values, -100), abs=0.3)


def test_free_bound_of_values_at_the_floor_is_the_floor() -> None:
    """Nothing lies below the floor."""
    assert distribution_free_lower([-100.0] * 5, -100) == -100


def test_strict_needs_59_pairs_at_five_points() -> None:
    """With all differences zero, 58 pairs do not show a drop below 5, and 59 do."""
    bounds = [distribution_free_lower([0.0] * pairs, -100) for pairs in (58, 59)]
    assert bounds[0] < -5 < bounds[1]
    assert distribution_free_pairs(5) == 59

"""The judge's noise and what it costs."""

from __future__ import annotations

import math
import random
from statistics import variance

import pytest

from pytest_sessioneval.gate.model import AxisScore
from pytest_sessioneval.gate.noise import (
    FEWEST_DEGREES,
    AxisNoise,
    VisibleDrop,
    axis_noise,
    best_repeats,
    differences_sd,
    noise_floor,
    noise_share,
    visible_drop,
)
from pytest_sessioneval.gate.pairing import Pair

REPEATED: list[list[float | None]] = [
    [80.0, 60.0, 100.0, 80.0, 80.0],
    [40.0, 40.0, 40.0, 40.0, 40.0],
    [60.0, None, 40.0, 60.0, 80.0],
    [20.0, None, None, None, None],
]
"""Four sessions judged five times: one never varies, one has a single score."""


def pair(number: int, difference: float, *, changed: bool = True, repeats: int = 1) -> Pair:
    """Return a session that scored 50 before."""
    return Pair(
        key=f"session-{number}",
        unit=("session", f"session-{number}"),
        before=AxisScore(score=50, repeats=repeats),
        after=AxisScore(score=50 + difference),
        digests=("was", "now" if changed else "was"),
    )


def test_noise_floor_by_hand() -> None:
    """Sd 8, fifty pairs, one judgement each: 2.4865 × 8 × sqrt(2 / 50)."""
    assert 2.486475 * 8 * math.sqrt(2 / 50) == pytest.approx(noise_floor(8, 50), abs=1e-5)


def test_baseline_repeats_lower_the_floor() -> None:
    """Three judgements of the baseline leave 4/6 of the variance."""
    ratio = noise_floor(8, 50, baseline_repeats=3) / noise_floor(8, 50)
    assert math.sqrt(2 / 3) == pytest.approx(ratio)


def test_free_sessions_need_no_repeats() -> None:
    """With transcripts on disk, one judgement of more sessions is best."""
    assert best_repeats(10, 15, session_cost=0, judge_cost=1) == 1


def test_best_repeats_by_hand() -> None:
    """Sessions nine times as dear as judgements, equal variances: three repeats."""
    assert best_repeats(10, 10, session_cost=9, judge_cost=1) == 3


def test_identical_sessions_are_worth_any_repeats() -> None:
    """If sessions do not differ, only the judge's noise is left to average away."""
    assert math.isinf(best_repeats(0, 10, session_cost=1, judge_cost=1))


def test_the_spread_is_pooled_within_sessions() -> None:
    """As an analysis of variance has it: variances of 200, 0 and 266.7, weighted 4, 4 and 3."""
    noise = axis_noise("tone", REPEATED)
    pooled = (4 * variance([80, 60, 100, 80, 80]) + 4 * 0 + 3 * variance([60, 40, 60, 80])) / 11
    assert math.sqrt(pooled) == pytest.approx(noise.sd)
    assert (3, 11) == (noise.sessions, noise.degrees)


def test_the_spread_is_that_of_many_judgements() -> None:
    """Thousands of normal judgements with an sd of 8, whatever sessions deserve, give it back."""
    chance = random.Random(7)  # noqa: S311  nothing secret
    scores = [[true + chance.gauss(0, 8) for _ in range(5)] for true in range(10, 90)] * 10
    assert 8 == pytest.approx(axis_noise("tone", scores).sd or 0, rel=0.05)


def test_sessions_that_vary_are_counted() -> None:
    """Two of three varied; two had a score in some repeats only."""
    noise = axis_noise("tone", REPEATED)
    assert (2, 2) == (noise.varied, noise.partly)


def test_flips_are_counted_at_the_threshold() -> None:
    """At 50 one session passes and fails; at 100 the best one does; without one nobody can say."""
    flips = [axis_noise("tone", REPEATED, threshold).flipped for threshold in (50, 100, None)]
    assert [1, 1, None] == flips


@pytest.mark.parametrize("scores", [[], [[50.0]], [[50.0, None], [None, None]]])
def test_without_repeats_there_is_no_spread(scores: list[list[float | None]]) -> None:
    """A single score says nothing of the next, and nothing is not zero."""
    noise = axis_noise("tone", scores)
    assert (None, 0, False) == (noise.sd, noise.degrees, noise.known)


def test_a_spread_of_few_scores_is_not_known() -> None:
    """Twenty degrees of freedom are the fewest that are kept."""
    known = [axis_noise("tone", [[50.0, 60.0]] * n).known for n in (FEWEST_DEGREES - 1, 20)]
    assert [False, True] == known


def drop_seen(
    sd: float,
    *,
    pairs: int,
    margin: float = 5,
    baseline_repeats: int = 1,
    differing: float | None = None,
) -> VisibleDrop:
    """Return what a judge of that spread hides, judged once, where 20 pairs are the fewest."""
    return visible_drop(
        AxisNoise(axis="tone", sessions=20, degrees=80, sd=sd),
        margin=margin,
        pairs=pairs,
        baseline_repeats=baseline_repeats,
        repeats=1,
        fewest=20,
        differing=differing,
    )


def test_the_visible_drop_by_hand() -> None:
    """METHOD §1.1: 2.4865 × sqrt((10² + 15² × (1/3 + 1)) / 50) with the noise, 10² without."""
    drop = drop_seen(15, pairs=50, baseline_repeats=3, differing=10)
    assert 2.486475 * math.sqrt((100 + 225 * 4 / 3) / 50) == pytest.approx(drop.with_noise)
    assert 2.486475 * math.sqrt(100 / 50) == pytest.approx(drop.without_noise)
    assert 2.486475 * math.sqrt(225 * 4 / 3 / 50) == pytest.approx(drop.judge_alone)


@pytest.mark.parametrize("margin", [3.0, 4.0, 5.0])
def test_what_is_needed_is_just_enough(margin: float) -> None:
    """With as many repeats, or sessions, the margin is visible; with one less it is not."""
    drop = drop_seen(15, pairs=60, margin=margin, baseline_repeats=3, differing=7)

    def seen(sessions: int, baseline: int, run: int) -> float:
        return 2.486475 * math.sqrt((49 + 225 * (1 / baseline + 1 / run)) / sessions)

    more, sessions = drop.repeats_needed, drop.sessions_needed
    assert more is not None
    assert sessions is not None
    assert seen(60, more, more) <= margin < seen(60, more - 1, more - 1)
    assert seen(sessions, 3, 1) <= margin < seen(sessions - 1, 3, 1)


def test_repeats_do_not_help_where_sessions_differ_too_much() -> None:
    """A true spread of 40 over 20 sessions hides a drop of 5 from the best of judges."""
    drop = drop_seen(1, pairs=20, differing=40)
    assert drop.repeats_needed is None
    assert 397 == drop.sessions_needed


def test_a_judge_that_never_varies_costs_nothing() -> None:
    """No drop is hidden by it, and the floor of pairs is all that is needed."""
    drop = drop_seen(0, pairs=60)
    assert (0.0, 1, 20) == (drop.judge_alone, drop.repeats_needed, drop.sessions_needed)


def test_differences_are_without_the_judges_part() -> None:
    """Differences of 20 up and down, a judge of sd 10: less 100 × (1/3 + 1) of the variance."""
    pairs = [pair(n, sign * 20.0, repeats=3) for n, sign in enumerate([1, -1] * 10)]
    observed = variance([20.0, -20.0] * 10)
    assert math.sqrt(observed - 400 / 3) == pytest.approx(differences_sd(pairs, 10))


def test_differences_that_noise_explains_are_none() -> None:
    """A judge noisier than what was seen leaves nothing to the sessions, and nothing below it."""
    pairs = [pair(n, sign * 2.0) for n, sign in enumerate([1, -1] * 10)]
    assert 0 == differences_sd(pairs, 50)


def test_identical_transcripts_say_nothing_of_differences() -> None:
    """Ten re-recorded sessions are the fewest."""
    pairs = [pair(n, 1.0 * n, changed=n < 9) for n in range(30)]
    assert differences_sd(pairs, 10) is None


def test_a_measured_spread_stands_in_for_repeats() -> None:
    """Twenty pairs judged once, a judge of sd 8, a standard error of 4: 64 × 2 / 20 / 16."""
    pairs = [pair(n, 1.0 * n) for n in range(20)]
    assert 64 * 2 / 20 / 16 == pytest.approx(noise_share(pairs, 4, 8))
    assert noise_share(pairs, 4) is None


def test_repeats_of_the_run_itself_come_first() -> None:
    """What was measured elsewhere does not overrule what these sessions show."""
    repeated = AxisScore(score=50, repeats=3, noise=6)
    pairs = [
        Pair(f"s{n}", ("session", f"s{n}"), repeated, AxisScore(score=60), digests=("was", "now"))
        for n in range(20)
    ]
    assert 36 * (1 / 3 + 1) / 20 / 16 == pytest.approx(noise_share(pairs, 4, 30))

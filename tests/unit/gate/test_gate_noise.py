"""The judge's noise and what it costs."""

from __future__ import annotations

import math

import pytest

from pytest_sessioneval.gate.noise import best_repeats, noise_floor


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

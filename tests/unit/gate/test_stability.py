"""How much a judge agrees with itself, and how many votes a panel is worth."""

from __future__ import annotations

import math

import pytest

from pytest_sessioneval.gate.agreement.stability import (
    effective_votes,
    flipped,
    mean_correlation,
    repeat_sd,
)


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

"""Thresholds: what is below, and how it is told."""

from pytest_sessioneval.suites.model import Thresholds
from pytest_sessioneval.suites.thresholds import Shortfall, below_mean, below_session

THRESHOLDS = Thresholds(session={"b": 40, "a": 60}, mean={"a": 70})


def test_every_missed_threshold_is_listed_in_the_files_order() -> None:
    """Not the first one only."""
    expected = (
        Shortfall(axis="b", score=20, threshold=40),
        Shortfall(axis="a", score=0, threshold=60),
    )
    assert expected == below_session(THRESHOLDS, {"a": 0, "b": 20, "c": 0})


def test_equality_passes() -> None:
    """A score that reaches its threshold is not below it."""
    assert below_session(THRESHOLDS, {"a": 60, "b": 40}) == ()


def test_sessions_and_means_have_thresholds_of_their_own() -> None:
    """The same scores may be enough for a session and not for the suite's mean."""
    assert below_session(THRESHOLDS, {"a": 65, "b": 65}) == ()
    assert tuple(missed.axis for missed in below_mean(THRESHOLDS, {"a": 65, "b": 65})) == ("a",)


def test_an_axis_without_a_score_is_not_below() -> None:
    """Unscored is never a number; it is reported elsewhere."""
    assert below_session(THRESHOLDS, {"c": 0}) == ()


def test_scores_are_compared_as_they_are_not_as_printed() -> None:
    """What rounds to the threshold can still be below it."""
    assert len(below_mean(THRESHOLDS, {"a": 69.96})) == 1


def test_the_rounding_of_binary_arithmetic_decides_nothing() -> None:
    """A mean that is the threshold but for the last bits of a float reaches it."""
    mean = sum([69.9, 70.1, 70.2, 69.8] * 5) / 20 - 1e-13
    assert mean < 70
    assert below_mean(THRESHOLDS, {"a": mean}) == ()

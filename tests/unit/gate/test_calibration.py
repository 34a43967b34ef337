"""Isotonic calibration and corrected pass rates, against the reference and by hand."""

import random

import pytest
from hypothesis import given, strategies as st

from pytest_sessioneval.gate.calibration import (
    FEWEST_LABELS,
    Calibration,
    calibrate,
    corrected_rate,
    isotonic,
)
from pytest_sessioneval.gate.correction import Labelled

POINTS = st.lists(
    st.tuples(st.sampled_from(range(0, 101, 10)), st.integers(0, 100)), min_size=1, max_size=40
)


def test_violators_are_pooled() -> None:
    """METHOD's example: 1, 0, 1, 1 over rising scores becomes .5, .5, 1, 1."""
    fit = isotonic([(10, 1), (20, 0), (30, 1), (40, 1)])
    assert [0.5, 0.5, 1, 1] == [fit(score) for score in (10, 20, 30, 40)]


def test_equal_scores_of_the_judge_share_one_value() -> None:
    """The reference implementation's result on ties and a violation at the end."""
    points = [(1, 3), (2, 1), (2, 5), (3, 2), (4, 8), (5, 7), (6, 7.5)]
    fit = isotonic(points)
    assert [2.75, 2.75, 2.75, 7.5, 7.5, 7.5] == [fit(score) for score in (1, 2, 3, 4, 5, 6)]


def test_between_knots_the_fit_is_a_straight_line_and_outside_it_is_level() -> None:
    """A judge that averages experts gives scores between the levels."""
    fit = isotonic([(20, 10), (40, 30)])
    assert [10, 10, 20, 30, 30] == [fit(score) for score in (0, 20, 30, 40, 100)]


@given(POINTS)
def test_the_fit_never_falls_and_keeps_the_mean(points: list[tuple[float, float]]) -> None:
    """What isotonic regression guarantees."""
    fit = isotonic(points)
    values = [fit(score) for score in range(101)]
    assert values == sorted(values)
    assert sum(human for _, human in points) == pytest.approx(
        sum(fit(judge) for judge, _ in points)
    )


def lenient(count: int, *, tasks: int | None = None) -> list[Labelled]:
    """Return labels of a judge that adds 25 points, and some noise."""
    chance = random.Random(3)  # noqa: S311 - a simulation
    labels = []
    for number in range(count):
        human = chance.choice((0, 20, 40, 60, 80, 100))
        judge = min(100, human + 25 + chance.choice((-5, 0, 5)))
        labels.append(Labelled(human, judge, number if tasks is None else number % tasks))
    return labels


def calibrated(labels: list[Labelled], others: list[float] | None = None) -> Calibration:
    """Return the calibration, which there is."""
    found = calibrate(labels, others or [])
    assert found is not None
    return found


def test_fewer_than_fifty_labels_are_too_few() -> None:
    """METHOD §2.4."""
    assert calibrate(lenient(FEWEST_LABELS - 1)) is None
    assert 50 == calibrated(lenient(FEWEST_LABELS)).labels


def test_a_lenient_judge_is_brought_down() -> None:
    """On labels that each fit has not seen, and in the mean over all sessions."""
    labels = lenient(80)
    found = calibrated(labels, [50.0, 100.0])
    assert 3 * found.error < found.raw_error
    people = sum(one.human for one in labels) / 80
    assert abs(found.mean - people) < 5 < found.raw_mean - people


def test_the_error_is_measured_on_labels_that_the_fit_has_not_seen() -> None:
    """A judge that knows nothing seems to help in sample; held out it does not."""
    chance = random.Random(5)  # noqa: S311 - a simulation
    labels = [Labelled(chance.randrange(101), chance.randrange(101), n) for n in range(60)]
    found = calibrated(labels)
    inside = sum(abs(found.function(one.judge) - one.human) for one in labels) / 60
    assert inside < found.error


def test_sessions_of_one_task_are_held_out_together() -> None:
    """With a single task there is nothing to hold out."""
    assert calibrate(lenient(60, tasks=1)) is None
    assert calibrate(lenient(60, tasks=6)) is not None


def test_the_version_follows_the_labels() -> None:
    """Equal labels, equal version; another label, another version."""
    labels = lenient(60)
    moved = [*labels[:-1], Labelled(labels[-1].human - 20, labels[-1].judge, 59)]
    assert calibrated(labels).version == calibrated(list(reversed(labels))).version
    assert calibrated(labels).version != calibrated(moved).version
    assert calibrated(labels).version.startswith("isotonic@1#")


def test_a_pass_rate_is_corrected_for_the_judge_s_mistakes() -> None:
    """METHOD's value: .80 at sensitivity .90 and specificity .75 is .84615."""
    rate = corrected_rate(passed=(160, 200), true_passes=(45, 50), true_fails=(36, 48), alpha=0.025)
    assert rate is not None
    assert 0.8461538461538464 == pytest.approx(rate.share, abs=1e-6)
    assert (0.7130241550830801, 1) == pytest.approx((rate.low, rate.high), abs=1e-6)


def test_the_interval_of_a_pass_rate_is_ninety_per_cent_by_default() -> None:
    """As every interval of the gate; the reference implementation's values."""
    rate = corrected_rate(passed=(160, 200), true_passes=(45, 50), true_fails=(36, 48))
    assert rate is not None
    assert (0.7373322603775475, 0.9912312404940539) == pytest.approx(
        (rate.low, rate.high), abs=1e-6
    )


@pytest.mark.parametrize(
    ("true_passes", "true_fails"),
    [((10, 20), (10, 20)), ((5, 20), (10, 20)), ((0, 0), (10, 20)), ((10, 20), (0, 0))],
    ids=["chance", "worse than chance", "no true pass", "no true fail"],
)
def test_a_judge_that_cannot_tell_gives_no_pass_rate(
    true_passes: tuple[int, int], true_fails: tuple[int, int]
) -> None:
    """Sensitivity and specificity must add up to more than 1."""
    assert corrected_rate(passed=(9, 10), true_passes=true_passes, true_fails=true_fails) is None

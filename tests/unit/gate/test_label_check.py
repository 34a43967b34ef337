"""A run's scores against people's random labels: bias, correction, calibration, passes."""

import random

import pytest

from pytest_sessioneval.gate.calibration import corrected_rate, isotonic
from pytest_sessioneval.gate.correction import Labelled, Unlabelled, corrected_estimate
from pytest_sessioneval.gate.label_check import LabelCheck, ScoredSession, check_labels
from pytest_sessioneval.gate.people import DrawScores

_CHANCE = random.Random(2)  # noqa: S311 - a simulation
PEOPLE = [_CHANCE.choice((0, 20, 40, 60, 80, 100)) for _ in range(90)]
SESSIONS = [
    ScoredSession(f"d{n}", min(100, human + 20 + _CHANCE.choice((-5, 0, 5))), ("session", f"s{n}"))
    for n, human in enumerate(PEOPLE)
]
"""A judge that adds 20 points."""


def draw(count: int, *, name: str = "q-1", drawn: int | None = None) -> DrawScores:
    """Return people's scores of the first ``count`` sessions."""
    return DrawScores(
        name=name,
        digests=frozenset(f"d{n}" for n in range(drawn or count)),
        scores={f"d{n}": PEOPLE[n] for n in range(count)},
    )


def checked(*draws: DrawScores, threshold: float | None = None) -> LabelCheck:
    """Return the check, which there is."""
    found = check_labels("tone", SESSIONS, draws, threshold=threshold)
    assert found is not None
    return found


def test_the_bias_is_that_of_the_labelled() -> None:
    """Means over the same thirty sessions."""
    found = checked(draw(30, drawn=40))
    assert (90, 40, 30) == (found.sessions, found.drawn, found.labels)
    assert sum(PEOPLE[:30]) / 30 == pytest.approx(found.people)
    assert sum(one.score for one in SESSIONS[:30]) / 30 == pytest.approx(found.judge)
    assert sum(one.score for one in SESSIONS) / 90 == pytest.approx(found.raw_mean)


def test_the_mean_is_corrected_as_a_difference_is() -> None:
    """PPI++ with people's scores for h and the judge's for j; the truth lies inside."""
    found = checked(draw(30))
    expected = corrected_estimate(
        [Labelled(PEOPLE[n], SESSIONS[n].score, n) for n in range(30)],
        [Unlabelled(SESSIONS[n].score, n) for n in range(30, 90)],
    )
    assert expected is not None
    assert expected.estimate.mean == pytest.approx(found.mean)
    assert found.low is not None
    assert found.high is not None
    assert found.low < sum(PEOPLE) / 90 < found.high < found.raw_mean


def test_a_calibration_needs_fifty_labels() -> None:
    """And says how many are missing."""
    assert (None, 1) == (checked(draw(49)).calibrated, checked(draw(49)).labels_missing)
    found = checked(draw(50)).calibrated
    assert found is not None
    assert isotonic([(SESSIONS[n].score, PEOPLE[n]) for n in range(50)]).knots == found.knots
    assert found.version.startswith("isotonic@1#")


def test_the_calibrated_mean_stands_beside_the_raw_one() -> None:
    """Nearer to people's, with its error on labels held out."""
    found = checked(draw(60))
    assert found.calibrated is not None
    truth = sum(PEOPLE) / 90
    assert abs(found.calibrated.mean - truth) < abs(found.raw_mean - truth) / 3
    assert found.calibrated.error < found.error


def test_passes_are_corrected_at_the_suite_s_threshold() -> None:
    """The judge passes what people would not: Rogan–Gladen on counts made here."""
    found = checked(draw(60), threshold=60).passes
    assert found is not None
    good = [n for n in range(60) if PEOPLE[n] >= 60]
    bad = [n for n in range(60) if PEOPLE[n] < 60]
    expected = corrected_rate(
        passed=(sum(one.score >= 60 for one in SESSIONS), 90),
        true_passes=(sum(SESSIONS[n].score >= 60 for n in good), len(good)),
        true_fails=(sum(SESSIONS[n].score < 60 for n in bad), len(bad)),
    )
    assert expected is not None
    assert (expected.share, expected.low, expected.high) == (found.share, found.low, found.high)
    assert expected.share < found.raw


def test_passes_of_a_judge_that_cannot_tell_are_not_corrected() -> None:
    """It passes everybody."""
    found = checked(draw(60), threshold=1).passes
    assert found is not None
    assert (None, None) == (found.share, found.low)


def test_the_draw_with_the_most_labels_counts() -> None:
    """Not the union."""
    assert ("q-2", 40) == (
        (found := checked(draw(30), draw(40, name="q-2"))).draw,
        found.labels,
    )


def test_without_a_label_there_is_nothing_to_say() -> None:
    """Nor without a draw."""
    assert check_labels("tone", SESSIONS, []) is None
    assert check_labels("tone", SESSIONS, [draw(0, drawn=10)]) is None


def test_one_label_has_no_interval() -> None:
    """A zero-width one would be a lie."""
    assert (None, None) == (checked(draw(1)).low, checked(draw(1)).high)

"""Judge drift: the canaries' rule."""

from __future__ import annotations

import pytest

from pytest_sessioneval.gate.drift import judge_drift

TWELVE = {f"canary-{number}": 50.0 + number for number in range(12)}


def shifted(by: list[float]) -> dict[str, float]:
    """Return the canaries' scores with these changes."""
    return {key: score + change for (key, score), change in zip(TWELVE.items(), by, strict=True)}


def test_unmoved_judge_is_steady() -> None:
    """The same scores again are no drift."""
    assert "steady" == judge_drift("tone", TWELVE, TWELVE).status


def test_clear_shift_is_drift() -> None:
    """Four points on twelve canaries, beyond chance: the judge moved."""
    drift = judge_drift("tone", TWELVE, shifted([4.0, 5.0, 3.0] * 4))
    assert ("moved", 4.0) == (drift.status, drift.shift)


def test_upward_shift_is_drift_too() -> None:
    """A judge that became harsher moved as much as one that became kinder."""
    statuses = [
        judge_drift("tone", TWELVE, shifted([sign * 4.0, sign * 5.0, sign * 3.0] * 4)).status
        for sign in (1, -1)
    ]
    assert ["moved", "moved"] == statuses


def test_equal_shift_is_drift() -> None:
    """Every canary five points lower leaves no spread, and no doubt."""
    assert "moved" == judge_drift("tone", TWELVE, shifted([-5.0] * 12)).status


def test_small_shift_is_no_drift_however_sure() -> None:
    """Below three points a shift matters to nobody."""
    assert "steady" == judge_drift("tone", TWELVE, shifted([2.0, 2.1, 1.9] * 4)).status


def test_noise_is_no_drift_however_large() -> None:
    """A mean shift of five that chance explains is no drift."""
    assert "steady" == judge_drift("tone", TWELVE, shifted([40.0, -30.0] * 6)).status


def test_p_value_by_hand() -> None:
    """Changes 1, 2, 3: mean 2, standard error 0.57735, t 3.4641 with 2 df, p .0742 two-sided."""
    then, now = {"a": 50.0, "b": 50.0, "c": 50.0}, {"a": 51.0, "b": 52.0, "c": 53.0}
    assert 0.0741799 == pytest.approx(judge_drift("tone", then, now).p_value, abs=1e-6)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_few_canaries_vouch_for_nothing(count: int) -> None:
    """Below ten canaries a judge is not called steady."""
    some = dict(list(TWELVE.items())[:count])
    assert "too_few" == judge_drift("tone", some, some).status


def test_few_equal_shifts_are_no_evidence() -> None:
    """Two canaries that fall alike have no spread to test against."""
    drift = judge_drift("tone", {"a": 50.0, "b": 60.0}, {"a": 40.0, "b": 50.0})
    assert ("too_few", -10.0) == (drift.status, drift.shift)


def test_canaries_on_one_side_are_ignored() -> None:
    """Only sessions scored then and now are compared."""
    assert 11 == judge_drift("tone", TWELVE, dict(list(TWELVE.items())[1:])).canaries

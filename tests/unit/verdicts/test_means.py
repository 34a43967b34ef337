"""Averages: over scored sessions only, against another way of computing them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from pytest_sessioneval.verdicts.means import (
    BUCKETS,
    AxisMean,
    axis_means,
    complexity_bucket,
    means_by_bucket,
)
from pytest_sessioneval.verdicts.model import AxisResult, PanelScore, Unscored, Verdict

quick = settings(deadline=None)
REASONS = (
    "not_applicable",
    "unsupported",
    "unverified",
    "tampered",
    "declined",
    "failed",
    "skipped",
)


def _axis(given_: Any) -> AxisResult:
    if isinstance(given_, str):
        return Unscored.model_validate({"reason": given_})
    return PanelScore(score=given_)


def _verdict(**axes: Any) -> Verdict:
    """Return a verdict: per axis a score or a reason there is none."""
    return Verdict(
        session_id="s",
        digest="d",
        axes={name: _axis(given_) for name, given_ in axes.items()},
    )


def _mean(axis: str, *verdicts: Verdict | None) -> AxisMean:
    (found,) = axis_means([axis], verdicts)
    return found


score = st.floats(0, 100, allow_nan=False) | st.integers(0, 100).map(float)
cell = st.none() | score | st.sampled_from(REASONS)
"""One session's result on one axis; None: the axis is not in its verdict."""
row = st.none() | st.fixed_dictionaries({"goal": cell, "task_complexity": cell})
"""One session's results; None: it has no verdict at all."""


def _table(rows: list[dict[str, Any] | None]) -> list[Verdict | None]:
    return [
        None
        if one is None
        else _verdict(**{name: given_ for name, given_ in one.items() if given_ is not None})
        for one in rows
    ]


@quick
@given(st.lists(row, max_size=40))
def test_means_agree_with_exact_arithmetic(rows: list[dict[str, Any] | None]) -> None:
    """Mean, minimum and counts are those of the column, computed with fractions."""
    column = [None if one is None else one["goal"] for one in rows]
    scores = [Fraction(cell_) for cell_ in column if isinstance(cell_, float)]
    found = _mean("goal", *_table(rows))
    if scores:
        assert float(sum(scores) / len(scores)) == pytest.approx(found.mean, abs=1e-9)
        assert float(min(scores)) == found.minimum
    else:
        assert (None, None) == (found.mean, found.minimum)
    assert len(scores) == found.scored
    assert {reason: column.count(reason) for reason in REASONS if reason in column} == (
        found.unscored
    )
    assert column.count(None) == found.unjudged


@quick
@given(st.lists(row, max_size=40))
def test_every_session_is_counted_once(rows: list[dict[str, Any] | None]) -> None:
    """Scored, unscored by reason and unjudged add up to the sessions there are."""
    for found in axis_means(["goal", "task_complexity", "absent"], _table(rows)):
        assert len(rows) == found.sessions
        assert len(rows) == found.scored + sum(found.unscored.values()) + found.unjudged


@quick
@given(st.lists(row, max_size=40))
def test_buckets_share_out_the_sessions(rows: list[dict[str, Any] | None]) -> None:
    """Every session with a complexity is in one bucket; together they make up the whole."""
    verdicts = _table(rows)
    buckets = means_by_bucket(["goal"], verdicts)
    bucketed = [verdict for verdict in verdicts if complexity_bucket(verdict) is not None]
    assert len(bucketed) == sum(mean.sessions for (mean,) in buckets.values())
    total = sum(mean.scored * (mean.mean or 0) for (mean,) in buckets.values())
    whole = _mean("goal", *bucketed)
    assert whole.scored * (whole.mean or 0) == pytest.approx(total, abs=1e-6)


def test_a_failed_session_is_not_a_zero() -> None:
    """What has no score neither raises nor lowers the mean; it stands beside it."""
    found = _mean("goal", _verdict(goal=80), _verdict(goal="failed"), None, _verdict(goal=40))
    assert (
        AxisMean(
            axis="goal",
            mean=60,
            minimum=40,
            scored=2,
            sessions=4,
            unscored={"failed": 1},
            unjudged=1,
        )
        == found
    )


def test_reasons_are_not_merged() -> None:
    """Each reason has a count of its own, by name."""
    verdicts = [_verdict(goal=reason) for reason in (*REASONS, "failed")]
    assert [
        ("declined", 1),
        ("failed", 2),
        ("not_applicable", 1),
        ("skipped", 1),
        ("tampered", 1),
        ("unsupported", 1),
        ("unverified", 1),
    ] == list(_mean("goal", *verdicts).unscored.items())


def test_no_sessions_have_no_mean() -> None:
    """Nothing is not zero."""
    assert AxisMean(axis="goal", mean=None, minimum=None, scored=0, sessions=0) == _mean("goal")


def test_means_come_in_the_order_asked_for() -> None:
    """One row per axis, in the rubric's order."""
    assert ["b", "a"] == [mean.axis for mean in axis_means(["b", "a"], [])]


@pytest.mark.parametrize(
    ("complexity", "bucket"),
    [
        (0, "0-25"),
        (25, "0-25"),
        (25.4, "26-50"),
        (26, "26-50"),
        (50, "26-50"),
        (50.01, "51-75"),
        (75, "51-75"),
        (75.5, "76+"),
        (100, "76+"),
        ("failed", None),
        ("unsupported", None),
    ],
)
def test_buckets_are_cut_by_the_unrounded_mean(complexity: Any, bucket: str | None) -> None:
    """The upper edge belongs to the bucket, and what is beyond it does not."""
    assert bucket == complexity_bucket(_verdict(task_complexity=complexity))


@pytest.mark.parametrize("verdict", [None, _verdict(goal=60)])
def test_without_a_complexity_there_is_no_bucket(verdict: Verdict | None) -> None:
    """A session that was not judged, or whose rubric has no such axis, is in none."""
    assert complexity_bucket(verdict) is None


def test_buckets_come_in_order_and_only_where_there_are_sessions() -> None:
    """From simple to complex, without empty ones."""
    verdicts = [_verdict(task_complexity=n) for n in (90, 10, 60)]
    assert ["0-25", "51-75", "76+"] == list(means_by_bucket(["goal"], verdicts))
    assert {"0-25", "51-75", "76+"} < set(BUCKETS)

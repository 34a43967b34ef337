"""What advice says against a baseline: new, persisting and fixed, and how sure that is."""

from __future__ import annotations

import pytest
from advice_suites import advice_on, baseline, only_cluster, said, session, suite


def test_new_and_persisting_are_told_by_the_baseline() -> None:
    """Below the reference then and now persists; below only now is new."""
    report = suite(*(session(name, {"tools": said(60, "loop")}) for name in "abc"))
    past = baseline("tools", {"a": 100, "b": 40, "gone": 20})
    found = only_cluster(advice_on(report, past=past))
    assert (1, 1, 3) == (found.new, found.persisting, found.sessions)


def test_the_trend_is_tested_exactly() -> None:
    """Nine new against two fixed: p = .06543 (Fay, exact2x2 vignette, its first example)."""
    names = [f"s{place:02}" for place in range(44)]
    was = [100] * 9 + [40] * 2 + [40] * 12 + [100] * 21
    now = [40] * 9 + [100] * 2 + [40] * 12 + [100] * 21
    report = suite(
        *(session(n, {"tools": said(s, "loop")}) for n, s in zip(names, now, strict=True))
    )
    past = baseline("tools", dict(zip(names, map(float, was), strict=True)))
    (trend,) = advice_on(report, past=past).trends
    assert (44, 9, 12, 2) == (trend.pairs, trend.new, trend.persisting, trend.fixed)
    assert trend.p == pytest.approx(0.06543, abs=5e-5)


def test_a_baseline_of_another_rubric_is_not_compared_with() -> None:
    """Scores of another rubric say nothing of these."""
    report = suite(session("a", {"tools": said(60, "loop")}))
    advice = advice_on(report, past=baseline("tools", {"a": 100}, rubric="agent@4#00000000"))
    assert ((), "the baseline was made with another rubric", None) == (
        advice.trends,
        advice.no_trend,
        only_cluster(advice).new,
    )

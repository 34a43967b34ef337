"""Where the rubric is doubted before the agent: experts who differ, and axes mostly null."""

from __future__ import annotations

import pytest
from advice_suites import JUDGE, advice_on, said, session, suite

from pytest_sessioneval.verdicts.model import Unscored


def test_low_agreement_points_at_the_rubric() -> None:
    """Experts who contradict each other on ten sessions read the axis differently."""
    pairs = [(0, 20), (20, 0), (40, 20), (20, 40), (60, 40)] * 2
    report = suite(
        *(
            session(f"s{place}", {"tools": said(one)}, {"tools": said(other)})
            for place, (one, other) in enumerate(pairs)
        )
    )
    (doubt,) = advice_on(report).doubts
    assert ("tools", "experts_differ", 10) == (doubt.axis, doubt.kind, doubt.sessions)
    values = [value for pair in pairs for value in pair]
    observed = sum((one - other) ** 2 for one, other in pairs) / len(pairs)
    expected = sum((a - b) ** 2 for a in values for b in values) / (20 * 19)
    assert doubt.alpha == pytest.approx(1 - observed / expected, abs=5e-5)


def test_experts_who_agree_raise_no_doubt() -> None:
    """Agreement is no news."""
    report = suite(
        *(
            session(f"s{score}", {"tools": said(score)}, {"tools": said(score)})
            for score in range(0, 100, 5)
        )
    )
    assert () == advice_on(report).doubts


@pytest.mark.parametrize(("nulls", "kinds"), [(5, ["often_null"]), (4, []), (10, [])])
def test_an_axis_that_is_mostly_null_is_doubtful(nulls: int, kinds: list[str]) -> None:
    """Not applicable in half of ten sessions is; in all of them the axis is simply not meant."""
    null = Unscored(reason="not_applicable")
    report = suite(
        *(session(f"n{place}", {"tools": null}) for place in range(nulls)),
        *(session(f"s{place}", {"tools": said(100)}) for place in range(10 - nulls)),
    )
    assert kinds == [doubt.kind for doubt in advice_on(report).doubts]


def test_experts_who_differ_on_whether_it_applies_are_told() -> None:
    """One finds nothing to score where the other scores."""
    null = Unscored(reason="not_applicable")
    report = suite(
        *(session(f"s{n}", {"tools": said(100)}, {"tools": null}) for n in range(3)),
        *(session(f"t{n}", {"tools": said(100)}, {"tools": said(100)}) for n in range(9)),
    )
    found = [(doubt.kind, doubt.sessions, doubt.of) for doubt in advice_on(report).doubts]
    assert [("null_or_not", 3, 12)] == found


def test_the_embedded_judge_raises_no_doubt_about_words() -> None:
    """Its nulls come from code."""
    null = Unscored(reason="not_applicable")
    report = suite(
        *(session(f"n{place}", {"tools": null}) for place in range(9)),
        session("s", {"tools": said(100)}),
        judge=JUDGE.model_copy(update={"model": "evidence"}),
    )
    assert () == advice_on(report).doubts

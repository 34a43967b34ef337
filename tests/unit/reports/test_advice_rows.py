"""Advice over rows of metric scores: deterministic, worst first, and harmless to show."""

from __future__ import annotations

import re

from hypothesis import given, strategies as st
from report_values import HOSTILE

from pytest_sessioneval.reports.advice.rows import AdvisedRow, advice_for_rows


def _row(number: int, **scores: float | None) -> AdvisedRow:
    return AdvisedRow(
        sample_id=f"session-score-{number}",
        scores=scores,
        question=f"Question {number}?",
        answer=f"Answer {number}.",
    )


def _heads(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("## ")]


def test_the_metric_that_loses_most_comes_first() -> None:
    """Metrics stand by what they take off the mean: (1 - .5 + 1 - .25) / 2 = .625 before .2."""
    rows = [_row(1, a=0.9, b=0.5), _row(2, a=0.7, b=0.25)]
    assert ["## 1. b: 0.625 of the mean lost", "## 2. a: 0.2 of the mean lost"] == _heads(
        advice_for_rows(rows)
    )


def test_a_threshold_is_what_a_loss_is_measured_from() -> None:
    """Points above the threshold make up for nothing below it."""
    rows = [_row(1, a=0.9), _row(2, a=0.4)]
    text = advice_for_rows(rows, {"a": 0.8})
    assert ["## 1. a: 0.2 of the mean lost"] == _heads(text)
    assert "- 1 of 2 rows below 0.8 (50 %, 90 % interval 12–88 %) · mean 0.650" in text


def test_a_metric_at_its_best_is_not_advised_on() -> None:
    """What loses nothing is told in one line."""
    text = advice_for_rows([_row(1, a=1.0)])
    assert [] == _heads(text)
    assert "Nothing lost on a." in text


def test_a_null_is_no_zero() -> None:
    """A metric that could not be measured loses nothing, and is counted as missing."""
    text = advice_for_rows([_row(1, a=0.5, b=None), _row(2, a=0.5, b=1.0)])
    assert ["## 1. a: 0.5 of the mean lost"] == _heads(text)
    assert "Not measured, of 2 scored rows: b in 1." in text


def test_poor_retrieval_is_told_beside_a_poor_answer() -> None:
    """Where the contexts were poor in most of the low rows, they are to be looked at first."""
    rows = [
        _row(1, faithfulness=0.2, context_recall=0.1),
        _row(2, faithfulness=0.3, context_recall=0.2),
    ]
    text = advice_for_rows(rows)
    assert "- in 2 of 2 of them what was retrieved is low, too: look at the retrieval" in text


def test_good_retrieval_points_at_the_answer() -> None:
    """Where the contexts were good, the making of the answer is to be looked at."""
    rows = [_row(number, faithfulness=0.2, context_recall=1.0) for number in (1, 2)]
    assert (
        "in 0 of 2 of them what was retrieved is low, too: look at how the answer"
        in advice_for_rows(rows)
    )


def test_the_lowest_rows_are_the_examples() -> None:
    """Three rows are quoted, the lowest first."""
    rows = [_row(number, a=score) for number, score in enumerate((0.4, 0.1, 0.3, 0.2))]
    found = re.findall(r"^- session-score-(\d)", advice_for_rows(rows), re.MULTILINE)
    assert ["1", "3", "2"] == found


def test_rows_that_failed_lead() -> None:
    """Errors of one type are told once, with the first row they met."""
    failed = AdvisedRow("session-score-9", {}, "q", "a", "TransportError: no connection")
    text = advice_for_rows([failed, _row(1, a=0.5)])
    assert "- **1 row could not be scored**, first session-score-9: TransportError: no" in text


def test_no_rows_are_no_advice() -> None:
    """Nothing is claimed of nothing."""
    assert "No metric has a value yet, so nothing can be said." in advice_for_rows([])


def test_what_a_row_says_is_no_markdown() -> None:
    """Questions, answers and names of metrics cannot make headings, links or HTML."""
    row = AdvisedRow(HOSTILE, {HOSTILE: 0.1}, HOSTILE, HOSTILE, HOSTILE)
    text = advice_for_rows([row])
    assert "<script" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "](" not in text.replace("\\](", "")


def test_other_scores_have_another_digest() -> None:
    """The digest moves with the rows."""
    found = [
        re.search("sha256:[0-9a-f]{16}", advice_for_rows([_row(1, a=score)]))
        for score in (0.5, 0.51)
    ]
    assert all(found)
    assert len({one.group() for one in found if one}) == 2


@given(st.permutations(["a", "b", "c"]))
def test_the_order_of_metrics_changes_no_byte(order: list[str]) -> None:
    """Equal rows give equal advice."""
    scores: dict[str, float | None] = {"a": 0.3, "b": 0.6, "c": None}
    shuffled = {metric: scores[metric] for metric in order}
    assert advice_for_rows([_row(1, **scores)]) == advice_for_rows([_row(1, **shuffled)])

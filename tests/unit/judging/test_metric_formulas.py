"""The formulas of retrieval metrics: published values, and independent computations."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

from pytest_sessioneval.judging.metrics.formulas import (
    answer_correctness,
    answer_relevancy,
    average_precision,
    cosine,
    f_beta,
    id_precision,
    id_recall,
    share,
    tool_call_f1,
)
from pytest_sessioneval.transcripts.model import ToolCall

_VERDICTS = st.lists(st.booleans(), max_size=12)
_COUNTS = st.integers(0, 40)
_IDS = st.lists(st.sampled_from("abcdef"), max_size=8)
_VECTORS = st.lists(st.floats(-10, 10).filter(lambda x: abs(x) > 1e-3), min_size=3, max_size=3)


def call(name: str, **arguments: object) -> ToolCall:
    """Return a call."""
    return ToolCall(name=name, arguments=arguments)


class TestValuesOfTheMethod:
    """The check values of METHOD section 6."""

    def test_average_precision(self) -> None:
        """[1, 0, 1] gives (1 + 2/3) / 2."""
        assert pytest.approx(0.8333, abs=5e-5) == average_precision([True, False, True])

    def test_f1(self) -> None:
        """TP 2, FP 1, FN 1 give .6667."""
        assert pytest.approx(0.6667, abs=5e-5) == f_beta(2, 1, 1)

    def test_answer_correctness(self) -> None:
        """With cosine .8: .75 · .6667 + .25 · .8 = .70."""
        assert pytest.approx(0.70) == answer_correctness(f_beta(2, 1, 1), 0.8)


class TestNothingIsNeverPerfect:
    """Where nothing was found there is no value."""

    @pytest.mark.parametrize(
        "value",
        [
            share([]),
            average_precision([]),
            f_beta(0, 0, 0),
            answer_correctness(None, 1.0),
            answer_relevancy([], noncommittal=False),
            id_precision([], ["a"]),
            id_recall(["a"], []),
            tool_call_f1([], []),
        ],
    )
    def test_no_value(self, value: float | None) -> None:
        """None, neither 0 nor 1."""
        assert value is None

    def test_no_useful_context_is_zero(self) -> None:
        """Contexts were ranked, and none was useful."""
        assert average_precision([False, False]) == 0

    def test_an_answer_that_commits_to_nothing_is_irrelevant(self) -> None:
        """However similar the questions made from it are."""
        assert answer_relevancy([1.0, 1.0, 1.0], noncommittal=True) == 0


@given(_VERDICTS)
def test_average_precision_is_the_area_by_steps(verdicts: list[bool]) -> None:
    """Equal to the mean over useful ranks of the exact share of useful ones up to there."""
    useful = [rank for rank, verdict in enumerate(verdicts, start=1) if verdict]
    shares = [Fraction(sum(verdicts[:rank]), rank) for rank in useful]
    expected = sum(shares) / len(shares) if shares else Fraction(0)
    assert (None if not verdicts else pytest.approx(float(expected))) == average_precision(verdicts)


@given(_COUNTS, _COUNTS, _COUNTS, st.sampled_from([0.5, 1.0, 2.0]))
def test_f_beta_is_the_weighted_harmonic_mean(tp: int, fp: int, fn: int, beta: float) -> None:
    """Equal to (1 + b²) P R / (b² P + R) wherever that is defined."""
    found = f_beta(tp, fp, fn, beta)
    if not tp:
        assert found == (None if not (fp or fn) else 0)
        return
    precision, recall = Fraction(tp, tp + fp), Fraction(tp, tp + fn)
    square = Fraction(beta) ** 2
    expected = (1 + square) * precision * recall / (square * precision + recall)
    assert pytest.approx(float(expected)) == found


@given(_VECTORS, _VECTORS)
def test_cosine_follows_from_distances(one: list[float], other: list[float]) -> None:
    """By the law of cosines: (|a|² + |b|² - |a-b|²) / 2|a||b|."""
    square = [sum(x * x for x in vector) for vector in (one, other)]
    apart = sum((x - y) ** 2 for x, y in zip(one, other, strict=True))
    expected = (square[0] + square[1] - apart) / (2 * (square[0] * square[1]) ** 0.5)
    assert pytest.approx(expected, abs=1e-6) == cosine(one, other)


def test_cosine_of_a_zero_vector_is_zero() -> None:
    """No direction is similar to none."""
    assert cosine([0, 0], [1, 0]) == 0


@given(_IDS, _IDS)
def test_ids_are_compared_as_sets(retrieved: list[str], wanted: list[str]) -> None:
    """A repeated id counts once, and order does not count."""
    hits = [one for one in sorted(set(retrieved)) if one in wanted]
    if retrieved:
        assert pytest.approx(len(hits) / len(set(retrieved))) == id_precision(retrieved, wanted)
    if wanted:
        assert pytest.approx(len(hits) / len(set(wanted))) == id_recall(retrieved, wanted)


class TestToolCalls:
    """Calls are equal in name and arguments."""

    def test_order_does_not_count(self) -> None:
        """Neither of calls nor of arguments."""
        made = [call("b"), call("a", x=1, y=[2])]
        assert tool_call_f1(made, [call("a", y=[2], x=1), call("b")]) == 1

    def test_another_argument_is_another_call(self) -> None:
        """One of two wanted was made, and one made was not wanted."""
        assert tool_call_f1([call("a", x=1), call("b")], [call("a", x=2), call("b")]) == 0.5

    def test_a_call_that_nobody_wanted(self) -> None:
        """No call was wanted, and one was made."""
        assert tool_call_f1([call("a")], []) == 0

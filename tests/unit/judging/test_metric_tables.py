"""Tables of statements: the score that they give."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, strategies as st
from metric_cases import (
    IN_CONTEXT,
    NOT_FOUND,
    Vectors,
    asked,
    case,
    facts,
    faithful,
    opinion,
    questions,
    ranked,
    reply,
    score,
    why_not,
    without,
)

from pytest_sessioneval.suites.metrics import METRICS, MetricName
from pytest_sessioneval.verdicts.model import Scored

_MARKS = st.lists(st.booleans(), max_size=8)


class TestScores:
    """Code computes them, by the formulas of METHOD section 6."""

    def test_faithfulness(self) -> None:
        """One of two statements is supported; the comment names the other."""
        given = opinion("faithfulness", faithful(IN_CONTEXT, NOT_FOUND))
        assert (50, "1 of 2 statements are supported by a context; not: Statement 1.") == (
            score(given),
            given.comment if isinstance(given, Scored) else "",
        )

    def test_context_recall(self) -> None:
        """Statements of the ground truth against the contexts."""
        rows = [{"statement": "a", "contexts": IN_CONTEXT}]
        assert 100 == score(opinion("context_recall", reply(ground_truth_statements=rows)))

    def test_context_precision_rewards_rank(self) -> None:
        """[0, 1] is half of [1, 0], whatever order the judge answers in."""
        second, first = ("M2", "Paris is in France and"), ("M1", "Rome lies in Italy")
        assert 50 == score(opinion("context_precision", ranked(second, ("M1", None))))
        assert 100 == score(opinion("context_precision", ranked(first, ("M2", None))))

    def test_the_values_of_the_method(self) -> None:
        """TP 2, FP 1, FN 1 give F1 .6667, and with cosine .8 a correctness of .70."""
        tables = facts([True, True, False], [True, False])
        assert 67 == score(opinion("factual_correctness", tables))
        vectors = Vectors(Paris=(1, 0))
        close = without(answer="Rome lies in France. Paris lies in France.")
        vectors = Vectors(Rome=(1, 0), Paris=(0.8, 0.6))
        answer, _ = asked(case("answer_correctness", sample=close), tables, vectors=vectors)
        assert 70 == score(answer.axes["answer_correctness"])

    def test_answer_relevancy(self) -> None:
        """The mean cosine of three questions with the one that was asked."""
        vectors = Vectors(Where=(1, 0), Near=(1, 0), Far=(0, 1), Half=(3, 4))
        answer, _ = asked(
            case("answer_relevancy"), questions("Near?", "Far?", "Half?"), vectors=vectors
        )
        assert round(100 * (1 + 0 + 0.6) / 3) == score(answer.axes["answer_relevancy"])

    def test_semantic_similarity_asks_no_judge(self) -> None:
        """It is the cosine alone."""
        near = without(answer="Rome.", ground_truth="Paris.")
        vectors = Vectors(Rome=(1, 0), Paris=(0.8, 0.6))
        answer, prompts = asked(case("semantic_similarity", sample=near), vectors=vectors)
        assert (80, []) == (score(answer.axes["semantic_similarity"]), prompts)

    @given(_MARKS)
    def test_any_ranking(self, useful: list[bool]) -> None:
        """Equal to the average precision computed exactly from the ranks."""
        texts = tuple(f"This is context number {at:03}." for at in range(len(useful)))
        labels = [f"M{at}" for at in range(1, len(useful) + 1)]
        rows = [
            (label, text if mark else None)
            for label, text, mark in zip(labels, texts, useful, strict=True)
        ]
        sample = without(contexts=texts)
        if not useful:
            assert "not_applicable" == why_not(opinion("context_precision", sample=sample))[0]
            return
        hits = [rank for rank, mark in enumerate(useful, start=1) if mark]
        shares = [Fraction(at, rank) for at, rank in enumerate(hits, start=1)]
        expected = sum(shares) / len(shares) if shares else Fraction(0)
        given = opinion("context_precision", ranked(*reversed(rows)), sample=sample)
        assert abs(100 * expected - score(given)) <= Fraction(1, 2)

    @given(_MARKS, _MARKS)
    def test_any_facts(self, stated: list[bool], wanted: list[bool]) -> None:
        """Equal to 2PR/(P+R), with P and R taken from the counts."""
        given = opinion("factual_correctness", facts(stated, wanted))
        right, missed = sum(stated), len(wanted) - sum(wanted)
        if not stated and not missed:
            assert "not_applicable" == why_not(given)[0]
            return
        precision = Fraction(right, len(stated)) if stated else Fraction(0)
        recall = Fraction(right, right + missed) if right + missed else Fraction(0)
        both = precision + recall
        expected = 2 * precision * recall / both if both else Fraction(0)
        assert abs(100 * expected - score(given)) <= Fraction(1, 2)


class TestNothingToCompare:
    """No statement is no score, and never a perfect one."""

    def test_an_answer_that_states_nothing(self) -> None:
        """Faithfulness of "I don't know" is null."""
        given = opinion("faithfulness", faithful(), sample=without(answer="I don't know."))
        assert ("not_applicable", "the answer makes no statement") == why_not(given)

    def test_no_statement_on_either_side(self) -> None:
        """Correctness is null."""
        assert "not_applicable" == why_not(opinion("factual_correctness", facts([], [])))[0]

    def test_an_answer_without_a_fact_that_was_wanted(self) -> None:
        """Is wrong: 0, not null."""
        assert 0 == score(opinion("factual_correctness", facts([], [False])))

    def test_an_answer_that_commits_to_nothing_is_irrelevant(self) -> None:
        """0, and the questions made from it are not compared."""
        vectors = Vectors(Where=(1, 0))
        tables = questions("Where?", "Where?", "Where?", noncommittal=True)
        answer, _ = asked(case("answer_relevancy"), tables, vectors=vectors)
        assert (0, []) == (score(answer.axes["answer_relevancy"]), vectors.asked)

    def test_an_empty_answer_asks_nobody(self) -> None:
        """It is irrelevant and incorrect, and states nothing that could be supported."""
        given = case("faithfulness", "factual_correctness", sample=without(answer=" "))
        answer, prompts = asked(given)
        assert 0 == score(answer.axes["factual_correctness"])
        assert "not_applicable" == why_not(answer.axes["faithfulness"])[0]
        assert [] == prompts

    @pytest.mark.parametrize("name", METRICS)
    def test_an_input_that_is_missing(self, name: MetricName) -> None:
        """Every metric says what it needs, and nobody is asked."""
        nothing = without(question="", contexts=(), ground_truth=None)
        reason, detail = why_not(opinion(name, sample=nothing))
        assert ("not_applicable", "needs ") == (reason, detail[:6])

    @pytest.mark.parametrize(
        "name", ["answer_relevancy", "answer_correctness", "semantic_similarity"]
    )
    def test_without_an_embedding_model(self, name: MetricName) -> None:
        """What compares texts is unsupported, and says how to get it."""
        reason, detail = why_not(opinion(name))
        assert "unsupported" == reason
        assert "--sessioneval-embedding-model" in detail

"""One sample scored without a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.sample_scoring import (
    METRICS,
    Sample,
    SampleScorer,
    ScorerTerms,
    effective,
)
from pytest_sessioneval.transcripts.model import ToolCall

SAMPLE = Sample(
    question="Where is Paris?",
    answer="Paris is in France.",
    contexts=("Paris is in France and is its capital.",),
)


@pytest.fixture
def scorer() -> Iterator[SampleScorer]:
    """Return a scorer that can ask nobody."""
    opened = SampleScorer(ScorerTerms(environ={}))
    yield opened
    opened.close()


class TestEffectiveMetrics:
    """Those whose inputs are present; the rest are skipped and listed."""

    def test_what_question_answer_and_contexts_allow(self) -> None:
        """Everything but what needs a ground truth, ids or calls."""
        found = effective(SAMPLE, METRICS)
        assert found.metrics == ("faithfulness", "answer_relevancy", "context_precision")
        assert list(found.skipped) == sorted(set(METRICS) - set(found.metrics))

    def test_what_a_ground_truth_adds(self) -> None:
        """Recall, correctness and similarity."""
        known = replace(SAMPLE, ground_truth="France")
        added = set(effective(known, METRICS).metrics) - set(effective(SAMPLE, METRICS).metrics)
        assert added == {
            "context_recall",
            "answer_correctness",
            "semantic_similarity",
            "factual_correctness",
        }

    def test_blank_inputs_are_missing(self) -> None:
        """Contexts and a ground truth of spaces hold nothing."""
        blank = replace(SAMPLE, contexts=(" ",), ground_truth="\n")
        assert effective(blank, ["faithfulness", "context_recall"]).metrics == ()

    def test_an_empty_answer_is_not_missing(self) -> None:
        """It is an answer, and a bad one."""
        empty = Sample(question="Why?", answer="", ground_truth="Because.")
        asked = ["answer_relevancy", "factual_correctness"]
        assert effective(empty, asked).metrics == tuple(asked)

    def test_an_unknown_metric(self) -> None:
        """Is refused with the nearest name."""
        with pytest.raises(SettingError, match="did you mean 'faithfulness'"):
            effective(SAMPLE, ["faithfullness"])


class TestTheEmbeddedJudge:
    """Words, ids and calls."""

    def test_faithfulness(self, scorer: SampleScorer) -> None:
        """Half of two sentences stands in the context."""
        half = replace(SAMPLE, answer="Paris is in France. Nobody lives there.")
        assert scorer.score(half, metrics=["faithfulness"]).scores == {"faithfulness": 50}

    def test_ids(self, scorer: SampleScorer) -> None:
        """One of two retrieved is wanted, and one of three wanted retrieved."""
        known = replace(SAMPLE, retrieved_ids=("a", "b"), reference_ids=("b", "c", "d"))
        asked = ["id_based_context_precision", "id_based_context_recall"]
        assert list(scorer.score(known, metrics=asked).scores.values()) == [50, 33]

    def test_calls(self, scorer: SampleScorer) -> None:
        """The one wanted was made."""
        calls = (ToolCall(name="search", arguments={"q": "Paris"}),)
        known = replace(SAMPLE, calls=calls, reference_calls=calls)
        assert scorer.score(known, metrics=["tool_call_f1"]).scores == {"tool_call_f1": 100}

    def test_the_rest_is_skipped(self, scorer: SampleScorer) -> None:
        """Null, listed in alphabetical order, each with its reason."""
        found = scorer.score(SAMPLE, metrics=["context_recall", "answer_relevancy"])
        assert dict(found.scores) == {"context_recall": None, "answer_relevancy": None}
        assert found.skipped == ("answer_relevancy", "context_recall")
        assert found.reasons["context_recall"] == "needs ground_truth"
        assert "ask a judge model" in found.reasons["answer_relevancy"]

    def test_an_answer_that_commits_to_nothing(self, scorer: SampleScorer) -> None:
        """Null and not skipped: it was looked at, and there is nothing to support."""
        refused = replace(SAMPLE, answer="I don't know.")
        found = scorer.score(refused, metrics=["faithfulness"])
        assert (dict(found.scores), found.skipped) == ({"faithfulness": None}, ())
        assert "commits to nothing" in found.reasons["faithfulness"]


@pytest.mark.parametrize("judge", ["recorded:/etc/passwd", "hook:mine", "", "openai:"])
def test_judges_that_a_request_may_not_choose(scorer: SampleScorer, judge: str) -> None:
    """Neither files nor code."""
    with pytest.raises(SettingError, match="judge_model"):
        scorer.score(SAMPLE, judge_model=judge)

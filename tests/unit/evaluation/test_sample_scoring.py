"""One sample scored without a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pytest_sessioneval.errors import JudgeError, SettingError
from pytest_sessioneval.evaluation.sample_scoring import (
    METRICS,
    Sample,
    SampleScorer,
    ScorerTerms,
    effective,
)
from pytest_sessioneval.judging.budget import BudgetSpentError
from pytest_sessioneval.testing import JudgeRequest, JudgeServer
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


@pytest.mark.parametrize(
    "judge", ["recorded:/etc/passwd", "hook:mine", "", "openai:", "openai:a b"]
)
def test_judges_that_a_request_may_not_choose(scorer: SampleScorer, judge: str) -> None:
    """Neither files nor code."""
    with pytest.raises(SettingError, match="judge_model"):
        scorer.score(SAMPLE, judge_model=judge)


class TestAJudgeModel:
    """Asked by the same protocol as for a session of a suite."""

    @pytest.fixture
    def server(self) -> Iterator[JudgeServer]:
        """Return a judge that marks by words."""
        with JudgeServer() as running:
            yield running

    @pytest.fixture
    def asking(self, server: JudgeServer) -> Iterator[SampleScorer]:
        """Return a scorer that asks the server."""
        opened = SampleScorer(ScorerTerms(environ=server.environ))
        yield opened
        opened.close()

    def test_all_that_the_inputs_allow(self, server: JudgeServer, asking: SampleScorer) -> None:
        """Tables once, questions once, and embeddings before and after."""
        known = replace(SAMPLE, ground_truth="Paris is in France.")
        found = asking.score(known, judge_model="openai:any", embedding_model="small")
        assert set(found.skipped) == {name for name in METRICS if name[:3] in {"id_", "too"}}
        assert found.scores["answer_correctness"] == 100
        assert (server.calls, found.spent.calls) == (4, 4)

    def test_only_what_is_asked_for_is_asked(
        self, server: JudgeServer, asking: SampleScorer
    ) -> None:
        """One metric takes one request."""
        assert asking.score(SAMPLE, metrics=["faithfulness"], judge_model="any").scores == {
            "faithfulness": 100
        }
        assert server.calls == 1

    def test_without_an_embedding_model(self, asking: SampleScorer) -> None:
        """What compares texts is skipped, and says why."""
        found = asking.score(SAMPLE, metrics=["answer_relevancy"], judge_model="openai:any")
        assert found.skipped == ("answer_relevancy",)
        assert "embedding model" in found.reasons["answer_relevancy"]

    def test_a_judge_that_gives_no_answer(self, server: JudgeServer, asking: SampleScorer) -> None:
        """Is an error, and no score."""
        server.fail(4, status=401, message="no")
        with pytest.raises(JudgeError, match="401"):
            asking.score(SAMPLE, metrics=["faithfulness"], judge_model="openai:any")

    def test_a_judge_that_proves_nothing(self) -> None:
        """Null with its reason, and not among the skipped."""
        mark = {"found": True, "message": "M1", "quote": "words that stand nowhere"}
        rows = [{"statement": "a", "contexts": mark}]

        def invented(request: JudgeRequest) -> str:
            return json.dumps(
                {
                    "nonce": request.nonce,
                    "instructions_found_in_transcript": [],
                    "answer_statements": rows,
                }
            )

        with JudgeServer(invented) as inventing:
            scorer = SampleScorer(ScorerTerms(environ=inventing.environ))
            found = scorer.score(SAMPLE, metrics=["faithfulness"], judge_model="openai:any")
            scorer.close()
        assert (dict(found.scores), found.skipped) == ({"faithfulness": None}, ())
        assert found.reasons["faithfulness"].startswith("unverified: marks without proof")

    def test_a_budget_holds(self, server: JudgeServer) -> None:
        """Of the scorer's whole life."""
        scorer = SampleScorer(ScorerTerms(environ=server.environ, max_calls=1))
        scorer.score(SAMPLE, metrics=["faithfulness"], judge_model="openai:any")
        with pytest.raises(BudgetSpentError):
            scorer.score(SAMPLE, metrics=["faithfulness"], judge_model="openai:any")
        scorer.close()

    def test_many_at_once_share_a_judge(self, server: JudgeServer, asking: SampleScorer) -> None:
        """From any thread, each sample its own score."""
        answers = ["Paris is in France.", "Rome lies in Spain."] * 10

        def score(answer: str) -> int | None:
            sample = replace(SAMPLE, answer=answer)
            found = asking.score(sample, metrics=["faithfulness"], judge_model="openai:any")
            return found.scores["faithfulness"]

        with ThreadPoolExecutor(8) as pool:
            assert [100, 0] * 10 == list(pool.map(score, answers))
        assert server.calls == 20

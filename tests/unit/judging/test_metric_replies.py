"""Tables of statements: which replies are not accepted."""

from __future__ import annotations

import pytest
from metric_cases import (
    IN_CONTEXT,
    Vectors,
    asked,
    case,
    faithful,
    found,
    questions,
    ranked,
    reply,
    score,
)

from pytest_sessioneval.errors import ReplyError
from pytest_sessioneval.suites.metrics import MetricName


class TestRepliesThatAreNotAccepted:
    """Each names what is wrong; asked once more, then an error."""

    @pytest.mark.parametrize(
        ("name", "tables", "said"),
        [
            ("faithfulness", reply(), "the reply lacks answer_statements"),
            ("faithfulness", "no JSON", "the reply is no JSON object"),
            (
                "faithfulness",
                reply(answer_statements=[{"statement": "a"}]),
                "answer_statements[0] lacks contexts",
            ),
            (
                "faithfulness",
                faithful({"found": True, "message": None, "quote": "a"}),
                "message is no label",
            ),
            ("faithfulness", faithful(found("M2", " ")), "found is true without a quote"),
            (
                "faithfulness",
                faithful({"found": "yes", "message": None, "quote": ""}),
                "answer_statements.0.contexts.found",
            ),
            (
                "faithfulness",
                reply(answer_statements=[], contexts=[]),
                "contexts was not asked for",
            ),
            (
                "faithfulness",
                reply(answer_statements=[], score=100),
                "score: Extra inputs are not permitted",
            ),
            (
                "faithfulness",
                reply(answer_statements=[]).replace("0123", "9999"),
                "nonce must be 0123456789abcdef0123456789abcdef",
            ),
            (
                "faithfulness",
                '{"nonce": "a", "nonce": "b"}',
                "the reply is no JSON object",
            ),
            (
                "context_precision",
                ranked(("M1", None)),
                "contexts lacks M2; judge every context exactly once",
            ),
            (
                "context_precision",
                ranked(("M1", None), ("M1", None), ("M2", None)),
                "M1 is there twice",
            ),
            ("context_precision", ranked(("M3", None)), "M3 is no context; they are M1, M2"),
        ],
    )
    def test_refused(self, name: MetricName, tables: str, said: str) -> None:
        """After one repair the error tells both."""
        with pytest.raises(ReplyError) as caught:
            asked(case(name), tables, tables)
        assert said in str(caught.value)

    def test_two_questions_are_too_few(self) -> None:
        """Three are asked for."""
        tables = questions("One?", " ", "Two?")
        with pytest.raises(ReplyError, match="must hold 3 questions, found 2"):
            asked(case("answer_relevancy"), tables, tables, vectors=Vectors())

    def test_a_repair_that_is_accepted(self) -> None:
        """Counts as the reply."""
        answer, prompts = asked(case("faithfulness"), "{}", faithful(IN_CONTEXT))
        assert (100, 2) == (score(answer.axes["faithfulness"]), len(prompts))

"""The real ragas library against the same judge: by the same marks, the same scores.

Needs the extra ``ragas``, which the ordinary tests do without: it brings
hundreds of megabytes. Judge and embeddings are a loopback server that marks by
words, for both.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pytest_sessioneval.cli import program
from pytest_sessioneval.errors import JudgeError, SettingError
from pytest_sessioneval.evaluation.ragas_parity import SHARED_METRICS, RagasScorer
from pytest_sessioneval.evaluation.sample_scoring import Sample, SampleScorer, ScorerTerms
from pytest_sessioneval.suites.metrics import MetricName
from pytest_sessioneval.testing import JudgeRequest, JudgeServer, faithful_reply
from pytest_sessioneval.testing.tables import questions_from, related, says, sentences
from pytest_sessioneval.transcripts.model import ToolCall

pytestmark = pytest.mark.filterwarnings("default")  # the library's own are its makers' affair

_INSTALLED = importlib.util.find_spec("ragas") is not None
_needs_ragas = pytest.mark.skipif(
    not _INSTALLED, reason="the extra is not installed: pip install 'pytest-sessioneval[ragas]'"
)
_TITLE = re.compile(r'"title": "(\w+Output|ClassificationWithReason)"')
_INPUT = re.compile(r"\binput: (\{.*\})\s*Output:", re.DOTALL)


def _call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall(name=name, arguments=arguments)


SAMPLES = (
    Sample(
        "Where is Paris?",
        "Paris lies in France. Forty million people live there.",
        ("Rome lies in Italy.", "Paris lies in France and is its capital."),
        "Paris lies in France. It stands beside the Seine.",
        calls=(_call("search", q="Paris"), _call("open", page=1)),
        reference_calls=(_call("search", q="Paris"),),
    ),
    Sample(
        "Who wrote Faust?",
        "Goethe wrote Faust.",
        ("Goethe wrote Faust in two parts.", "Schiller wrote The Robbers.", "Bread needs yeast."),
        "Faust was written by Goethe.",
        calls=(_call("search", q="Faust"),),
        reference_calls=(_call("open", page=1), _call("open", page=2)),
    ),
    Sample(
        "How tall is the tower?",
        "The tower measures three hundred metres. Workers painted the tower green.",
        ("Bridges cross rivers.", "Some paint dries quickly.", "The tower measures much."),
        "The tower measures three hundred metres.",
    ),
    Sample(
        "When did the war end?",
        "The war ended during autumn.",
        ("The treaty ended the war during autumn.",),
    ),
)


def _by_words(request: JudgeRequest) -> str:
    """Answer the library's prompts by the rule that ``filled_tables`` marks by."""
    title = _TITLE.search(request.text)
    if title is None:
        return faithful_reply(request)
    asked = json.loads(_INPUT.findall(request.text)[-1])
    return json.dumps(_reply(title.group(1), asked))


_turns = itertools.cycle(range(3))


def _reply(title: str, asked: dict[str, Any]) -> dict[str, Any]:
    why = "by words"
    match title:
        case "StatementGeneratorOutput":
            return {"statements": sentences(asked["answer"])}
        case "ClaimDecompositionOutput":
            return {"claims": sentences(asked["response"])}
        case "NLIStatementOutput":
            marks = [(each, says(asked["context"], each)) for each in asked["statements"]]
            rows = [{"statement": s, "reason": why, "verdict": int(mark)} for s, mark in marks]
            return {"statements": rows}
        case "ContextRecallOutput":
            marks = [(each, says(asked["context"], each)) for each in sentences(asked["answer"])]
            rows = [{"statement": s, "reason": why, "attributed": int(mark)} for s, mark in marks]
            return {"classifications": rows}
        case "ContextPrecisionOutput":
            return {"reason": why, "verdict": int(related(asked["context"], asked["answer"]))}
        case "AnswerRelevanceOutput":
            answer = asked["response"]
            question = questions_from(answer)[next(_turns)]
            return {"question": question, "noncommittal": int(not sentences(answer))}
        case _:
            answer, truth = asked["answer"], asked["ground_truth"]
            both = {
                "TP": [each for each in answer if says(" ".join(truth), each)],
                "FP": [each for each in answer if not says(" ".join(truth), each)],
                "FN": [each for each in truth if not says(" ".join(answer), each)],
            }
            return {
                kind: [{"statement": each, "reason": why} for each in found]
                for kind, found in both.items()
            }


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    """Return a judge that marks by words, for the library and for us."""
    with JudgeServer(_by_words) as running:
        yield running


def _theirs(server: JudgeServer, sample: Sample, name: MetricName) -> float | None:
    scorer = RagasScorer(server.environ, judge_model="openai:any", embedding_model="small")
    return scorer.score([sample], [name])[0][name]


def _ours(server: JudgeServer, sample: Sample, name: MetricName) -> int | None:
    scorer = SampleScorer(ScorerTerms(environ=server.environ))
    try:
        found = scorer.score(
            sample, metrics=[name], judge_model="openai:any", embedding_model="small"
        )
    finally:
        scorer.close()
    return found.scores[name]


@_needs_ragas
@pytest.mark.parametrize("number", range(len(SAMPLES)))
@pytest.mark.parametrize("name", SHARED_METRICS)
def test_the_same_marks_give_the_same_score(
    server: JudgeServer, name: MetricName, number: int
) -> None:
    """To the rounding: ours to whole points, the library's facts to two decimals."""
    theirs, ours = _theirs(server, SAMPLES[number], name), _ours(server, SAMPLES[number], name)
    assert (theirs is None) is (ours is None)
    if theirs is not None and ours is not None:
        assert pytest.approx(100 * theirs, abs=1.0) == ours


@_needs_ragas
class TestWhereWeDiffer:
    """On purpose; docs/rag.md and decision 0021 say why."""

    def test_an_answer_without_a_statement_is_not_correct(self, server: JudgeServer) -> None:
        """The library takes it for a perfect match of facts."""
        sample = Sample("Why?", "I don't know.", (), "Because the tide turned.")
        theirs = _theirs(server, sample, "answer_correctness")
        ours = _ours(server, sample, "answer_correctness")
        assert theirs is not None
        assert theirs >= 0.75
        assert ours is not None
        assert ours < 25

    def test_faithfulness_of_no_statement_is_null_for_both(self, server: JudgeServer) -> None:
        """Not a number there, no score here."""
        sample = Sample("Why?", "I don't know.", ("Because the tide turned.",))
        assert _theirs(server, sample, "faithfulness") is None
        assert _ours(server, sample, "faithfulness") is None


@_needs_ragas
def test_the_command_prints_both(server: JudgeServer, tmp_path: Path) -> None:
    """Per metric: pairs, both means, how far apart on the mean and at most."""
    path = tmp_path / "samples.jsonl"
    lines = [
        {"question": each.question, "answer": each.answer, "contexts": list(each.contexts)}
        for each in SAMPLES
    ]
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    result = CliRunner(env=server.environ).invoke(
        program, ["ragas-parity", str(path), "--judge=openai:any", "--embedding-model=small"]
    )
    assert 0 == result.exit_code, result.output
    rows = {line.split()[0]: line.split()[1:] for line in result.output.splitlines()[2:]}
    assert [*SHARED_METRICS] == [*rows]
    assert ["0", "-", "-", "-", "-"] == rows["context_recall"]
    for name in ("faithfulness", "answer_relevancy", "context_precision"):
        count, _, _, _, most = rows[name]
        assert "4" == count
        assert float(most) <= 1.0


@_needs_ragas
def test_the_library_reports_its_use_to_nobody() -> None:
    """It is told so before it is imported."""
    RagasScorer(
        {"SESSIONEVAL_BASE_URL": "http://localhost:1"}, judge_model="openai:m", embedding_model=None
    )
    assert "true" == os.environ["RAGAS_DO_NOT_TRACK"]


@_needs_ragas
def test_what_the_library_raises_is_one_error(server: JudgeServer) -> None:
    """Of one line."""
    server.say(*["{}"] * 20)
    with pytest.raises(JudgeError, match="ragas failed on faithfulness") as caught:
        _theirs(server, SAMPLES[0], "faithfulness")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name one with --judge openai:MODEL"),
        (("--judge=evidence",), "openai:MODEL, found 'evidence'"),
    ],
)
def test_the_command_needs_a_judge(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """That both can ask."""
    path = tmp_path / "samples.jsonl"
    path.write_text('{"question": "a", "answer": "b"}', "utf-8")
    environ = {"SESSIONEVAL_JUDGE": ""}
    result = CliRunner(env=environ).invoke(program, ["ragas-parity", str(path), *arguments])
    assert 2 == result.exit_code
    assert said in result.output


@pytest.mark.skipif(_INSTALLED, reason="the extra is installed")
def test_without_the_extra_it_is_told_how_to_get_it() -> None:
    """The exact command."""
    with pytest.raises(SettingError, match=r"pip install 'pytest-sessioneval\[ragas\]'"):
        RagasScorer({}, judge_model="openai:m", embedding_model=None)


@pytest.mark.parametrize("judge", ["evidence", "anthropic:m", "openai:"])
def test_a_judge_that_the_library_cannot_ask(judge: str) -> None:
    """Only OpenAI's protocol is spoken."""
    with pytest.raises(SettingError, match="openai:MODEL"):
        RagasScorer({}, judge_model=judge, embedding_model=None)

"""Samples judged by a model: one panel, one store, one budget, as for any session."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_sessioneval.testing import JudgeServer

SECRET = "ghp_" + "A1b2" * 9
SAMPLE = {
    "id": "paris",
    "question": "Where is Paris?",
    "answer": "Paris is in France. Nobody lives there.",
    "contexts": ["Rome is in Italy.", "Paris is in France and is its capital."],
    "ground_truth": f"Paris is the capital of France. {SECRET}",
    "retrieved_ids": ["a", "b"],
    "reference_ids": ["b"],
    "reference_tool_calls": [],
    "tool_calls": [{"name": "search", "args": {}}],
}
SUITE = '[suite]\nrubric = "rag"\n'
EMBEDDINGS = '[judge]\nembedding_model = "small"\n'


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester) -> Iterator[JudgeServer]:
    """Have a suite of one sample judged by a loopback server."""
    _write(pytester, json.dumps(SAMPLE), SUITE + EMBEDDINGS)
    with JudgeServer() as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SESSIONEVAL_JUDGE", "openai:loopback")
        yield running


def _write(pytester: pytest.Pytester, samples: str, suite: str = SUITE) -> None:
    folder = pytester.path / "rag"
    folder.mkdir(exist_ok=True)
    (folder / "samples.jsonl").write_text(samples, "utf-8")
    (folder / "sessioneval.toml").write_text(suite, "utf-8")


def _axes(pytester: pytest.Pytester) -> dict[str, Any]:
    """Return what the last run's report says of the one sample's axes."""
    paths = (pytester.path / ".sessioneval" / "runs").glob("*/report.json")
    last = max(paths, key=lambda path: path.stat().st_mtime_ns)  # ids of one second are in no order
    report = json.loads(last.read_text("utf-8"))
    (session,) = report["suites"][0]["sessions"]
    axes: dict[str, Any] = session["verdict"]["axes"]
    return axes


def _scores(pytester: pytest.Pytester) -> dict[str, float | None]:
    return {name: axis.get("score") for name, axis in _axes(pytester).items()}


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
@pytest.mark.usefixtures("server")
def test_every_metric_has_its_score(
    pytester: pytest.Pytester, server: JudgeServer, workers: tuple[str, ...]
) -> None:
    """Two questions to the judge and two requests for embeddings; code computes the rest."""
    result = pytester.runpytest("rag", *workers)
    result.assert_outcomes(passed=1)
    scores = _scores(pytester)
    assert {
        "faithfulness": 50,
        "context_precision": 50,
        "context_recall": 50,
        "factual_correctness": 40,  # TP 1, FP 1, FN 2: the placeholder is no fact of the answer
        "id_based_context_precision": 50,
        "id_based_context_recall": 100,
        "tool_call_f1": 0,
    } == {name: score for name, score in scores.items() if name not in _COMPARED}
    assert all(isinstance(scores[name], float) for name in _COMPARED)
    paths = sorted(request.path for request in server.requests)
    assert ["/chat/completions"] * 2 + ["/embeddings"] * 2 == paths


_COMPARED = ("answer_relevancy", "answer_correctness", "semantic_similarity")


def test_a_second_run_asks_nobody(pytester: pytest.Pytester, server: JudgeServer) -> None:
    """Verdicts of metrics are kept like any other, and another ground truth is another case."""
    pytester.runpytest("rag")
    before = server.calls
    pytester.runpytest("rag").assert_outcomes(passed=1)
    assert before == server.calls
    _write(pytester, json.dumps({**SAMPLE, "ground_truth": "France."}), SUITE + EMBEDDINGS)
    pytester.runpytest("rag").assert_outcomes(passed=1)
    assert before < server.calls


def test_another_embedding_model_is_another_judge(
    pytester: pytest.Pytester, server: JudgeServer
) -> None:
    """Scores of two models are not mixed."""
    pytester.runpytest("rag")
    before = server.calls
    pytester.runpytest("rag", "--sessioneval-embedding-model=large").assert_outcomes(passed=1)
    assert before < server.calls
    assert "large" == server.requests[-1].body["model"]


def test_secrets_do_not_leave(pytester: pytest.Pytester, server: JudgeServer) -> None:
    """Neither to the judge nor to the embedding model, also of a ground truth."""
    pytester.runpytest("rag")
    assert all(SECRET.encode() not in request.content for request in server.requests)
    assert any(b"[REDACTED:" in request.content for request in server.requests)


@pytest.mark.usefixtures("server")
def test_metrics_that_compare_texts_need_a_model(pytester: pytest.Pytester) -> None:
    """Without one they have no score, which a threshold makes a usage error that says so."""
    _write(pytester, json.dumps(SAMPLE))
    pytester.runpytest("rag").assert_outcomes(passed=1)
    assert {"unsupported"} == {_axes(pytester)[name].get("reason") for name in _COMPARED}
    _write(pytester, json.dumps(SAMPLE), SUITE + "[thresholds.mean]\nanswer_correctness = 50\n")
    result = pytester.runpytest("rag")
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(["*answer_correctness*--sessioneval-embedding-model*"])


def test_an_embedding_model_that_fails_costs_no_judgement(
    pytester: pytest.Pytester, server: JudgeServer
) -> None:
    """Texts are compared first: what fails is not scored, and the judge is not asked."""
    server.fail(8, status=401, message="no such key")
    result = pytester.runpytest("rag")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines_random(["*401*no such key*"])
    asked = [request.path for request in server.requests if "chat" in request.path]
    assert len(asked) <= 1  # who makes questions needs no embedding beforehand


@pytest.mark.usefixtures("server")
def test_a_recording_replays_tables(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saved replies give the same scores again, asking nobody; embeddings are not recorded."""
    recording = pytester.path / "rag" / "recording.jsonl"
    monkeypatch.setenv("SESSIONEVAL_RECORD", str(recording))
    pytester.runpytest("rag")
    scores = _scores(pytester)
    monkeypatch.delenv("SESSIONEVAL_RECORD")
    recording.rename(pytester.path / "rag" / "recorded.txt")
    result = pytester.runpytest(
        "rag", "--sessioneval-judge=recorded:recorded.txt", "--sessioneval-store=sqlite:///new.db"
    )
    result.assert_outcomes(passed=1)
    replayed = _scores(pytester)
    assert {name: score for name, score in scores.items() if name not in _COMPARED} == {
        name: score for name, score in replayed.items() if name not in _COMPARED
    }
    assert {None} == {replayed[name] for name in _COMPARED}


def test_a_panel_of_ones_own(pytester: pytest.Pytester, server: JudgeServer) -> None:
    """An expert answers metrics or levels, and questions are made by one who sees no other."""
    expert = '[[judge.experts]]\nid = "all"\ninstruction = "Look."\naxes = [{}]\n'
    both = expert.format('"faithfulness", "answer_relevancy"')
    _write(pytester, json.dumps(SAMPLE), SUITE + both)
    result = pytester.runpytest("rag")
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(["*answer_relevancy and others: give it an expert of its own*"])
    _write(pytester, json.dumps(SAMPLE), SUITE + expert.format('"faithfulness"'))
    pytester.runpytest("rag").assert_outcomes(passed=1)
    assert ["/chat/completions"] == [request.path for request in server.requests]
    assert "Look." in server.requests[0].text

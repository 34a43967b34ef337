"""Samples from files as items: the same selection, thresholds, gate and reports as sessions."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

PARIS = {
    "id": "paris",
    "question": "Where is Paris?",
    "answer": "Paris is in France.",
    "contexts": ["Paris is in France and is its capital."],
    "ground_truth": "It lies on the Seine.",
    "retrieved_ids": ["d1", "d2"],
    "reference_ids": ["d1"],
}
FAUST = {
    "id": "faust",
    "question": "Who wrote Faust?",
    "answer": "Schiller did so in 1999.",
    "contexts": ["Faust was written by Goethe."],
}
SUITE = '[suite]\nrubric = "rag"\n[thresholds.session]\nfaithfulness = 60\n'
GATE = '[gate]\naxes = ["faithfulness"]\nmin_pairs = 2\n'


@pytest.fixture
def samples(pytester: pytest.Pytester) -> None:
    """Write a suite of two samples."""
    lines = [json.dumps(sample) for sample in (PARIS, FAUST)]
    _write(pytester, "samples.jsonl", "\n".join(lines))
    _write(pytester, "sessioneval.toml", SUITE)


def _write(pytester: pytest.Pytester, name: str, text: str) -> None:
    path = pytester.path / "rag" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")


def _report(pytester: pytest.Pytester) -> dict[str, Any]:
    (path,) = (pytester.path / ".sessioneval" / "runs").glob("*/report.json")
    suite: dict[str, Any] = json.loads(path.read_text("utf-8"))["suites"][0]
    return suite


@pytest.mark.usefixtures("samples")
def test_a_sample_below_its_threshold_fails(pytester: pytest.Pytester) -> None:
    """One item each, named by the sample's id."""
    result = pytester.runpytest("-v", "rag")
    result.stdout.fnmatch_lines_random(
        [
            "rag/samples.jsonl::paris PASSED*",
            "rag/samples.jsonl::faust FAILED*",
            "*faithfulness 0*",
        ]
    )
    assert pytest.ExitCode.TESTS_FAILED == result.ret


@pytest.mark.usefixtures("samples")
def test_what_is_missing_is_a_reason_and_no_number(pytester: pytest.Pytester) -> None:
    """Null with the inputs that the sample lacks; the ids of the other are scored."""
    pytester.runpytest("rag")
    axes = {
        session["session_id"]: session["verdict"]["axes"]
        for session in _report(pytester)["sessions"]
    }
    assert axes["faust"]["id_based_context_recall"] == {
        "kind": "unscored",
        "reason": "not_applicable",
        "detail": "needs retrieved_ids and reference_ids",
        "evidence": [],
        "masked_score": None,
    }
    assert 50 == axes["paris"]["id_based_context_precision"]["score"]


def test_a_table_named_on_the_command_line(pytester: pytest.Pytester) -> None:
    """A CSV file is a file of sessions."""
    with (pytester.path / "samples.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["question", "answer", "contexts"])
        rows.writerow(["Where?", "In\nFrance, there.", '["In France, there.", "b"]'])
    result = pytester.runpytest("--sessioneval", "--sessioneval-rubric=rag", "-v", "samples.csv")
    result.stdout.fnmatch_lines_random(["samples.csv PASSED*", " faithfulness * 100.0 *"])


def test_a_table_without_samples_is_an_error_when_it_is_named(pytester: pytest.Pytester) -> None:
    """It says which columns are looked for."""
    (pytester.path / "prices.csv").write_text("name,price\na,1\n", "utf-8")
    result = pytester.runpytest("--sessioneval", "prices.csv")
    result.stdout.fnmatch_lines_random(["*prices.csv*no session*"])
    assert pytest.ExitCode.OK != result.ret


@pytest.mark.usefixtures("samples")
def test_a_broken_sample_is_an_item_that_errors(pytester: pytest.Pytester) -> None:
    """The others are judged; the error names the line."""
    lines = [json.dumps(PARIS), json.dumps({"question": "why", "contexts": [1.5], "answer": ""})]
    _write(pytester, "samples.jsonl", "\n".join(lines))
    result = pytester.runpytest("rag")
    result.stdout.fnmatch_lines_random(["*samples.jsonl:2: contexts?0? is a number*"])
    result.assert_outcomes(passed=2, errors=1)  # the sample, and the suite's thresholds


@pytest.mark.usefixtures("samples")
def test_a_metric_nobody_computes_cannot_be_a_threshold(pytester: pytest.Pytester) -> None:
    """With the embedded judge that is a usage error which says what to do."""
    _write(pytester, "sessioneval.toml", SUITE.replace("faithfulness", "context_recall"))
    result = pytester.runpytest("rag")
    result.stderr.fnmatch_lines(["*context_recall*ask a judge model for this metric*"])
    assert pytest.ExitCode.USAGE_ERROR == result.ret


@pytest.mark.usefixtures("samples")
def test_metrics_can_be_gated(pytester: pytest.Pytester) -> None:
    """A worse answer to one of the questions is a regression by the same rules."""
    _write(pytester, "sessioneval.toml", SUITE.partition("[thresholds")[0] + GATE)
    pytester.runpytest("rag", "--sessioneval-update-baseline")
    assert pytest.ExitCode.OK == pytester.runpytest("rag").ret
    worse = [{**PARIS, "answer": "Nobody can tell you that."}, FAUST]
    _write(pytester, "samples.jsonl", "\n".join(map(json.dumps, worse)))
    result = pytester.runpytest("rag")
    result.stdout.fnmatch_lines_random(["*faithfulness*regressed*"])
    assert pytest.ExitCode.TESTS_FAILED == result.ret


def test_samples_that_nobody_said_how_to_score(pytester: pytest.Pytester) -> None:
    """Are told of the rubric made for them, until somebody chose one."""
    (pytester.path / "samples.jsonl").write_text(json.dumps(PARIS), "utf-8")
    hint = "*samples of retrieval-augmented answers*--sessioneval-rubric rag"
    pytester.runpytest("--sessioneval", "samples.jsonl").stdout.fnmatch_lines_random([hint])
    chosen = pytester.runpytest("--sessioneval", "--sessioneval-rubric=rag", "samples.jsonl")
    chosen.stdout.no_fnmatch_line(hint)

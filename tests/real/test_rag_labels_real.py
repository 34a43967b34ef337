"""How far faithfulness by words agrees with people: the figures of docs/rag.md."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_sessioneval.evaluation.sample_scoring import Sample, SampleScorer, ScorerTerms

_PAGE = (Path(__file__).resolve().parents[2] / "docs" / "rag.md").read_text("utf-8")


@pytest.fixture
def rated(shared_data: Path) -> list[tuple[int, float]]:
    """Return each summary's score, and the share of it that people found consistent."""
    scorer = SampleScorer(ScorerTerms(environ={}))
    path = shared_data / "rag-human-labels" / "qags_cnndm.50.json"
    found = []
    for record in json.loads(path.read_text("utf-8")):
        sample = Sample("", record["system_output"], (record["source"],))
        score = scorer.score(sample, metrics=["faithfulness"]).scores["faithfulness"]
        assert score is not None
        found.append((score, record["scores"]["consistency"]))
    return found


@pytest.mark.parametrize(
    ("said", "cut"), [("all sentences consistent", 0.999), ("more than half consistent", 0.5)]
)
def test_the_page_has_the_measured_separation(
    rated: list[tuple[int, float]], said: str, cut: float
) -> None:
    """Counted pair by pair: how often a consistent summary scores above another one."""
    good = [score for score, label in rated if label > cut]
    bad = [score for score, label in rated if label <= cut]
    won = sum((a > b) + (a == b) / 2 for a in good for b in bad)
    area = won / (len(good) * len(bad))
    assert f"| {said} | {len(good)} / {len(bad)} | {area:.2f} |" in _PAGE


def test_answers_without_contexts_have_no_faithfulness(shared_data: Path) -> None:
    """HaluEval's labels are of answers from nowhere: words say nothing of them."""
    scorer = SampleScorer(ScorerTerms(environ={}))
    path = shared_data / "rag-human-labels" / "halueval_general.150.jsonl"
    lines = path.read_text("utf-8").splitlines()
    assert 150 == len(lines)
    for line in lines:
        record = json.loads(line)
        sample = Sample(record["user_query"], record["chatgpt_response"])
        found = scorer.score(sample, metrics=["faithfulness"])
        assert ("faithfulness",) == found.skipped

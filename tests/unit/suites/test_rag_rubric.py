"""The built-in rubric of metrics, and what a rubric with metrics may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.suites.metrics import METRICS
from pytest_sessioneval.suites.rubric import load_rubric

RAG = load_rubric("rag", base=Path())
RUBRIC = """
name = "mine"
version = 1

[[axes]]
name = "grounded"
metric = "faithfulness"
question = "Is it grounded?"
levels = { 0 = "no", 100 = "yes" }

[[axes]]
name = "close"
metric = "answer_relevancy"
question = "Is it close?"
levels = { 0 = "no", 100 = "yes" }

[[axes]]
name = "polite"
question = "Is it polite?"
levels = { 0 = "no", 100 = "yes" }
"""


def load(folder: Path, text: str) -> None:
    """Read a rubric of that text."""
    (folder / "mine.toml").write_text(text, "utf-8")
    load_rubric("mine.toml", base=folder)


def test_it_has_every_metric_once() -> None:
    """An axis per metric, of its name, in the order of every report."""
    assert METRICS == RAG.axis_names == tuple(axis.metric for axis in RAG.axes)


def test_each_may_have_no_score_and_100_is_best() -> None:
    """An input may be missing anywhere; thresholds and gate may name each."""
    assert all(axis.nullable and axis.gated for axis in RAG.axes)
    assert {"higher"} == {axis.direction for axis in RAG.axes}


def test_metrics_and_levels_may_stand_in_one_rubric(tmp_path: Path) -> None:
    """Under any name of one's own."""
    load(tmp_path, RUBRIC)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('metric = "faithfulness"', "metric"),
        ('direction = "lower"', "direction"),
    ],
)
def test_other_words_are_refused(tmp_path: Path, change: str, said: str) -> None:
    """A metric that is none; and that less could be better, which no axis may say."""
    broken = RUBRIC.replace('metric = "faithfulness"', change.replace("faithfulness", "bleu"))
    with pytest.raises(SuiteError, match=said):
        load(tmp_path, broken)


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ('"grounded", "polite"', "give each kind an expert of its own"),
        ('"grounded", "close"', "must not see the one that was asked"),
    ],
)
def test_what_one_expert_may_not_be_asked_together(tmp_path: Path, axes: str, said: str) -> None:
    """Tables and levels; and questions made out of an answer beside anything else."""
    expert = f'[[experts]]\nid = "all"\ninstruction = "Look."\naxes = [{axes}]\n'
    with pytest.raises(SuiteError, match=said):
        load(tmp_path, RUBRIC + expert)

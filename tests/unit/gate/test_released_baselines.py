"""Baselines that released versions wrote: they lie in repositories, and must load for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_sessioneval.gate.baseline import baseline_text, parse_baseline
from pytest_sessioneval.gate.model import (
    FORMAT,
    AxisScore,
    Baseline,
    NoScore,
    SessionScores,
    Versions,
)

_GOLDEN = Path(__file__).parents[2] / "golden" / "baseline"
"""One file per format, as written; none is ever edited or removed."""

_HELD = Baseline(
    suite="airline",
    versions=Versions(rubric="agent@1#5e1f2a3b", judge="openai:gpt-5-mini@1#0a1b2c3d", scoring="1"),
    axes=("goal_completion", "self_extension"),
    sessions=(
        SessionScores(
            key="task-1",
            digest="aa11",
            cluster="task-1",
            reader="tau-bench@2",
            axes={
                "goal_completion": AxisScore(score=66.6667, spread=40, repeats=3, noise=11.547),
                "self_extension": NoScore(unscored="not_applicable"),
            },
        ),
        SessionScores(
            key="task-2 – größer",
            digest="bb22",
            reader="tau-bench@2",
            axes={"goal_completion": AxisScore(score=80), "self_extension": AxisScore(score=20)},
        ),
        SessionScores(
            key="task-3",
            digest="cc33",
            axes={
                "goal_completion": NoScore(unscored="unverified"),
                "self_extension": NoScore(unscored="unsupported"),
            },
        ),
    ),
)


_CANARY = SessionScores(
    key="canaries/a.json",
    digest="dd44",
    reader="tau-bench@2",
    axes={"goal_completion": AxisScore(score=40), "self_extension": AxisScore(score=60)},
)
_FORMATS = {1: _HELD, 2: _HELD.model_copy(update={"format": 2, "canaries": (_CANARY,)})}


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_every_format_there_was_is_read(number: int) -> None:
    """As it was meant, whichever version wrote it."""
    text = (_GOLDEN / f"format-{number}.json").read_text("utf-8")
    assert _FORMATS[number] == parse_baseline(text)


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_todays_formats_are_written_as_they_were(number: int) -> None:
    """A change of the text without a new format would show in every repository's next diff.

    The first is still written: where there are no canaries.
    """
    text = (_GOLDEN / f"format-{number}.json").read_text("utf-8")
    assert text == baseline_text(_FORMATS[number])

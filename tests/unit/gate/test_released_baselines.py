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


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_every_format_there_was_is_read(number: int) -> None:
    """The same scores, whichever format they were written in."""
    text = (_GOLDEN / f"format-{number}.json").read_text("utf-8")
    assert _HELD == parse_baseline(text).model_copy(update={"format": _HELD.format})


def test_todays_format_is_written_as_it_was() -> None:
    """A change of the text without a new format would show in every repository's next diff."""
    assert (_GOLDEN / f"format-{FORMAT}.json").read_text("utf-8") == baseline_text(_HELD)

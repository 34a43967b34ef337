"""What a report says of its judge: calibrated by a card, or not and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pytest_sessioneval.gate.agreement.card import Agreement, Figure, JudgeCard
from pytest_sessioneval.gate.agreement.families import model_family
from pytest_sessioneval.gate.agreement.standing import standing
from pytest_sessioneval.suites.model import GateSettings

GATE = GateSettings(axes=("goal_completion",))
SHARE = Figure(value=0.5, n=52)


def card(**changes: Any) -> JudgeCard:
    """Return a card that passed on goal_completion."""
    agreed = Agreement(
        source="people",
        axis="goal_completion",
        sessions=52,
        alpha=Figure(value=0.712, n=52),
        pass_line=50,
        accuracy=SHARE,
        kappa=SHARE,
        judge_passes=SHARE,
        label_passes=SHARE,
        status="passed",
        why="",
    )
    fields = {
        "judge_version": "openai:any@1#1",
        "rubric_version": "agent@1#2",
        "judge": "openai:any",
        "suite": "airline",
        "sessions": 52,
        "examined_at": datetime(2026, 11, 21, tzinfo=UTC),
        "status": "passed",
        "calibrated": ("goal_completion",),
        "agreement": (agreed,),
    }
    return JudgeCard(**{**fields, **changes})


def test_a_passed_card_calibrates() -> None:
    """The line says by what."""
    found = standing(card(), GATE)
    assert found.calibrated
    assert (
        "judge calibrated, card of 2026-11-21: goal_completion alpha 0.71 (n=52, people)"
        == found.line
    )


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"status": "failed"}, "judge uncalibrated: it failed its exam, card of 2026-11-21"),
        (
            {"status": "incomplete"},
            "judge uncalibrated: too little was measured, card of 2026-11-21",
        ),
        (
            {"calibrated": ("communication",)},
            "judge uncalibrated on goal_completion, card of 2026-11-21",
        ),
    ],
)
def test_any_other_card_does_not(changes: dict[str, Any], line: str) -> None:
    """A gate is as good as the card on its axes."""
    found = standing(card(**changes), GATE)
    assert not found.calibrated
    assert line == found.line


def test_without_a_gate_the_card_itself_counts() -> None:
    """Nothing is decided on any axis."""
    assert standing(card(calibrated=("communication",)), None).calibrated


def test_without_a_card_the_way_to_one_is_said() -> None:
    """And what was found in its place."""
    assert (
        "judge uncalibrated: no judge card; sessioneval judge-check makes one"
        == standing(None, GATE).line
    )
    assert "x is of another judge" in standing(None, GATE, why="x is of another judge").line


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("openai:gpt-5-mini", "OpenAI"),
        ("azure/gpt-4o-2024-11-20", "OpenAI"),
        ("o3-mini", "OpenAI"),
        ("claude-3-5-sonnet-20241022", "Anthropic"),
        ("anthropic:claude-opus-4", "Anthropic"),
        ("ollama:llama3:8b", "Meta"),
        ("openai:meta-llama/Llama-3.1-70B", "Meta"),
        ("models/gemini-2.5-pro", "Google"),
        ("Qwen/QwQ-32B", "Qwen"),
        ("xai/grok-3", "xAI"),
        ("mistralai/Mixtral-8x7B", "Mistral"),
        ("openai:any", None),
        ("evidence", None),
        ("philosopher-1", None),
        ("", None),
    ],
)
def test_a_models_family_is_read_off_its_name(model: str, family: str | None) -> None:
    """Not off the protocol it is asked by."""
    assert family == model_family(model)

"""The built-in rubric ``agent``: what users and the other rooms rely on."""

from pathlib import Path

import pytest

from pytest_sessioneval.suites.model import Axis, Rubric
from pytest_sessioneval.suites.rubric import load_rubric, rubric_version

AXES = (
    "task_complexity",
    "goal_completion",
    "tool_usage_quality",
    "efficiency",
    "communication",
    "subagent_orchestration",
    "self_extension",
)


@pytest.fixture(scope="module")
def rubric() -> Rubric:
    """Return the rubric."""
    return load_rubric("agent", base=Path("nowhere"))


def test_its_axes(rubric: Rubric) -> None:
    """The seven axes stand in the order of every report."""
    assert rubric.axis_names == AXES


def test_its_version_is_pinned(rubric: Rubric) -> None:
    """A changed meaning needs a new version number and a Scoring line in the changelog."""
    assert rubric_version(rubric) == "agent@1#9f1b83e4"


def test_only_the_last_two_axes_may_be_null(rubric: Rubric) -> None:
    """Every other axis applies to every session."""
    assert AXES[-2:] == tuple(axis.name for axis in rubric.axes if axis.nullable)
    assert rubric.axis("subagent_orchestration").applies_if == "subagents"


def test_only_complexity_cannot_be_gated(rubric: Rubric) -> None:
    """It describes a session and is neither good nor bad."""
    assert [axis.name for axis in rubric.axes if not axis.gated] == ["task_complexity"]


def test_success_cannot_be_proven_by_the_agents_own_words(rubric: Rubric) -> None:
    """Only tool results and the user count for goal_completion, and for complexity no agent."""
    assert {"tool", "user"} == set(rubric.axis("goal_completion").evidence_roles)
    assert "assistant" not in rubric.axis("task_complexity").evidence_roles


@pytest.mark.parametrize("name", AXES)
def test_each_axis_has_six_described_levels(rubric: Rubric, name: str) -> None:
    """Levels are 0 to 100 in steps of 20, each described differently, at some length."""
    axis: Axis = rubric.axis(name)
    assert [level.score for level in axis.levels] == [0, 20, 40, 60, 80, 100]
    assert len({level.anchor for level in axis.levels}) == 6
    assert all(len(level.anchor) > 80 for level in axis.levels)


def test_every_axis_that_judges_has_failure_tags(rubric: Rubric) -> None:
    """Complexity has none: nothing failed."""
    assert AXES[1:] == tuple(axis.name for axis in rubric.axes if axis.failure_tags)


def test_its_panel(rubric: Rubric) -> None:
    """Three experts share the axes between them, each axis once."""
    seats = {expert.id: expert.axes for expert in rubric.experts}
    expected = {
        "outcome": ("goal_completion", "task_complexity"),
        "tools": ("tool_usage_quality", "efficiency"),
        "conduct": ("communication", "subagent_orchestration", "self_extension"),
    }
    assert expected == seats

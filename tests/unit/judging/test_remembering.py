"""What is worked out of the same objects is worked out once."""

from __future__ import annotations

from judging_cases import GOAL, RUBRIC

from pytest_sessioneval.judging.remembering import remembered
from pytest_sessioneval.suites.model import Axis, Rubric


def test_the_same_objects_are_asked_about_once() -> None:
    """An equal copy is another object, and so is another order."""
    asked: list[str] = []

    @remembered
    def described(rubric: Rubric, axis: Axis) -> str:
        asked.append(axis.name)
        return f"{rubric.name}: {axis.name}"

    said = [described(RUBRIC, GOAL), described(RUBRIC, GOAL)]
    said.append(described(RUBRIC.model_copy(), GOAL))
    assert (["small: goal"] * 3, ["goal", "goal"]) == (said, asked)

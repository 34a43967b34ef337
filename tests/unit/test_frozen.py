"""The base of all values: nothing changes, nothing unknown, nothing infinite, all described."""

from __future__ import annotations

import pytest
from pydantic import Field, ValidationError

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.suites.model import GateSettings


class Inner(Frozen):
    """A value within a value."""

    depth: float = 0.0
    """How deep."""


class Outer(Frozen):
    """A value with every way of describing a field."""

    plain: int
    """The line beneath."""
    long: int = 0
    """First line.

    And a second paragraph.
    """
    own: int = Field(default=0, description="Described already.")
    """Not used."""
    inner: Inner = Inner()
    """What lies within."""
    class_: str = Field(default="", alias="class")
    """A word that Python keeps for itself."""
    bare: int = 0


class Derived(Outer):
    """A value with a field more, and one told anew."""

    more: int = 0
    """One more."""
    plain: int = 1
    """The line beneath, anew."""


def _descriptions(model: type[Frozen], *, by_alias: bool = True) -> dict[str, str | None]:
    properties = model.model_json_schema(by_alias=by_alias)["properties"]
    return {name: field.get("description") for name, field in properties.items()}


def test_the_line_beneath_describes_the_field() -> None:
    """Schemas say what the source says, whole; what is described already stays."""
    assert {
        "plain": "The line beneath.",
        "long": "First line.\n\nAnd a second paragraph.",
        "own": "Described already.",
        "inner": "What lies within.",
        "class": "A word that Python keeps for itself.",
        "bare": None,
    } == _descriptions(Outer)


def test_a_field_is_described_under_either_name() -> None:
    """A schema by field names has the description too."""
    assert "A word that Python keeps for itself." == _descriptions(Outer, by_alias=False)["class_"]


def test_a_derived_value_has_both() -> None:
    """Inherited fields keep their line, and a field told anew has the new one."""
    found = _descriptions(Derived)
    assert ("One more.", "The line beneath, anew.", "What lies within.") == (
        found["more"],
        found["plain"],
        found["inner"],
    )


def test_values_within_are_described() -> None:
    """The schema's definitions have their lines."""
    definitions = Outer.model_json_schema()["$defs"]
    assert "How deep." == definitions["Inner"]["properties"]["depth"]["description"]


def test_an_alias_is_what_files_say() -> None:
    """``break`` in a file is ``break_`` in Python, both ways."""
    read = GateSettings.model_validate({"break": 12})
    assert 12 == read.break_
    assert 12 == read.model_dump(by_alias=True)["break"]


def test_a_value_does_not_change() -> None:
    """Assigning is an error."""
    value = Inner()
    with pytest.raises(ValidationError, match="frozen"):
        value.depth = 1.0  # type: ignore[misc]


def test_unknown_keys_are_refused() -> None:
    """What is misspelt is not silently left out."""
    with pytest.raises(ValidationError, match="Extra inputs"):
        Inner.model_validate({"depht": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "-inf"])
def test_numbers_are_finite(value: object) -> None:
    """Nothing that JSON cannot hold, and no average can bear."""
    with pytest.raises(ValidationError, match="finite"):
        Inner.model_validate({"depth": value})


def test_equal_values_are_equal() -> None:
    """Values compare by what they hold."""
    assert Outer(plain=1) == Outer.model_validate({"plain": 1})

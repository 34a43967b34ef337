"""report.md obeys no transcript."""

from __future__ import annotations

import re

from markdown_cases import markdown_of
from report_runs import hostile_run

from pytest_sessioneval.verdicts.run import Run


def test_hostile_text_adds_no_structure() -> None:
    """Headings, tables, folds and rules are as many as with harmless text."""
    assert _structure(markdown_of(_harmless())) == _structure(markdown_of(hostile_run()))


def test_hostile_text_adds_no_link() -> None:
    """No link target is written by a transcript, and nothing links itself."""
    unescaped = re.sub(r"\\.", "", markdown_of(hostile_run()))
    outside_code = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", unescaped)
    assert [] == re.findall(r"\]\(|://|www\.|@\w|(?<!&)#\d|<script", outside_code)


def test_hostile_text_leaves_no_control_character() -> None:
    """What is looked at in a terminal does not steer it."""
    assert set() == {c for c in markdown_of(hostile_run()) if not c.isprintable()} - {
        "\n",
        "\u200b",
    }


def _structure(text: str) -> list[str]:
    return [
        found.group()
        for line in text.splitlines()
        if (found := re.match(r" *(#+ |\|[-:|]+\||- |> |</?\w+>|---)|$", line)) is not None
    ]


def _harmless() -> Run:
    """Return the hostile run with every attack replaced by one word."""
    attack = hostile_run().suites[0].suite
    dumped = hostile_run().model_dump(mode="json")

    def calm(value: object) -> object:
        if isinstance(value, str):
            return value.replace(attack, "word")
        if isinstance(value, dict):
            return {calm(name): calm(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [calm(inner) for inner in value]
        return value

    return Run.model_validate(calm(dumped))

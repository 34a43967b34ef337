"""A judge's card for people and for programs."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import jsonschema
import pytest
from report_runs import airline_run
from report_values import HOSTILE

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.gate.agreement.card import (
    Agreement,
    Figure,
    JudgeCard,
    Separation,
    Stability,
    Votes,
    card_schema,
)
from pytest_sessioneval.gate.agreement.exam import (
    outcome_agreement,
    people_agreement,
    separation,
    stability,
)
from pytest_sessioneval.gate.agreement.probing import LINES, Reading, judge_probe, unmeasured
from pytest_sessioneval.gate.agreement.records import SessionRecord
from pytest_sessioneval.gate.agreement.standing import Standing
from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.card import card_lines, render_card
from pytest_sessioneval.reports.card_tables import interval_text
from pytest_sessioneval.reports.markdown import render_markdown
from pytest_sessioneval.reports.terminal import terminal_lines
from pytest_sessioneval.reports.writing import write_card

AXIS = "goal_completion"
LEVELS = (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)
RECORDS = [
    SessionRecord(
        key=f"s{n}",
        scores={AXIS: 20.0 * (n % 6)},
        labels={AXIS: (20.0 * (n % 6), 20.0 * (n % 5))},
        succeeded=n % 3 == 0,
        repeats={AXIS: (20.0 * (n % 6), 60.0)},
    )
    for n in range(36)
]


@cache
def figures() -> tuple[tuple[Agreement, ...], Separation, Stability]:
    """Return real figures for every section: they take a second, and name no model."""
    agreement = (
        people_agreement(RECORDS, AXIS, levels=LEVELS),
        outcome_agreement(RECORDS, AXIS),
    )
    assert None not in agreement
    separated, stable = separation(RECORDS, AXIS, "outcome"), stability(RECORDS, AXIS)
    assert separated is not None
    assert stable is not None
    return tuple(one for one in agreement if one is not None), separated, stable


@cache
def card(text: str = "airline") -> JudgeCard:
    """Return a card with every section, made from real figures; ``text`` stands wherever it may."""
    readings = [Reading(after={AXIS: 60.0 + n}, before={AXIS: 50.0}, cluster=n) for n in range(9)]
    agreement, separated, stable = figures()
    return JudgeCard(
        judge_version=f"openai:{text}@1#1",
        rubric_version="agent@1#2",
        judge=f"openai:{text}",
        models=(text,),
        suite=text,
        sessions=36,
        examined_at=datetime(2026, 11, 21, 19, 4, tzinfo=UTC),
        status="failed",
        agreement=agreement,
        separation=(separated,),
        stability=(stable,),
        probes=(judge_probe(LINES[2], readings, [AXIS]), unmeasured(LINES[0], text)),
        votes=(
            Votes(
                axis=AXIS,
                experts=3,
                correlation=Figure(value=0.5, low=0.2, high=0.8, n=36),
                votes=Figure(value=1.5, low=1.153846, high=2.142857, n=36),
            ),
        ),
        unsupported={"self_extension": text},
        warnings=(text,),
    )


def test_a_card_satisfies_its_schema() -> None:
    """And so would a program's reading of it."""
    jsonschema.Draft202012Validator(card_schema()).validate(json.loads(card().model_dump_json()))


def test_every_field_of_a_card_is_described() -> None:
    """The line beneath it, in the schema that is shipped."""
    schema = card_schema()
    models = [schema, *schema["$defs"].values()]
    bare = [
        name
        for model in models
        for name, field in model.get("properties", {}).items()
        if not field.get("description")
    ]
    assert [] == bare


def test_a_written_card_is_read_again(tmp_path: Path) -> None:
    """Whole, with its readable twin beside it."""
    file, readable = write_card(card(), tmp_path / "cards" / "judge_card.json")
    assert card() == JudgeCard.model_validate_json(file.read_bytes())
    assert render_card(card()) == readable.read_text("utf-8")
    assert "judge_card.md" == readable.name


def test_a_card_that_cannot_be_written_names_the_place(tmp_path: Path) -> None:
    """A file stands where the folder would be."""
    (tmp_path / "cards").write_text("", "utf-8")
    with pytest.raises(StoreError, match=r"cards: no folder can be made here"):
        write_card(card(), tmp_path / "cards" / "judge_card.json")


def test_markdown_has_every_figure_with_its_interval() -> None:
    """The first table's row, figure by figure."""
    (line, _) = card().agreement
    assert (
        f"| goal_completion | 36 | {interval_text(line.alpha)} | "
        f"{interval_text(line.people_alpha)} | {interval_text(line.quadratic_kappa)} |"
    ).replace("[", r"\[").replace("]", r"\]") in render_card(card())


def test_what_was_not_measured_says_why() -> None:
    """In both forms."""
    shown = "not measured: left out"
    made = card().model_copy(update={"probes": (unmeasured(LINES[0], "left out"),)})
    assert shown in render_card(made)
    assert any(shown in line for line in card_lines(made))


def test_a_card_without_labels_says_how_to_give_them() -> None:
    """Instead of an empty table."""
    bare = card().model_copy(update={"agreement": ()})
    assert "name them with --labels" in render_card(bare)
    assert any("name them with --labels" in line for line in card_lines(bare))


def test_nothing_in_a_card_steers_what_shows_it(tmp_path: Path) -> None:
    """Models name themselves, and suites are named by whoever wrote the file."""
    hostile = card(HOSTILE)
    for line in card_lines(hostile):
        assert line.isprintable()
    markdown = render_card(hostile)
    outside = re.sub(r"(`+).*?\1", "", markdown)
    assert "<script" not in outside
    assert "[click]" not in outside
    assert "\x1b" not in markdown
    assert "\u202e" not in write_card(hostile, tmp_path / "c.json")[0].read_text("utf-8")


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        (Figure(value=0.712, low=0.601, high=0.8, n=9), "0.71 [0.60, 0.80]"),
        (Figure(value=0.712, n=9), "0.71"),
        (Figure(value=-0.001, low=-0.2, high=0.001, n=9), "0.00 [-0.20, 0.00]"),
        (Figure(value=None, n=0), "–"),
        (None, "–"),
    ],
)
def test_a_figure_is_shown_with_its_interval(figure: Figure | None, shown: str) -> None:
    """A dash where it is not defined, and no minus before a zero."""
    assert shown == interval_text(figure)


# -- in reports ------------------------------------------------------------------------

STANDING = Standing(calibrated=False, card="missing", line="judge uncalibrated: no judge card")


def test_reports_name_where_the_judge_stands() -> None:
    """One line in the terminal, one sentence in Markdown, and the whole in JSON."""
    report = build_report(airline_run(), standings={"airline": STANDING})
    assert [" judge uncalibrated: no judge card"] == [
        line.text for line in terminal_lines(report) if "calibrated" in line.text
    ]
    assert "Judge uncalibrated: no judge card." in render_markdown(report)
    assert STANDING == report.suites[0].standing


def test_a_report_that_nobody_looked_a_card_up_for_says_nothing() -> None:
    """As one of an earlier version."""
    assert "calibrated" not in render_markdown(build_report(airline_run()))

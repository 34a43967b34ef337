"""Which card is in force: of this judge with this rubric, and readable."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from evaluation_cases import MODEL, small_suite

from pytest_sessioneval.evaluation.cards import card_path, standing_of
from pytest_sessioneval.gate.agreement.card import JudgeCard
from pytest_sessioneval.reports.writing import write_card
from pytest_sessioneval.suites.model import JudgeSettings, Suite

JUDGE, RUBRIC = "openai:any@1#11112222", "agent@1#33334444"


def card(judge: str = JUDGE, rubric: str = RUBRIC) -> JudgeCard:
    """Return a card that failed."""
    return JudgeCard(
        judge_version=judge,
        rubric_version=rubric,
        judge="openai:any",
        suite="small",
        sessions=1,
        examined_at=datetime(2026, 11, 21, tzinfo=UTC),
        status="failed",
    )


def line(tmp_path: Path, suite: Suite | None = None) -> str:
    """Return what is said of the judge."""
    return standing_of(
        suite or small_suite(root=tmp_path), JUDGE, RUBRIC, out=tmp_path / ".sessioneval"
    ).line


def keeping(tmp_path: Path) -> Suite:
    """Return a suite that names its card."""
    return small_suite(root=tmp_path, judge=JudgeSettings(model=MODEL, card="judge_card.json"))


def test_a_card_in_the_output_folder_is_in_force(tmp_path: Path) -> None:
    """Where judge-check wrote it."""
    write_card(card(), card_path(tmp_path / ".sessioneval", JUDGE, RUBRIC))
    assert "judge uncalibrated: it failed its exam, card of 2026-11-21" == line(tmp_path)


def test_the_suites_own_card_comes_first(tmp_path: Path) -> None:
    """It is committed, and the other one is whatever lies there."""
    passed = card().model_copy(update={"status": "passed"})
    write_card(passed, tmp_path / "judge_card.json")
    write_card(card(), card_path(tmp_path / ".sessioneval", JUDGE, RUBRIC))
    assert line(tmp_path, keeping(tmp_path)).startswith("judge calibrated")


def test_a_card_of_another_judge_is_none(tmp_path: Path) -> None:
    """What it is of is said."""
    write_card(card(judge="openai:old@1#0"), tmp_path / "judge_card.json")
    assert (
        f"judge uncalibrated: judge_card.json is of openai:old@1#0 with {RUBRIC}; sessioneval "
        "judge-check makes one"
    ) == line(tmp_path, keeping(tmp_path))


def test_a_stale_card_of_the_suite_gives_way_to_a_fresh_one(tmp_path: Path) -> None:
    """Judge-check was run and its card not committed yet."""
    write_card(card(rubric="agent@0#0"), tmp_path / "judge_card.json")
    write_card(card(), card_path(tmp_path / ".sessioneval", JUDGE, RUBRIC))
    assert "failed its exam" in line(tmp_path, keeping(tmp_path))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "judge_card.json is no judge card of this version"),
        ("{}", "judge_card.json is no judge card of this version"),
        ('{"schema_version": 2}', "judge_card.json is no judge card of this version"),
        ("[" * 100_000, "judge_card.json is no judge card of this version"),
        (" " * (4 * 1024 * 1024 + 1), "judge_card.json is too large to be a card"),
    ],
)
def test_what_is_no_card_calibrates_nobody(tmp_path: Path, content: str, reason: str) -> None:
    """And does not end the run."""
    (tmp_path / "judge_card.json").write_text(content, "utf-8")
    assert reason in line(tmp_path, keeping(tmp_path))


def test_a_folder_in_its_place_calibrates_nobody(tmp_path: Path) -> None:
    """Whatever it is, it cannot be read."""
    (tmp_path / "judge_card.json").mkdir()
    assert "judge_card.json cannot be read" in line(tmp_path, keeping(tmp_path))


def test_without_any_card_the_way_to_one_is_said(tmp_path: Path) -> None:
    """In the same line."""
    assert "judge uncalibrated: no judge card; sessioneval judge-check makes one" == line(tmp_path)


def test_judges_and_rubrics_have_cards_of_their_own(tmp_path: Path) -> None:
    """In folders whose names hold nothing of theirs but letters and digits."""
    hostile = card_path(tmp_path, "hook:../../x\n@1#1", RUBRIC)
    assert tmp_path / "judge-cards" == hostile.parent.parent
    paths = {card_path(tmp_path, judge, rubric) for judge in "ab" for rubric in "cd"}
    assert 4 == len(paths)

"""scores.csv has one row per session and no formula."""

from __future__ import annotations

import csv
import io

import pytest
from report_runs import airline_run, evidence_run, hostile_run
from report_values import make_run, result

from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.csv_file import render_csv
from pytest_sessioneval.verdicts.run import Run


def _rows(run: Run) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render_csv(build_report(run)), newline="")))


def test_every_session_has_a_row() -> None:
    """In the report's order, whatever their state."""
    assert [
        ("task-1", "passed"),
        ("task-3", "below_threshold"),
        ("task-4", "not_scored"),
        ("task-5", "passed"),
        ("task-6", "error"),
        ("task-7", "not_run"),
    ] == [(row["key"], row["state"]) for row in _rows(airline_run())]


def test_a_score_stands_under_its_axis() -> None:
    """With how many experts' scores it rests on, and no reason."""
    row = _rows(airline_run())[3]
    assert ("66.6667", "3", "") == (
        row["tool_usage_quality"],
        row["tool_usage_quality_n"],
        row["tool_usage_quality_unscored"],
    )


def test_a_missing_score_is_empty_with_its_reason() -> None:
    """Never zero."""
    row = _rows(airline_run())[2]
    assert ("", "failed") == (row["goal_completion"], row["goal_completion_unscored"])


def test_a_session_without_verdict_has_neither() -> None:
    """No verdict: no score and no reason."""
    row = _rows(airline_run())[5]
    assert ("", "") == (row["goal_completion"], row["goal_completion_unscored"])


def test_experts_are_counted() -> None:
    """How many seats answered."""
    assert "3" == _rows(airline_run())[0]["experts"]


def test_suites_with_other_axes_share_the_columns() -> None:
    """An axis that a suite does not have is empty there."""
    rows = _rows(make_run(*evidence_run().suites, *airline_run().suites))
    assert ("75.0", "") == (rows[0]["tool_usage_quality"], rows[0]["subagent_orchestration"])


def test_a_session_of_several_in_a_file_is_named() -> None:
    """By its place in the file, as in node ids."""
    assert "transcripts/task-5.json::2" == _rows(airline_run())[3]["path"]


@pytest.mark.parametrize("attack", ["=HYPERLINK(0)", "@SUM(1)", "\t=1", "\uff1d1", "-1+1", "|calc"])
def test_no_cell_is_a_formula(attack: str) -> None:
    """A session that names itself a formula is text."""
    suite = evidence_run().suites[0]
    attacking = result(attack, suite.results[0].verdict, path=attack)
    row = _rows(make_run(suite.model_copy(update={"results": (attacking,)})))[0]
    assert ("'" + attack, "'" + attack) == (row["key"], row["path"])


def test_hostile_text_makes_no_rows() -> None:
    """Quotes, commas and line breaks stay inside their cell."""
    assert 13 == len(_rows(hostile_run()))


def test_a_run_without_sessions_is_a_row_of_names() -> None:
    """The columns are there all the same."""
    assert render_csv(build_report(make_run())).startswith("suite,key,session_id,path,")

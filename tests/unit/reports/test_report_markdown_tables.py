"""The tables of report.md: every session, buckets, sources, and what is folded."""

from __future__ import annotations

import re
from pathlib import Path

from markdown_cases import markdown_of
from report_runs import airline_run, airline_suite, many_run
from report_values import make_run

from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.markdown import render_markdown
from pytest_sessioneval.reports.writing import links_from
from pytest_sessioneval.verdicts.model import (
    PanelScore,
)


def test_every_session_has_a_row() -> None:
    """Key, title, how it ended, its scores, a miss in bold; unscored axes have no column."""
    lines = markdown_of(airline_run()).replace("\u200b", "").splitlines()
    place = lines.index(
        "| session | state | task_complexity | goal_completion | tool_usage_quality |"
    )
    assert [
        "| task-1 | passed | 20 | 100 | 80 |",
        "| task-3 “Refund for a cancelled flight” | **below threshold** | 40 | **30** | **20** |",
        "| task-4 | **not scored** | 60 | failed | failed |",
        "| task-5 | passed | 80 | 90 | 66.7 |",
        "| task-6 | **error** | – | – | – |",
        "| task-7 | **not run** | – | – | – |",
        "",
    ] == lines[place + 2 : place + 9]


def test_what_does_not_apply_is_short_in_a_row() -> None:
    """It is no failure of anything."""
    run = airline_run()
    first = run.suites[0].results[0]
    scored = first.verdict
    assert scored is not None
    axes = {**scored.axes, "subagent_orchestration": PanelScore(score=70)}
    other = first.model_copy(update={"verdict": scored.model_copy(update={"axes": axes})})
    text = markdown_of(make_run(airline_suite(first, other)))
    assert "| task-1 | passed | 20 | 100 | 80 | n/a |" in text
    assert "| task-1 | passed | 20 | 100 | 80 | 70 |" in text


def test_rows_are_linked() -> None:
    """A reader opens the transcript from the table."""
    link = links_from(Path("/project/.sessioneval/runs/r"), Path("/project"))
    row = "| [task-1](../../../suites/airline/transcripts/task-1.json) | passed |"
    assert row in render_markdown(build_report(airline_run()), link)


def test_a_long_table_is_folded_and_cut() -> None:
    """Beyond 25 sessions it is folded, beyond 100 the rest is a number."""
    text = markdown_of(many_run(104))
    assert "<summary>All sessions (104)</summary>\n\n| session |" in text
    assert 100 == len(re.findall(r"^\| task-\d+ “", text, re.MULTILINE))
    assert "\nAnd 4 more sessions: see scores.csv.\n\n</details>\n" in text
    assert "### All sessions (25)\n" in markdown_of(many_run(25))


def test_complexity_buckets_have_their_own_n() -> None:
    """Columns are buckets, cells are means with their denominator."""
    lines = markdown_of(airline_run()).splitlines()
    assert "| axis | 0-25 (1) | 26-50 (1) | 51-75 (1) | 76+ (1) |" in lines
    assert "| goal_completion | 100.0 (n=1) | 30.0 (n=1) | – | 90.0 (n=1) |" in lines


def test_an_axis_without_scores_is_in_no_bucket() -> None:
    """No row of dashes, nor one of complexity by complexity."""
    after = markdown_of(airline_run()).partition("### By complexity")[2].partition("###")[0]
    assert "| task_complexity |" not in after
    assert "subagent" not in after


def test_sources_say_what_was_skipped_and_why() -> None:
    """Files read, lines skipped by reason."""
    text = markdown_of(airline_run())
    assert "- read: 8 sessions in 7 files, 1 deselected\n" in text
    assert "2 two records on one line, 1 truncated last line\n" in text


def test_unreadable_files_name_line_and_reason() -> None:
    """Sorted by path."""
    assert (
        "- `transcripts/b.json`: larger than 256 MiB\n"
        "- `transcripts/z.json`, line 3: not JSON: unexpected end\n"
    ) in markdown_of(airline_run())


def test_long_lists_are_folded_and_cut() -> None:
    """Ten sessions open, forty folded, the rest a number."""
    text = markdown_of(many_run(60))
    assert 10 == text.count("\n#### ")
    assert 40 == text.count("<summary>task-")
    assert "And 10 more sessions below a threshold: see scores.csv." in text


def test_every_fold_is_closed() -> None:
    """As many ends as beginnings, each on its own line."""
    lines = markdown_of(many_run(60)).splitlines()
    assert lines.count("<details>") == lines.count("</details>") > 40

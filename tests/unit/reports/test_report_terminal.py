"""The terminal section says what ran, what was missing and where the reports are."""

from __future__ import annotations

import pytest
from report_runs import airline_run, airline_suite, empty_run, evidence_run, hostile_run
from report_values import AXES, make_run, unscored_result

from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.terminal import Line, terminal_lines
from pytest_sessioneval.suites.thresholds import Shortfall
from pytest_sessioneval.verdicts.model import Unscored
from pytest_sessioneval.verdicts.run import Run

_FILES = ("out/runs/r/report.md", "out/runs/r/report.json", "elsewhere/copy.md")


def _lines(run: Run, width: int = 80) -> list[Line]:
    return list(terminal_lines(build_report(run), written=_FILES, width=width))


def _text(run: Run) -> str:
    return "\n".join(line.text for line in _lines(run, width=1_000))


def test_a_suite_begins_with_its_title() -> None:
    """The title is the text of a separator."""
    assert Line("session scores: airline", "title") == _lines(airline_run())[0]


def test_the_facts_come_first() -> None:
    """How many, by whom, by which rubric, and what was already there."""
    assert (
        " 6 sessions · 3 experts, openai:gpt-5-mini · rubric agent@3 · 3 judged, 2 from store · "
        "11 calls (2 retries, 1 repair), 12,000 tokens in (8,000 cached), 900 out"
    ) == _lines(airline_run(), width=1_000)[1].text


def test_an_axis_is_a_row() -> None:
    """Mean and lowest score against their thresholds, what both rest on, how many missed."""
    rows = [line for line in _lines(airline_run()) if line.text.startswith(" goal_completion")]
    assert [" goal_completion           73.3 < 75     30 < 60      3      0       1"] == [
        row.text for row in rows
    ]


def test_without_thresholds_there_is_no_column_of_them() -> None:
    """The table is as narrow as it was."""
    (head,) = (line.text for line in _lines(evidence_run()) if line.text.startswith(" axis "))
    assert " axis                    mean    min      n    n/a   below" == head


def test_a_mean_just_below_has_the_decimals_it_takes() -> None:
    """It never looks as if it met its threshold."""
    suite = airline_run().suites[0]
    low = (Shortfall(axis="goal_completion", score=74.9999, threshold=75),)
    text = _text(make_run(suite.model_copy(update={"mean_shortfalls": low})))
    assert " goal_completion         74.9999 < 75 " in text


def test_the_columns_are_aligned() -> None:
    """Every row of the table is as long as its head."""
    table = [line.text for line in _lines(airline_run()) if line.text.endswith(("below", "-", "1"))]
    assert 5 == len(table)
    assert 1 == len({len(row) for row in table})


def test_an_axis_that_missed_is_marked() -> None:
    """Rows below a threshold are bad, rows without a score are dim."""
    styles = {line.text.split()[0]: line.style for line in _lines(airline_run())[1:] if line.text}
    assert ("bad", "plain", "dim") == (
        styles["goal_completion"],
        styles["task_complexity"],
        styles["subagent_orchestration"],
    )


@pytest.mark.parametrize("run", [airline_run(), evidence_run(), empty_run(), hostile_run()])
def test_lines_fit_80_columns(run: Run) -> None:
    """Sentences are wrapped; only a word that is longer by itself stands out."""
    long = [line.text for line in _lines(run) if len(line.text) > 80]
    assert [] == [text for text in long if " " in text.strip()]


def test_a_low_mean_is_told_with_its_denominator() -> None:
    """What was asked for, what was reached, over how many."""
    assert " mean below threshold: goal_completion 73.3 < 75 (n=3)" in _text(airline_run())


def test_a_threshold_on_nothing_is_told() -> None:
    """An axis that has a threshold and no score is marked and said."""
    suite = evidence_run().suites[0].model_copy(update={"never_scored": ("goal_completion",)})
    styles = {line.text: line.style for line in _lines(make_run(suite))}
    assert "bad" == styles[" goal_completion has a threshold, and no session was scored on it"]
    assert ["bad"] == [style for text, style in styles.items() if text.endswith("0       -")][:1]


def test_the_cause_leads() -> None:
    """Why sessions were not scored, how many and what to do: the second thing said."""
    assert (
        " not scored: 1 session: failed: HTTP 503 after 4 tries; "
        "run again: only what is missing is asked for"
    ) == _lines(airline_run(), width=1_000)[2].text


def test_three_causes_are_told() -> None:
    """The rest is a number."""
    results = (unscored_result(f"t{n}", "failed", f"cause {n}") for n in range(5))
    assert " not scored: 2 other causes, see the report" in _text(make_run(airline_suite(*results)))


def test_no_table_of_dashes() -> None:
    """Where no session was scored on anything there is nothing to put in it."""
    unscored = unscored_result()
    assert unscored.verdict is not None
    axes = {axis: Unscored(reason="failed", detail="x") for axis in AXES}
    verdict = unscored.verdict.model_copy(update={"axes": axes})
    run = make_run(airline_suite(unscored.model_copy(update={"verdict": verdict})))
    assert " axis " not in _text(run)


def test_a_missing_score_is_told_with_what_to_do() -> None:
    """One line per reason that fails no session by itself."""
    doubtful = unscored_result("a", "unverified", "x")
    assert (
        " unverified: goal_completion 1, tool_usage_quality 1 – no cited evidence was found in "
        "the transcript; read the session; a judge that does this often should not be relied on"
    ) in _text(make_run(airline_suite(doubtful)))


def test_an_unsupported_axis_says_how_to_get_it() -> None:
    """The judge's own words."""
    assert (
        " goal_completion is not scored by this judge: "
        "write [[expect]] for the suite, or set use_outcome = true"
    ) in _text(evidence_run())


def test_a_judges_own_words_have_no_other_advice() -> None:
    """What it says of an axis that only some sessions do not support stands alone."""
    gone = Unscored(reason="unsupported", detail="no tool was called: ask a judge model")
    first = airline_run().suites[0].results[0]
    assert first.verdict is not None
    verdict = first.verdict.model_copy(
        update={"axes": {**first.verdict.axes, "tool_usage_quality": gone}}
    )
    text = _text(make_run(airline_suite(first.model_copy(update={"verdict": verdict}))))
    assert "\n unsupported: tool_usage_quality 1 – no tool was called: ask a judge model\n" in text


def test_a_green_axis_tells_its_lowest_score() -> None:
    """Score, session, and as much of the expert's comment as one line holds."""
    lines = [line.text for line in _lines(evidence_run())]
    place = lines.index(
        " lowest: tool_usage_quality 75 “Where is my parcel?” (7 identical calls of tra…)"
    )
    assert (
        "         efficiency 62 refund (The user set the agent right: “I said two” (M5).)"
        == (lines[place + 1])
    )


def test_an_axis_with_failures_tells_no_lowest_score() -> None:
    """The failures have told more."""
    assert "lowest: tool_usage_quality" not in _text(airline_run())


def test_the_judge_says_what_it_is() -> None:
    """Its notice is in the section."""
    assert " evidence measures the process of a session;" in _text(evidence_run())


def test_skipped_lines_are_told_with_reasons() -> None:
    """How many files were read, how many lines were skipped, and why."""
    assert (
        " read 7 files, skipped 3 lines (2 two records on one line, 1 truncated last line), "
        "left out 4 records of unknown kinds (3 summary, 1 file-history); "
        "2 without a session, 1 left out as copies, 2 unreadable, 1 deselected"
    ) in _text(airline_run())


def test_no_session_is_a_warning() -> None:
    """A run of nothing has no table of dashes and says that it is one."""
    styles = {line.text: line.style for line in _lines(empty_run())}
    assert "warn" == styles[" no session was run"]
    assert "mean" not in _text(empty_run())


def test_a_partial_and_broken_run_says_so() -> None:
    """Both are told."""
    text = _text(empty_run())
    assert " only a part was run: -k nothing" in text
    assert " the run was broken off" in text


def test_the_reports_come_last() -> None:
    """Files of one folder share its name."""
    assert " report: out/runs/r/report.md (report.json), elsewhere/copy.md" == (
        _lines(airline_run())[-1].text
    )


def test_a_run_without_suites_says_so() -> None:
    """There is a title all the same."""
    assert [" no suite was run"] == [line.text for line in _lines(make_run())[1:2]]


def test_hostile_text_cannot_steer_the_terminal() -> None:
    """No line holds a control character or a second line."""
    assert all(line.text.isprintable() or "\u200b" in line.text for line in _lines(hostile_run()))

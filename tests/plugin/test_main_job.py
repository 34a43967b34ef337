"""``pytest --sessioneval FOLDER``: judged, averaged, reported."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from plugin_runs import Runs, Sessions, outcomes


def test_every_session_of_the_folder_is_an_item(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """Each recorded session passes or fails by itself."""
    sessions.good("recorded/a.json", "recorded/deep/b.json")
    result = pytester.runpytest("--sessioneval", "recorded")
    assert {"passed": 2} == outcomes(result)
    assert pytest.ExitCode.OK == result.ret


def test_averages_are_shown(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """The section at the end names the suite, who judged, and each axis's mean and minimum."""
    sessions.good("recorded/a.json", "recorded/b.json")
    result = pytester.runpytest("--sessioneval", "recorded")
    result.stdout.fnmatch_lines(
        [
            "*= session scores: recorded =*",
            " 2 sessions · embedded judge · rubric agent@* · 2 judged, 0 from store*",
            " axis * mean * min * n *",
            " tool_usage_quality * 100.0 * 100 * 2 *",
            " report: .sessioneval/runs/*/report.md*",
            "*= 2 passed in *",
        ]
    )


def test_an_axis_without_scores_has_no_mean(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """What the embedded judge cannot score has no number, a count and what would help."""
    sessions.good("recorded/a.json")
    result = pytester.runpytest("--sessioneval", "recorded")
    assert (None, 0, {"unsupported": 1}) == tuple(
        runs.mean("goal_completion")[key] for key in ("mean", "scored", "unscored")
    )
    result.stdout.fnmatch_lines(["*goal_completion is not scored by this judge*"])


@pytest.mark.parametrize("name", ["advice.md", "report.json", "report.md", "scores.csv"])
def test_reports_are_written(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs, name: str
) -> None:
    """The run's folder holds the report for machines, for readers and for spreadsheets."""
    sessions.good("recorded/a.json")
    pytester.runpytest("--sessioneval", "recorded")
    (folder,) = runs.folders
    assert "recorded" in (folder / name).read_text(encoding="utf-8")


def test_the_csv_has_a_line_per_session_and_axis_or_more(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """Every session is in scores.csv."""
    sessions.good("recorded/a.json", "recorded/b.json")
    pytester.runpytest("--sessioneval", "recorded")
    with (runs.folders[0] / "scores.csv").open(encoding="utf-8", newline="") as file:
        keys = {row["key"] for row in csv.DictReader(file)}
    assert {"a.json", "b.json"} == keys


def test_what_is_written_stays_out_of_git(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """The folder of reports and store ignores itself."""
    sessions.good("recorded/a.json")
    pytester.runpytest("--sessioneval", "recorded")
    ignored = (pytester.path / ".sessioneval" / ".gitignore").read_text(encoding="utf-8")
    assert "*" in ignored.split()


def test_several_folders_are_several_suites(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """Each folder given is judged and averaged by itself."""
    sessions.good("one/a.json", "two/b.json")
    pytester.runpytest("--sessioneval", "one", "two")
    assert ["one", "two"] == [suite["suite"] for suite in runs.last["suites"]]


def test_the_current_folder_is_a_suite_too(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """Without a path, the folder pytest is called from is judged."""
    sessions.good("a.json", "deep/b.json")
    result = pytester.runpytest("--sessioneval")
    assert {"passed": 2} == outcomes(result)


def test_formats_mix_in_one_folder(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """What a file holds decides how it is read, not where it lies or what it is called."""
    sessions.good("recorded/openai.json")
    sessions.several("recorded/several.jsonl", 2)
    sessions.text(
        "recorded/anthropic.txt",
        '[{"role": "user", "content": [{"type": "text", "text": "What is 2 + 2?"}]},'
        ' {"role": "assistant", "content": [{"type": "text", "text": "4."}]}]',
    )
    result = pytester.runpytest("--sessioneval", "recorded")
    assert {"passed": 4} == outcomes(result)


def test_the_step_summary_is_appended_to(
    pytester: pytest.Pytester,
    sessions: Sessions,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """On GitHub the Markdown report goes behind what is in the step summary."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    sessions.good("recorded/a.json")
    pytester.runpytest("--sessioneval", "recorded")
    written = summary.read_text(encoding="utf-8")
    assert written.startswith("before\n")
    assert "tool_usage_quality" in written

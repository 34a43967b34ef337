"""Reports become a frame with one row per run, session and axis."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pandas as pd
import pytest
from report_runs import airline_run

import pytest_sessioneval
from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.frame import scores_frame
from pytest_sessioneval.reports.json_file import render_json


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Return a report.json of the airline run."""
    path = tmp_path / "report.json"
    path.write_text(render_json(build_report(airline_run())))
    return path


def test_every_score_is_a_row(report: Path) -> None:
    """One per session with a verdict and axis, scored or not."""
    run = airline_run()
    expected = [
        (result.session.key, axis)
        for result in run.suites[0].results
        if result.verdict is not None
        for axis in result.verdict.axes
    ]
    frame = scores_frame(report)
    assert sorted(expected) == sorted(zip(frame["key"], frame["axis"], strict=True))


def test_means_of_the_frame_are_those_of_the_report(report: Path) -> None:
    """An unscored axis is NaN, which pandas leaves out of a mean."""
    scores = [
        axis.score
        for result in airline_run().suites[0].results
        if result.verdict is not None
        and (axis := result.verdict.axes["tool_usage_quality"]).kind == "scored"
    ]
    frame = scores_frame(report)
    mean = frame[frame["axis"] == "tool_usage_quality"]["score"].mean()
    assert pytest.approx(fmean(scores), abs=1e-4) == mean


def test_an_unscored_axis_has_its_reason(report: Path) -> None:
    """And no score."""
    frame = scores_frame(report)
    unscored = frame[frame["score"].isna()]
    assert (True, True) == (len(unscored) > 0, bool(unscored["unscored"].notna().all()))


def test_several_reports_stand_in_one_frame(report: Path) -> None:
    """For trends over runs."""
    assert 2 * len(scores_frame(report)) == len(scores_frame(report, report))


def test_nothing_is_an_empty_frame_of_the_same_columns() -> None:
    """So that what follows need not ask."""
    assert (0, True) == (len(scores_frame()), "score" in scores_frame().columns)


def test_times_are_utc(report: Path) -> None:
    """Weeks of runs are then the same wherever the frame is made."""
    times = scores_frame(report)["started_at"]
    assert "UTC" == str(pd.DatetimeIndex(times).tz)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema_version": 999}'])
def test_what_is_no_report_is_named(tmp_path: Path, content: str) -> None:
    """The file stands in the message."""
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(SettingError, match=r"scores_frame: .*other\.json"):
        scores_frame(path)


def test_it_is_a_public_name() -> None:
    """Imported with the package's first use of it."""
    assert scores_frame is pytest_sessioneval.scores_frame

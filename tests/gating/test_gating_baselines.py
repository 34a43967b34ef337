"""Baseline files written, read, replaced and pinned: as a whole or not at all."""

import json
import os
from pathlib import Path

import pytest
from gating_cases import STEADY, WORSE, judged_suite, write_sessions, write_suite

from pytest_sessioneval.errors import BaselineError
from pytest_sessioneval.evaluation.baselines import (
    baseline_path,
    pin_anchor,
    read_baseline,
    update_baseline,
)
from pytest_sessioneval.suites.model import Suite


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Return a gated suite of 24 sessions, mean 90."""
    return write_suite(tmp_path / "airline", STEADY)


def blessed(suite: Suite, outcomes: list[float] | None = None) -> tuple[str, ...]:
    """Judge the suite (with other outcomes), write its baseline, and return what is said."""
    if outcomes is not None:
        write_sessions(suite.root, outcomes)
    return update_baseline(judged_suite(suite), suite=suite).lines("baseline.json")


# -- writing -------------------------------------------------------------------------


def test_a_judged_suite_becomes_its_baseline(suite: Suite) -> None:
    """Every session with its score, and the versions it was made with."""
    run = judged_suite(suite)
    update_baseline(run, suite=suite)
    written = read_baseline(suite.root / "baseline.json")
    assert written is not None
    scores = [
        session.model_dump()["axes"]["goal_completion"]["score"] for session in written.sessions
    ]
    assert [100, 80] * 12 == scores
    assert ("1", run.judge.version) == (written.versions.scoring, written.versions.judge)
    assert {"tau-bench@2"} == {session.reader for session in written.sessions}


def test_it_holds_no_word_of_a_transcript(suite: Suite) -> None:
    """A committed file is read by everybody."""
    blessed(suite)
    assert "Refund" not in (suite.root / "baseline.json").read_text("utf-8")


def test_what_moved_is_said(suite: Suite) -> None:
    """The first time every axis is new; then before, after and which sessions."""
    first = blessed(suite)
    assert ("wrote baseline.json", "  goal_completion: 90.0 (new)") == (first[0], first[2])
    second = blessed(suite, WORSE)
    assert "  goal_completion: 90.0 to 70.0 (-20.0)" in second
    assert "  24 sessions re-recorded: task-00, task-01, task-02 and 21 more" in second


def test_equal_scores_leave_the_file_alone(suite: Suite) -> None:
    """Nothing to commit: not even its time changes."""
    blessed(suite)
    os.utime(suite.root / "baseline.json", (1, 1))
    assert ("baseline.json holds these scores already",) == blessed(suite)
    assert 1 == (suite.root / "baseline.json").stat().st_mtime


@pytest.mark.parametrize("left_out", [("task-03",), tuple(f"task-{n:02d}" for n in range(24))])
def test_a_part_of_a_suite_is_never_written(suite: Suite, left_out: tuple[str, ...]) -> None:
    """Not even when all of it was left out; what was there stays."""
    blessed(suite)
    before = (suite.root / "baseline.json").read_bytes()
    with pytest.raises(BaselineError, match="is not written"):
        update_baseline(judged_suite(suite, without=left_out), suite=suite)
    assert before == (suite.root / "baseline.json").read_bytes()


def test_a_reason_why_it_is_a_part_is_told(suite: Suite) -> None:
    """What the shell knows of the selection stands in the message."""
    with pytest.raises(BaselineError, match=r"only a part of the suite was selected \(-k cancel\)"):
        update_baseline(judged_suite(suite), suite=suite, partial="-k cancel")


def test_a_session_nobody_judged_is_never_written(suite: Suite) -> None:
    """Offline without a store nobody has an opinion."""
    with pytest.raises(BaselineError, match="not scored: task-00"):
        update_baseline(judged_suite(suite, offline=True), suite=suite)
    assert not (suite.root / "baseline.json").exists()


def test_an_unreadable_file_is_never_written(suite: Suite) -> None:
    """A suite with an item that errors is not complete."""
    (suite.root / "broken.json").write_text('[{"role": "user", ', "utf-8")
    with pytest.raises(BaselineError, match=r"1 could not be read, first broken\.json"):
        update_baseline(judged_suite(suite), suite=suite)


@pytest.mark.parametrize("there", ["", "{", "<<<<<<< ours\n", '{"format": 99}'])
def test_what_cannot_be_read_is_replaced(suite: Suite, there: str) -> None:
    """Errors of reading say to write it again, so that must work; what was wrong is said."""
    (suite.root / "baseline.json").write_text(there, "utf-8")
    said = blessed(suite)
    assert "wrote baseline.json" == said[0]
    assert any(line.startswith("replaced what could not be read: ") for line in said)
    assert None is not read_baseline(suite.root / "baseline.json")


def test_a_link_is_replaced_and_not_followed(suite: Suite, tmp_path: Path) -> None:
    """A checkout cannot have a file elsewhere overwritten."""
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text("precious", "utf-8")
    (suite.root / "baseline.json").symlink_to(elsewhere)
    blessed(suite)
    assert "precious" == elsewhere.read_text("utf-8")
    assert not (suite.root / "baseline.json").is_symlink()


def test_where_nothing_can_be_written_nothing_is_left(suite: Suite) -> None:
    """A folder in its place is an error in one line, and no temporary file stays."""
    (suite.root / "baseline.json").mkdir()
    before = sorted(suite.root.iterdir())
    with pytest.raises(BaselineError, match="cannot be written"):
        blessed(suite)
    kept = [path for path in sorted(suite.root.iterdir()) if path.name != ".sessioneval"]
    assert [path for path in before if path.name != ".sessioneval"] == kept


def test_the_baseline_lies_where_it_was_asked_for(suite: Suite, tmp_path: Path) -> None:
    """--sessioneval-baseline over [gate] baseline over the default."""
    given = tmp_path / "elsewhere" / "b.json"
    update_baseline(judged_suite(suite), suite=suite, given=given)
    assert given.is_file()
    assert suite.root / "baseline.json" == baseline_path(suite)
    named = write_suite(
        suite.root, STEADY, more='[gate]\naxes=["goal_completion"]\nbaseline="x/y.json"\n'
    )
    assert suite.root / "x" / "y.json" == baseline_path(named)


# -- reading -------------------------------------------------------------------------


def test_no_file_is_no_baseline(tmp_path: Path) -> None:
    """Only that: everything that is there must be readable."""
    assert None is read_baseline(tmp_path / "baseline.json")


def test_what_is_there_and_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """A folder, bytes that are no text, and a link that leads nowhere."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    for name in ("folder", "bytes", "link"):
        with pytest.raises(BaselineError, match=name):
            read_baseline(tmp_path / name)


def test_a_newer_format_is_an_error(tmp_path: Path) -> None:
    """It says which version reads it."""
    (tmp_path / "baseline.json").write_text('{"format": 3}', "utf-8")
    with pytest.raises(BaselineError, match=r"format 3, this version reads up to 2; upgrade"):
        read_baseline(tmp_path / "baseline.json")


# -- the anchor ----------------------------------------------------------------------


def test_pinning_copies_the_baseline(suite: Suite) -> None:
    """The anchor is the same file under another name."""
    blessed(suite)
    said = pin_anchor(suite).lines("baseline.anchor.json")
    assert "wrote baseline.anchor.json" == said[0]
    anchor = suite.root / "baseline.anchor.json"
    assert (suite.root / "baseline.json").read_bytes() == anchor.read_bytes()


def test_writing_a_baseline_never_moves_the_anchor(suite: Suite) -> None:
    """Only its own command does."""
    blessed(suite)
    pin_anchor(suite)
    before = (suite.root / "baseline.anchor.json").read_bytes()
    blessed(suite, WORSE)
    assert before == (suite.root / "baseline.anchor.json").read_bytes()


def test_pinning_again_says_what_is_given_up(suite: Suite) -> None:
    """Twenty points down from the last anchor, in so many words."""
    blessed(suite)
    pin_anchor(suite)
    blessed(suite, WORSE)
    said = pin_anchor(suite).lines()
    assert "  goal_completion: 90.0 to 70.0 (-20.0)" in said


def test_there_is_nothing_to_pin_without_a_baseline(suite: Suite) -> None:
    """The message says how to get one."""
    with pytest.raises(BaselineError, match="no baseline to pin; write one with pytest"):
        pin_anchor(suite)


def test_an_anchor_of_other_versions_is_pointed_out(suite: Suite) -> None:
    """After a change of judge or rubric the anchor must be pinned anew: the next step is said."""
    blessed(suite)
    pin_anchor(suite)
    anchor = suite.root / "baseline.anchor.json"
    old = json.loads(anchor.read_text("utf-8"))
    old["versions"]["judge"] = "other@1#0"
    anchor.write_text(json.dumps(old), "utf-8")
    assert f"sessioneval baseline anchor {suite.root}" in blessed(suite)[-1]

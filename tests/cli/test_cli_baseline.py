"""``sessioneval baseline show`` and ``anchor``: what they print, write and refuse."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from gating_cases import STEADY, WORSE, judged_suite, write_sessions, write_suite

from pytest_sessioneval.cli import program
from pytest_sessioneval.evaluation.baselines import update_baseline
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.suites.model import Suite


def baseline(*arguments: str | Path) -> Result:
    """Return how ``sessioneval baseline`` ends in this process."""
    return CliRunner().invoke(program, ["baseline", *map(str, arguments)])


def lines(*arguments: str | Path) -> list[str]:
    """Return what it prints when it ends with 0."""
    done = baseline(*arguments)
    assert 0 == done.exit_code, done.output
    return done.stdout.splitlines()


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Return a suite with a baseline; commands are given from the folder above."""
    made = write_suite(tmp_path / "airline", STEADY)
    update_baseline(judged_suite(made), suite=made)
    monkeypatch.chdir(tmp_path)
    return made


@pytest.mark.usefixtures("suite")
def test_show_says_what_the_baseline_holds() -> None:
    """Sessions, versions, a mean per axis with what it rests on, and that there is no anchor."""
    said = lines("show", "airline")
    assert "airline/baseline.json: 24 sessions of airline" == said[0]
    assert said[1].startswith("  rubric agent@")
    assert "  goal_completion          90.0  of 24 sessions" in said
    assert "  subagent_orchestration  no score (24 not_applicable)" in said
    assert "no anchor: pin this baseline with `sessioneval baseline anchor airline`" == said[-1]


@pytest.mark.usefixtures("suite")
def test_anchor_pins_the_baseline_and_says_what_moved() -> None:
    """The first time all of it is new; afterwards show calls it the same."""
    assert "wrote airline/baseline.anchor.json" == lines("anchor", "airline")[0]
    assert "airline/baseline.anchor.json: the same" == lines("show", "airline")[-1]
    assert ["airline/baseline.anchor.json holds these scores already"] == lines("anchor", "airline")


def test_anchor_says_what_is_given_up(suite: Suite) -> None:
    """Twenty points since the last time: whoever reviews this sees it."""
    lines("anchor", "airline")
    write_sessions(suite.root, WORSE)
    update_baseline(judged_suite(load_suite(suite.root)), suite=suite)
    shown = lines("show", "airline")
    assert "airline/baseline.anchor.json: 24 sessions of airline" in shown
    assert "  goal_completion: 90.0 to 70.0 (-20.0)" in lines("anchor", "airline")


def test_the_folder_is_here_by_default(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with git."""
    monkeypatch.chdir(suite.root)
    assert "baseline.json: 24 sessions of airline" == lines("show")[0]


@pytest.mark.parametrize("command", ["show", "anchor"])
@pytest.mark.parametrize(
    ("there", "message"),
    [(None, "there is no baseline"), ("", "the baseline is empty"), ("{", "is no JSON")],
)
def test_without_a_sound_baseline_nothing_is_done(
    suite: Suite, command: str, there: str | None, message: str
) -> None:
    """Exit 2, one line, and no anchor is made."""
    file = suite.root / "baseline.json"
    if there is None:
        file.unlink()
    else:
        file.write_text(there, "utf-8")
    done = baseline(command, "airline")
    assert (2, "") == (done.exit_code, done.stdout)
    (line,) = done.stderr.splitlines()
    assert message in line
    assert not (suite.root / "baseline.anchor.json").exists()


def test_a_folder_that_is_no_suite_is_refused(tmp_path: Path) -> None:
    """The message says how to make one."""
    done = baseline("show", tmp_path)
    assert (2, True) == (done.exit_code, "sessioneval init" in done.stderr)

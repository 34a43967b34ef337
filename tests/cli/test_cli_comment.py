"""``sessioneval comment``: the body of a pull-request comment."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from gating_cases import STEADY, judged, judged_suite, write_suite, written_report

from pytest_sessioneval.cli import program
from pytest_sessioneval.evaluation.baselines import update_baseline

RUN = "20261121-190412-7f3a2b"


def comment(*arguments: str | Path) -> Result:
    """Return how ``sessioneval comment`` ends in this process."""
    return CliRunner().invoke(program, ["comment", *map(str, arguments)])


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the report of a run, kept under its id where the command is given."""
    monkeypatch.chdir(tmp_path)
    suite = write_suite(tmp_path / "airline", STEADY)
    path = tmp_path / ".sessioneval" / "runs" / RUN / "report.json"
    return written_report(judged(suite), path).path


def test_the_first_line_is_the_hidden_marker(report: Path) -> None:
    """By file or by id; the report follows."""
    by_file, by_id = comment(report), comment(RUN)
    assert (0, 0) == (by_file.exit_code, by_id.exit_code)
    assert by_file.stdout == by_id.stdout
    first, second, *_ = by_file.stdout.splitlines()
    assert "<!-- pytest-sessioneval: report -->" == first
    assert second.startswith("# ")


def test_several_comments_are_told_apart(report: Path) -> None:
    """One name per job."""
    first = comment(report, "--name", "nightly").stdout.splitlines()[0]
    assert "<!-- pytest-sessioneval: nightly -->" == first


@pytest.mark.parametrize("name", ["", "a b", "-->", "x" * 65])
def test_a_name_cannot_leave_the_marker(report: Path, name: str) -> None:
    """It would end the HTML comment."""
    done = comment(report, "--name", name)
    assert (2, "") == (done.exit_code, done.stdout)


def test_a_baseline_is_no_report(tmp_path: Path) -> None:
    """It holds nothing to be shown."""
    suite = write_suite(tmp_path / "airline", STEADY)
    update_baseline(judged_suite(suite), suite=suite)
    done = comment(suite.root / "baseline.json")
    assert (2, True) == (done.exit_code, "is a baseline" in done.stderr)


def test_a_revision_is_no_report(tmp_path: Path) -> None:
    """Nor is anything else."""
    assert 2 == comment("git:HEAD").exit_code
    assert 2 == comment(tmp_path / "nothing").exit_code

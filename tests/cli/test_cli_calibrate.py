"""``sessioneval calibrate``: what it prints, writes and refuses; runs that use what it wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calibration_cases import sessions, write
from click.testing import CliRunner, Result

from pytest_sessioneval.cli import program
from pytest_sessioneval.suites.labels import HumanLabel, label_lines
from pytest_sessioneval.transcripts.digest import digest

USED = '[judge]\ncalibration = "calibration.json"\n'


def calibrate(*arguments: str | Path) -> Result:
    """Return how ``sessioneval calibrate`` ends in this process."""
    return CliRunner().invoke(program, ["calibrate", *map(str, arguments)])


def lines(*arguments: str | Path) -> list[str]:
    """Return what it prints when it ends with 0."""
    done = calibrate(*arguments)
    assert 0 == done.exit_code, done.output
    return done.stdout.splitlines()


def test_it_says_what_the_fit_is_worth_and_writes_it(tmp_path: Path) -> None:
    """Labels, kinds, figures on what was held out, weights, the file, and what to do next."""
    said = lines(write(tmp_path, sessions()))
    assert said[0].endswith(
        ": 60 labelled sessions of 30 tasks, 30 succeeded (recorded outcomes; 0.5 and more is "
        "success)"
    )
    assert "  domain: airline 30 (15 succeeded), retail 30 (15 succeeded)" == said[1]
    assert said[2].startswith("tasks held out: AUC 0.")
    assert said[3].startswith("kinds held out: AUC 0.")
    assert said[4].startswith("Brier score 0.")
    assert said[5].startswith("what weighs most (log odds per standard deviation): ")
    assert f"wrote {tmp_path}/calibration.json" == said[6]
    assert (
        'to use it: calibration = "calibration.json" under [judge] in sessioneval.toml' == said[7]
    )
    assert 60 == json.loads((tmp_path / "calibration.json").read_text("utf-8"))["labels"]


def test_labels_that_process_does_not_tell_write_nothing(tmp_path: Path) -> None:
    """Exit status 1, the figures, and why."""
    done = calibrate(write(tmp_path, sessions(told=0.5)))
    assert 1 == done.exit_code
    assert "tasks held out: AUC 0." in done.stdout
    assert "nothing was written: the interval of the AUC" in done.stdout
    assert not (tmp_path / "calibration.json").exists()


def test_too_few_labels_are_a_usage_error(tmp_path: Path) -> None:
    """Nothing can be told of 38."""
    done = calibrate(write(tmp_path, sessions(38)))
    assert (2, "") == (done.exit_code, done.stdout)
    assert "sessioneval: 38 labelled sessions, and a calibration needs at least 40" in done.stderr


def test_labels_may_come_from_people(tmp_path: Path) -> None:
    """Sessions without a label, and complaints, are counted and not used."""
    made = sessions(60)
    write(tmp_path / "suite", made)
    scores = [
        HumanLabel(
            digest=digest(one),
            axis="goal_completion",
            score=100 * (one.outcome.value or 0),
            source="unknown" if number < 50 else "complaint",
        )
        for number, one in enumerate(made)
        if one.outcome is not None
    ]
    labels = tmp_path / "labels.jsonl"
    labels.write_text(label_lines([], scores), "utf-8")
    said = lines(tmp_path / "suite", "--labels", labels)
    assert "50 labelled sessions of 25 tasks, 25 succeeded (people's labels; 50 and " in said[0]
    assert "  10 sessions without a label: not used" == said[1]
    assert "  10 complaint labels: not used, chosen by how a session ended" == said[2]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["missing"], "missing is no folder; name the folder of a suite"),
        (["suite/session-000.jsonl"], "is no folder; name the folder of a suite"),
        (["suite", "--labels", "missing"], "missing: cannot read this label file"),
        (["suite", "--labels", "odd"], "odd:1: "),
        (["suite", "--kind", "team"], "--kind team: no session has metadata of that name"),
        (["suite", "--write", "odd"], "odd is there already; replace it with --force"),
        (["empty"], "0 labelled sessions"),
    ],
)
def test_what_cannot_be_tried_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    """In one line, with exit status 2."""
    write(tmp_path / "suite", sessions(60))
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd").write_text('{"session": "nope", "value": 1}\n', "utf-8")
    monkeypatch.chdir(tmp_path)
    done = calibrate(*arguments)
    assert (2, "") == (done.exit_code, done.stdout)
    assert reason in done.stderr
    assert 1 == len(done.stderr.splitlines())


def test_a_calibration_that_is_there_is_replaced_only_by_force(tmp_path: Path) -> None:
    """It changes the judge's version."""
    write(tmp_path, sessions(), suite=USED)
    (tmp_path / "calibration.json").write_text("{}", "utf-8")
    assert 2 == calibrate(tmp_path).exit_code
    said = lines(tmp_path, "--force")
    assert "the suite uses it: a baseline made before is not comparable any more" == said[-1]


def test_a_file_outside_of_the_suite_is_written_and_cannot_be_used_there(tmp_path: Path) -> None:
    """A suite's files lie inside it."""
    said = lines(write(tmp_path / "suite", sessions()), "--write", tmp_path / "other.json")
    assert f"to use it, move it into {tmp_path}/suite: a suite's files lie inside it" == said[-1]


def test_a_run_scores_by_the_calibration_and_says_so(pytester: pytest.Pytester) -> None:
    """Every session gets an estimate; terminal, report and failure text call it one."""
    folder = write(pytester.path / "desk", sessions(), suite=USED)
    lines(folder)
    with (folder / "sessioneval.toml").open("a", encoding="utf-8") as suite:
        suite.write("[thresholds.session]\ngoal_completion = 30\n")
    done = pytester.runpytest(folder, "--sessioneval-out", pytester.path)
    assert 1 == done.ret
    text = " ".join(done.stdout.str().split())
    assert "Estimated, not observed: a probability of success of" in text
    assert (
        "goal_completion is an estimate: the probability of success by the calibration logistic@1#"
        in text
    )
    (path,) = (pytester.path / "runs").glob("*/report.json")
    report = json.loads(path.read_text("utf-8"))
    (judged,) = report["suites"]
    assert "nobody looked at the result" in judged["judge"]["notice"]
    assert "calibration.json" not in judged["sources"]["not_sessions"]

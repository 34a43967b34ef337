"""Calibration files: written, read back, refused; and the suite file's key for one."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.suites.calibration import (
    Calibration,
    Estimate,
    FeatureWeight,
    KindOfTask,
    kind_of,
    read_calibration,
)
from pytest_sessioneval.suites.loading import load_suite

MADE = Calibration(
    measures=2,
    features=(
        FeatureWeight(name="steps", mean=3.0, scale=2.0, weight=-0.5),
        FeatureWeight(name="declined", mean=0.0, scale=1.0, weight=1.0),
    ),
    intercept=0.25,
    ridge=5.0,
    labels=60,
    successes=30,
    tasks=30,
    auc=Estimate(value=0.8, low=0.65, high=0.9),
    kind_key="domain",
    kinds=(
        KindOfTask(name="airline", labels=40, successes=20),
        KindOfTask(name=None, labels=20, successes=10),
    ),
    auc_new_kinds=Estimate(value=0.55, low=0.4, high=0.7),
)
USED = '[judge]\ncalibration = "calibration.json"\n'


def written(folder: Path, text: str) -> Path:
    """Write a calibration file and return its path."""
    path = folder / "calibration.json"
    path.write_text(text, "utf-8")
    return path


def suite_refused(folder: Path, text: str) -> str:
    """Return why a suite file is refused."""
    (folder / "sessioneval.toml").write_text(text, "utf-8")
    with pytest.raises(SuiteError) as caught:
        load_suite(folder)
    return str(caught.value)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Every value, and so the version."""
    again = read_calibration(written(tmp_path, MADE.text()))
    assert (MADE, MADE.version) == (again, again.version)


def test_another_weight_is_another_version() -> None:
    """Scores would move, so nothing stored may be taken for today's."""
    heavier = MADE.features[0].model_copy(update={"weight": -0.6})
    other = MADE.model_copy(update={"features": (heavier, MADE.features[1])})
    assert MADE.version != other.version


def test_the_probability_is_the_logistic_of_the_weighted_deviations() -> None:
    """0.25 - 0.5 × (5 - 3)/2 + 1 × 0.75 is 0.5 - 0.5 = 0.5 in log odds."""
    odds = 0.25 - 0.5 * 1.0 + 1.0 * 0.75
    assert 1 / (1 + math.exp(-odds)) == pytest.approx(MADE.probability([5.0, 0.75]))


def test_far_values_count_as_three_deviations() -> None:
    """Nothing is known of what lies beyond the labelled sessions."""
    assert MADE.probability([9.0, 3.0]) == MADE.probability([900.0, 3.0])


def test_extreme_log_odds_do_not_overflow() -> None:
    """They are probabilities all the same."""
    sure = MADE.model_copy(update={"intercept": -5_000.0})
    assert 0.0 == sure.probability([3.0, 0.0])


@pytest.mark.parametrize(
    ("kind", "known"), [("airline", True), (None, True), ("telecom", False), ("", False)]
)
def test_kinds_that_were_not_labelled_are_not_known(kind: str | None, known: object) -> None:
    """The interval for new kinds includes 0.5."""
    assert known == MADE.knows(kind)


def test_new_kinds_are_known_where_the_fit_held_for_them() -> None:
    """Its interval on kinds held out lies above 0.5."""
    held = MADE.model_copy(update={"auc_new_kinds": Estimate(value=0.7, low=0.6, high=0.8)})
    assert held.knows("telecom")


def test_without_kinds_every_session_is_known() -> None:
    """Nobody named any."""
    assert MADE.model_copy(update={"kind_key": None, "kinds": ()}).knows(None)


def test_a_kind_is_the_text_of_its_metadata() -> None:
    """A number names a kind as well; without a key there is none."""
    found = [kind_of({"team": 7}, key) for key in ("team", "domain", None)]
    assert ["7", None, None] == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "calibration.json:1: the calibration is no JSON"),
        ("[1]", 'no whole number under "format"'),
        ('{"format": true}', 'no whole number under "format"'),
        ('{"format": 2}', "has format 2, this version reads up to 1; upgrade"),
        ('{"format": 1, "ridge": 0}', "no calibration: measures: Field required"),
        (MADE.text().replace("0.65", "NaN"), "is no JSON"),
        (MADE.text().replace('"scale": 2.0', '"scale": 0'), "features.0.scale"),
        (MADE.text().replace('"labels": 60', '"labels": "60"'), "labels: Input should be"),
    ],
)
def test_what_is_no_calibration_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    """With the file, the fault, and what to do."""
    with pytest.raises(SuiteError) as caught:
        read_calibration(written(tmp_path, text))
    assert reason in str(caught.value)
    assert "calibration.json" in str(caught.value)


def test_a_suite_reads_its_calibration(tmp_path: Path) -> None:
    """The key under [judge] names it."""
    written(tmp_path, MADE.text())
    (tmp_path / "sessioneval.toml").write_text(USED, "utf-8")
    assert MADE == load_suite(tmp_path).calibration


def test_a_suite_about_to_be_calibrated_does_not_read_it(tmp_path: Path) -> None:
    """Else a file that is broken or missing could never be made."""
    (tmp_path / "sessioneval.toml").write_text(USED, "utf-8")
    assert None is load_suite(tmp_path, calibrated=False).calibration


def test_another_judge_on_the_command_line_leaves_the_calibration_out(tmp_path: Path) -> None:
    """It is the embedded judge's; the file stays as it is."""
    written(tmp_path, MADE.text())
    (tmp_path / "sessioneval.toml").write_text(USED, "utf-8")
    suite = load_suite(tmp_path, judge="openai:any")
    assert (None, None) == (suite.calibration, suite.settings.judge.calibration)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (USED, "sessioneval.toml:2:"),
        (USED, "there is no file 'calibration.json': write it with `sessioneval calibrate`"),
        (USED.replace("calibration.json", "../calibration.json"), "leads out of the suite's"),
        (USED + 'model = "openai:any"\n', "calibration is for the embedded judge"),
        (USED.replace('"calibration.json"', "7"), "accepted: a string"),
    ],
)
def test_a_suite_file_that_names_none_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    """Missing, outside, for another judge, no text."""
    assert reason in suite_refused(tmp_path, text)


def test_a_broken_calibration_names_both_files(tmp_path: Path) -> None:
    """The suite file's line, and what is wrong with the file it names."""
    written(tmp_path, json.dumps({"format": 1}))
    refused = suite_refused(tmp_path, USED)
    assert "sessioneval.toml:2:" in refused
    assert "calibration.json: no calibration" in refused

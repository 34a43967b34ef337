"""Calibrating on real sessions: the labels that are there, and a fit that is not good enough."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pytest_sessioneval.cli.calibrate import CalibrationResult, calibrate_suite

FILES = ("tau-bench", "tau2-bench")


@pytest.fixture(scope="module")
def folder(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the labelled sessions: something may be written beside them."""
    made = tmp_path_factory.mktemp("labelled")
    for name in FILES:
        shutil.copytree(shared_data / name, made / name, copy_function=shutil.copyfile)
    return made


@pytest.fixture(scope="module")
def found(folder: Path) -> CalibrationResult:
    """Return what calibrating on them comes to."""
    return calibrate_suite(str(folder), labels=(), kind=None, write=None, force=False)


def rewards(folder: Path) -> list[float]:
    """Return every reward of a run that holds a message, from the raw files."""
    values: list[float] = []
    for path in sorted(folder.rglob("*.json")):
        value: Any = json.loads(path.read_text("utf-8"))
        if isinstance(value, list):
            values += [run["reward"] for run in value if run["traj"]]
            continue
        runs = value.get("simulations", [value]) if isinstance(value, dict) else []
        values += [
            run["reward_info"]["reward"]
            for run in runs
            if run.get("messages") and run.get("reward_info")
        ]
    return values


def test_every_recorded_reward_is_a_label(folder: Path, found: CalibrationResult) -> None:
    """Counted in the raw files by themselves; a reward of one half and more is success."""
    values = rewards(folder)
    count = f"{len(values)} labelled sessions"
    succeeded = f"{sum(value >= 0.5 for value in values)} succeeded"
    assert count in found.lines[0]
    assert succeeded in found.lines[0]


def test_a_calibration_is_written_only_above_a_coin(folder: Path, found: CalibrationResult) -> None:
    """On these sessions, a few of each of many kinds, the interval includes one half."""
    (line,) = (one for one in found.lines if one.startswith("tasks held out: AUC "))
    low = float(line.partition("[")[2].partition(",")[0])
    assert found.written == (low > 0.5)
    assert found.written == (folder / "calibration.json").exists()
    assert found.written == (not found.lines[-1].startswith("nothing was written: "))
    assert any(one.startswith("kinds held out: AUC ") for one in found.lines)

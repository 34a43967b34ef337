"""Decisions between real models and trials on the same tasks, scored by their recorded outcomes.

Each is computed again here from the raw files: pairs, mean, and a Student-t
interval. None of them shares 20 tasks, so each must be inconclusive, and say
how many sessions are missing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest
from gating_cases import judged_suite
from scipy.special import stdtrit

from pytest_sessioneval.evaluation.baselines import reader_versions
from pytest_sessioneval.evaluation.gating import candidate_side
from pytest_sessioneval.gate.baseline import baseline_of
from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.saying import first_sentence
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.verdicts.run import SuiteRun

RULES = """
[suite]
name = "real"
key = "task_id"
use_outcome = true
[gate]
axes = ["goal_completion"]
break = 100
"""
"""An outcome is 0 or 1: no single session says anything about the suite."""

AZURE = "tau2-bench/azure-gpt-4o_airline.sims0-15.json"
GPT_41 = "tau2-bench/gpt-4.1_airline_default_gpt-4.1_1trials.json"
GPT_OSS = "tau2-bench/gpt-oss-120b_airline.4odd.json"
WHISSLE = "tau2-bench/whissle_airline.2sims.json"
GPT_4O = "tau-bench/gpt-4o-airline.tasks0-24.balanced.json"


@dataclass(frozen=True)
class Side:
    """Some sessions of a real file: one per task."""

    file: str
    trial: int = 0

    def runs(self, data: Path) -> list[dict[str, Any]]:
        """Return the raw records."""
        value = json.loads((data / self.file).read_text("utf-8"))
        runs = value if isinstance(value, list) else value["simulations"]
        return [run for run in runs if run["trial"] == self.trial]

    def rewards(self, data: Path) -> Mapping[str, float]:
        """Return 100 times the reward of each task, straight from the file."""
        return {
            str(run["task_id"]): 100
            * (run["reward"] if "reward" in run else run["reward_info"]["reward"])
            for run in self.runs(data)
        }

    def judged(self, data: Path, folder: Path) -> SuiteRun:
        """Return these sessions as a suite, really read and judged."""
        folder.mkdir()
        value = json.loads((data / self.file).read_text("utf-8"))
        runs = self.runs(data)
        kept = runs if isinstance(value, list) else value | {"simulations": runs}
        (folder / "sessions.json").write_text(json.dumps(kept), "utf-8")
        (folder / "sessioneval.toml").write_text(RULES, "utf-8")
        return judged_suite(load_suite(folder))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Side(GPT_4O, 0), Side(GPT_4O, 1)),
        (Side(AZURE), Side(GPT_41)),
        (Side(AZURE), Side(GPT_OSS)),
        (Side(AZURE), Side(WHISSLE)),
    ],
    ids=["gpt-4o trial 0 and 1", "gpt-4o and gpt-4.1", "gpt-4o and gpt-oss", "gpt-4o and whissle"],
)
def test_a_real_pair_is_inconclusive_and_says_what_is_missing(
    shared_data: Path, tmp_path: Path, before: Side, after: Side
) -> None:
    """Fewer than 20 tasks are shared: the mean and interval are right, and nothing is claimed."""
    was, now = before.rewards(shared_data), after.rewards(shared_data)
    differences = [now[task] - was[task] for task in sorted(was.keys() & now.keys())]
    assert 2 <= len(differences) < 20

    old = before.judged(shared_data, tmp_path / "before")
    new = after.judged(shared_data, tmp_path / "after")
    baseline = baseline_of(old, scoring=old.scoring_version, readers=reader_versions(old))
    settings = load_suite(tmp_path / "after").settings.gate
    assert settings is not None
    decision = decide(candidate_side(new, left_out=None), {"baseline": baseline}, settings)

    assert "inconclusive" == decision.status
    test = decision.gated[0].comparisons[0].overall
    assert test is not None
    assert len(differences) == test.pairs
    assert fmean(differences) == pytest.approx(test.difference)
    half = stdtrit(len(differences) - 1, 0.95) * stdev(differences) / math.sqrt(len(differences))
    limits = (max(-100, fmean(differences) - half), min(100, fmean(differences) + half))
    assert limits == pytest.approx((test.low, test.high))
    assert test.units_missing is not None
    assert 20 - len(differences) <= test.units_missing
    assert f"About {test.units_missing} more sessions would settle it." in first_sentence(decision)

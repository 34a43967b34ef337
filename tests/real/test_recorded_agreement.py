"""Agreement of recorded judges and people, against the same rows worked out by other means."""

from __future__ import annotations

import json
import os
from collections import Counter
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from recorded_sets import AXIS, SETS, RecordedSet, rows, table_rows, triples

from pytest_sessioneval.cli import program
from pytest_sessioneval.gate.agreement.card import Figure, JudgeCard
from pytest_sessioneval.gate.agreement.coefficients import cohen_kappa, krippendorff_alpha
from pytest_sessioneval.gate.agreement.stability import repeat_sd

DOCS = Path(__file__).resolve().parents[2] / "docs"
BINARY = [one for one in SETS if "TopicalChat" not in one.labels]
SCORED = [one for one in SETS if "TopicalChat" in one.labels]


def value(figure: Figure | None) -> float:
    """Return a figure's value, which must be there."""
    assert figure is not None
    assert figure.value is not None
    return figure.value


def frame(one: RecordedSet, data: Path) -> Any:
    """Return the rows that have both, as pass and fail."""
    given = [row for row in rows(one, data) if row.judge is not None]
    return pd.DataFrame(
        {
            "judge": [row.judge is not None and row.judge >= 50 for row in given],
            "label": [bool(row.label) for row in given],
        }
    )


def name(one: RecordedSet) -> str:
    """Return what a set is called in test ids."""
    return f"{one.judge} x {one.labels}"


# -- pass and fail ---------------------------------------------------------------------


@pytest.mark.parametrize("one", BINARY, ids=name)
def test_accuracy_and_kappa_are_those_of_the_table(shared_data: Path, one: RecordedSet) -> None:
    """Counted by pandas in a table of two by two."""
    both = frame(one, shared_data)
    table: Any = pd.crosstab(both["judge"], both["label"], normalize=True)
    table = table.reindex(index=[False, True], columns=[False, True], fill_value=0.0)
    agreed = table.loc[False, False] + table.loc[True, True]
    by_chance = sum(table.loc[side].sum() * table[side].sum() for side in (False, True))
    found = one.agreement(shared_data)
    assert len(both) == found.sessions
    assert pytest.approx(agreed, abs=1e-6) == found.accuracy.value
    assert pytest.approx((agreed - by_chance) / (1 - by_chance), abs=1e-6) == found.kappa.value
    assert pytest.approx(both["judge"].mean(), abs=1e-6) == found.judge_passes.value
    assert pytest.approx(both["label"].mean(), abs=1e-6) == found.label_passes.value


@pytest.mark.parametrize("one", BINARY, ids=name)
def test_nominal_alpha_is_its_definition(shared_data: Path, one: RecordedSet) -> None:
    """Coincidences counted pair by pair."""
    pairs = frame(one, shared_data).to_numpy().tolist()
    coincidences = Counter(pair for unit in pairs for pair in permutations(unit, 2))
    totals = Counter(side for unit in pairs for side in unit)
    total = sum(totals.values())
    observed = sum(count for (a, b), count in coincidences.items() if a != b) / total
    apart = sum(totals[a] * totals[b] for a in totals for b in totals if a != b)
    expected = apart / (total * (total - 1))
    assert (
        pytest.approx(1 - observed / expected, abs=1e-6) == one.agreement(shared_data).alpha.value
    )


@pytest.mark.parametrize("one", SETS, ids=name)
def test_intervals_hold_their_figures(shared_data: Path, one: RecordedSet) -> None:
    """Each lies around its estimate."""
    found = one.agreement(shared_data)
    for figure in (found.alpha, found.kappa, found.accuracy):
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low <= value(figure) <= figure.high


def test_a_recorded_judge_is_lenient(shared_data: Path) -> None:
    """15 of 16 passed where 9 had succeeded; half of the verdicts are right, as in the full set."""
    found = SETS[0].agreement(shared_data)
    assert (16, 0.9375, 0.5625, 0.5) == (
        found.sessions,
        found.judge_passes.value,
        found.label_passes.value,
        found.accuracy.value,
    )


def test_verdicts_off_the_vocabulary_are_no_verdicts(shared_data: Path) -> None:
    """Satisfied and satisfactory are neither passed nor failed: 8 of 16 are left."""
    found = SETS[2].agreement(shared_data)
    assert (8, 8) == (found.sessions, found.unscored)


def test_the_pandalm_annotators_are_unanimous_here(shared_data: Path) -> None:
    """Every pair of them agrees on all 80 of the subset, so that kappa and alpha are 1."""
    found = json.loads((shared_data / "human-judged/pandalm_testset.80.json").read_text("utf-8"))
    votes: Any = pd.DataFrame(found)[["annotator1", "annotator2", "annotator3"]]
    for first, second in combinations(votes, 2):
        same = float((votes[first] == votes[second]).mean())
        assert (1, 1) == (same, cohen_kappa(votes[first].tolist(), votes[second].tolist()))
    assert pytest.approx(1) == krippendorff_alpha(votes.to_numpy().tolist(), "nominal")


# -- scores ----------------------------------------------------------------------------


@pytest.mark.parametrize("one", SCORED, ids=name)
def test_agreement_of_scores_is_numpys(shared_data: Path, one: RecordedSet) -> None:
    """Alpha, quadratic kappa, ICCs, bias, slope and distance, from matrices."""
    table: Any = np.array([[row.judge, float(row.label)] for row in rows(one, shared_data)])
    found = one.agreement(shared_data)
    n, k = table.shape
    everything = table.ravel()
    expected = np.square(everything[:, None] - everything[None, :]).sum() / (n * k) / (n * k - 1)
    observed = 2 * np.square(table[:, 0] - table[:, 1]).sum() / (n * k)
    assert pytest.approx(1 - observed / expected, abs=1e-6) == found.alpha.value
    levels = np.clip(np.floor((table + 10) / 20), 0, 5).astype(int)
    counts = np.zeros((6, 6))
    np.add.at(counts, (levels[:, 0], levels[:, 1]), 1)
    weights = np.square(np.subtract.outer(np.arange(6), np.arange(6)))
    by_chance = np.outer(counts.sum(1), counts.sum(0)) / n
    kappa = 1 - (weights * counts).sum() / (weights * by_chance).sum()
    assert pytest.approx(kappa, abs=1e-6) == value(found.quadratic_kappa)
    between = k * table.mean(1).var(ddof=1)
    raters = n * table.mean(0).var(ddof=1)
    residual = (table.var() * n * k - between * (n - 1) - raters * (k - 1)) / ((n - 1) * (k - 1))
    single = (between - residual) / (between + (k - 1) * residual + k * (raters - residual) / n)
    average = (between - residual) / (between + (raters - residual) / n)
    assert pytest.approx(single, abs=1e-6) == value(found.icc_single)
    assert pytest.approx(average, abs=1e-6) == value(found.icc_average)
    judge, label = table.T
    assert pytest.approx((judge - label).mean(), abs=1e-6) == value(found.bias)
    assert pytest.approx(np.abs(judge - label).mean(), abs=1e-6) == value(found.mean_error)
    assert pytest.approx(np.polyfit(label, judge, 1)[0], abs=1e-6) == value(found.slope)


def test_a_judge_asked_three_times_differs_from_itself(shared_data: Path) -> None:
    """Identical scores, spread and alpha of its own samples, by pandas."""
    given = triples(shared_data)
    table: Any = pd.DataFrame(given)
    assert pytest.approx(np.sqrt(table.var(axis=1, ddof=1).mean())) == repeat_sd(given)
    flat = table.to_numpy().ravel().astype(float)
    expected = np.square(flat[:, None] - flat[None, :]).sum() / len(flat) / (len(flat) - 1)
    observed = sum((a - b) ** 2 / 2 for scores in given for a, b in permutations(scores, 2)) / len(
        flat
    )
    assert pytest.approx(1 - observed / expected) == krippendorff_alpha(given, "interval")


# -- the table, and the command --------------------------------------------------------


def test_the_page_has_what_was_measured(shared_data: Path) -> None:
    """Every row of its table, figure by figure."""
    page = (DOCS / "judge-check.md").read_text("utf-8")
    assert [] == [row for row in table_rows(shared_data) if row not in page]
    given = triples(shared_data)
    identical = sum(1 for scores in given if len(set(scores)) == 1)
    alpha = krippendorff_alpha(given, "interval")
    assert f"{identical} of {len(given)} answers" in page
    assert f"alpha {alpha:.2f}, spread {repeat_sd(given):.2f}" in page


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give a folder to work in, and no judge from the environment."""
    for variable in [one for one in os.environ if one.startswith("SESSIONEVAL_")]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".sessioneval").mkdir()
    return tmp_path


def test_recorded_replies_are_examined_by_the_command(shared_data: Path, alone: Path) -> None:
    """The real judge's verdicts, in our protocol's words, give the card the table's figures."""
    sessions = json.loads(
        (shared_data / "tau2-bench" / "azure-gpt-4o_airline.sims0-15.json").read_text("utf-8")
    )
    suite = alone / "airline"
    suite.mkdir()
    (suite / "sessions.json").write_text(json.dumps(sessions), "utf-8")
    (suite / "sessioneval.toml").write_text(
        '[judge]\nmodel = "recorded:replies.jsonl"\n\n[[judge.experts]]\nid = "triage"\n'
        'instruction = "Pass or fail?"\naxes = ["goal_completion"]\n',
        "utf-8",
    )
    said = {row.key: row.judge for row in rows(SETS[0], shared_data)}
    lines = [
        json.dumps(
            {
                "session_id": one["id"],
                "expert": "triage",
                "judge_version": "gpt-4o",
                "reply": _reply(one["messages"], said[one["id"]]),
            }
        )
        for one in sessions["simulations"]
    ]
    (suite / "replies.jsonl").write_text("\n".join(lines), "utf-8")
    done = CliRunner().invoke(program, ["judge-check", "airline", "--use-outcome", "--json"])
    card = JudgeCard.model_validate_json(done.stdout)
    (line,) = card.agreement
    expected = SETS[0].agreement(shared_data)
    assert (1, "incomplete", 16) == (done.exit_code, card.status, line.sessions)
    assert (expected.accuracy, expected.judge_passes) == (line.accuracy, line.judge_passes)
    assert pytest.approx(value(expected.kappa)) == line.kappa.value
    assert {"not_measured"} == {probe.status for probe in card.probes}
    assert AXIS not in {found.axis for found in card.separation}


def _reply(messages: list[dict[str, object]], level: float | None) -> str:
    """Return the verdict as a reply of the protocol, with quotes of the user's last words."""
    spoken = [
        (at, str(message["content"]))
        for at, message in enumerate(messages)
        if message["role"] in {"user", "tool"} and len(str(message["content"] or "")) >= 20
    ]
    at, text = spoken[-1]
    quote = text.strip().split("\n")[0][:100]
    evidence = [
        {"message": f"M{at}", "quote": quote, "polarity": "positive" if level else "negative"}
    ]
    axis = {
        "axis": "goal_completion",
        "evidence": evidence,
        "rationale": "as recorded",
        "applicable": True,
        "level": int(level or 0),
        "failure_tag": "none",
    }
    reply = {"nonce": "{{NONCE}}", "instructions_found_in_transcript": [], "axes": [axis]}
    return json.dumps(reply)

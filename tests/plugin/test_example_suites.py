"""The example suites end as their pages say: one green, one red, for the reasons given."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from inner_runs import LEAN

from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "example_suites"
OURS = ("SESSIONEVAL_", "OPENAI_", "ANTHROPIC_", "OLLAMA_", "PYTEST_", "GITHUB_")
MARGIN = 3
"""Points between the quickstart's scores and its thresholds: it is not green by luck."""

FAULTS = {
    "address-change": (["goal_completion", "communication"], ["M7", "NP559900127GB"]),
    "gift-wrap": (
        ["goal_completion", "communication"],
        ["M4", "M7", "M10", "So will she see the price or not?"],
    ),
    "ebook-download": (
        ["goal_completion", "tool_usage_quality"],
        ["M5", "7 identical calls of get_licence"],
    ),
    "duplicate-charge": (["goal_completion"], ["M7", r"/£23\.98/"]),
    "damaged-book": (["goal_completion", "communication"], ["M7", "M8", "OUT_OF_STOCK"]),
    "task-12": (["goal_completion"], ["M6", "create_return is not called"]),
    "preorder-moved": (["goal_completion", "communication"], ["M10", "cancel_preorder"]),
    "5d0f3c1e-8a47-4b1c-9a55-2f6f0b7d1e90": (
        ["subagent_orchestration"],
        ["M3", "a77e914", "Agent terminated early"],
    ),
    "b81c6f02-43d9-4c8e-8f3a-71d2a90e5c44": (
        ["goal_completion", "tool_usage_quality"],
        ["M5", "M23", "String to replace not found", "5 identical calls of Edit"],
    ),
}
"""Per session made worse: the axes that miss their threshold, and what the failure says."""
UNTOUCHED = ["bulk-order", "late-parcel", "task-11"]


@dataclass(frozen=True)
class Ended:
    """How a run of a suite ended."""

    exit: int
    said: str
    suite: Mapping[str, Any]
    texts: Mapping[str, str]
    """Per failing session its failure, on one line."""

    @property
    def sessions(self) -> Mapping[str, Mapping[str, Any]]:
        """The report's sessions by key."""
        return {session["key"]: session for session in self.suite["sessions"]}

    def score(self, key: str, axis: str) -> float | None:
        """One session's score; None: it has none."""
        found: float | None = self.sessions[key]["verdict"]["axes"][axis].get("score")
        return found


def run_suite(name: str, folder: Path) -> Ended:
    """Return how a plain pytest run of a copy of the suite ended."""
    shutil.copytree(EXAMPLES / name, folder / name)
    # Wide, so that no quote is wrapped; without a key, so that nobody else is asked.
    environ = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    environ |= {"COLUMNS": "400", "PYTEST_ADDOPTS": LEAN}
    command = [sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", name]
    written = ["--junitxml=junit.xml", "--sessioneval-json=report.json"]
    done = subprocess.run(
        [*command, *written], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert (folder / "report.json").is_file(), said
    (suite,) = json.loads((folder / "report.json").read_text("utf-8"))["suites"]
    return Ended(done.returncode, said, suite, failures(folder / "junit.xml"))


def failures(junit: Path) -> dict[str, str]:
    """Return each failing test's text by the session it speaks of, else by its name."""
    texts: dict[str, str] = {}
    for case in ET.parse(junit).iter("testcase"):  # noqa: S314  (written by pytest just now)
        failure = case.find("failure")
        if failure is not None:
            text = " ".join((failure.text or "").split())
            session = re.search(r"session (\S+) of suite", text)
            texts[session[1] if session else str(case.get("name"))] = text
    return texts


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Return how the quickstart ended."""
    return run_suite("quickstart", tmp_path_factory.mktemp("quickstart"))


@pytest.fixture(scope="module")
def regression(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Return how the worsened suite ended."""
    return run_suite("regression", tmp_path_factory.mktemp("regression"))


def settings_of(name: str) -> dict[str, Any]:
    """Return what a suite's file says."""
    return tomllib.loads((EXAMPLES / name / "sessioneval.toml").read_text("utf-8"))


def rows_of(name: str) -> list[list[str]]:
    """Return the cells of the page's table, without its head."""
    page = (EXAMPLES / name / "README.md").read_text("utf-8")
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def keys_named(cell: str, keys: Sequence[str]) -> list[str]:
    """Return the sessions a cell names; a long id is shortened to its beginning."""
    names = re.findall(r"`([^`]+)`", cell)
    return [k for n in names for k in keys if k == n or k.startswith(n.removesuffix("-…") + "-")]


# -- quickstart ----------------------------------------------------------------------


def test_the_quickstart_is_green(quickstart: Ended) -> None:
    """Twelve sessions and the suite's thresholds pass, with exit status 0."""
    assert 0 == quickstart.exit, quickstart.said
    assert "13 passed" in quickstart.said


def test_the_quickstart_scores_goals_by_expectations(quickstart: Ended) -> None:
    """Every session has written expectations, so every one has a score on its goal."""
    scores = [quickstart.score(key, "goal_completion") for key in quickstart.sessions]
    assert (12, 12) == (len(scores), sum(score is not None for score in scores))


def test_the_quickstart_is_worth_reading(quickstart: Ended) -> None:
    """Its sessions are good and not so good: no axis that is held to a threshold is all 100."""
    for axis in ("goal_completion", "tool_usage_quality", "communication", "efficiency"):
        scores = {quickstart.score(key, axis) for key in quickstart.sessions}
        assert len(scores) > 1, axis
        assert min(score for score in scores if score is not None) <= 90, axis


def test_the_quickstart_is_not_green_by_luck(quickstart: Ended) -> None:
    """Measured scores keep a distance from their thresholds."""
    thresholds = quickstart.suite["thresholds"]
    rows = {row["axis"]: row for row in quickstart.suite["means"]}
    assert thresholds["mean"]
    assert thresholds["session"]
    for axis, least in thresholds["mean"].items():
        assert least + MARGIN <= rows[axis]["mean"], axis
    for axis, least in thresholds["session"].items():
        assert least + MARGIN <= rows[axis]["minimum"], axis


def test_the_quickstart_shows_several_formats(quickstart: Ended) -> None:
    """Its sessions were recorded by five kinds of programs."""
    registry = Registry(builtin_readers())
    paths = {EXAMPLES / "quickstart" / s["path"] for s in quickstart.sessions.values()}
    expected = {"anthropic", "claude-code", "openai-chat", "sessioneval", "tau-bench"}
    assert expected == {registry.read(path).reader for path in paths}


def test_nothing_of_the_quickstart_is_left_out(quickstart: Ended) -> None:
    """Every file is read to its last record."""
    sources = quickstart.suite["sources"]
    left = ("not_sessions", "duplicates", "skipped_lines", "unknown_records", "problems")
    assert (9, 12) == (sources["files_read"], sources["sessions"])
    assert [] == [name for name in left if sources[name]]


def test_the_quickstart_page_lists_its_sessions(quickstart: Ended) -> None:
    """One row per session, each in a file that is there."""
    rows = rows_of("quickstart")
    assert list(quickstart.sessions) != []
    named = [key for row in rows for key in keys_named(row[0], list(quickstart.sessions))]
    assert sorted(quickstart.sessions) == sorted(named)
    files = [match for row in rows for match in re.findall(r"`(sessions/\S+)`", row[1])]
    assert [] == [name for name in files if not (EXAMPLES / "quickstart" / name).is_file()]


# -- regression ----------------------------------------------------------------------


def test_the_regression_is_red(regression: Ended) -> None:
    """Nine sessions and the suite's thresholds fail, with exit status 1."""
    assert 1 == regression.exit, regression.said
    assert "10 failed, 3 passed" in regression.said


@pytest.mark.parametrize("key", FAULTS)
def test_a_fault_fails_its_session_for_its_reason(regression: Ended, key: str) -> None:
    """The axes the fault is about miss their threshold, and no other axis does."""
    axes, _ = FAULTS[key]
    fallen = [fall["axis"] for fall in regression.sessions[key]["shortfalls"]]
    assert sorted(axes) == sorted(fallen)


@pytest.mark.parametrize("key", FAULTS)
def test_the_failure_points_at_the_fault(regression: Ended, key: str) -> None:
    """What a reader sees names the messages and the words."""
    _, words = FAULTS[key]
    assert [] == [word for word in words if word not in regression.texts[key]]


@pytest.mark.parametrize("key", UNTOUCHED)
def test_an_untouched_session_passes_as_before(
    quickstart: Ended, regression: Ended, key: str
) -> None:
    """What was not made worse gets the same scores in both suites."""
    axes = regression.sessions[key]["verdict"]["axes"]
    assert "passed" == regression.sessions[key]["state"]
    assert axes == quickstart.sessions[key]["verdict"]["axes"]


def test_the_suite_as_a_whole_fails_on_goals(regression: Ended) -> None:
    """The mean of goal completion is a failure of its own."""
    assert "mean of goal_completion below threshold" in regression.texts["thresholds"]


def test_both_suites_ask_for_the_same() -> None:
    """Expectations and thresholds are equal, so that the sessions alone make the difference."""
    good, bad = settings_of("quickstart"), settings_of("regression")
    assert ("quickstart", "regression") == (good["suite"].pop("name"), bad["suite"].pop("name"))
    assert good == bad


def test_both_suites_hold_the_same_sessions(quickstart: Ended, regression: Ended) -> None:
    """The same tasks, recorded in the same files."""
    places = [
        [(s["key"], s["path"]) for s in e.sessions.values()] for e in (quickstart, regression)
    ]
    assert places[0] == places[1]


def test_the_regression_page_names_every_fault(regression: Ended) -> None:
    """Its table lists the failing sessions with the axes that fail, and those that pass."""
    keys = list(regression.sessions)
    listed = {
        key: re.findall(r"`([a-z_]+)`", row[3])
        for row in rows_of("regression")
        for key in keys_named(row[0], keys)
    }
    assert listed == {key: axes for key, (axes, _) in FAULTS.items()} | {k: [] for k in UNTOUCHED}

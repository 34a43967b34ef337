"""What a run says of its judge: the card in force, or that there is none."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from examined_suite import AXIS, just, labels_of, write_examined

from pytest_sessioneval.cli import program
from pytest_sessioneval.testing import JudgeServer

GATE = f'\n[gate]\naxes = ["{AXIS}"]\n'


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    """Have sessions judged on the loopback interface."""
    for name in [name for name in os.environ if name.startswith(("SESSIONEVAL_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    with JudgeServer(just, keep_requests=False) as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        yield server


def report(folder: Path) -> tuple[str, str]:
    """Return the latest run's report as JSON and as Markdown."""
    # by time: the names of runs of one second are in no order
    runs = (folder / ".sessioneval" / "runs").iterdir()
    latest = max(runs, key=lambda run: (run / "report.md").stat().st_mtime_ns)
    return (latest / "report.json").read_text("utf-8"), (latest / "report.md").read_text("utf-8")


def test_a_run_without_a_card_says_uncalibrated(pytester: pytest.Pytester) -> None:
    """In one line of the terminal, and in the reports."""
    write_examined(pytester.path / "orders")
    found = pytester.runpytest("orders")
    said = [line for line in found.outlines if line.startswith(" judge ")]
    assert [" judge uncalibrated: no judge card; sessioneval judge-check makes one"] == said
    text, markdown = report(pytester.path)
    (suite,) = json.loads(text)["suites"]
    assert (False, "missing") == (suite["standing"]["calibrated"], suite["standing"]["card"])
    assert "Judge uncalibrated: no judge card; sessioneval judge-check makes one." in markdown


def test_a_run_names_the_card_that_judge_check_wrote(pytester: pytest.Pytester) -> None:
    """Of its judge with its rubric; of another one it is none."""
    write_examined(pytester.path / "orders", more=GATE)
    (pytester.path / "labels.csv").write_text(labels_of(), "utf-8")
    pytester.runpytest("orders", "--sessioneval-update-baseline")
    arguments = ["judge-check", "orders", "--labels", "labels.csv", "-k", "1"]
    assert 0 == CliRunner().invoke(program, arguments).exit_code
    (said,) = (line for line in pytester.runpytest("orders").outlines if line[:7] == " judge ")
    assert said.startswith(" judge calibrated, card of ")
    assert f": {AXIS} alpha 0." in said
    assert "### Gate\n" in report(pytester.path)[1]
    suite = pytester.path / "orders" / "sessioneval.toml"
    suite.write_text(suite.read_text("utf-8").replace("came of it", "comes of it"), "utf-8")
    pytester.runpytest("orders")
    assert "### Gate (judge uncalibrated)\n" in report(pytester.path)[1]

"""advice.md is written by every run, linked, the same for the same verdicts, and as documented."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from gated_suite import CONFTEST, GATE, GatedSuite
from plugin_runs import Runs, Sessions

_QUOTE = '{"message": 1, "quote": "shipped on Monday", "polarity": "negative"}'
_BLAMING = CONFTEST.replace(
    "{name: int(mark) for",
    f'{{name: {{"score": int(mark), "failure_tag": "other", "evidence": [{_QUOTE}]}} for',
)
"""A judge that cites what speaks against the agent."""

REPOSITORY = Path(__file__).resolve().parents[2]


def _texts(runs: Runs) -> list[str]:
    return [(folder / "advice.md").read_text(encoding="utf-8") for folder in runs.folders]


def test_the_run_says_what_costs_most(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """A session with a failing tool is advised on with its tool and its error."""
    sessions.good("recorded/a.json")
    sessions.bad("recorded/b.json")
    result = pytester.runpytest("--sessioneval", "recorded")
    (text,) = _texts(runs)
    lines = [line for line in text.splitlines() if "tool_usage_quality −" in line]
    assert 1 == len(lines)
    assert ", `refund` – [`b.json#M2`](../../../recorded/b.json)" in lines[0]
    assert lines[0].endswith(": `Error: no such order`")
    result.stdout.fnmatch_lines(["*/report.md (advice.md,*"])


def test_the_report_links_it(pytester: pytest.Pytester, sessions: Sessions, runs: Runs) -> None:
    """report.md has the costliest cluster and where the others are."""
    sessions.bad("recorded/b.json")
    pytester.runpytest("--sessioneval", "recorded")
    report = (runs.folders[0] / "report.md").read_text(encoding="utf-8")
    assert re.search(
        r"^What costs most: .*: see \[advice.md\]\(advice.md\)\.$", report, re.MULTILINE
    )


def test_two_runs_over_the_same_sessions_have_the_same_advice(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """Byte for byte, whether judged or taken from the store, alone or with workers."""
    sessions.bad("recorded/b.json")
    pytester.runpytest("--sessioneval", "recorded")
    pytester.runpytest("--sessioneval", "recorded")
    pytester.runpytest("--sessioneval", "recorded", "-n2")
    first, again, spread = _texts(runs)
    assert first == again == spread


def test_thumbs_are_counted(pytester: pytest.Pytester, sessions: Sessions, runs: Runs) -> None:
    """Those of the suite's feedback files."""
    sessions.bad("recorded/b.json")
    sessions.bad("recorded/c.json")
    sessions.suite('[suite]\nfeedback = ["*.jsonl"]\n', "recorded")
    found = json.dumps({"session_id": "b", "message_index": 2, "rating": -1})
    sessions.text("recorded/feedback.jsonl", found + "\n")
    pytester.runpytest()
    assert "· thumbs down in 1 of 1 rated\n" in _texts(runs)[0]


def test_the_example_of_the_page_is_real(pytester: pytest.Pytester, runs: Runs) -> None:
    """docs/advice.md shows what the regression example gives."""
    shutil.copytree(REPOSITORY / "example_suites" / "regression", pytester.path / "regression")
    page = (REPOSITORY / "docs" / "advice.md").read_text("utf-8")
    shown = re.search(r"```markdown\n(.*?)\n```", page, re.DOTALL)
    pytester.runpytest("regression")
    assert shown is not None
    assert shown[1].replace("example_suites/", "") in _texts(runs)[0]


def test_what_is_new_since_the_baseline_is_told(
    pytester: pytest.Pytester, gated: GatedSuite, runs: Runs
) -> None:
    """Of 24 sessions, twelve were below 70 and twelve were not; now six of those are, too."""
    gated.write(more=GATE + "[thresholds.mean]\ntool_usage_quality = 70\n")
    (gated.root / "conftest.py").write_text(_BLAMING, "utf-8")
    assert pytest.ExitCode.OK == pytester.runpytest("--sessioneval-update-baseline").ret
    for number in range(0, 12, 2):
        gated.session(f"s{number:02d}", 40)
    pytester.runpytest()
    text = _texts(runs)[-1]
    assert "tool_usage_quality −12.5: no failure tag, in 18, nearly all of these; 6 new, 12" in text
    assert "| tool_usage_quality | 6 | 12 | 0 | 24 | p = 0.031 |" in text


def test_a_gate_without_a_baseline_says_why_nothing_is_compared(
    pytester: pytest.Pytester, gated: GatedSuite, runs: Runs
) -> None:
    """Silence would look like no change."""
    gated.write(marks=[40])
    pytester.runpytest()
    assert "Not compared with a baseline: there is no baseline." in _texts(runs)[0]

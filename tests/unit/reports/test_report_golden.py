"""Reports of small runs, compared byte for byte with files a person has read.

After a change that is meant, write the files anew, read the difference, commit it::

    SESSIONEVAL_REGENERATE=1 python -m pytest tests/unit/reports/test_report_golden.py
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from advice_suites import advised_run, baseline
from report_runs import airline_run, empty_run, evidence_run, hostile_run, many_run
from report_values import failing_result, unscored_result

from pytest_sessioneval.reports import model
from pytest_sessioneval.reports.advice.build import Background, advise
from pytest_sessioneval.reports.advice.markdown import render_advice
from pytest_sessioneval.reports.advice.model import SuiteAdvice
from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.csv_file import render_csv
from pytest_sessioneval.reports.failure import failure_text
from pytest_sessioneval.reports.json_file import render_json
from pytest_sessioneval.reports.markdown import render_markdown
from pytest_sessioneval.reports.model import SuiteReport, report_schema
from pytest_sessioneval.reports.terminal import terminal_lines
from pytest_sessioneval.reports.writing import links_from
from pytest_sessioneval.verdicts.run import Run

_GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "report"
_SCHEMA = Path(model.__file__).with_name("report.schema.json")
_LINK = links_from(Path("/project/.sessioneval/runs/r"), Path("/project"))


def _terminal(run: Run) -> str:
    files = tuple(f".sessioneval/runs/r/{name}" for name in ("report.md", "report.json"))
    lines = terminal_lines(build_report(run), written=files)
    return "".join(f"{line.style:6}|{line.text}\n" for line in lines)


def _markdown(run: Run) -> str:
    return render_markdown(build_report(run), _LINK)


def _advice(run: Run) -> str:
    report = build_report(run)
    suites = (one.model_copy(update={"advice": _advise(one)}) for one in report.suites)
    return render_advice(suites, _LINK)


def _advise(suite: SuiteReport) -> SuiteAdvice:
    past = baseline("tools", {f"task-{place}": 100 if place < 4 else 40 for place in range(9)})
    thumbs = {"id-task-1": {3: -1}, "id-task-2": {5: 1, 7: -1}, "id-task-9": {1: 1}}
    return advise(suite, Background(thumbs=thumbs, baseline=past))


def _failures() -> str:
    results = (failing_result(), unscored_result(), *hostile_run().suites[0].results[:1])
    return "\n".join(f"{failure_text(r)}\n" for r in results)


_CASES: dict[str, Callable[[], str]] = {
    "airline.json": lambda: render_json(build_report(airline_run())),
    "airline.md": lambda: _markdown(airline_run()),
    "airline.csv": lambda: render_csv(build_report(airline_run())),
    "airline.txt": lambda: _terminal(airline_run()),
    "evidence.md": lambda: _markdown(evidence_run()),
    "evidence.txt": lambda: _terminal(evidence_run()),
    "empty.json": lambda: render_json(build_report(empty_run())),
    "empty.md": lambda: _markdown(empty_run()),
    "empty.txt": lambda: _terminal(empty_run()),
    "many.md": lambda: _markdown(many_run(12)),
    "hostile.json": lambda: render_json(build_report(hostile_run())),
    "hostile.md": lambda: _markdown(hostile_run()),
    "hostile.csv": lambda: render_csv(build_report(hostile_run())),
    "hostile.txt": lambda: _terminal(hostile_run()),
    "advice.md": lambda: _advice(advised_run()),
    "empty.advice.md": lambda: _advice(empty_run()),
    "evidence.advice.md": lambda: _advice(evidence_run()),
    "hostile.advice.md": lambda: _advice(hostile_run()),
    "failures.txt": _failures,
}


def _compare(path: Path, text: str) -> None:
    if os.environ.get("SESSIONEVAL_REGENERATE") == "1":
        path.write_bytes(text.encode())
        pytest.skip(f"{path.name} was written anew")
    assert path.read_bytes().decode() == text


@pytest.mark.parametrize("name", _CASES)
def test_a_report_is_as_it_was(name: str) -> None:
    """Nothing in a report changes unseen."""
    _compare(_GOLDEN / name, _CASES[name]())


def test_the_shipped_schema_is_the_generated_one() -> None:
    """The schema in the package describes the models of this version."""
    _compare(_SCHEMA, json.dumps(report_schema(), indent=2, ensure_ascii=False) + "\n")


def test_no_golden_file_is_left_over() -> None:
    """Each file in the folder belongs to a case."""
    assert set(_CASES) == {path.name for path in _GOLDEN.iterdir()}

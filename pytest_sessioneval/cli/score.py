"""Evaluates suites and prints what came of it, as the end of a pytest run does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_sessioneval.cli.judging import waiting_for
from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.direct import Terms, direct_run
from pytest_sessioneval.evaluation.scoring import Scored, ScoringRequest, score
from pytest_sessioneval.reports.failure import headline
from pytest_sessioneval.reports.json_file import render_json
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.terminal import terminal_lines
from pytest_sessioneval.reports.writing import write_reports

__all__ = ["Outcome", "score_paths", "shard"]

_LINE = 400


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is printed, and whether everything held."""

    scored: Scored
    written: tuple[str, ...]

    def json(self) -> str:
        """Return the report, as in report.json."""
        return render_json(self.scored.report)

    def lines(self) -> Iterator[str]:
        """Yield one line per session that missed, then the section that pytest ends with."""
        for result in self.scored.missed:
            yield one_line(f"FAILED {result.session.path}: {headline(result)}", _LINE)
        for problem in self.scored.problems:
            line = "" if problem.line is None else f":{problem.line}"
            yield one_line(f"ERROR {problem.path}{line}: {problem.reason}", _LINE)
        if self.scored.gate_missing:
            yield "FAILED: no suite here has a [gate], and --require-gate asks for one"
        width = shutil.get_terminal_size().columns
        for said in terminal_lines(self.scored.report, written=self.written, width=width):
            yield f" {said.text} ".center(width, "=") if said.style == "title" else said.text


def score_paths(request: ScoringRequest, *, on: Terms, out: Path) -> Outcome:
    """Evaluate what was asked for and write its reports below ``out``.

    Raises ``UsageError`` before anybody is asked, and ``StoreError``.
    """
    with direct_run(on) as run:
        scored = score(request, run, announce=waiting_for("score"), out=out)
    files = write_reports(scored.report, out, root=on.home)
    return Outcome(scored, tuple(_shown(path) for path in files.paths))


def _shown(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def shard(text: str) -> tuple[int, int]:
    """Return the part that an option I/N names; raises ``SettingError``."""
    part, slash, whole = text.partition("/")
    if not slash or not (part.isdigit() and whole.isdigit() and 1 <= int(part) <= int(whole)):
        raise SettingError(f"--shard: {text!r} is not accepted; give I/N with 1 ≤ I ≤ N")
    return int(part), int(whole)

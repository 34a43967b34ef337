"""Evaluates suites and prints what came of it, as the end of a pytest run does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_sessioneval.cli.folders import out_folder, shown
from pytest_sessioneval.cli.judging import named_judge, terms, waiting_for
from pytest_sessioneval.cli.store import named_store
from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.direct import Terms, direct_run
from pytest_sessioneval.evaluation.scoring import Scored, ScoringRequest, score
from pytest_sessioneval.reports.failure import headline
from pytest_sessioneval.reports.json_file import render_json
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.terminal import terminal_lines
from pytest_sessioneval.reports.writing import write_reports

__all__ = ["Outcome", "close_run", "score_paths", "shard"]

_LINE = 400


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is printed, and whether everything held."""

    scored: Scored
    written: tuple[str, ...]
    said: tuple[str, ...] = ()
    """What else to say, a line each."""

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
        yield from self.said


def score_paths(request: ScoringRequest, *, on: Terms, out: Path) -> Outcome:
    """Evaluate what was asked for and write its reports below ``out``.

    Raises ``UsageError`` before anybody is asked, and ``StoreError``.
    """
    with direct_run(on) as run:
        scored = score(request, run, announce=waiting_for("score"), out=out)
    files = write_reports(scored.report, out, root=on.home)
    return Outcome(scored, tuple(shown(path) for path in files.paths))


def close_run(
    run_id: str, paths: Sequence[str], *, url: str | None, out: Path, require_gate: bool
) -> Outcome:
    """Decide on a shared run with the verdicts that its parts kept; see ``score_paths``.

    Raises ``SettingError`` where no part of that run has ended.
    """
    home = out_folder(None)
    with named_store(url, home=home, must_exist=True) as store:
        parts = store.run_parts(run_id)
    if not parts:
        raise SettingError(
            f"{run_id}: no part of such a run has ended; `sessioneval runs` lists those there are"
        )
    there = f"{len(parts)} of {parts[0].parts} parts"
    roots = dict.fromkeys(root for part in parts for root in part.suites.values())
    named = [Path(path) for path in paths] or [home.parent / root for root in roots]
    request = ScoringRequest(
        paths=tuple(named),
        judge=named_judge(None),
        require_gate=require_gate,
    )
    on = terms(store=url, max_calls=None, home=home.parent)
    done = score_paths(request, on=replace(on, offline=True, run_id=run_id), out=out)
    return replace(done, said=(f" run {run_id}: decided on {there}",))


def shard(text: str) -> tuple[int, int]:
    """Return the part that an option I/N names; raises ``SettingError``."""
    part, slash, whole = text.partition("/")
    if not slash or not (part.isdigit() and whole.isdigit() and 1 <= int(part) <= int(whole)):
        raise SettingError(f"--shard: {text!r} is not accepted; give I/N with 1 ≤ I ≤ N")
    return int(part), int(whole)

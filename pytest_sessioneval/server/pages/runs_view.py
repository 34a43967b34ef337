"""The list of runs as its page shows it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pytest_sessioneval.reports.wording import count_list, counted
from pytest_sessioneval.server.pages.links import run_url
from pytest_sessioneval.stores.protocol import RunRow
from pytest_sessioneval.stores.summary import SampleCount

__all__ = ["RunLine", "run_lines", "took"]

_SUITES = 3


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run in the list of runs."""

    url: str
    run_id: str
    state: str
    started_at: datetime
    took: str
    suites: str
    sessions: int | None
    """None: not known before the run has ended, or none: it scored samples."""
    outcome: str
    """How its sessions ended, in words."""
    judge: str


def run_lines(rows: Sequence[RunRow]) -> tuple[RunLine, ...]:
    """Return the runs as they are listed."""
    return tuple(map(_line, rows))


def took(row: RunRow) -> str:
    """Return how long a run took: ``3.9 s``, ``2 min 5 s``; empty while it goes on."""
    if row.finished_at is None:
        return ""
    seconds = max(timedelta(), row.finished_at - row.started_at).total_seconds()
    if seconds < 60:  # noqa: PLR2004 -- a minute
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def _line(row: RunRow) -> RunLine:
    suites = row.summary.suites if row.summary is not None else ()
    names = [suite.suite for suite in suites[:_SUITES]]
    if len(suites) > _SUITES:
        names.append(f"{len(suites) - _SUITES} more")
    states: dict[str, int] = {}
    for suite in suites:
        for state, number in suite.states.items():
            words = state.replace("_", " ")
            states[words] = states.get(words, 0) + number
    samples = row.summary.samples if row.summary is not None else None
    if samples is not None:
        names = [f"scoring of {samples.session_id}"]
    return RunLine(
        url=run_url(row.run_id),
        run_id=row.run_id,
        state=row.state,
        started_at=row.started_at,
        took=took(row),
        suites=", ".join(names),
        sessions=sum(suite.sessions for suite in suites) if suites else None,
        outcome=count_list(states) if samples is None else _calls(samples),
        judge=", ".join(dict.fromkeys(suite.judge_model for suite in suites)),
    )


def _calls(samples: SampleCount) -> str:
    return f"{counted(samples.calls, 'call')}, {samples.rows:,} completed"

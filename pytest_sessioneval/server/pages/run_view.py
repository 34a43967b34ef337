"""One run as its page shows it, with its sessions. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pytest_sessioneval.reports.model import AxisReport, Report, SessionReport, SuiteReport
from pytest_sessioneval.reports.wording import (
    asked,
    cost,
    count_list,
    counted,
    judged_by,
    low_means,
    short_axes,
    shortfall_text,
    state_list,
)
from pytest_sessioneval.server.pages.links import run_url, session_url
from pytest_sessioneval.server.pages.runs_view import took
from pytest_sessioneval.stores.protocol import RunRow
from pytest_sessioneval.stores.run_statuses import RunStatus
from pytest_sessioneval.stores.summary import SuiteSummary
from pytest_sessioneval.verdicts.means import AxisMean
from pytest_sessioneval.verdicts.model import UnscoredReason

__all__ = [
    "SESSIONS",
    "GateView",
    "LiveLine",
    "LiveView",
    "MeanRow",
    "RunView",
    "SessionLine",
    "SuiteView",
    "run_view",
]

SESSIONS = 200
"""Sessions of a suite on one page of its run."""

_UNEVENTFUL = {"passed", "not_run", "skipped"}


@dataclass(frozen=True, slots=True)
class MeanRow:
    """One axis over a suite."""

    axis: str
    mean: float | None
    minimum: float | None
    scored: int
    missing: str
    """Why sessions have no score, counted."""
    session_threshold: float | None = None
    below: int = 0
    mean_threshold: float | None = None
    is_low: bool = False
    """The mean is below its threshold, or some session below its own."""


@dataclass(frozen=True, slots=True)
class GateView:
    """What the gate decided."""

    blocks: bool
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session of a run."""

    url: str
    name: str
    title: str
    state: str
    scores: tuple[float | None, ...]
    why: tuple[str, ...]
    """What it missed, or why it was not scored."""


@dataclass(frozen=True, slots=True)
class SuiteView:
    """One suite of a run."""

    name: str
    facts: tuple[str, ...]
    outcome: str
    means: tuple[MeanRow, ...]
    gate: GateView | None = None
    notes: tuple[str, ...] = ()
    axes: tuple[tuple[str, str], ...] = ()
    sessions: tuple[SessionLine, ...] = ()
    total: int = 0
    first: int = 0
    newer: str | None = None
    older: str | None = None


@dataclass(frozen=True, slots=True)
class LiveLine:
    """One session of a run, as it is now."""

    url: str
    """Empty: the run came to no session."""
    name: str
    state: str
    scores: tuple[int | None, ...]
    """As ``LiveView.axes``; empty: it has none yet."""
    error: str


@dataclass(frozen=True, slots=True)
class LiveView:
    """How each session of a run is now."""

    progress: str
    """How many are in which state."""
    axes: tuple[tuple[str, str], ...]
    lines: tuple[LiveLine, ...]
    told: str
    newer: str | None
    older: str | None


@dataclass(frozen=True, slots=True)
class RunView:
    """One run."""

    run_id: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    took: str
    suites: tuple[SuiteView, ...]
    partial: str
    """Why this is not all of its suites; empty: it is."""
    has_report: bool
    """Whether its sessions are known, and not only their averages."""
    files: tuple[tuple[str, str], ...]
    """Name and address of what can be read on: the advice."""
    live: LiveView | None
    """How each of its sessions is, where there is no report to say more."""

    @property
    def is_live(self) -> bool:
        """Whether what is shown may be another a moment later."""
        return self.state == "running"


def run_view(
    row: RunRow,
    report: Report | None,
    status: RunStatus | None = None,
    *,
    start: int = 0,
    has_advice: bool = False,
) -> RunView:
    """Return the run's page, its sessions from that one on.

    ``report`` is what its report.json holds; without one the page has averages,
    and of sessions what ``status`` says.
    """
    is_over = report is not None and row.state != "running"
    summaries = row.summary.suites if row.summary is not None else ()
    suites = (
        tuple(_reported(suite, row.run_id, start) for suite in report.suites)
        if report is not None
        else tuple(map(_summarised, summaries))
    )
    return RunView(
        run_id=row.run_id,
        state=row.state if status is None else status.state,
        started_at=row.started_at,
        finished_at=row.finished_at,
        took=took(row),
        suites=suites,
        partial=row.summary.partial if row.summary is not None else "",
        has_report=report is not None,
        live=None if is_over or status is None else _live(status, start),
        files=(("Advice", run_url(row.run_id, part="advice")),) if has_advice else (),
    )


def _live(status: RunStatus, start: int) -> LiveView | None:
    total = len(status.sessions)
    if not total:
        return None
    first = start if start < total else 0
    shown = status.sessions[first : first + SESSIONS]
    axes = short_axes(axis for one in shown for axis in one.avg or ())
    states: Counter[str] = Counter(one.state for one in status.sessions)
    order = ("running", "failed", "ok", "pending")
    return LiveView(
        progress=", ".join(f"{states[state]:,} {state}" for state in order if states[state]),
        axes=tuple(axes.items()),
        lines=tuple(
            LiveLine(
                url=session_url(one.session_id) if one.session_id else "",
                name=one.session_id,
                state=one.state,
                scores=tuple(one.avg.get(axis) for axis in axes) if one.avg else (),
                error=one.error or "",
            )
            for one in shown
        ),
        told=f"sessions {first + 1:,}–{first + len(shown):,} of {total:,}",
        newer=run_url(status.run_id, start=max(0, first - SESSIONS)) if first else None,
        older=run_url(status.run_id, start=first + SESSIONS) if first + SESSIONS < total else None,
    )


def _summarised(suite: SuiteSummary) -> SuiteView:
    states = {state.replace("_", " "): number for state, number in suite.states.items()}
    facts = (
        counted(suite.sessions, "session"),
        suite.judge_model,
        f"rubric {suite.rubric_version.partition('#')[0]}",
        f"{suite.judged:,} judged, {suite.from_store:,} from store",
        cost(suite.spent),
        asked(suite.spent),
    )
    return SuiteView(
        name=suite.suite,
        facts=tuple(fact for fact in facts if fact),
        outcome=count_list(states),
        means=tuple(map(_mean, suite.means)),
        total=suite.sessions,
    )


def _reported(suite: SuiteReport, run_id: str, start: int) -> SuiteView:
    low = {fall.axis for fall in suite.mean_shortfalls} | set(suite.never_scored)
    axes = short_axes(suite.axes)
    facts = (
        counted(suite.counts.sessions, "session"),
        judged_by(suite),
        f"rubric {suite.rubric_version.partition('#')[0]}",
        f"{suite.judged:,} judged, {suite.from_store:,} from store",
        cost(suite.spent),
        asked(suite.spent),
    )
    total = len(suite.sessions)
    first = start if start < total else 0
    # Those that failed come first: they are what a run's page is opened for.
    ordered = sorted(suite.sessions, key=lambda session: session.state in _UNEVENTFUL)
    shown = ordered[first : first + SESSIONS]
    return SuiteView(
        name=suite.suite,
        facts=tuple(fact for fact in facts if fact),
        outcome=state_list(suite.counts),
        means=tuple(_axis(mean, is_low=mean.axis in low) for mean in suite.means),
        gate=None
        if suite.gate is None
        else GateView(blocks=suite.gate.blocks, lines=suite.gate.lines),
        notes=tuple(_notes(suite)),
        axes=tuple(axes.items()),
        sessions=tuple(_session(session, suite.axes) for session in shown),
        total=total,
        first=first,
        newer=run_url(run_id, start=max(0, first - SESSIONS)) if first else None,
        older=run_url(run_id, start=first + SESSIONS) if first + SESSIONS < total else None,
    )


def _notes(suite: SuiteReport) -> Iterator[str]:
    if low := low_means(suite):
        yield f"mean below threshold: {low}"
    for axis in suite.never_scored:
        yield f"{axis} has a threshold, and no session was scored on it"
    if suite.standing is not None:
        yield suite.standing.line
    for problem in suite.sources.problems:
        place = problem.path if problem.line is None else f"{problem.path}:{problem.line}"
        yield f"{place} could not be read: {problem.reason}"
    if suite.judge.notice:
        yield suite.judge.notice
    yield from suite.notes


def _mean(mean: AxisMean) -> MeanRow:
    return MeanRow(
        axis=mean.axis,
        mean=mean.mean,
        minimum=mean.minimum,
        scored=mean.scored,
        missing=_missing(mean.unscored, mean.unjudged),
    )


def _axis(mean: AxisReport, *, is_low: bool) -> MeanRow:
    return MeanRow(
        axis=mean.axis,
        mean=mean.mean,
        minimum=mean.minimum,
        scored=mean.scored,
        missing=_missing(mean.unscored, mean.unjudged),
        session_threshold=mean.session_threshold,
        below=mean.below,
        mean_threshold=mean.mean_threshold,
        is_low=is_low or bool(mean.below),
    )


def _missing(unscored: Mapping[UnscoredReason, int], unjudged: int) -> str:
    counts = {reason.replace("_", " "): number for reason, number in unscored.items()}
    return count_list(counts | ({"not judged": unjudged} if unjudged else {}))


def _session(session: SessionReport, axes: Sequence[str]) -> SessionLine:
    scores = session.verdict.scores if session.verdict is not None else {}
    return SessionLine(
        url=session_url(session.session_id),
        name=session.key,
        title=session.title or "",
        state=session.state,
        scores=tuple(scores.get(axis) for axis in axes),
        why=(*map(shortfall_text, session.shortfalls), *session.not_scored),
    )

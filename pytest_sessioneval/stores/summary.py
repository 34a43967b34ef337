"""What listings show of a finished run: counts, means and versions, no session's text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.stores.listings import CurrentVersions
from pytest_sessioneval.verdicts.means import AxisMean, axis_means
from pytest_sessioneval.verdicts.model import CallCount
from pytest_sessioneval.verdicts.run import Run, SessionState, SuiteRun

__all__ = [
    "RunState",
    "RunSummary",
    "SampleCount",
    "SuiteSummary",
    "current_versions",
    "summarise",
]


RunState = Literal["running", "done", "failed", "interrupted", "cancelled"]
"""How far a run is.

``interrupted``: it was broken off. ``failed``: nobody could be asked at all.
``cancelled``: somebody ended it. Only runs in the background fail or are cancelled.
"""


class SuiteSummary(Frozen):
    """One suite's part of a run, in numbers."""

    suite: str
    """The suite's name."""
    sessions: int
    """Sessions selected."""
    states: dict[SessionState, int] = {}
    """How many sessions ended in each state; states that none ended in are absent."""
    means: tuple[AxisMean, ...] = ()
    """One per axis of the rubric, in its order, with what each rests on."""
    rubric_version: str
    """``name@n#digest``."""
    judge_model: str
    """The suite's judge as configured."""
    judge_version: str
    """``name@n#digest`` of judge, panel, prompts and protocol."""
    experts: tuple[str, ...] = ()
    """The panel's experts, in order; empty: the run was kept before they were."""
    judged: int = 0
    """Sessions for which somebody was asked."""
    from_store: int = 0
    """Sessions whose verdict was already there."""
    spent: CallCount = CallCount()
    """What judging took."""


class SampleCount(Frozen):
    """The run of a session of scoring calls, in numbers."""

    session_id: str
    """The session that the calls belong to."""
    calls: int
    """Calls made, also those that failed or are not done."""
    rows: int
    """Calls completed: each is a row of the report."""


class RunSummary(Frozen):
    """A run, in numbers."""

    suites: tuple[SuiteSummary, ...] = ()
    """In order of collection."""
    partial: str = ""
    """Why this is not all of the suites; empty: it is."""
    samples: SampleCount | None = None
    """For the run of a session of scoring calls, which has no suites; null: it is none."""


def summarise(run: Run) -> RunSummary:
    """Return the run's summary; means are over scored sessions only."""
    return RunSummary(
        suites=tuple(_summarise_suite(suite) for suite in run.suites), partial=run.partial
    )


def current_versions(newest_first: Iterable[RunSummary | None]) -> tuple[CurrentVersions, ...]:
    """Return the versions of each suite's last run, by suite."""
    known: dict[str, CurrentVersions] = {}
    for summary in newest_first:
        for suite in summary.suites if summary is not None else ():
            versions = CurrentVersions(
                suite=suite.suite,
                rubric_version=suite.rubric_version,
                judge_version=suite.judge_version,
                experts=suite.experts,
                axes=tuple(mean.axis for mean in suite.means),
            )
            known.setdefault(suite.suite, versions)
    return tuple(known[suite] for suite in sorted(known))


def _summarise_suite(suite: SuiteRun) -> SuiteSummary:
    states = Counter(result.state for result in suite.results)
    return SuiteSummary(
        suite=suite.suite,
        sessions=len(suite.results),
        states=dict(sorted(states.items())),
        means=axis_means(suite.axes, [result.verdict for result in suite.results]),
        rubric_version=suite.rubric_version,
        judge_model=suite.judge.model,
        judge_version=suite.judge.version,
        experts=tuple(seat.id for seat in suite.judge.seats),
        judged=suite.judged,
        from_store=suite.from_store,
        spent=suite.spent,
    )

"""The scores in a ``report.json``, as the sides of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.gate.baseline import axis_points
from pytest_sessioneval.gate.model import Baseline, Candidate, SessionScores, Versions
from pytest_sessioneval.gate.pairing import require_unique
from pytest_sessioneval.reports.model import Report, SessionReport, SuiteReport

__all__ = ["reported_baseline", "reported_candidate", "suite_of"]


def suite_of(report: Report, name: str | None, *, place: str, origin: str) -> SuiteReport:
    """Return the suite of that name; without a name, the only one.

    Raises ``SettingError`` naming the suites there are.
    """
    names = [suite.suite for suite in report.suites]
    fitting = [suite for suite in report.suites if name is None or suite.suite == name]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(map(repr, names)) or "none"
    wanted = "more than one suite" if name is None else f"no suite {name!r}"
    if not names:
        wanted = "no suite"
    raise SettingError(f"{origin}: {place} holds {wanted} (it holds {listed}); choose with --suite")


def reported_candidate(suite: SuiteReport, *, partial: str) -> Candidate:
    """Return a suite's part of a report as the side to decide on.

    ``partial`` is the report's. What was left out of a part of a suite is not
    known by its keys, so that no session of the baseline then counts as lost.
    Raises ``SuiteError`` when two sessions have one key.
    """
    require_unique((session.key for session in suite.sessions), suite=suite.suite)
    part = (partial or "a part of the suite") if suite.sources.deselected else ""
    return Candidate(
        suite=suite.suite,
        versions=_versions(suite),
        axes=suite.axes,
        sessions=_sessions(suite, suite.sessions),
        canaries=_sessions(suite, suite.canaries),
        left_out=None if suite.sources.deselected else frozenset(),
        partial=part,
        unreadable=len(suite.sources.problems),
    )


def reported_baseline(suite: SuiteReport, *, place: str, origin: str) -> Baseline:
    """Return a suite's part of a report as what a run is compared to.

    Raises ``SettingError`` when it holds no session, ``SuiteError`` when two
    have one key.
    """
    require_unique((session.key for session in suite.sessions), suite=suite.suite)
    if not suite.sessions:
        raise SettingError(
            f"{origin}: {place} holds no session of suite {suite.suite!r}; name a run that has some"
        )
    return Baseline(
        suite=suite.suite,
        format=2 if suite.canaries else 1,
        versions=_versions(suite),
        axes=suite.axes,
        sessions=_sessions(suite, suite.sessions),
        canaries=_sessions(suite, suite.canaries),
    )


def _versions(suite: SuiteReport) -> Versions:
    return Versions(
        rubric=suite.rubric_version, judge=suite.judge.version, scoring=suite.scoring_version
    )


def _sessions(suite: SuiteReport, sessions: Sequence[SessionReport]) -> tuple[SessionScores, ...]:
    scored = (_scores(session, suite) for session in sessions)
    return tuple(sorted(scored, key=lambda session: session.key))


def _scores(session: SessionReport, suite: SuiteReport) -> SessionScores:
    verdict = session.verdict
    return SessionScores(
        key=session.key,
        digest="" if verdict is None else verdict.digest,
        cluster=session.cluster,
        reader=f"{session.reader}@{suite.readers.get(session.reader, '?')}",
        coverage=1.0 if verdict is None else verdict.coverage,
        axes=axis_points(
            verdict, suite.axes, missing="skipped" if session.state == "not_run" else "failed"
        ),
    )

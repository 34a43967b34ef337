"""A suite's part of a run's report, named by a file, a run's id or the suite's folder."""

from __future__ import annotations

from pathlib import Path

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.report_scores import suite_of
from pytest_sessioneval.evaluation.sources import named_report
from pytest_sessioneval.evaluation.thumbs import thumbs_of
from pytest_sessioneval.reports.model import SuiteReport
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.discovery import find_suite_file
from pytest_sessioneval.suites.loading import default_suite, load_suite
from pytest_sessioneval.suites.model import FeedbackEntry
from pytest_sessioneval.suites.rubric import builtin_rubrics, load_rubric

__all__ = ["gated_axes", "reported_suite", "thumbs_on", "valued_axes"]


def reported_suite(
    text: str, *, suite: str | None, option: str, out: Path, store: Store
) -> SuiteReport:
    """Return the suite's part of the report that a text names.

    ``text`` is a report.json, the id of a run, or a suite's folder, which means
    the latest run of that suite that ``store`` knows; ``out`` holds ``runs/``.
    ``suite`` chooses in a report of several. Raises ``SettingError``.
    """
    name = suite
    if Path(text).is_dir():
        text, name = _latest(Path(text), option=option, out=out, store=store)
        if suite not in {None, name}:
            raise SettingError(
                f"{option}: the folder holds suite {name!r}, and --suite asks for {suite!r}; leave "
                "--suite out, or name a report.json"
            )
    source, report = named_report(text, option=option, out=out)
    return suite_of(report, name, place=str(source.path), origin=source.origin)


def thumbs_on(suite: SuiteReport, text: str, store: Store) -> dict[str, dict[int, int]]:
    """Return the thumbs on the suite's judged sessions: 1 or -1 by message, by session id.

    They are the store's, and where ``text`` is a suite's folder those of its
    feedback files; the store's replace a file's on the same message.
    """
    folder = Path(text)
    files: tuple[FeedbackEntry, ...] = ()
    if folder.is_dir() and find_suite_file(folder) is not None:
        files = load_suite(folder).feedback
    return thumbs_of(suite, files, store)


def gated_axes(suite: SuiteReport, text: str) -> tuple[str, ...]:
    """Return the axes that the suite's gate decides on; empty without a gate.

    They are the report's, and for a run that decided nothing, as one that
    writes a baseline, those of the suite file where ``text`` is its folder.
    """
    if suite.gate is not None and suite.gate.decision is not None:
        return tuple(axis.axis for axis in suite.gate.decision.gated)
    folder = Path(text)
    if not folder.is_dir() or find_suite_file(folder) is None:
        return ()
    gate = load_suite(folder).settings.gate
    return () if gate is None else tuple(axis for axis in gate.axes if axis in suite.axes)


def valued_axes(suite: SuiteReport) -> tuple[str, ...]:
    """Return the axes with a score that say how good a session is; others only describe it."""
    name = suite.rubric_version.partition("@")[0]
    describing: set[str] = set()
    if name in builtin_rubrics():
        rubric = load_rubric(name, base=Path())
        describing = {axis.name for axis in rubric.axes if not axis.gated}
    return tuple(one.axis for one in suite.means if one.scored and one.axis not in describing)


def _latest(folder: Path, *, option: str, out: Path, store: Store) -> tuple[str, str]:
    """Return id and suite of the latest run of the folder's suite whose report is there."""
    found = load_suite(folder) if find_suite_file(folder) is not None else default_suite(folder)
    for run in store.suite_runs(1_000):
        suites = run.summary.suites if run.summary is not None else ()
        report = out / "runs" / run.run_id / "report.json"
        if any(one.suite == found.name for one in suites) and report.is_file():
            return run.run_id, found.name
    raise SettingError(
        f"{option}: there is no run of suite {found.name!r} in {out}; run pytest on {folder} "
        "first, or name a report.json"
    )

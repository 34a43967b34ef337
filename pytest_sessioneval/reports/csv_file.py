"""``scores.csv``: one row per session, for spreadsheets and frames."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from pytest_sessioneval.reports.model import Report, SessionReport, SuiteReport
from pytest_sessioneval.reports.neutralise import csv_cell

__all__ = ["render_csv"]

_COLUMNS = (
    "suite",
    "key",
    "session_id",
    "path",
    "cluster",
    "state",
    "complexity_bucket",
    "messages",
    "tool_calls",
    "experts",
)


def render_csv(report: Report) -> str:
    """Return one row per session, in the report's order, after a row of names.

    After the session's own columns come three per axis: ``<axis>`` the score,
    0–100 with at most four decimals, empty where there is none;
    ``<axis>_unscored`` the reason there is none, empty where there is a score or
    no verdict; ``<axis>_n`` how many experts' scores it rests on. Text that a
    spreadsheet would take for a formula is led by ``'``.
    """
    axes = tuple(dict.fromkeys(axis for suite in report.suites for axis in suite.axes))
    names = [*_COLUMNS]
    for axis in axes:
        names += [csv_cell(axis), csv_cell(f"{axis}_unscored"), csv_cell(f"{axis}_n")]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for suite in report.suites:
        writer.writerows(_rows(suite, axes))
    return text.getvalue()


def _rows(suite: SuiteReport, axes: Sequence[str]) -> Iterator[list[object]]:
    name = csv_cell(suite.suite)
    for session in suite.sessions:
        row: list[object] = [name, *_about(session)]
        results = session.verdict.axes if session.verdict is not None else {}
        for axis in axes:
            result = results.get(axis)
            if result is None:
                row += (None, None, None)
            elif result.kind == "scored":
                row += (round(result.score, 4), None, result.count)
            else:
                row += (None, result.reason, None)
        yield row


def _about(session: SessionReport) -> list[object]:
    place = session.path if session.locator is None else f"{session.path}::{session.locator}"
    verdict = session.verdict
    return [
        csv_cell(session.key),
        csv_cell(session.session_id),
        csv_cell(place),
        None if session.cluster is None else csv_cell(session.cluster),
        session.state,
        session.bucket,
        session.messages,
        session.tool_calls,
        0 if verdict is None else len({opinion.expert_id for opinion in verdict.opinions}),
    ]

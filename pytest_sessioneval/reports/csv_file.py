"""``scores.csv``: one row per session, for spreadsheets and frames."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from importlib import import_module

from pytest_sessioneval.reports.model import Report, SessionReport, SuiteReport
from pytest_sessioneval.reports.neutralise import csv_cell

__all__ = ["prepare", "render_csv"]

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


def prepare() -> None:
    """Begin to import pandas in a thread: half a second that passes while judges answer."""
    threading.Thread(target=import_module, args=("pandas",), daemon=True).start()


def render_csv(report: Report) -> str:
    """Return one row per session, in the report's order, after a row of names.

    After the session's own columns come three per axis: ``<axis>`` the score,
    0–100 with at most four decimals, empty where there is none;
    ``<axis>_unscored`` the reason there is none, empty where there is a score or
    no verdict; ``<axis>_n`` how many experts' scores it rests on. Text that a
    spreadsheet would take for a formula is led by ``'``.
    """
    import pandas as pd  # noqa: PLC0415 -- takes half a second to import

    axes = tuple(dict.fromkeys(axis for suite in report.suites for axis in suite.axes))
    names = [*_COLUMNS]
    for axis in axes:
        names += [csv_cell(axis), csv_cell(f"{axis}_unscored"), csv_cell(f"{axis}_n")]
    rows = [row for suite in report.suites for row in _rows(suite, axes)]
    frame = pd.DataFrame(rows, columns=names, dtype=object)
    return frame.to_csv(index=False, lineterminator="\n")


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


def _about(session: SessionReport) -> Iterator[object]:
    yield csv_cell(session.key)
    yield csv_cell(session.session_id)
    yield csv_cell(
        session.path if session.locator is None else f"{session.path}::{session.locator}"
    )
    yield None if session.cluster is None else csv_cell(session.cluster)
    yield session.state
    yield session.bucket
    yield session.messages
    yield session.tool_calls
    yield 0 if session.verdict is None else len({o.expert_id for o in session.verdict.opinions})

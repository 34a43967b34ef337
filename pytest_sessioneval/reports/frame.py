"""Reports as a pandas frame: for notebooks, trends over runs, and what no report shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.reports.json_file import read_report
from pytest_sessioneval.reports.model import Report

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["scores_frame"]

_COLUMNS = (
    *("run_id", "started_at", "suite", "key", "session_id", "state", "status"),
    *("complexity_bucket", "axis", "score", "unscored", "experts"),
)


def scores_frame(*reports: Path | str) -> pd.DataFrame:
    """Return the scores of one or more ``report.json`` files, one row per run, session and axis.

    Columns: ``run_id``, ``started_at`` (UTC), ``suite``, ``key``, ``session_id``,
    ``state``, ``status``, ``complexity_bucket``, ``axis``, ``score`` (0–100; NaN
    where there is none), ``unscored`` (the reason there is none, else None) and
    ``experts`` (how many scores it rests on). A session without a verdict has no
    rows. Raises ``SettingError`` naming a file that is no report. A weekly trend::

        frame = scores_frame(*Path(".sessioneval/runs").glob("*/report.json"))
        frame.groupby(["axis", pd.Grouper(key="started_at", freq="W")])["score"].mean()
    """
    import pandas as pd  # noqa: PLC0415 -- takes half a second, and no run needs it

    rows = [row for path in reports for row in _rows(_read(Path(path)))]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    frame["started_at"] = pd.to_datetime(frame["started_at"], utc=True)
    return frame.astype({"score": "float64", "experts": "int64"})


def _rows(report: Report) -> Iterator[tuple[object, ...]]:
    for suite in report.suites:
        for session in suite.sessions:
            about = (session.key, session.session_id, session.state, session.status, session.bucket)
            results = session.verdict.axes if session.verdict is not None else {}
            for axis, result in results.items():
                told: tuple[object, ...] = (
                    (result.score, None, result.count)
                    if result.kind == "scored"
                    else (None, result.reason, 0)
                )
                yield (report.run_id, report.started_at, suite.suite, *about, axis, *told)


def _read(path: Path) -> Report:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingError(f"scores_frame: {path} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise SettingError(f"scores_frame: {path} is no report.json; name one that a run wrote")
    return read_report(value, place=str(path), origin="scores_frame")

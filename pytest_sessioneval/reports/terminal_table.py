"""The table of the terminal section: a row per axis, scores held against their thresholds."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_sessioneval.gate.figures import signed
from pytest_sessioneval.reports.model import AxisReport, SuiteReport
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.wording import held_against, mean_points, points

__all__ = ["table_rows"]

_WIDEST_AXIS = 32
# a limit such as "≥ 90" stands beside the score it is for, under the same heading
_HEAD = ("axis", "mean", "", "change", "min", "", "n", "n/a", "below")
_NARROWEST = (20, 6, 0, 0, 5, 0, 5, 5, 6)
_CHANGE = 3
_LEFT = (0, 2, 5)
_LIMITS = (2, 5)


def table_rows(suite: SuiteReport) -> Iterator[tuple[str, AxisReport | None]]:
    """Yield the lines of the table, each with the axis it is about; the head has none.

    Columns of thresholds are there where the suite has any, and the change
    against the baseline where a gate compared; it is of the sessions that both
    have. 80 columns are enough unless an axis has a long name.
    """
    low = {fall.axis: fall.score for fall in suite.mean_shortfalls}
    changes = _changes(suite)
    head = tuple("" if place == _CHANGE and not changes else t for place, t in enumerate(_HEAD))
    rows = [
        tuple(_cells(axis, low.get(axis.axis), changes.get(axis.axis, "-" if changes else "")))
        for axis in suite.means
    ]
    columns = list(zip(head, *rows, strict=True))
    widths = [
        max(narrowest, *map(len, column)) if any(column) else 0
        for narrowest, column in zip(_NARROWEST, columns, strict=True)
    ]
    yield _line(head, widths), None
    for row, axis in zip(rows, suite.means, strict=True):
        yield _line(row, widths), axis


def _changes(suite: SuiteReport) -> dict[str, str]:
    """Return the mean change of each axis that was compared, by axis."""
    decision = suite.gate.decision if suite.gate is not None else None
    shown = {axis.axis: axis.shown for axis in decision.axes} if decision is not None else {}
    return {
        name: signed(one.overall.difference)
        for name, one in shown.items()
        if one is not None and one.overall is not None
    }


def _cells(axis: AxisReport, low: float | None, change: str) -> Iterator[str]:
    """Yield the row's cells; ``low`` is the unrounded mean where it missed its threshold."""
    yield one_line(axis.axis, _WIDEST_AXIS)
    mean = axis.mean if low is None else low
    yield from _against(mean, axis.mean_threshold, "-" if mean is None else mean_points(mean))
    yield change
    least = axis.minimum
    yield from _against(least, axis.session_threshold, "-" if least is None else points(least))
    yield f"{axis.scored:,}"
    yield f"{axis.unscored.get('not_applicable', 0):,}"
    yield "-" if axis.session_threshold is None else f"{axis.below:,}"


def _against(score: float | None, threshold: float | None, shown: str) -> tuple[str, str]:
    if score is None or threshold is None:
        return shown, ""
    return held_against(score, threshold, shown)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    line = ""
    for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        if not width:
            continue
        gap = " " if place in _LIMITS or not place else "  "
        line += gap + (cell.ljust(width) if place in _LEFT else cell.rjust(width))
    return line

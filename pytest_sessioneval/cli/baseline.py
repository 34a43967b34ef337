"""Shows a suite's baseline and anchor, and pins the one as the other."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pytest_sessioneval.cli.folders import shown
from pytest_sessioneval.errors import BaselineError
from pytest_sessioneval.evaluation.baselines import (
    BaselineWritten,
    baseline_path,
    pin_anchor,
    read_baseline,
)
from pytest_sessioneval.gate.model import AxisScore, Baseline, NoScore, anchor_name
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.wording import count_list, counted
from pytest_sessioneval.suites.loading import load_suite

__all__ = ["pin", "show", "written_lines"]


def show(folder: str) -> Iterator[str]:
    """Yield what a suite's baseline and anchor hold, a line each.

    Raises ``BaselineError`` where there is no baseline or one cannot be read,
    ``SuiteError`` where the folder is no suite.
    """
    suite = load_suite(Path(folder))
    path = baseline_path(suite)
    baseline = read_baseline(path)
    if baseline is None:
        raise BaselineError(
            f"{path}: there is no baseline; write one with pytest {folder} "
            "--sessioneval-update-baseline"
        )
    yield from _described(path, baseline)
    anchor_path = path.with_name(anchor_name(path.name))
    anchor = read_baseline(anchor_path)
    if anchor is None:
        yield f"no anchor: pin this baseline with `sessioneval baseline anchor {folder}`"
    elif anchor == baseline:
        yield f"{one_line(shown(anchor_path))}: the same"
    else:
        yield from _described(anchor_path, anchor)


def pin(folder: str) -> Iterator[str]:
    """Make the suite's baseline its anchor; yield what moved, a line each.

    Raises as ``show`` does; nothing is written then.
    """
    yield from written_lines(pin_anchor(load_suite(Path(folder))))


def written_lines(written: BaselineWritten) -> Iterator[str]:
    """Yield what writing a baseline changed, a line each."""
    for line in written.lines(shown(written.path)):
        indent = line[: len(line) - len(line.lstrip())]
        yield indent + one_line(line)


def _described(path: Path, baseline: Baseline) -> Iterator[str]:
    versions = baseline.versions
    yield (
        f"{one_line(shown(path))}: {counted(len(baseline.sessions), 'session')} of "
        f"{one_line(baseline.suite)}"
    )
    made = f"rubric {versions.rubric}, judge {versions.judge}, scoring {versions.scoring}"
    yield f"  {one_line(made)}"
    width = max(map(len, baseline.axes), default=0)
    for axis in baseline.axes:
        yield f"  {one_line(axis):{width}}  {_mean(baseline, axis)}"
    if baseline.canaries:
        yield f"  beside them, {counted(len(baseline.canaries), 'canary session')}"


def _mean(baseline: Baseline, axis: str) -> str:
    points = [session.axes.get(axis) for session in baseline.sessions]
    scores = [point.score for point in points if isinstance(point, AxisScore)]
    reasons = Counter(str(point.unscored) for point in points if isinstance(point, NoScore))
    without = f" ({count_list(reasons)})" if reasons else ""
    if not scores:
        return f"no score{without}"
    mean = math.fsum(scores) / len(scores)
    repeats = [point.repeats for point in points if isinstance(point, AxisScore)]
    most = f", judged {max(repeats)} times" if max(repeats) > 1 else ""
    return f"{mean:5.1f}  of {counted(len(scores), 'session')}{most}{without}"

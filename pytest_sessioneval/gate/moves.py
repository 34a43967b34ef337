"""What replacing a baseline changes, as a value and in words."""

from __future__ import annotations

import math
from collections.abc import Collection

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.figures import count, listed, signed
from pytest_sessioneval.gate.model import AxisScore, Baseline, SessionScores

__all__ = ["AxisMove", "BaselineMove", "move_lines", "moved"]


class AxisMove(Frozen):
    """How one axis's mean moves when a baseline is replaced."""

    axis: str
    """The axis."""
    before: float | None
    """Mean of the old baseline's scored sessions, 0–100; null: it has none."""
    after: float | None
    """The same of the new one."""


class BaselineMove(Frozen):
    """What replacing a baseline changes."""

    axes: tuple[AxisMove, ...]
    """One per axis of the new baseline, in order."""
    added: tuple[str, ...] = ()
    """Keys only the new one has, sorted."""
    removed: tuple[str, ...] = ()
    """Keys only the old one has, sorted."""
    rerecorded: tuple[str, ...] = ()
    """Keys of both whose transcripts differ, sorted."""
    rescored: tuple[str, ...] = ()
    """Keys of both with the same transcript and other scores, sorted."""
    canaries: tuple[str, ...] = ()
    """Keys of canaries that are new, gone, or have other scores, sorted."""
    versions: tuple[str, ...] = ()
    """Which versions differ: rubric, judge, scoring."""


def moved(old: Baseline | None, new: Baseline) -> BaselineMove:
    """Return what replacing ``old`` (null: there was none) by ``new`` changes."""
    before = {session.key: session for session in old.sessions} if old else {}
    after = {session.key: session for session in new.sessions}
    both = sorted(before.keys() & after.keys())
    same = [key for key in both if before[key].digest == after[key].digest]
    was = old.versions.model_dump() if old else new.versions.model_dump()
    return BaselineMove(
        axes=tuple(
            AxisMove(
                axis=axis, before=_mean(before.values(), axis), after=_mean(after.values(), axis)
            )
            for axis in new.axes
        ),
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        rerecorded=tuple(key for key in both if before[key].digest != after[key].digest),
        rescored=tuple(key for key in same if before[key].axes != after[key].axes),
        canaries=_moved_canaries(old, new),
        versions=tuple(
            name for name, version in new.versions.model_dump().items() if version != was[name]
        ),
    )


def move_lines(move: BaselineMove) -> tuple[str, ...]:
    """Return what moved: a line per axis, then a line per kind of change; never empty."""
    lines = [line for axis in move.axes if (line := _axis_line(axis))]
    kinds = (
        (move.added, "new"),
        (move.removed, "no longer in it"),
        (move.rerecorded, "re-recorded"),
        (move.rescored, "scored differently, with the same transcript"),
    )
    changes = [
        f"{count(len(keys), 'session')} {kind}: {listed(keys)}" for keys, kind in kinds if keys
    ]
    if move.canaries:
        told = f"{count(len(move.canaries), 'canary session')} new, gone or scored differently"
        changes.append(f"{told}: {listed(move.canaries)}")
    if move.versions:
        changes.append(f"made with another {', '.join(move.versions)}: not comparable with before")
    if not changes:
        changes.append("no session moved")
    return (*lines, *changes)


def _axis_line(axis: AxisMove) -> str:
    if axis.after is None:
        return "" if axis.before is None else f"{axis.axis}: {axis.before:.1f} to no score at all"
    if axis.before is None:
        return f"{axis.axis}: {axis.after:.1f} (new)"
    change = signed(axis.after - axis.before)
    return f"{axis.axis}: {axis.before:.1f} to {axis.after:.1f} ({change})"


def _moved_canaries(old: Baseline | None, new: Baseline) -> tuple[str, ...]:
    before = {session.key: session for session in old.canaries} if old else {}
    after = {session.key: session for session in new.canaries}
    keys = before.keys() | after.keys()
    return tuple(sorted(key for key in keys if before.get(key) != after.get(key)))


def _mean(sessions: Collection[SessionScores], axis: str) -> float | None:
    points = (session.axes.get(axis) for session in sessions)
    scores = [point.score for point in points if isinstance(point, AxisScore)]
    return math.fsum(scores) / len(scores) if scores else None

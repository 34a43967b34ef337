"""What replacing a baseline changes, in words."""

from __future__ import annotations

from pytest_sessioneval.gate.baseline import AxisMove, BaselineMove
from pytest_sessioneval.gate.figures import count, listed, signed

__all__ = ["move_lines"]


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

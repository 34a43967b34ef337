"""The rules of the gate: statuses, their order, margins, and what stops a merge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.suites.model import GateSettings

__all__ = [
    "DEFAULT_MARGIN",
    "FEWEST_LABELS",
    "MISSING_LIMIT",
    "SEVERITY",
    "UNLABELLED_LIMIT",
    "Status",
    "check_gate",
    "inconclusive_blocks",
    "margin_of",
    "status_blocks",
    "worst",
]

Status = Literal[
    "passed",
    "not_run",
    "inconclusive",
    "no_baseline",
    "incomplete",
    "not_comparable",
    "regressed",
]
"""What the gate can say of an axis or a run.

``passed``: provably not worse by the margin. ``regressed``: worse beyond chance
and by the margin or more, or a session broke. ``inconclusive``: neither is
shown. ``incomplete``: sessions are missing or were not judged.
``not_comparable``: rubric, judge, scoring version or reader differ.
``no_baseline``: nothing to compare with. ``not_run``: no session was selected.
"""

SEVERITY: tuple[Status, ...] = (
    "passed",
    "not_run",
    "inconclusive",
    "no_baseline",
    "incomplete",
    "not_comparable",
    "regressed",
)
"""From best to worst: a whole is as bad as its worst part."""

DEFAULT_MARGIN = 5.0
"""Points of mean drop that are tolerated where nothing is configured."""

MISSING_LIMIT = 0.05
"""Share of lost or unjudged sessions above which no mean is shown."""


FEWEST_LABELS = 20
"""Labelled units, tasks where sessions share one, below which no correction decides.

METHOD's simulations of the corrected test have 20 to 80.
"""

UNLABELLED_LIMIT = 0.10
"""Share of the drawn sessions that may lack a label: who leaves out chooses."""


def worst(statuses: Iterable[Status]) -> Status:
    """Return the worst of these statuses; ``passed`` when there is none."""
    return max(statuses, key=SEVERITY.index, default="passed")


def margin_of(settings: GateSettings, axis: str) -> float:
    """Return the points of mean drop that are tolerated on an axis."""
    return settings.margins.get(axis, settings.margins.get("default", DEFAULT_MARGIN))


def check_gate(settings: GateSettings, axes: Sequence[str]) -> None:
    """Raise ``SuiteError`` unless the gate names axes and the rubric has them.

    A margin for an unknown axis is a mistake too: it would be tolerated nowhere.
    """
    if not settings.axes:
        raise SuiteError(
            "[gate] axes is empty, so nothing would decide; name one to three of "
            f"{', '.join(axes)}, or remove the section"
        )
    for axis in settings.axes:
        if axis not in axes:
            raise SuiteError(
                f"[gate] axes: {axis!r} is no axis of the rubric; it has {', '.join(axes)}"
            )
    if settings.decide_on == "corrected" and (settings.strict or settings.sequential != "off"):
        other = "strict" if settings.strict else "sequential"
        raise SuiteError(
            f'[gate] decide_on = "corrected" and {other}: there is no such test of corrected '
            f"scores; leave {other} out, or decide on the raw scores"
        )
    for axis in settings.margins:
        if axis != "default" and axis not in axes:
            raise SuiteError(
                f"[gate.margins]: {axis!r} is no axis of the rubric; it has {', '.join(axes)}, "
                "and default stands for all of them"
            )


def inconclusive_blocks(settings: GateSettings, *, powered: bool, dropped: bool) -> bool:
    """Return whether an undecided test stops the merge.

    ``powered``: the suite could have shown it. ``dropped``: the observed drop
    reaches the margin. ``auto`` stops on either, so that a small suite advises
    and a large one holds.
    """
    match settings.on_inconclusive:
        case "fail":
            return True
        case "pass":
            return False
        case "auto":
            return powered or dropped


def status_blocks(status: Status, settings: GateSettings, *, required: bool = False) -> bool:
    """Return whether a status other than ``inconclusive`` stops the merge.

    ``required`` is --sessioneval-require-gate: a gate that did not run then stops it.
    """
    match status:
        case "passed" | "inconclusive":
            return False
        case "not_run":
            return required
        case "no_baseline":
            return required or settings.on_missing_baseline == "fail"
        case _:
            return True

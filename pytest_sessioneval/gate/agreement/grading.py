"""What a card's lines come to: whether a judge passed its exam, and on which axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pytest_sessioneval.gate.agreement.card import Agreement, Probe, Separation

__all__ = ["calibrated_axes", "card_status"]


def card_status(
    agreement: Sequence[Agreement], separation: Sequence[Separation], probes: Sequence[Probe]
) -> Literal["passed", "failed", "incomplete"]:
    """Return ``failed`` where a line failed; ``passed`` takes labels and every probe as well."""
    lines = [line.status for found in (agreement, separation, probes) for line in found]
    if "failed" in lines:
        return "failed"
    labelled = any(line.status == "passed" for line in agreement)
    probed = bool(probes) and all(probe.status != "not_measured" for probe in probes)
    return "passed" if labelled and probed else "incomplete"


def calibrated_axes(
    agreement: Sequence[Agreement], separation: Sequence[Separation], probes: Sequence[Probe]
) -> tuple[str, ...]:
    """Return the axes that agree with labels and on which nothing failed, in their order.

    A probe that failed on no single axis (an attack raises any) fails them all.
    """
    if any(found.axis == "any" and found.status == "failed" for p in probes for found in p.axes):
        return ()
    failed = {line.axis for line in agreement if line.status == "failed"}
    failed |= {line.axis for line in separation if line.status == "failed"}
    failed |= {found.axis for probe in probes for found in probe.axes if found.status == "failed"}
    agreed = dict.fromkeys(line.axis for line in agreement if line.status == "passed")
    return tuple(axis for axis in agreed if axis not in failed)

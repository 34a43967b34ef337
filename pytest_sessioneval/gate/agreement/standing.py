"""What a report says of the judge that scored it: its card, or *uncalibrated*."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.agreement.card import Agreement, JudgeCard
from pytest_sessioneval.suites.model import GateSettings

__all__ = ["Standing", "standing"]


class Standing(Frozen):
    """Whether the judge of a suite is calibrated, and by what."""

    calibrated: bool
    """The card in force passed, on every gated axis where there is a gate."""
    card: Literal["passed", "failed", "incomplete", "missing"]
    """The card in force; ``missing``: there is none of this judge with this rubric."""
    examined_at: datetime | None = None
    """When the card was made, UTC; null without one."""
    axes: tuple[str, ...] = ()
    """Axes the card calibrates."""
    line: str
    """The same in one short sentence."""


def standing(card: JudgeCard | None, gate: GateSettings | None, *, why: str = "") -> Standing:
    """Return where a judge stands by its card; ``why`` says what was found in place of one."""
    if card is None:
        reason = why or "no judge card"
        return Standing(
            calibrated=False,
            card="missing",
            line=f"judge uncalibrated: {reason}; sessioneval judge-check makes one",
        )
    gated = gate.axes if gate is not None else ()
    lacking = [axis for axis in gated if axis not in card.calibrated]
    calibrated = card.status == "passed" and not lacking
    return Standing(
        calibrated=calibrated,
        card=card.status,
        examined_at=card.examined_at,
        axes=card.calibrated,
        line=_line(card, lacking, calibrated=calibrated),
    )


def _line(card: JudgeCard, lacking: list[str], *, calibrated: bool) -> str:
    made = f"card of {card.examined_at:%Y-%m-%d}"
    if calibrated:
        agreed = [line for line in card.agreement if line.axis in card.calibrated]
        return f"judge calibrated, {made}: {', '.join(map(_agreed, agreed))}"
    if card.status == "failed":
        return f"judge uncalibrated: it failed its exam, {made}"
    if card.status == "incomplete":
        return f"judge uncalibrated: too little was measured, {made}"
    return f"judge uncalibrated on {', '.join(lacking)}, {made}"


def _agreed(line: Agreement) -> str:
    alpha = "–" if line.alpha.value is None else f"{line.alpha.value:.2f}"
    return f"{line.axis} alpha {alpha} (n={line.sessions}, {line.source})"

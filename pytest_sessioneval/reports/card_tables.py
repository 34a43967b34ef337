"""A judge's card as tables of text: the same for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_sessioneval.gate.agreement.card import (
    Agreement,
    Figure,
    JudgeCard,
    LineStatus,
    Probe,
    ProbeAxis,
)

__all__ = ["Table", "card_tables", "card_title", "interval_text"]

_STATUS = {
    "passed": "passed",
    "failed": "FAILED",
    "unclear": "unclear",
    "not_measured": "not measured",
}
_ORDER: tuple[LineStatus, ...] = ("failed", "unclear", "passed", "not_measured")
_SOURCE = {"people": "people", "outcome": "recorded outcome", "thumbs": "thumbs"}
_BOTH_WAYS = {"axis_order", "markup"}
_SHARES = {"empty", "master_key", "injection"}


@dataclass(frozen=True, slots=True)
class Table:
    """One section of a card."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str
    """What to say where there is no row."""


def card_title(card: JudgeCard) -> str:
    """Return what a reader must know first, in one sentence."""
    verdict = {
        "passed": "passed its exam",
        "failed": "failed its exam",
        "incomplete": "was not examined fully",
    }[card.status]
    axes = ", ".join(card.calibrated) or "no axis"
    return f"{card.judge} {verdict}; calibrated on {axes}"


def card_tables(card: JudgeCard) -> Iterator[Table]:
    """Yield the card's sections, each figure with its 90 % interval and what it rests on."""
    yield _agreement(card)
    yield _passes(card)
    yield _separation(card)
    yield _stability(card)
    yield _probes(card)
    if card.votes:
        yield _votes(card)


def interval_text(figure: Figure | None, decimals: int = 2, *, percent: bool = False) -> str:
    """Return ``0.71 [0.60, 0.80]``; a dash where the figure is not defined."""
    if figure is None or figure.value is None:
        return "–"
    if figure.low is None or figure.high is None:
        return _number(figure.value, decimals, percent=percent)
    low, high = (_number(value, decimals, percent=percent) for value in (figure.low, figure.high))
    return f"{_number(figure.value, decimals, percent=percent)} [{low}, {high}]"


def _number(value: float, decimals: int, *, percent: bool) -> str:
    shown = f"{100 * value:.0f} %" if percent else f"{value:.{decimals}f}"
    return shown.removeprefix("-") if float(shown.removesuffix(" %")) == 0 else shown


def _agreement(card: JudgeCard) -> Table:
    rows = [
        (
            line.axis,
            _sessions(line),
            interval_text(line.alpha),
            interval_text(line.people_alpha),
            interval_text(line.quadratic_kappa),
            interval_text(line.icc_single),
            interval_text(line.icc_average),
            interval_text(line.bias, 1),
            interval_text(line.slope),
            interval_text(line.mean_error, 1),
            _verdict(line.status, line.why),
        )
        for line in card.agreement
        if line.source == "people"
    ]
    return Table(
        "Agreement with people",
        (
            *("axis", "n", "alpha", "people among themselves", "quadratic kappa"),
            *("ICC(2,1)", "ICC(2,k)", "bias", "slope", "mean error", "alpha ≥ 0.667"),
        ),
        tuple(rows),
        "Nobody's scores were given: name them with --labels.",
    )


def _passes(card: JudgeCard) -> Table:
    rows = [
        (
            line.axis,
            _SOURCE[line.source],
            _sessions(line),
            f"≥ {line.pass_line:g}",
            interval_text(line.judge_passes, percent=True),
            interval_text(line.label_passes, percent=True),
            interval_text(line.accuracy, percent=True),
            interval_text(line.kappa),
            *(
                (interval_text(line.alpha), _verdict(line.status, line.why))
                if line.source == "outcome"
                else ("–", "–")
            ),
        )
        for line in card.agreement
    ]
    return Table(
        "Pass and fail",
        (
            *("axis", "held against", "n", "passes", "judge passes", "labels pass"),
            *("same side", "kappa", "nominal alpha", "alpha ≥ 0.667"),
        ),
        tuple(rows),
        "Nothing to hold passes against: name labels with --labels, or take recorded outcomes for "
        "labels with --use-outcome.",
    )


def _separation(card: JudgeCard) -> Table:
    rows = [
        (
            line.axis,
            _SOURCE[line.source],
            f"{line.good} / {line.bad}",
            interval_text(line.auc),
            _verdict(line.status, line.why),
        )
        for line in card.separation
    ]
    return Table(
        "Good sessions above bad ones",
        ("axis", "good by", "good / bad", "AUC", "above 0.5"),
        tuple(rows),
        "No scored session has a recorded outcome or a thumb.",
    )


def _stability(card: JudgeCard) -> Table:
    rows = [
        (
            line.axis,
            f"{line.sd.n} × {line.repeats}",
            interval_text(line.sd, 1),
            interval_text(line.flips, percent=True),
            f"≥ {line.pass_line:g}",
        )
        for line in card.stability
    ]
    return Table(
        "The same session again",
        (
            "axis",
            "sessions × repeats",
            "spread (sd, points)",
            "turn between pass and fail",
            "passes",
        ),
        tuple(rows),
        "Nothing was judged twice.",
    )


def _probes(card: JudgeCard) -> Table:
    return Table(
        "Probes",
        ("probe", "what was changed", "must hold", "found", "n", "result"),
        tuple(_probe(probe) for probe in card.probes),
        "No probe was held.",
    )


def _probe(probe: Probe) -> tuple[str, ...]:
    # The axis that is furthest off stands for the probe; judge_card.json has them all.
    worst = min(probe.axes, key=lambda axis: _badness(probe, axis), default=None)
    known = worst is not None and worst.figure.value is not None
    found, count = "–", f"{probe.variants}"
    if worst is not None and known:
        percent = probe.probe in _SHARES
        figure = interval_text(worst.figure, 1, percent=percent)
        found = figure if worst.axis == "any" else f"{worst.axis} {figure}"
        count = f"{worst.figure.n}"
    if probe.unanswered:
        count += f" ({probe.unanswered} unanswered)"
    return (
        probe.probe,
        probe.what,
        probe.line,
        found,
        count,
        _verdict(probe.status, probe.why),
    )


def _badness(probe: Probe, axis: ProbeAxis) -> tuple[int, float]:
    off = axis.figure.value or 0.0
    return _ORDER.index(axis.status), -(abs(off) if probe.probe in _BOTH_WAYS else off)


def _votes(card: JudgeCard) -> Table:
    rows = [
        (
            line.axis,
            f"{line.experts}",
            interval_text(line.correlation),
            interval_text(line.votes, 1),
            f"{line.votes.n}",
        )
        for line in card.votes
    ]
    head = ("axis", "experts", "correlation of errors", "worth independent votes", "n")
    return Table("The panel", head, tuple(rows), "")


def _sessions(line: Agreement) -> str:
    return f"{line.sessions}" + (f" ({line.unscored} unscored)" if line.unscored else "")


def _verdict(status: LineStatus, why: str) -> str:
    return f"{_STATUS[status]}: {why}" if status == "not_measured" and why else _STATUS[status]

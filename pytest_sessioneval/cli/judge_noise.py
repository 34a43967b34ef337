"""Says how much a judge differs from itself, and what that costs a suite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_sessioneval.cli.judging import asked_suite, waiting_for
from pytest_sessioneval.evaluation.direct import Terms, direct_run
from pytest_sessioneval.evaluation.judge_noise import JudgeNoise, measure_noise
from pytest_sessioneval.gate.figures import percent
from pytest_sessioneval.gate.noise import FEWEST_DEGREES, AxisNoise, VisibleDrop
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.wording import counted

__all__ = ["measured_noise", "noise_lines"]


def measured_noise(
    folder: str, *, repeats: int, limit: int, judge: str | None, on: Terms
) -> JudgeNoise:
    """Return how much the judge of the folder's suite differs from itself; keeps it in the store.

    Raises ``UsageError`` and ``SessionEvalError`` as ``measure_noise`` does.
    """
    suite = asked_suite(folder, judge)
    with direct_run(on) as run:
        return measure_noise(
            suite, run, repeats=repeats, limit=limit, announce=waiting_for("judge-noise")
        )


def noise_lines(noise: JudgeNoise) -> Iterator[str]:
    """Yield it as tables, a line each."""
    name, judge = one_line(noise.suite), one_line(noise.judge)
    if noise.deterministic:
        yield (
            f"{name}: the embedded judge ({judge}) always answers the same, so it has no noise: "
            "there is nothing to measure. Name a model to measure: --judge openai:MODEL"
        )
        return
    yield (
        f"{name}: {len(noise.keys)} of {counted(noise.of, 'session')} judged {noise.repeats} times "
        f"by {judge}, {counted(noise.calls, 'call')} (the rest from the store)"
    )
    yield f"  judge {noise.judge_version}, rubric {noise.rubric_version}"
    yield ""
    rows = [("axis", "spread", "sessions", "varied", "flipped"), *map(_noise_row, noise.axes)]
    yield from _table(rows)
    if noise.drops:
        yield ""
        yield from _drop_lines(noise.drops)
    thin = [axis.axis for axis in noise.axes if not axis.known]
    kept = [axis.axis for axis in noise.axes if axis.known]
    yield ""
    if thin:
        yield (
            f"too few scores for {', '.join(thin)}: a spread needs {FEWEST_DEGREES} more scores "
            "than sessions"
        )
    if kept:
        yield (
            f"kept in the store ({', '.join(kept)}): from now on, reports of this suite with this "
            "judge and rubric say how much of the uncertainty is the judge's"
        )


def _noise_row(axis: AxisNoise) -> tuple[str, ...]:
    flipped = "-"
    if axis.flipped is not None:
        flipped = f"{percent(axis.flipped / axis.sessions)} at {axis.threshold:g}"
    partly = f" ({axis.partly} not always scored)" if axis.partly else ""
    spread = "-" if axis.sd is None else f"{axis.sd:.1f}"
    varied = percent(axis.varied / axis.sessions)
    return (one_line(axis.axis), spread, f"{axis.sessions}{partly}", varied, flipped)


def _drop_lines(drops: Sequence[VisibleDrop]) -> Iterator[str]:
    first = drops[0]
    yield (
        f"smallest drop that {counted(first.pairs, 'session')} show, judged "
        f"{_times(first.baseline_repeats)} for the baseline and {_times(first.repeats)} in a run:"
    )
    head = ("axis", "tolerated", "with the noise", "without it", "noise alone", "to see it, take")
    yield from _table([head, *map(_drop_row, drops)])
    if any(drop.with_noise is None for drop in drops):
        yield (
            "how much sessions differ from one recording to the next is not known (it takes a "
            "baseline with ten sessions recorded anew and judged since): the noise alone is the "
            "least, and so is what to take"
        )


def _drop_row(drop: VisibleDrop) -> tuple[str, ...]:
    known = [
        "?" if points is None else f"{points:.1f}"
        for points in (drop.with_noise, drop.without_noise)
    ]
    seen = drop.judge_alone if drop.with_noise is None else drop.with_noise
    take = "nothing more"
    if seen > drop.margin:
        ways = [] if drop.repeats_needed is None else [f"{drop.repeats_needed} repeats"]
        ways += [] if drop.sessions_needed is None else [f"{drop.sessions_needed} sessions"]
        take = " or ".join(ways) or "no number suffices"
    alone = f"{drop.judge_alone:.1f}"
    return (one_line(drop.axis), f"{drop.margin:g}", *known, alone, take)


def _times(repeats: int) -> str:
    return "once" if repeats == 1 else f"{repeats} times"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)]
        yield f"  {'  '.join(cells)}".rstrip()

"""The exam's figures: a judge's scores held against labels, outcomes, thumbs and themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import TypeVar

from pytest_sessioneval.gate.agreement.card import (
    Agreement,
    Figure,
    LabelSource,
    LineStatus,
    Separation,
    Stability,
    Votes,
)
from pytest_sessioneval.gate.agreement.coefficients import (
    cohen_kappa,
    intraclass,
    krippendorff_alpha,
    quadratic_kappa,
)
from pytest_sessioneval.gate.agreement.deviation import (
    auc,
    mean_absolute_error,
    mean_bias,
    slope,
)
from pytest_sessioneval.gate.agreement.records import SessionRecord
from pytest_sessioneval.gate.agreement.resampling import bootstrap_interval, wilson
from pytest_sessioneval.gate.agreement.stability import (
    effective_votes,
    flipped,
    mean_correlation,
    pooled_sd,
    spread,
)

__all__ = [
    "ALPHA_LINE",
    "FEWEST_LABELS",
    "PASS_LINE",
    "effective_panel",
    "outcome_agreement",
    "people_agreement",
    "separation",
    "share",
    "stability",
]

FEWEST_LABELS = 30
"""Labelled sessions below which an axis is not examined."""

ALPHA_LINE = 0.667
"""Krippendorff's lowest alpha for tentative conclusions (2004, p. 241); 0.800 is his usual one."""

PASS_LINE = 50.0
"""The score that counts as a pass where the suite has no threshold."""

_GOOD_ALPHA = 0.8
_FEWEST_PER_SIDE = 5
_DECIMALS = 6
_PAIR = 2

Pair = tuple[float, float]
"""Score and label of one session."""

Row = TypeVar("Row")
Value = TypeVar("Value")


def people_agreement(
    records: Sequence[SessionRecord],
    axis: str,
    *,
    levels: Sequence[float],
    pass_line: float = PASS_LINE,
) -> Agreement | None:
    """Return the judge against people's scores on one axis; None without a label.

    A session's label is the mean over its raters. Intervals resample sessions,
    or clusters of them.
    """
    labelled = [record for record in records if record.labels.get(axis)]
    if not labelled:
        return None
    rated = [record for record in labelled if axis in record.scores]
    given = [record.labels[axis] for record in labelled]
    raters = max(map(len, given))
    several = [record for record in labelled if len(record.labels[axis]) >= _PAIR]
    pairs = [(record.scores[axis], fmean(record.labels[axis])) for record in rated]
    units = [record.unit for record in rated]

    def figure(statistic: Callable[[Sequence[float], Sequence[float]], float | None]) -> Figure:
        return _figure(pairs, lambda drawn: statistic(*_columns(drawn)), units)

    alpha = _figure(pairs, krippendorff_alpha, units)
    status, why = _held_against_alpha(alpha)
    return Agreement(
        source="people",
        axis=axis,
        sessions=len(rated),
        unscored=len(labelled) - len(rated),
        raters=raters,
        alpha=alpha,
        people_alpha=None
        if not several
        else _figure(
            [record.labels[axis] for record in several],
            krippendorff_alpha,
            [record.unit for record in several],
        ),
        quadratic_kappa=figure(lambda ours, theirs: quadratic_kappa(ours, theirs, levels)),
        icc_single=_figure(pairs, _icc_single, units),
        icc_average=_figure(pairs, _icc_average, units),
        bias=figure(mean_bias),
        slope=figure(slope),
        mean_error=figure(mean_absolute_error),
        **_sides([(s >= pass_line, t >= pass_line) for s, t in pairs], units),
        pass_line=pass_line,
        status=status,
        why=why,
    )


def outcome_agreement(
    records: Sequence[SessionRecord], axis: str, *, pass_line: float = PASS_LINE
) -> Agreement | None:
    """Return the judge's passes against recorded successes on one axis; None without outcomes.

    Alpha is nominal: an outcome is a success or none, a score at or above the
    pass line is a pass or none.
    """
    known = [(record, record.succeeded) for record in records if record.succeeded is not None]
    if not known:
        return None
    rated = [(record, succeeded) for record, succeeded in known if axis in record.scores]
    sides = [(record.scores[axis] >= pass_line, succeeded) for record, succeeded in rated]
    units = [record.unit for record, _ in rated]
    alpha = _figure(sides, lambda drawn: krippendorff_alpha(drawn, "nominal"), units)
    status, why = _held_against_alpha(alpha)
    return Agreement(
        source="outcome",
        axis=axis,
        sessions=len(rated),
        unscored=len(known) - len(rated),
        alpha=alpha,
        **_sides(sides, units),
        pass_line=pass_line,
        status=status,
        why=why,
    )


def separation(
    records: Sequence[SessionRecord], axis: str, source: LabelSource
) -> Separation | None:
    """Return whether an axis tells good sessions from bad ones, by thumbs or outcomes.

    None where no scored session has such a word.
    """
    known = [
        (record.scores[axis], good, record.unit)
        for record in records
        if axis in record.scores
        for good in (record.liked if source == "thumbs" else record.succeeded,)
        if good is not None
    ]
    if not known:
        return None
    units = [unit for _, _, unit in known]
    figure = _figure([(score, good) for score, good, _ in known], _auc, units)
    good = sum(1 for _, is_good, _ in known if is_good)
    status, why = _held_against_chance(figure, good, len(known) - good)
    return Separation(
        source=source,
        axis=axis,
        good=good,
        bad=len(known) - good,
        auc=figure,
        status=status,
        why=why,
    )


def stability(
    records: Sequence[SessionRecord], axis: str, *, pass_line: float = PASS_LINE
) -> Stability | None:
    """Return the judge against itself on one axis; None where nothing was judged twice."""
    again = [record for record in records if len(record.repeats.get(axis, ())) >= _PAIR]
    if not again:
        return None
    repeats = [record.repeats[axis] for record in again]
    turned = sum(1 for scores in repeats if flipped(scores, pass_line))
    return Stability(
        axis=axis,
        repeats=max(map(len, repeats)),
        sd=_figure(
            [spread(scores) for scores in repeats], pooled_sd, [record.unit for record in again]
        ),
        flips=share(turned, len(repeats)),
        pass_line=pass_line,
    )


def effective_panel(
    records: Sequence[SessionRecord], axis: str, *, by_outcome: bool = False
) -> Votes | None:
    """Return how many independent votes the experts of an axis are worth.

    Errors are scores minus labels; ``by_outcome`` takes 0 and 100 for failure
    and success where people gave no label. None where fewer than two experts
    answer the axis, or fewer than three sessions have a label.
    """
    rows: list[tuple[Mapping[str, float], float, str]] = []
    for record in records:
        given = record.labels.get(axis)
        label = fmean(given) if given else None
        if label is None and by_outcome and record.succeeded is not None:
            label = 100.0 * record.succeeded
        if label is not None:
            seats = {seat: scores[axis] for seat, scores in record.seats.items() if axis in scores}
            rows.append((seats, label, record.unit))
    experts = sorted({seat for seats, _, _ in rows for seat in seats})
    complete = [row for row in rows if len(row[0]) == len(experts)]
    if len(experts) < _PAIR or len(complete) <= _PAIR:
        return None
    errors = [tuple(seats[expert] - label for expert in experts) for seats, label, _ in complete]
    correlation = _figure(
        errors,
        lambda drawn: mean_correlation(list(zip(*drawn, strict=True))),
        [unit for _, _, unit in complete],
    )
    limits = [
        None if value is None else round(effective_votes(len(experts), value), _DECIMALS)
        for value in (correlation.value, correlation.high, correlation.low)
    ]
    votes = Figure(value=limits[0], low=limits[1], high=limits[2], n=correlation.n)
    return Votes(axis=axis, experts=len(experts), correlation=correlation, votes=votes)


def share(count: int, total: int) -> Figure:
    """Return a share with Wilson's interval; undefined for a total of 0."""
    if not total:
        return Figure(value=None, n=0)
    low, high = wilson(count, total)
    return Figure(value=_short(count / total), low=_short(low), high=_short(high), n=total)


def _figure(
    rows: Sequence[Row],
    statistic: Callable[[Sequence[Row]], float | None],
    units: Sequence[str],
) -> Figure:
    value = statistic(rows) if rows else None
    if value is None:
        return Figure(value=None, n=len(rows))
    limits = bootstrap_interval(rows, statistic, clusters=units)
    low, high = (None, None) if limits is None else limits
    return Figure(value=_short(value), low=_short(low), high=_short(high), n=len(rows))


def _sides(sides: Sequence[tuple[bool, bool]], units: Sequence[str]) -> dict[str, Figure]:
    """Return what there is to say of passes: the judge's first, the labels' second."""
    return {
        "accuracy": share(sum(1 for ours, theirs in sides if ours == theirs), len(sides)),
        "kappa": _figure(sides, lambda drawn: cohen_kappa(*_columns(drawn)), units),
        "judge_passes": share(sum(1 for ours, _ in sides if ours), len(sides)),
        "label_passes": share(sum(1 for _, theirs in sides if theirs), len(sides)),
    }


def _columns(pairs: Sequence[tuple[Value, Value]]) -> Iterator[list[Value]]:
    yield [ours for ours, _ in pairs]
    yield [theirs for _, theirs in pairs]


def _auc(rows: Sequence[tuple[float, bool]]) -> float | None:
    return auc([score for score, good in rows if good], [score for score, good in rows if not good])


def _icc_single(pairs: Sequence[Pair]) -> float | None:
    found = intraclass(pairs)
    return None if found is None else found.single


def _icc_average(pairs: Sequence[Pair]) -> float | None:
    found = intraclass(pairs)
    return None if found is None else found.average


def _held_against_alpha(alpha: Figure) -> tuple[LineStatus, str]:
    if not alpha.n:
        return "not_measured", "no labelled session has a score"
    if alpha.n < FEWEST_LABELS:
        return "not_measured", f"too few labels: {alpha.n} of the {FEWEST_LABELS} it takes"
    if alpha.value is None:
        return "not_measured", "scores and labels are all the same: chance would agree as well"
    if alpha.value < ALPHA_LINE:
        return "failed", f"alpha is below {ALPHA_LINE}"
    if alpha.value < _GOOD_ALPHA:
        return "passed", f"alpha is at least {ALPHA_LINE}: good for tentative conclusions"
    return "passed", f"alpha is at least {_GOOD_ALPHA:.3f}"


def _held_against_chance(figure: Figure, good: int, bad: int) -> tuple[LineStatus, str]:
    if figure.n < FEWEST_LABELS:
        return "not_measured", f"too few: {figure.n} of the {FEWEST_LABELS} sessions it takes"
    if min(good, bad) < _FEWEST_PER_SIDE or figure.low is None or figure.high is None:
        return "not_measured", f"too few of one kind: {good} good, {bad} bad"
    if figure.low > 0.5:  # noqa: PLR2004 -- chance
        return "passed", "scores tell good sessions from bad ones better than chance"
    if figure.high < 0.5:  # noqa: PLR2004
        return "failed", "scores point the wrong way: bad sessions score higher"
    return "unclear", "no better than chance, as far as these sessions show"


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, _DECIMALS)

"""How well a fit tells success from failure on what was held out of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_sessioneval.gate.fitting.logistic import fit_logistic

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Codes = NDArray[np.intp]

__all__ = ["FOLDS", "Cases", "HeldOut", "kinds_held_out", "tasks_held_out"]

FOLDS = 5
"""Parts that tasks are divided into; each is predicted by a fit to the others."""
_DIVISIONS = 20
_RESAMPLES = 2_000
_TAIL = 1.0
"""Percent of resamples cut off at each end. Resampling takes predictions as given and so is too
narrow: with the usual 2.5 %, 5 to 7 % of sets of labels shuffled at random had an interval above
one half; with 1 % it is 2 to 5 % (benchmarks/embedded_judge_validity.py)."""


@dataclass(frozen=True, slots=True)
class Cases:
    """Cases with their outcomes."""

    rows: Sequence[Sequence[float]]
    """A row of numbers per case."""
    labels: Sequence[bool]
    """Whether each succeeded."""
    tasks: Sequence[Hashable]
    """What each attempted: cases of one task are held out together."""
    kinds: Sequence[Hashable]
    """The kind of its task; only cases of one kind are compared."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """How predictions of cases that were held out did."""

    auc: float
    """Share of pairs of a success and a failure that rate the success higher; ties count half."""
    low: float
    """Lower end of the 95 % interval."""
    high: float
    """Upper end."""
    brier: float
    """Mean squared error of the predicted probabilities."""
    brier_of_base_rate: float
    """The same of always predicting the share of successes in the other parts."""


def tasks_held_out(cases: Cases, *, ridge: float, seed: int) -> HeldOut | None:
    """Return how fits predict cases of tasks that they have not seen.

    Tasks are divided at random into five parts, twenty times. Two cases are
    compared only where one fit predicted both (pooled over fits, chance scores
    below one half) and both are of one kind (else knowing which kind succeeds
    more often would count as skill). The interval is a percentile bootstrap over
    tasks, its tails measured on shuffled labels. None where no pair can be compared.
    """
    import numpy as np  # noqa: PLC0415

    arrays = _Arrays.of(cases)
    draw = np.random.default_rng(seed)
    tasks = arrays.tasks.max(initial=-1) + 1

    def divisions() -> Iterator[Codes]:
        for _ in range(_DIVISIONS):
            parts = np.arange(tasks) % FOLDS
            draw.shuffle(parts)
            yield parts[arrays.tasks]

    return _assess(arrays, divisions(), ridge=ridge, draw=draw)


def kinds_held_out(cases: Cases, *, ridge: float, seed: int) -> HeldOut | None:
    """Return how fits predict cases of kinds of task that they have not seen; as above."""
    import numpy as np  # noqa: PLC0415

    arrays = _Arrays.of(cases)
    draw = np.random.default_rng(seed)
    return _assess(arrays, iter([arrays.kinds]), ridge=ridge, draw=draw)


@dataclass(frozen=True, slots=True)
class _Arrays:
    rows: Numbers
    labels: Numbers
    tasks: Codes
    kinds: Codes

    @classmethod
    def of(cls, cases: Cases) -> _Arrays:
        import numpy as np  # noqa: PLC0415

        return cls(
            np.asarray(cases.rows, dtype=float).reshape(len(cases.labels), -1),
            np.asarray(cases.labels, dtype=float),
            _codes(cases.tasks),
            _codes(cases.kinds),
        )


def _codes(values: Sequence[Hashable]) -> Codes:
    import numpy as np  # noqa: PLC0415

    known: dict[Hashable, int] = {}
    return np.asarray([known.setdefault(value, len(known)) for value in values], dtype=np.intp)


def _assess(
    cases: _Arrays, divisions: Iterator[Codes], *, ridge: float, draw: np.random.Generator
) -> HeldOut | None:
    import numpy as np  # noqa: PLC0415

    good, bad = np.flatnonzero(cases.labels == 1), np.flatnonzero(cases.labels == 0)
    comparable = cases.kinds[good][:, None] == cases.kinds[bad][None, :]
    won, compared = np.zeros(comparable.shape), np.zeros(comparable.shape)
    errors: list[float] = []
    base_errors: list[float] = []
    for parts in divisions:
        odds, base = _predicted(cases, parts, ridge=ridge)
        known = ~np.isnan(odds)
        chances = 1 / (1 + np.exp(-odds[known]))
        errors.extend(((chances - cases.labels[known]) ** 2).tolist())
        base_errors.extend(((base[known] - cases.labels[known]) ** 2).tolist())
        ours, theirs = odds[good][:, None], odds[bad][None, :]
        by_one_fit = comparable & (parts[good][:, None] == parts[bad][None, :])
        by_one_fit &= known[good][:, None] & known[bad][None, :]
        won += by_one_fit * ((ours > theirs) + (ours == theirs) / 2)
        compared += by_one_fit
    if not compared.any():
        return None
    low, high = _interval(won, compared, cases.tasks[good], cases.tasks[bad], draw)
    return HeldOut(
        auc=float(won.sum() / compared.sum()),
        low=low,
        high=high,
        brier=float(np.mean(errors)),
        brier_of_base_rate=float(np.mean(base_errors)),
    )


def _predicted(cases: _Arrays, parts: Codes, *, ridge: float) -> tuple[Numbers, Numbers]:
    """Return log odds by fits to the other parts, and the share of successes there; NaN: none."""
    import numpy as np  # noqa: PLC0415

    odds, base = np.full(len(parts), np.nan), np.full(len(parts), np.nan)
    for part in np.unique(parts):
        held, seen = parts == part, parts != part
        labels = cases.labels[seen]
        if 0 < labels.sum() < len(labels):
            odds[held] = fit_logistic(cases.rows[seen], labels, ridge=ridge).log_odds(
                cases.rows[held]
            )
            base[held] = labels.mean()
    return odds, base


def _interval(
    won: Numbers, compared: Numbers, good: Codes, bad: Codes, draw: np.random.Generator
) -> tuple[float, float]:
    """Return the interval over resampled tasks; ``good`` and ``bad``: the tasks of the pairs."""
    import numpy as np  # noqa: PLC0415

    tasks = int(max(good.max(), bad.max())) + 1
    found: list[float] = []
    for _ in range(_RESAMPLES):
        times = np.bincount(draw.integers(tasks, size=tasks), minlength=tasks)
        wins, losses = times[good], times[bad]
        total = wins @ compared @ losses
        if total > 0:
            found.append(float(wins @ won @ losses / total))
    low, high = np.percentile(found, [_TAIL, 100 - _TAIL])
    return float(low), float(high)

"""Ridge-regularised logistic regression by Newton's method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loaded when something is fitted; it comes with scipy and pandas
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

__all__ = ["Logistic", "fit_logistic"]

_MOST_STEPS = 100
_MOST_HALVINGS = 30
_SMALL_STEP = 1e-10
_MOST_DEVIATIONS = 3.0


@dataclass(frozen=True, slots=True)
class Logistic:
    """A fit: log odds = intercept + Σ weight × (value - mean) / scale, that cut to ±3."""

    means: tuple[float, ...]
    scales: tuple[float, ...]
    """Standard deviations; 1 where a column never varied."""
    weights: tuple[float, ...]
    """Log odds per standard deviation."""
    intercept: float

    def log_odds(self, rows: Numbers) -> Numbers:
        """Return the log odds of a label of 1, one per row."""
        import numpy as np  # noqa: PLC0415

        odds: Numbers = _standard(rows, self.means, self.scales) @ np.asarray(self.weights)
        return odds + self.intercept


def fit_logistic(
    rows: Sequence[Sequence[float]] | Numbers, labels: Sequence[float] | Numbers, *, ridge: float
) -> Logistic:
    """Return the weights that maximise log likelihood - ridge/2 × Σ weight².

    A row per case, labels 0 or 1, both present (else ``ValueError``). Columns are
    standardised first, so that ``ridge`` (> 0) means the same for each: it is a
    normal prior with variance 1/ridge on what a standard deviation weighs. The
    intercept is free. The maximum exists and is unique; Newton's steps are halved
    until they climb (Hastie, Tibshirani, Friedman 2009, ch. 4.4).
    """
    import numpy as np  # noqa: PLC0415

    rows, labels = np.asarray(rows, dtype=float), np.asarray(labels, dtype=float)
    if not 0 < labels.sum() < len(labels):
        raise ValueError("a fit needs labels of both kinds")
    means, scales = rows.mean(axis=0), rows.std(axis=0)
    scales[scales < _SMALL_STEP] = 1.0
    design = np.column_stack([np.ones(len(rows)), _standard(rows, means.tolist(), scales.tolist())])
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 0.0
    weights = np.zeros(design.shape[1])

    def height(at: Numbers) -> float:
        odds = design @ at
        return float(labels @ odds - np.logaddexp(0, odds).sum() - penalty @ at**2 / 2)

    reached = height(weights)
    for _ in range(_MOST_STEPS):
        chances = 1 / (1 + np.exp(-(design @ weights)))
        slope = design.T @ (labels - chances) - penalty * weights
        curve = (design.T * (chances * (1 - chances))) @ design + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        for _ in range(_MOST_HALVINGS):
            if height(weights + step) >= reached:
                break
            step /= 2
        weights = weights + step
        reached = height(weights)
        if abs(step).max() < _SMALL_STEP:
            break
    return Logistic(
        means=tuple(means.tolist()),
        scales=tuple(scales.tolist()),
        weights=tuple(weights[1:].tolist()),
        intercept=float(weights[0]),
    )


def _standard(rows: Numbers, means: Sequence[float], scales: Sequence[float]) -> Numbers:
    import numpy as np  # noqa: PLC0415

    deviations: Numbers = (rows - np.asarray(means)) / np.asarray(scales)
    return np.clip(deviations, -_MOST_DEVIATIONS, _MOST_DEVIATIONS)

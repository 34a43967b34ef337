"""The distributions the gate needs, on ``scipy.special``, which is loaded by the first call.

Importing ``scipy.special`` takes a third of a second: a run without a gate does not pay it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

__all__ = [
    "beta_quantile",
    "exponential_race",
    "legendre_nodes",
    "normal_quantile",
    "normal_upper_tail",
    "student_lower_tail",
    "student_quantile",
]

_STANDARD_NORMAL = NormalDist()


def normal_quantile(p: float) -> float:
    """Return z with P(Z <= z) = p for a standard normal Z; p in (0, 1)."""
    return _STANDARD_NORMAL.inv_cdf(p)


def normal_upper_tail(z: float) -> float:
    """Return P(Z > z) for a standard normal Z, accurate far into the tail."""
    return math.erfc(z / math.sqrt(2)) / 2


def student_lower_tail(t: float, df: float) -> float:
    """Return P(T <= t) for Student's t with ``df`` degrees of freedom (> 0)."""
    from scipy import special  # noqa: PLC0415 -- 0.4 s that only a decision pays

    return float(special.stdtr(df, t))


def student_quantile(p: float, df: float) -> float:
    """Return t with P(T <= t) = p for Student's t with ``df`` degrees of freedom (> 0)."""
    from scipy import special  # noqa: PLC0415 -- 0.4 s that only a decision pays

    return float(special.stdtrit(df, p))


def beta_quantile(p: float, a: float, b: float) -> float:
    """Return x with P(X <= x) = p for X ~ Beta(a, b); a, b > 0."""
    from scipy import special  # noqa: PLC0415 -- 0.4 s that only a decision pays

    return float(special.betaincinv(a, b, p))


def legendre_nodes(count: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the nodes and weights of Gauss–Legendre quadrature on [-1, 1]."""
    from scipy import special  # noqa: PLC0415 -- 0.4 s that only a decision pays

    nodes, weights = special.roots_legendre(count)
    return tuple(map(float, nodes)), tuple(map(float, weights))


def exponential_race(first: Sequence[float], second: Sequence[float]) -> float:
    """Return P(X <= Y), X and Y sums of independent exponentials with these means (> 0).

    Exact. Run both sums as two relays whose runners take turns of exponential
    length: whoever of the two current runners (means a and b) finishes first is
    the first relay's with probability b / (a + b), and nobody remembers how long
    the other has been running. So the chance that the first relay wins with i
    and j runners still to come is a weighted mean of the chances with i-1, j
    and with i, j-1. Every step averages numbers in [0, 1]: nothing cancels.
    Time and memory grow with len(first) × len(second) and with their sum.
    """
    if not first or not second:
        return 0.0 if first else 1.0
    import numpy as np  # noqa: PLC0415 -- comes with scipy.special

    a = np.asarray(first, dtype=float)
    b = np.asarray(second, dtype=float)
    # Along one anti-diagonal i + j is constant; entry i holds the chance with i, j left.
    chances = np.array([1.0])
    low = 0  # the smallest i on the diagonal
    for total in range(1, len(a) + len(b) + 1):
        new_low, high = max(0, total - len(b)), min(len(a), total)
        i = np.arange(max(new_low, 1), min(high, total - 1) + 1)
        j = total - i
        first_finishes = b[j - 1] / (a[i - 1] + b[j - 1])
        inner = first_finishes * chances[i - 1 - low] + (1 - first_finishes) * chances[i - low]
        before = [1.0] if new_low == 0 else []  # nobody left in the first relay: it has won
        after = [0.0] if high == total else []  # nobody left in the second: it has won
        chances = np.concatenate([before, inner, after])
        low = new_low
    return float(chances[-1])

"""How numbers, counts and lists of sessions are written."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["confidence", "count", "listed", "p_value", "percent", "signed", "words"]

_NAMED = 3


def words(status: str) -> str:
    """Return a status as words: ``not comparable``."""
    return status.replace("_", " ")


def signed(points: float) -> str:
    """Return points with their sign and one decimal; never ``-0.0``."""
    text = f"{points:+.1f}"
    return "+0.0" if text == "-0.0" else text


def confidence(alpha: float) -> str:
    """Return the level of an interval whose ends are each at one-sided alpha: ``90 %``.

    Two digits of what it leaves out, so that no level of a look is called 100 %.
    """
    outside = float(f"{200 * alpha:.2g}")
    return f"{100 - outside:.10g} %"


def p_value(value: float) -> str:
    """Return ``p = 0.012``, or ``p < 0.001``."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"  # noqa: PLR2004


def percent(share: float) -> str:
    """Return a share of 0–1 as ``4.6 %``."""
    return f"{100 * share:.1f} %"


def count(number: int, noun: str) -> str:
    """Return ``1 session``, ``2 sessions``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def listed(keys: Sequence[str]) -> str:
    """Return the first three keys and how many more there are."""
    rest = len(keys) - _NAMED
    return ", ".join(keys[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")

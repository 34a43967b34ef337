"""A session's signals as a fixed list of numbers: what a calibration is fitted to.

Chosen before any fit was looked at, and few, because users have few labels.
Counts are taken as log2(1 + count): the first finding says most.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from pytest_sessioneval.judging.process.signals import Signals

__all__ = ["FEATURES", "Feature", "feature_values"]

_LAST_ANSWERS = 2


@dataclass(frozen=True, slots=True)
class Feature:
    """One number that is taken of every session."""

    name: str
    """As calibration files name it."""
    says: str
    """What it counts, as comments name it."""
    measure: Callable[[Signals], float]
    kinds: tuple[str, ...] = ()
    """The findings behind it, where evidence can point to them."""


def feature_values(signals: Signals) -> tuple[float, ...]:
    """Return one number per feature, in the order of ``FEATURES``."""
    return tuple(feature.measure(signals) for feature in FEATURES)


def _log(count: float) -> float:
    return math.log2(1 + count)


def _found(name: str, says: str, *kinds: str) -> Feature:
    """Return the feature that counts findings of some kinds."""

    def measure(signals: Signals) -> float:
        return _log(sum(finding.amount for kind in kinds for finding in signals.of(kind)))

    return Feature(name, says, measure, kinds)


def _declined_at_the_end(signals: Signals) -> float:
    """Return 1 where one of the last two answers declines or hands over, else 0."""
    talk = signals.conversation
    if not (talk.declined and talk.answers):
        return 0.0
    return float(talk.declined[-1] >= talk.answers[-_LAST_ANSWERS:][0])


FEATURES: tuple[Feature, ...] = (
    Feature("steps", "steps", lambda s: _log(s.effort.steps)),
    Feature("calls", "calls", lambda s: _log(s.effort.calls)),
    Feature("tools", "different tools", lambda s: _log(s.effort.tools)),
    Feature("changes", "calls that may change something", lambda s: _log(s.effort.changes)),
    Feature("requests", "requests of the user", lambda s: _log(s.effort.requests)),
    Feature("written", "what the agent wrote", lambda s: _log(s.effort.output_tokens)),
    _found("failures", "failed calls", "failed", "bad_arguments", "unknown_tool"),
    _found("waste", "repetition", "retry", "repeat", "cycle", "repeated_text"),
    _found(
        "friction",
        "corrections and waiting of the user",
        *("correction", "asked_again", "interrupt", "unanswered"),
    ),
    _found(
        "invention",
        "figures and words from nowhere",
        *("ungrounded_identifier", "ungrounded_amount", "ungrounded_date"),
        *("invented_argument", "unrelated_answer", "false_claim"),
    ),
    _found("broken_off", "breaking off", "unfinished", "silent"),
    _found("declined", "declining or handing over", "declined"),
    Feature(
        "declined_at_the_end",
        "declining or handing over at the end",
        _declined_at_the_end,
        ("declined",),
    ),
)
"""What is taken of a session; a change here makes calibrations before it unusable."""

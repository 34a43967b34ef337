"""A decision as names and numbers: what JUnit XML and other plugins see of it."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_sessioneval.gate.outcome import Comparison, Decision, MeanTest

__all__ = ["decision_properties"]

Property = tuple[str, str | float | None]
"""A name and its value; None is left out."""


def decision_properties(decision: Decision) -> list[tuple[str, object]]:
    """Return every number of the gated axes that the reports show; unknown ones are absent.

    ``gate_status``, ``gate_look_…``, ``gate_<baseline>_…``, ``gate_<axis>_status``,
    ``gate_<axis>_<baseline>_…``.
    """
    return [(f"gate_{name}", value) for name, value in _all(decision) if value is not None]


def _all(decision: Decision) -> Iterator[Property]:
    yield "status", decision.status
    for check in decision.canaries:
        for drift in check.drifts:
            yield f"{drift.axis}_{check.baseline}_canary_shift", drift.shift
    if decision.look is not None:
        for name, value in decision.look.model_dump(mode="json").items():
            yield f"look_{name}", value
    for use in decision.baselines:
        yield f"{use.name}_lost", len(use.lost)
        yield f"{use.name}_added", len(use.added)
    for axis in decision.gated:
        yield f"{axis.axis}_status", axis.status
        yield f"{axis.axis}_margin", axis.margin
        for one in axis.comparisons:
            for name, value in _comparison(one):
                yield f"{axis.axis}_{one.baseline}_{name}", value


def _comparison(one: Comparison) -> Iterator[Property]:
    yield from _mean_test(one.overall)
    yield "comparison", one.status  # "status" is the mean's own
    yield "before", one.baseline_mean
    yield "after", one.candidate_mean
    yield "changed", one.changed
    yield "fell", one.fell
    yield "rose", one.rose
    yield "broken", len(one.broken)
    yield "newly_null", len(one.nulls.newly_null)
    yield "newly_scored", len(one.nulls.newly_scored)
    yield "unjudged", len(one.unjudged)
    yield "missing_share", one.missing_share
    yield "judge_noise_share", one.judge_noise_share
    if one.corrected is not None:
        for name, value in _mean_test(one.corrected.overall):
            yield f"corrected_{name}", value


def _mean_test(test: MeanTest | None) -> Iterator[Property]:
    if test is not None:
        yield from test.model_dump(mode="json").items()

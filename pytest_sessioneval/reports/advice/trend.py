"""Below the reference now and in the baseline: new, persisting, fixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_sessioneval.gate.model import AxisScore, Baseline, Versions
from pytest_sessioneval.gate.statistics import mcnemar
from pytest_sessioneval.reports.advice.model import AxisTrend
from pytest_sessioneval.reports.model import SuiteReport
from pytest_sessioneval.suites.thresholds import ROUNDING

__all__ = ["Past", "no_trend", "trends"]

_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Past:
    """Which sessions of the baseline were below the references of now."""

    below: Mapping[str, Mapping[str, bool]]
    """By axis and key; a session without a score there is absent."""

    @classmethod
    def of_baseline(cls, baseline: Baseline, held: Mapping[str, float]) -> Past:
        """Return what of a baseline lies below the axes' references ``held``.

        A baseline holds scores and no failure tags: what persists is that a
        session is below its reference, whatever for.
        """
        below: dict[str, dict[str, bool]] = {axis: {} for axis in held}
        for session in baseline.sessions:
            for axis, reference in held.items():
                point = session.axes.get(axis)
                if isinstance(point, AxisScore):
                    below[axis][session.key] = point.score < reference - ROUNDING
        return cls(below)

    def of(self, axis: str) -> Mapping[str, bool]:
        """Return one axis by key."""
        return self.below.get(axis, {})


def no_trend(suite: SuiteReport, baseline: Baseline | None) -> str:
    """Return why the suite is not compared with the baseline; empty: it can be."""
    if baseline is None:
        return "there is no baseline"
    now = Versions(
        rubric=suite.rubric_version, judge=suite.judge.version, scoring=suite.scoring_version
    )
    differing = [
        name for name, was in baseline.versions.model_dump().items() if was != getattr(now, name)
    ]
    if differing:
        return f"the baseline was made with another {' and another '.join(differing)}"
    return ""


def trends(suite: SuiteReport, held: Mapping[str, float], past: Past) -> Iterator[AxisTrend]:
    """Yield per axis how sessions moved over its reference; axes without a pair are left out."""
    for axis, reference in held.items():
        was = past.of(axis)
        pairs = new = persisting = fixed = 0
        for session in suite.sessions:
            result = session.verdict.axes.get(axis) if session.verdict is not None else None
            before = was.get(session.key)
            if before is None or result is None or result.kind != "scored":
                continue
            now = result.score < reference - ROUNDING
            pairs += 1
            new += now and not before
            persisting += now and before
            fixed += before and not now
        if pairs:
            yield AxisTrend(
                axis=axis,
                pairs=pairs,
                new=new,
                persisting=persisting,
                fixed=fixed,
                p=round(mcnemar(new, fixed), _DECIMALS),
            )

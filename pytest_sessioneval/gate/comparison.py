"""One axis against one baseline: measured first, concluded once every p-value is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from pytest_sessioneval.gate.mean_tests import (
    LOWEST_DIFFERENCE,
    mean_test,
    reason_of,
    undecided_blocks,
)
from pytest_sessioneval.gate.model import AxisScore
from pytest_sessioneval.gate.noise import noise_share
from pytest_sessioneval.gate.outcome import (
    Comparison,
    Correction,
    Fall,
    MeanTest,
    Nulls,
    Reason,
    Unjudged,
)
from pytest_sessioneval.gate.pairing import AxisPairs, Pair, Unit
from pytest_sessioneval.gate.people import Corrections, DrawScores, correct
from pytest_sessioneval.gate.rules import (
    FEWEST_LABELS,
    MISSING_LIMIT,
    UNLABELLED_LIMIT,
    Status,
    worst,
)
from pytest_sessioneval.gate.statistics import (
    ALPHA,
    SPREADLESS,
    Estimate,
    distribution_free_lower,
    mcnemar,
    mean_estimate,
    p_drop,
    welch_estimate,
)
from pytest_sessioneval.suites.model import GateSettings

__all__ = ["Measured", "Part", "conclude", "measure", "measure_unpaired"]

_FALLS = 5
_HUNDRED = 100

Part = tuple[str, str, str]
"""Names one test among all of a decision: axis, baseline, ``overall`` or ``changed``."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One axis against one baseline, before anything is concluded."""

    axis: str
    baseline: str
    margin: float
    method: Literal["paired", "clustered", "welch"]
    estimates: Mapping[str, Estimate]
    """By part: ``overall`` and, where there are unchanged pairs too, ``changed``."""
    free_bounds: Mapping[str, float]
    """Distribution-free lower limits by part; empty unless strict."""
    corrections: Corrections | None
    pairs: AxisPairs
    means: tuple[float, float] | None
    lost: int
    expected: int
    noise: float | None

    @property
    def missing_share(self) -> float:
        """Share of the expected sessions that are lost or not judged, 0–1."""
        return _share(self.lost + len(self.pairs.unjudged), self.expected)

    def p_values(self, settings: GateSettings) -> dict[Part, float]:
        """Return the p-value of a drop, for each test that decides."""
        deciding = self.estimates
        if settings.decide_on == "corrected":
            deciding = self.corrected
        return {
            (self.axis, self.baseline, part): p_drop(estimate)
            for part, estimate in deciding.items()
        }

    @property
    def corrected(self) -> Mapping[str, Estimate]:
        """The estimates corrected by people's labels, by part; empty without a label."""
        if self.corrections is None:
            return {}
        return {part: one.estimate for part, one in self.corrections.parts.items()}


def measure(
    axis: str,
    baseline: str,
    pairs: AxisPairs,
    *,
    margin: float,
    sessions: int,
    lost: int,
    strict: bool,
    judge_sd: float | None = None,
    draws: Sequence[DrawScores] = (),
) -> Measured:
    """Return what the pairs of one axis show; ``draws`` are people's scores on it.

    The run has ``sessions`` sessions and lacks ``lost`` of the baseline's.
    ``judge_sd`` is the judge's own spread where it was measured before. When
    more than 5 % of all these have no judgement nothing is estimated: a mean
    over the survivors is no mean of the suite.
    """
    estimates: dict[str, Estimate] = {}
    bounds: dict[str, float] = {}
    missing = _share(lost + len(pairs.unjudged), sessions + lost)
    shown = pairs.pairs if missing <= MISSING_LIMIT else ()
    changed = [pair for pair in shown if pair.changed]
    parts: dict[str, Sequence[Pair]] = {"overall": shown}
    if len(changed) < len(shown):
        parts["changed"] = changed
    for part, members in parts.items():
        if members:
            differences = [pair.difference for pair in members]
            clusters = [pair.unit for pair in members]
            estimates[part] = mean_estimate(differences, clusters)
            if strict:
                bounds[part] = _free_bound(differences, clusters)
    overall = estimates.get("overall")
    return Measured(
        axis=axis,
        baseline=baseline,
        margin=margin,
        method="clustered" if overall and overall.units < overall.values else "paired",
        estimates=estimates,
        free_bounds=bounds,
        corrections=correct(parts, draws),
        pairs=pairs,
        means=_means(shown),
        lost=lost,
        expected=sessions + lost,
        noise=None if overall is None else noise_share(shown, overall.se, judge_sd),
    )


def measure_unpaired(
    axis: str,
    baseline: str,
    before: Sequence[tuple[AxisScore, Unit]],
    after: Sequence[tuple[AxisScore, Unit]],
    unjudged: AxisPairs,
    *,
    margin: float,
) -> Measured:
    """Return what two sets of different sessions show (Welch).

    ``unjudged`` has only the run's gaps and its sessions without evidence.
    """
    expected = len(after) + len(unjudged.unjudged) + len(unjudged.unverified)
    missing = _share(len(unjudged.unjudged), expected)
    estimates: dict[str, Estimate] = {}
    means = None
    if before and after and missing <= MISSING_LIMIT:
        scores = [[point.score for point, _ in side] for side in (before, after)]
        units = ([unit for _, unit in before], [unit for _, unit in after])
        estimates["overall"] = welch_estimate(scores[0], scores[1], units)
        means = (fmean(scores[0]), fmean(scores[1]))
    return Measured(
        axis=axis,
        baseline=baseline,
        margin=margin,
        method="welch",
        estimates=estimates,
        free_bounds={},
        corrections=None,
        pairs=unjudged,
        means=means,
        lost=0,
        expected=expected,
        noise=None,
    )


def conclude(
    measured: Measured,
    settings: GateSettings,
    adjusted: Mapping[Part, float] | None,
    *,
    alpha: float,
) -> Comparison:
    """Return the comparison with its status; ``adjusted`` None: the axis is not gated.

    ``adjusted`` holds Holm's p-values of every gated test of the decision.
    """
    pairs = measured.pairs
    gated = adjusted is not None
    raw = _tests(measured, measured.estimates, settings, adjusted, alpha=alpha, basis="raw")
    fixed = _tests(measured, measured.corrected, settings, adjusted, alpha=alpha, basis="corrected")
    tests = raw if settings.decide_on == "raw" else fixed
    broken = _falls(pairs.pairs, deeper_than=settings.break_)
    nulls = _nulls(pairs, measured)
    found = _missing(measured, settings)
    if broken:
        found.append(("regressed", "broken_session"))
    for part, test in tests.items():
        paired = measured.estimates[part].units
        reason = reason_of(test, part, settings, paired=paired, alpha=alpha)
        if test.status is not None and reason is not None:
            found.append((test.status, reason))
    unlabelled = [] if settings.decide_on == "raw" else _unlabelled(measured, tests)
    found += unlabelled
    if nulls.moved:
        found.append(("inconclusive", "nulls_moved"))
    status = worst(state for state, _ in found) if gated else None
    overall = tests.get("overall")
    stops = status not in {None, "passed", "inconclusive"}
    if status == "inconclusive":
        stops = undecided_blocks(tests.values(), nulls, settings, margin=measured.margin)
        # Whoever asks for labels and has none has not checked anything.
        stops = stops or (bool(unlabelled) and settings.on_inconclusive != "pass")
    ranked = sorted(found, key=lambda item: item[0] != status)
    return Comparison(
        baseline=measured.baseline,
        method=measured.method,
        status=status,
        blocks=stops,
        reasons=tuple(reason for _, reason in ranked) if gated else (),
        baseline_mean=measured.means[0] if measured.means else None,
        candidate_mean=measured.means[1] if measured.means else None,
        overall=raw.get("overall"),
        corrected=_correction(measured.corrections, fixed),
        decided_on=settings.decide_on,
        changed=sum(pair.changed for pair in pairs.pairs),
        changed_only=raw.get("changed"),
        improved=overall is not None and overall.low is not None and overall.low > SPREADLESS,
        nulls=nulls,
        unjudged=tuple(Unjudged(key=gap.key, reason=gap.reason) for gap in pairs.unjudged),
        unverified=pairs.unverified,
        missing_share=measured.missing_share,
        broken=broken if gated else (),
        fell=sum(pair.difference < -SPREADLESS for pair in pairs.pairs),
        rose=sum(pair.difference > SPREADLESS for pair in pairs.pairs),
        risen=sum(pair.difference > settings.break_ + SPREADLESS for pair in pairs.pairs),
        falls=_falls(pairs.pairs, deeper_than=0.0)[:_FALLS],
        judge_noise_share=measured.noise,
    )


def _tests(
    measured: Measured,
    estimates: Mapping[str, Estimate],
    settings: GateSettings,
    adjusted: Mapping[Part, float] | None,
    *,
    alpha: float,
    basis: Literal["raw", "corrected"],
) -> dict[str, MeanTest]:
    """Return one test per estimate, by part; only those of the chosen basis decide."""
    decides = adjusted if settings.decide_on == basis else None
    return {
        part: mean_test(
            estimate,
            settings,
            margin=measured.margin,
            alpha=alpha,
            adjusted=None if decides is None else decides[measured.axis, measured.baseline, part],
            bound=measured.free_bounds.get(part) if basis == "raw" else None,
            paired=None if basis == "raw" else measured.estimates[part].units,
        )
        for part, estimate in estimates.items()
    }


def _unlabelled(measured: Measured, tests: Mapping[str, MeanTest]) -> list[tuple[Status, Reason]]:
    """Return what the labels lack for the corrected mean to decide."""
    found: list[tuple[Status, Reason]] = []
    made = [tests.get(part) for part in measured.estimates]
    if not made or any(test is None or test.units < FEWEST_LABELS for test in made):
        found.append(("inconclusive", "too_few_labels"))
    corrections = measured.corrections
    if corrections is not None:
        missing = corrections.drawn - corrections.labelled
        if corrections.labelled and missing > UNLABELLED_LIMIT * corrections.drawn:
            found.append(("inconclusive", "labels_missing"))
    return found


def _correction(
    corrections: Corrections | None, tests: Mapping[str, MeanTest]
) -> Correction | None:
    if corrections is None:
        return None
    overall = corrections.parts.get("overall")
    return Correction(
        draw=corrections.draw,
        drawn=corrections.drawn,
        labelled=corrections.labelled,
        human=None if overall is None else overall.human,
        judge=None if overall is None else overall.judge,
        weight=None if overall is None else overall.weight,
        overall=tests.get("overall"),
        changed_only=tests.get("changed"),
    )


def _missing(measured: Measured, settings: GateSettings) -> list[tuple[Status, Reason]]:
    """Return what stands in the way of comparing at all."""
    pairs = measured.pairs
    found: list[tuple[Status, Reason]] = []
    if measured.lost:
        found.append(("incomplete", "lost_sessions"))
    if pairs.unjudged:
        found.append(("incomplete", "unjudged"))
    if _HUNDRED * len(pairs.unverified) > settings.max_unverified * measured.expected:
        found.append(("incomplete", "unverified"))
    nothing = not measured.estimates if measured.method == "welch" else not pairs.pairs
    if nothing and pairs.newly_null:
        found.append(("incomplete", "all_null"))
    elif nothing:
        found.append(("inconclusive", "nothing_paired"))
    return found


def _free_bound(differences: Sequence[float], clusters: Sequence[Unit]) -> float:
    """Return the distribution-free lower limit; of clusters' means, where they share sessions."""
    by_unit: dict[Unit, list[float]] = {}
    for difference, unit in zip(differences, clusters, strict=True):
        by_unit.setdefault(unit, []).append(difference)
    return distribution_free_lower([fmean(unit) for unit in by_unit.values()], LOWEST_DIFFERENCE)


def _falls(pairs: Sequence[Pair], *, deeper_than: float) -> tuple[Fall, ...]:
    fallen = [pair for pair in pairs if pair.difference < -deeper_than - SPREADLESS]
    fallen.sort(key=lambda pair: (pair.difference, pair.key))
    return tuple(
        Fall(key=pair.key, before=pair.before.score, after=pair.after.score) for pair in fallen
    )


def _nulls(pairs: AxisPairs, measured: Measured) -> Nulls:
    differences = [pair.difference for pair in pairs.pairs]
    differences += [-before for _, before in pairs.newly_null]
    p_value = mcnemar(len(pairs.newly_null), len(pairs.newly_scored))
    worst_case = fmean(differences) if differences and measured.estimates else None
    return Nulls(
        newly_null=tuple(key for key, _ in pairs.newly_null),
        newly_scored=pairs.newly_scored,
        both=len(pairs.null_both),
        p_value=p_value,
        # Not the level of a look: this guards against passing, and must not get blunter early.
        moved=p_value < ALPHA,
        worst_difference=worst_case,
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _means(pairs: Sequence[Pair]) -> tuple[float, float] | None:
    if not pairs:
        return None
    return fmean(pair.before.score for pair in pairs), fmean(pair.after.score for pair in pairs)

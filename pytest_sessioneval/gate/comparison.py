"""One axis against one baseline: measured first, concluded once every p-value is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from pytest_sessioneval.gate.model import AxisScore
from pytest_sessioneval.gate.noise import noise_share
from pytest_sessioneval.gate.outcome import Comparison, Fall, MeanTest, Nulls, Reason, Unjudged
from pytest_sessioneval.gate.pairing import AxisPairs, Pair, Unit
from pytest_sessioneval.gate.rules import (
    MISSING_LIMIT,
    UNVERIFIED_LIMIT,
    Status,
    inconclusive_blocks,
    worst,
)
from pytest_sessioneval.gate.statistics import (
    ALPHA,
    SPREADLESS,
    Estimate,
    detectable_effect,
    distribution_free_lower,
    distribution_free_pairs,
    interval,
    mcnemar,
    mean_estimate,
    p_drop,
    p_noninferior,
    sample_size,
    unseen_share,
    welch_estimate,
)
from pytest_sessioneval.suites.model import GateSettings

__all__ = ["Measured", "Part", "conclude", "measure", "measure_unpaired"]

_FALLS = 5
_LOWEST_DIFFERENCE = -100.0

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
    pairs: AxisPairs
    means: tuple[float, float] | None
    lost: int
    expected: int
    noise: float | None

    @property
    def missing_share(self) -> float:
        """Share of the expected sessions that are lost or not judged, 0–1."""
        return _share(self.lost + len(self.pairs.unjudged), self.expected)

    @property
    def p_values(self) -> dict[Part, float]:
        """The p-value of a drop, for each test."""
        return {
            (self.axis, self.baseline, part): p_drop(estimate)
            for part, estimate in self.estimates.items()
        }


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
) -> Measured:
    """Return what the pairs of one axis show.

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
    """Return what two sets of different sessions show (Welch); ``unjudged`` has only gaps."""
    expected = len(after) + len(unjudged.unjudged)
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
    tests = {
        part: _mean_test(measured, part, settings, adjusted, alpha=alpha)
        for part in measured.estimates
    }
    broken = _falls(pairs.pairs, deeper_than=settings.break_)
    nulls = _nulls(pairs, measured)
    found = _missing(measured)
    if broken:
        found.append(("regressed", "broken_session"))
    for part, test in tests.items():
        reason = _reason(test, part, settings, alpha)
        if test.status is not None and reason is not None:
            found.append((test.status, reason))
    if nulls.moved:
        found.append(("inconclusive", "nulls_moved"))
    gated = adjusted is not None
    status = worst(state for state, _ in found) if gated else None
    overall = tests.get("overall")
    stops = status not in {None, "passed", "inconclusive"}
    if status == "inconclusive":
        stops = _inconclusive_blocks(tests, nulls, settings, margin=measured.margin)
    ranked = sorted(found, key=lambda item: item[0] != status)
    return Comparison(
        baseline=measured.baseline,
        method=measured.method,
        status=status,
        blocks=stops,
        reasons=tuple(reason for _, reason in ranked) if gated else (),
        baseline_mean=measured.means[0] if measured.means else None,
        candidate_mean=measured.means[1] if measured.means else None,
        overall=overall,
        changed=sum(pair.changed for pair in pairs.pairs),
        changed_only=tests.get("changed"),
        improved=overall is not None and overall.low is not None and overall.low > SPREADLESS,
        nulls=nulls,
        unjudged=tuple(Unjudged(key=gap.key, reason=gap.reason) for gap in pairs.unjudged),
        unverified=pairs.unverified,
        missing_share=measured.missing_share,
        broken=broken if gated else (),
        risen=sum(pair.difference > settings.break_ + SPREADLESS for pair in pairs.pairs),
        falls=_falls(pairs.pairs, deeper_than=0.0)[:_FALLS],
        judge_noise_share=measured.noise,
    )


def _missing(measured: Measured) -> list[tuple[Status, Reason]]:
    """Return what stands in the way of comparing at all."""
    pairs = measured.pairs
    found: list[tuple[Status, Reason]] = []
    if measured.lost:
        found.append(("incomplete", "lost_sessions"))
    if pairs.unjudged:
        found.append(("incomplete", "unjudged"))
    if len(pairs.unverified) > UNVERIFIED_LIMIT * measured.expected:
        found.append(("incomplete", "unverified"))
    nothing = not measured.estimates if measured.method == "welch" else not pairs.pairs
    if nothing and pairs.newly_null:
        found.append(("incomplete", "all_null"))
    elif nothing:
        found.append(("inconclusive", "nothing_paired"))
    return found


def _mean_test(
    measured: Measured,
    part: str,
    settings: GateSettings,
    adjusted: Mapping[Part, float] | None,
    *,
    alpha: float,
) -> MeanTest:
    estimate, margin = measured.estimates[part], measured.margin
    low, high = interval(estimate, alpha)
    known = math.isfinite(estimate.se)
    detectable = detectable_effect(estimate.se, alpha) if known else None
    enough = estimate.units >= settings.min_pairs
    p_harmless, p_fell = p_noninferior(estimate, margin), p_drop(estimate)
    p_holm = None
    bound = measured.free_bounds.get(part)
    status: Status | None = None
    if adjusted is not None:
        p_holm = adjusted[measured.axis, measured.baseline, part]
        free = not settings.strict or (bound is not None and bound > -margin)
        if p_harmless < alpha and enough and free:
            status = "passed"
        elif (
            p_holm <= alpha
            and _reaches(estimate.mean, margin)
            and (enough or not estimate.spreadless)
        ):
            status = "regressed"
        else:
            status = "inconclusive"
    needed = _units_needed(estimate, margin, settings, alpha)
    return MeanTest(
        pairs=estimate.values,
        units=estimate.units,
        difference=estimate.mean,
        # Student's t does not know the ends of the scale.
        low=max(low, _LOWEST_DIFFERENCE) if known else None,
        high=min(high, -_LOWEST_DIFFERENCE) if known else None,
        p_noninferior=p_harmless,
        p_drop=p_fell,
        p_drop_adjusted=p_holm,
        free_bound=bound,
        detectable=detectable,
        powered=enough and detectable is not None and detectable <= margin,
        units_needed=needed,
        units_missing=None if needed is None else max(0, needed - estimate.units),
        unseen_share=unseen_share(estimate.units),
        status=status,
    )


def _units_needed(
    estimate: Estimate, margin: float, settings: GateSettings, alpha: float
) -> int | None:
    if not math.isfinite(estimate.se) or margin <= 0:
        return None
    sd = estimate.se * math.sqrt(estimate.units)
    needed = max(settings.min_pairs, math.ceil(sample_size(sd, margin, alpha)))
    if not settings.strict or margin >= -_LOWEST_DIFFERENCE:
        return needed
    return max(needed, distribution_free_pairs(margin, -_LOWEST_DIFFERENCE, alpha))


def _reason(test: MeanTest, part: str, settings: GateSettings, alpha: float) -> Reason | None:
    if test.status == "regressed":
        return "regressed" if part == "overall" else "changed_regressed"
    if test.status != "inconclusive":
        return None
    if part != "overall":
        return "changed_undecided"
    if test.units < settings.min_pairs:
        return "too_few"
    return "unproven" if settings.strict and test.p_noninferior < alpha else "straddles"


def _inconclusive_blocks(
    tests: Mapping[str, MeanTest], nulls: Nulls, settings: GateSettings, *, margin: float
) -> bool:
    """Return whether undecided tests, or nulls that moved (given), stop the merge."""
    undecided = [test for test in tests.values() if test.status == "inconclusive"]
    falls = [test.difference for test in undecided]
    powered = any(test.powered for test in undecided)
    if nulls.moved:
        powered = powered or any(test.powered for test in tests.values())
        if nulls.worst_difference is not None:
            falls.append(nulls.worst_difference)
    dropped = any(_reaches(fall, margin) for fall in falls)
    return inconclusive_blocks(settings, powered=powered, dropped=dropped)


def _reaches(difference: float, margin: float) -> bool:
    """Return whether a drop reaches the margin."""
    return difference <= SPREADLESS - margin and difference < -SPREADLESS


def _free_bound(differences: Sequence[float], clusters: Sequence[Unit]) -> float:
    """Return the distribution-free lower limit; of clusters' means, where they share sessions."""
    by_unit: dict[Unit, list[float]] = {}
    for difference, unit in zip(differences, clusters, strict=True):
        by_unit.setdefault(unit, []).append(difference)
    return distribution_free_lower([fmean(unit) for unit in by_unit.values()], _LOWEST_DIFFERENCE)


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

"""A run made into its report: averages, counts and every session, without transcript text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

from pytest_sessioneval.gate.agreement.standing import Standing
from pytest_sessioneval.gate.result import GateResult
from pytest_sessioneval.reports.model import (
    AxisReport,
    BucketReport,
    Counts,
    Report,
    SessionReport,
    SuiteReport,
)
from pytest_sessioneval.suites.model import Thresholds
from pytest_sessioneval.transcripts.redaction import redact_text
from pytest_sessioneval.verdicts.means import (
    AxisMean,
    axis_means,
    complexity_bucket,
    means_by_bucket,
)
from pytest_sessioneval.verdicts.model import AxisResult, Opinion, QuoteCount, Verdict
from pytest_sessioneval.verdicts.run import Run, SessionResult, Sources, SuiteRun

__all__ = ["build_report"]

_Value = TypeVar("_Value")
_DECIMALS = 4


def build_report(
    run: Run,
    gates: Mapping[str, GateResult] | None = None,
    standings: Mapping[str, Standing] | None = None,
) -> Report:
    """Return the run's report: the same for equal runs, whatever order mappings came in.

    ``gates`` is what was decided, ``standings`` what is known of the judge, by suite.

    Averages are taken over unrounded scores, then rounded to four decimals, as
    every score of a session is.
    """
    decided, known = gates or {}, standings or {}
    suites = tuple(
        _suite(suite, decided.get(suite.suite), known.get(suite.suite)) for suite in run.suites
    )
    provenance = run.provenance
    return Report(
        run_id=run.run_id,
        started_at=run.started_at,
        finished_at=run.finished_at,
        partial=run.partial,
        interrupted=run.interrupted,
        provenance=provenance.model_copy(update={"packages": _sorted(provenance.packages)}),
        counts=_total(suite.counts for suite in suites),
        suites=suites,
    )


def _suite(run: SuiteRun, gate: GateResult | None, standing: Standing | None) -> SuiteReport:
    order = _AxisOrder(run.axes)
    verdicts = [result.verdict for result in run.results]
    thresholds = Thresholds(
        session=order.of(run.thresholds.session), mean=order.of(run.thresholds.mean)
    )
    below = Counter(fall.axis for result in run.results for fall in result.shortfalls)
    bucket_of = [complexity_bucket(verdict) for verdict in verdicts]
    buckets = Counter(bucket_of)
    return SuiteReport(
        suite=run.suite,
        root=run.root,
        rubric_version=run.rubric_version,
        axes=run.axes,
        judge=run.judge.model_copy(update={"unsupported": order.of(run.judge.unsupported)}),
        scoring_version=run.scoring_version,
        readers=_sorted(run.readers),
        thresholds=thresholds,
        counts=_counts(run),
        means=tuple(
            _axis(mean, thresholds, below[mean.axis]) for mean in axis_means(run.axes, verdicts)
        ),
        mean_shortfalls=run.mean_shortfalls,
        never_scored=run.never_scored,
        buckets=tuple(
            BucketReport(bucket=name, sessions=buckets[name], means=tuple(map(_rounded, means)))
            for name, means in means_by_bucket(run.axes, verdicts).items()
        ),
        judged=run.judged,
        from_store=run.from_store,
        spent=run.spent,
        quotes=_quotes(verdicts),
        cost_per_verdict_usd=_cost_per_verdict(run),
        redacted=_sorted(run.redacted),
        sources=_sources(run.sources),
        notes=run.notes,
        gate=gate,
        standing=standing,
        sessions=tuple(
            _session(result, bucket, order)
            for result, bucket in zip(run.results, bucket_of, strict=True)
        ),
        canaries=tuple(_session(result, None, order) for result in run.canaries),
    )


def _quotes(verdicts: Iterable[Verdict | None]) -> QuoteCount:
    counts = (
        opinion.quotes
        for verdict in verdicts
        if verdict is not None
        for opinion in verdict.opinions
    )
    return sum(counts, QuoteCount())


def _session(result: SessionResult, bucket: str | None, order: _AxisOrder) -> SessionReport:
    session = result.session
    summary = session.summary
    return SessionReport(
        key=session.key,
        session_id=summary.session_id,
        title=None if summary.name is None else redact_text(summary.name),
        path=session.path,
        locator=summary.locator,
        nodeid=result.nodeid,
        reader=summary.source,
        cluster=session.cluster,
        agent_model=summary.agent_model,
        messages=summary.message_count,
        tool_calls=summary.tool_call_count,
        subsessions=summary.subsession_count,
        state=result.state,
        status=result.status,
        bucket=bucket,
        shortfalls=result.shortfalls,
        not_scored=result.not_scored,
        verdict=None if result.verdict is None else _verdict(result.verdict, order),
    )


def _verdict(verdict: Verdict, order: _AxisOrder) -> Verdict:
    """Return the verdict with its mappings in order and its scores rounded; often itself."""
    axes = order.of(verdict.axes)
    if any(_is_long(result) for result in axes.values()):
        axes = {axis: _short(result) for axis, result in axes.items()}
    opinions = tuple(_opinion(opinion, order) for opinion in verdict.opinions)
    kept = all(ours is theirs for ours, theirs in zip(opinions, verdict.opinions, strict=True))
    if kept and axes is verdict.axes:
        return verdict
    return verdict.model_copy(update={"axes": axes, "opinions": opinions})


def _opinion(opinion: Opinion, order: _AxisOrder) -> Opinion:
    axes = order.of(opinion.axes)
    sent = _sorted(opinion.sent)
    if axes is opinion.axes and sent is opinion.sent:
        return opinion
    return opinion.model_copy(update={"axes": axes, "sent": sent})


def _is_long(result: AxisResult) -> bool:
    return result.kind == "scored" and round(result.score, _DECIMALS) != result.score


def _short(result: AxisResult) -> AxisResult:
    if result.kind != "scored":
        return result
    return result.model_copy(update={"score": round(result.score, _DECIMALS)})


def _axis(mean: AxisMean, thresholds: Thresholds, below: int) -> AxisReport:
    mean = _rounded(mean)
    return AxisReport(
        axis=mean.axis,
        mean=mean.mean,
        minimum=mean.minimum,
        scored=mean.scored,
        sessions=mean.sessions,
        unscored=mean.unscored,
        unjudged=mean.unjudged,
        session_threshold=thresholds.session.get(mean.axis),
        below=below,
        mean_threshold=thresholds.mean.get(mean.axis),
    )


def _rounded(mean: AxisMean) -> AxisMean:
    if mean.mean is None or mean.minimum is None:
        return mean
    return mean.model_copy(
        update={
            "mean": round(mean.mean, _DECIMALS),
            "minimum": round(mean.minimum, _DECIMALS),
        }
    )


def _cost_per_verdict(run: SuiteRun) -> float | None:
    if not run.judged or not run.spent.calls or run.spent.unpriced_calls:
        return None
    return round(run.spent.cost_usd / run.judged, 6)


def _counts(run: SuiteRun) -> Counts:
    states = Counter(result.state for result in run.results)
    return Counts(
        passed=states["passed"],
        below_threshold=states["below_threshold"],
        not_scored=states["not_scored"],
        error=states["error"],
        not_run=states["not_run"],
        skipped=states["skipped"],
        unreadable=len(run.sources.problems),
    )


def _total(counts: Iterable[Counts]) -> Counts:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count.model_dump())
    return Counts.model_validate(total)


def _sources(sources: Sources) -> Sources:
    return sources.model_copy(
        update={
            "not_sessions": tuple(sorted(sources.not_sessions)),
            "duplicates": tuple(sorted(sources.duplicates)),
            "skipped_lines": _sorted(sources.skipped_lines),
            "unknown_records": _sorted(sources.unknown_records),
            "problems": tuple(
                sorted(sources.problems, key=lambda p: (p.path, p.line or 0, p.reason, p.nodeid))
            ),
        }
    )


def _sorted(mapping: dict[str, _Value]) -> dict[str, _Value]:
    if all(here < there for here, there in pairwise(mapping)):
        return mapping
    return dict(sorted(mapping.items()))


class _AxisOrder:
    """The rubric's order of axes; remembers the order of names it has seen."""

    def __init__(self, axes: Sequence[str]) -> None:
        self._places = {axis: place for place, axis in enumerate(axes)}
        self._orders: dict[tuple[str, ...], tuple[str, ...]] = {}

    def of(self, mapping: dict[str, _Value]) -> dict[str, _Value]:
        """Return the mapping in the rubric's order; itself when it is in order already."""
        names = tuple(mapping)
        order = self._orders.get(names)
        if order is None:
            order = self._orders[names] = tuple(sorted(names, key=self._place))
        return mapping if order == names else {name: mapping[name] for name in order}

    def _place(self, name: str) -> tuple[int, str]:
        return self._places.get(name, len(self._places)), name

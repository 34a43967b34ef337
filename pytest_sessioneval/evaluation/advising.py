"""A report with its advice: what people's thumbs and the baseline say goes in beside verdicts."""

from __future__ import annotations

from pydantic import ValidationError

from pytest_sessioneval.evaluation.plan import Plan, SuitePlan
from pytest_sessioneval.evaluation.thumbs import thumbs_of
from pytest_sessioneval.reports.advice.build import Background, advise
from pytest_sessioneval.reports.advice.following import KeptAdvice, follow_ups
from pytest_sessioneval.reports.advice.model import FollowUp, SuiteAdvice
from pytest_sessioneval.reports.model import Report, SuiteReport
from pytest_sessioneval.stores.protocol import Store

__all__ = ["background_of", "with_advice"]


def with_advice(report: Report, plan: Plan, store: Store) -> Report:
    """Return the report with advice on every suite; no model is asked.

    Thumbs are those of the suites' feedback files and the store's, which
    replace a file's on the same message. What models suggested of a suite when
    its facts were others is followed up. Raises ``StoreError``.
    """
    suites = tuple(
        suite.model_copy(update={"advice": _advice(suite, suite_plan, store)})
        for suite, suite_plan in zip(report.suites, plan.suites, strict=True)
    )
    return report.model_copy(update={"suites": suites})


def background_of(suite: SuiteReport, plan: SuitePlan, store: Store) -> Background:
    """Return what is known of a suite beside its report; raises ``StoreError``."""
    thumbs = thumbs_of(suite, plan.suite.feedback, store)
    return Background(thumbs=thumbs, baseline=next(iter(plan.baselines.values()), None))


def _advice(suite: SuiteReport, plan: SuitePlan, store: Store) -> SuiteAdvice:
    advice = advise(suite, background_of(suite, plan, store))
    followed = _follow_ups(suite, advice.digest, store)
    return advice.model_copy(update={"follow_ups": followed}) if followed else advice


def _follow_ups(suite: SuiteReport, digest: str, store: Store) -> tuple[FollowUp, ...]:
    """Return what became of what a model last suggested when the facts were others."""
    for one in store.advice(suite.suite):
        if one.digest == digest:
            continue
        try:
            kept = KeptAdvice.model_validate_json(one.content)
        except ValidationError:  # of another version
            continue
        return tuple(follow_ups(suite, kept))
    return ()

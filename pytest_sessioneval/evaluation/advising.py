"""A report with its advice: what people's thumbs and the baseline say goes in beside verdicts."""

from __future__ import annotations

from pytest_sessioneval.evaluation.plan import Plan, SuitePlan
from pytest_sessioneval.reports.advice.build import Background, advise
from pytest_sessioneval.reports.model import Report, SuiteReport
from pytest_sessioneval.stores.protocol import Store

__all__ = ["with_advice"]


def with_advice(report: Report, plan: Plan, store: Store) -> Report:
    """Return the report with advice on every suite; no model is asked.

    Thumbs are those of the suites' feedback files and the store's, which
    replace a file's on the same message. Raises ``StoreError``.
    """
    suites = tuple(
        suite.model_copy(update={"advice": advise(suite, _background(suite, suite_plan, store))})
        for suite, suite_plan in zip(report.suites, plan.suites, strict=True)
    )
    return report.model_copy(update={"suites": suites})


def _background(suite: SuiteReport, plan: SuitePlan, store: Store) -> Background:
    judged = [one.session_id for one in suite.sessions if one.verdict is not None]
    known = set(judged)
    thumbs: dict[str, dict[int, int]] = {}
    for entry in (*plan.suite.feedback, *store.feedback(judged)):
        if entry.session_id in known:
            thumbs.setdefault(entry.session_id, {})[entry.message_index] = entry.rating
    return Background(thumbs=thumbs, baseline=next(iter(plan.baselines.values()), None))

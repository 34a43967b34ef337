"""Asking a model about the costliest clusters: opt-in, within the run's budget, never fatal."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from pytest_sessioneval.errors import JudgeError, SettingError
from pytest_sessioneval.evaluation.advising import background_of
from pytest_sessioneval.evaluation.plan import Plan, SuitePlan
from pytest_sessioneval.judging.backends.opening import open_backend
from pytest_sessioneval.judging.budget import CallBudget, CostBudget
from pytest_sessioneval.judging.model import Backend
from pytest_sessioneval.judging.models import ModelTable
from pytest_sessioneval.reports.advice.asking import (
    UngroundedError,
    advice_prompt,
    can_be_asked,
    read_advice,
)
from pytest_sessioneval.reports.advice.build import members
from pytest_sessioneval.reports.advice.following import KeptAdvice, kept_advice
from pytest_sessioneval.reports.advice.model import Advisor, Cluster, Suggestion
from pytest_sessioneval.reports.model import Report, SuiteReport
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.stores.protocol import Store, StoredAdvice
from pytest_sessioneval.verdicts.model import CallCount

__all__ = ["AdvisorTerms", "with_suggestions"]

_MOST = 5
"""Most clusters that a model is asked about, one call each."""

_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class AdvisorTerms:
    """Whom to ask, and for how much."""

    model: str
    """openai:MODEL, anthropic:MODEL or ollama:MODEL."""
    environ: Mapping[str, str]
    """Where address and key come from."""
    timeout_s: float = 120.0
    max_calls: int | None = None
    """Most calls of the run, those of its judges included; None: without end."""
    max_cost_usd: float | None = None
    """The same in US dollars."""
    models: ModelTable | None = None
    """What models cost; None: the package's own table."""


@dataclass(frozen=True, slots=True)
class _Answered:
    """What came of one cluster: a suggestion, or why there is none."""

    suggestion: Suggestion | None = None
    rejected: str = ""
    failure: str = ""
    spent: CallCount = field(default_factory=CallCount)


def with_suggestions(
    report: Report, plan: Plan, store: Store, terms: AdvisorTerms, *, now: datetime
) -> Report:
    """Return the advised report with what a model makes of each suite's costliest clusters.

    A model that was asked about the same facts before is not asked again. What
    goes wrong is said in the advice. Raises ``StoreError``.
    """
    spent = CallCount()
    for suite in report.suites:
        spent += suite.spent
    budget = CallBudget(
        None if terms.max_calls is None else max(0, terms.max_calls - spent.calls),
        CostBudget(
            None if terms.max_cost_usd is None else max(0.0, terms.max_cost_usd - spent.cost_usd)
        ),
    )
    suites = tuple(
        _suggested(suite, suite_plan, store, terms, budget=budget, now=now)
        for suite, suite_plan in zip(report.suites, plan.suites, strict=True)
    )
    return report.model_copy(update={"suites": suites})


def _suggested(
    suite: SuiteReport,
    plan: SuitePlan,
    store: Store,
    terms: AdvisorTerms,
    *,
    budget: CallBudget,
    now: datetime,
) -> SuiteReport:
    advice = suite.advice
    if advice is None:
        return suite
    chosen = [one for one in advice.clusters if can_be_asked(one) and one.same_as is None][:_MOST]
    advisor = _known(store, suite.suite, advice.digest, terms.model)
    if advisor is None:
        advisor = _asked(chosen, suite, plan, terms, budget)
        if advisor.asked and not advisor.failures:
            kept = kept_advice(suite, advisor, members(suite, background_of(suite, plan, store)))
            store.put_advice(
                StoredAdvice(
                    suite=suite.suite,
                    digest=advice.digest,
                    model=terms.model,
                    made_at=now,
                    content=kept.model_dump_json(),
                )
            )
    return suite.model_copy(
        update={"advice": advice.model_copy(update={"advisor": advisor})},
    )


def _known(store: Store, suite: str, digest: str, model: str) -> Advisor | None:
    """Return what the model said of the same facts; None: it was not asked."""
    for one in store.advice(suite):
        if (one.digest, one.model) == (digest, model):
            try:
                kept = KeptAdvice.model_validate_json(one.content)
            except ValidationError:  # of another version: asked again
                return None
            return kept.advisor.model_copy(update={"reused": True, "spent": CallCount()})
    return None


def _asked(
    clusters: Sequence[Cluster],
    suite: SuiteReport,
    plan: SuitePlan,
    terms: AdvisorTerms,
    budget: CallBudget,
) -> Advisor:
    if not clusters:
        return Advisor(model=terms.model)
    try:
        opened = open_backend(
            terms.model,
            settings=plan.suite.settings.judge,
            environ=terms.environ,
            timeout_s=terms.timeout_s,
            connections=_MOST,
            stop=threading.Event(),
            reserve=budget.reserve,
            models=terms.models,
            cost=budget.cost,
        )
    except SettingError as error:
        return Advisor(model=terms.model, failures=(one_line(str(error), _LONGEST_REASON),))
    with closing(opened) as backend, ThreadPoolExecutor(_MOST) as pool:
        answers = list(pool.map(lambda one: _answer(one, suite, plan, backend), clusters))
    spent = CallCount()
    for answer in answers:
        spent += answer.spent
    return Advisor(
        model=terms.model,
        asked=len(clusters),
        suggestions=tuple(one.suggestion for one in answers if one.suggestion is not None),
        rejected=tuple(one.rejected for one in answers if one.rejected),
        failures=tuple(one.failure for one in answers if one.failure),
        spent=spent,
    )


def _answer(cluster: Cluster, suite: SuiteReport, plan: SuitePlan, backend: Backend) -> _Answered:
    name = one_line(f"{cluster.axis} {cluster.tag} {cluster.tool}", 80)
    nonce = secrets.token_hex(16)
    prompt = advice_prompt(cluster, suite.axes, nonce=nonce, redaction=plan.suite.redaction)
    spent = CallCount()
    try:
        completion = backend.complete(prompt)
        spent = completion.spent
        if completion.refused or completion.truncated:
            what = "declined to answer" if completion.refused else "was cut short"
            return _Answered(failure=f"{name}: the model {what}", spent=spent)
        suggestion = read_advice(
            completion.text,
            cluster,
            suite.axes,
            nonce=nonce,
            suite=suite.suite,
            model=f"{backend.name}:{backend.model}",
        )
    except UngroundedError as error:
        return _Answered(rejected=f"{name}: {error}", spent=spent)
    except JudgeError as error:
        asked = error.spent if isinstance(error.spent, CallCount) else spent
        return _Answered(failure=f"{name}: {one_line(str(error), _LONGEST_REASON)}", spent=asked)
    return _Answered(suggestion=suggestion, spent=spent)

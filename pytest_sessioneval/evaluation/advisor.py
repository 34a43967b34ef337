"""Asking a model about the costliest clusters: opt-in, within the run's budget, never fatal."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from pytest_sessioneval.errors import JudgeError, SettingError
from pytest_sessioneval.evaluation.advising import background_of
from pytest_sessioneval.evaluation.plan import Plan
from pytest_sessioneval.judging.backends.opening import open_backend
from pytest_sessioneval.judging.budget import CallBudget, CostBudget
from pytest_sessioneval.judging.long_sessions import LONGEST_REPLY, prompt_tokens
from pytest_sessioneval.judging.model import Backend, Prompt
from pytest_sessioneval.judging.models import ModelTable, known_models
from pytest_sessioneval.reports.advice.asking import (
    UngroundedError,
    advice_prompt,
    can_be_asked,
    read_advice,
)
from pytest_sessioneval.reports.advice.build import Background, members
from pytest_sessioneval.reports.advice.following import KeptAdvice, kept_advice
from pytest_sessioneval.reports.advice.model import Advisor, Cluster, Suggestion
from pytest_sessioneval.reports.model import Report, SuiteReport
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.wording import counted, dollars
from pytest_sessioneval.stores.protocol import Store, StoredAdvice
from pytest_sessioneval.suites.model import JudgeSettings
from pytest_sessioneval.transcripts.redaction_policy import RedactionPolicy
from pytest_sessioneval.verdicts.model import CallCount

__all__ = ["AdvisorTerms", "suggested", "with_suggestions"]

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

    def budget(self, spent: CallCount) -> CallBudget:
        """Return what is left of calls and money once ``spent`` was."""
        calls, dollars = self.max_calls, self.max_cost_usd
        return CallBudget(
            None if calls is None else max(0, calls - spent.calls),
            CostBudget(None if dollars is None else max(0.0, dollars - spent.cost_usd)),
        )


@dataclass(frozen=True, slots=True)
class _Question:
    """One call: the cluster it is about, and what is sent."""

    suite: str
    axes: tuple[str, ...]
    """What may be expected to rise."""
    cluster: Cluster
    nonce: str
    prompt: Prompt

    @classmethod
    def about(
        cls, cluster: Cluster, *, suite: str, axes: tuple[str, ...], redaction: RedactionPolicy
    ) -> _Question:
        """Return the question about a cluster, under a code that nobody could foresee."""
        nonce = secrets.token_hex(16)
        prompt = advice_prompt(cluster, axes, nonce=nonce, redaction=redaction)
        return cls(suite, axes, cluster, nonce, prompt)


@dataclass(frozen=True, slots=True)
class _Answered:
    """What came of one cluster: a suggestion, or why there is none."""

    suggestion: Suggestion | None = None
    rejected: str = ""
    failure: str = ""
    spent: CallCount = field(default_factory=CallCount)


def with_suggestions(
    report: Report,
    plan: Plan,
    store: Store,
    terms: AdvisorTerms,
    *,
    now: datetime,
    announce: Callable[[str], None],
) -> Report:
    """Return the advised report with what a model makes of each suite's costliest clusters.

    ``announce`` hears, suite by suite, how many calls are about to be made. Raises
    ``StoreError``; see ``suggested``.
    """
    spent = CallCount()
    for suite in report.suites:
        spent += suite.spent
    budget = terms.budget(spent)
    suites = tuple(
        suggested(
            suite,
            background_of(suite, suite_plan, store),
            store,
            terms,
            settings=suite_plan.suite.settings.judge,
            redaction=suite_plan.suite.redaction,
            budget=budget,
            now=now,
            announce=announce,
        )
        for suite, suite_plan in zip(report.suites, plan.suites, strict=True)
    )
    return report.model_copy(update={"suites": suites})


def suggested(
    suite: SuiteReport,
    background: Background,
    store: Store,
    terms: AdvisorTerms,
    *,
    settings: JudgeSettings,
    redaction: RedactionPolicy,
    budget: CallBudget,
    now: datetime,
    announce: Callable[[str], None],
) -> SuiteReport:
    """Return the advised suite with what a model makes of its costliest clusters.

    A model that was asked about the same facts before is not asked again. What
    goes wrong is said in the advice. Raises ``StoreError``.
    """
    advice = suite.advice
    if advice is None:
        return suite
    advisor = _known(store, suite.suite, advice.digest, terms.model)
    if advisor is None:
        chosen = [one for one in advice.clusters if can_be_asked(one) and one.same_as is None]
        axes = tuple(advice.references)
        questions = [
            _Question.about(one, suite=suite.suite, axes=axes, redaction=redaction)
            for one in chosen[:_MOST]
        ]
        if questions:
            announce(_planned(questions, terms))
        advisor = _asked(questions, settings, terms, budget)
        if advisor.asked and not advisor.failures:
            kept = kept_advice(suite, advisor, members(suite, background))
            store.put_advice(
                StoredAdvice(
                    suite=suite.suite,
                    digest=advice.digest,
                    model=terms.model,
                    made_at=now,
                    content=kept.model_dump_json(),
                )
            )
    return suite.model_copy(update={"advice": advice.model_copy(update={"advisor": advisor})})


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


def _planned(questions: Sequence[_Question], terms: AdvisorTerms) -> str:
    """Return how many calls are about to be made, and what they cost at most where it is known."""
    calls = f"advisor: {counted(len(questions), 'call')} to {terms.model}"
    prices = (terms.models or known_models()).prices(terms.model)
    if prices is None:
        return calls
    most = sum(prices.at_most(prompt_tokens(one.prompt), LONGEST_REPLY) for one in questions)
    return f"{calls}, at most {dollars(most)}"


def _asked(
    questions: Sequence[_Question],
    settings: JudgeSettings,
    terms: AdvisorTerms,
    budget: CallBudget,
) -> Advisor:
    if not questions:
        return Advisor(model=terms.model)
    stop = threading.Event()
    try:
        opened = open_backend(
            terms.model,
            settings=settings,
            environ=terms.environ,
            timeout_s=terms.timeout_s,
            connections=_MOST,
            stop=stop,
            reserve=budget.reserve,
            models=terms.models,
            cost=budget.cost,
        )
    except SettingError as error:
        return Advisor(model=terms.model, failures=(one_line(str(error), _LONGEST_REASON),))
    with closing(opened) as backend, ThreadPoolExecutor(_MOST) as pool:
        try:
            answers = list(pool.map(lambda one: _answer(one, backend), questions))
        except BaseException:  # Ctrl-C, say: leaving the block waits for the calls
            stop.set()
            raise
    spent = CallCount()
    for answer in answers:
        spent += answer.spent
    return Advisor(
        model=terms.model,
        asked=len(questions),
        suggestions=tuple(one.suggestion for one in answers if one.suggestion is not None),
        rejected=tuple(one.rejected for one in answers if one.rejected),
        failures=tuple(one.failure for one in answers if one.failure),
        spent=spent,
    )


def _answer(question: _Question, backend: Backend) -> _Answered:
    cluster = question.cluster
    name = one_line(f"{cluster.axis} {cluster.tag} {cluster.tool}", 80)
    spent = CallCount()
    try:
        completion = backend.complete(question.prompt)
        spent = completion.spent
        if completion.refused or completion.truncated:
            what = "declined to answer" if completion.refused else "was cut short"
            return _Answered(failure=f"{name}: the model {what}", spent=spent)
        suggestion = read_advice(
            completion.text,
            cluster,
            question.axes,
            nonce=question.nonce,
            suite=question.suite,
            model=f"{backend.name}:{backend.model}",
        )
    except UngroundedError as error:
        return _Answered(rejected=f"{name}: {error}", spent=spent)
    except JudgeError as error:
        asked = error.spent if isinstance(error.spent, CallCount) else spent
        return _Answered(failure=f"{name}: {one_line(str(error), _LONGEST_REASON)}", spent=asked)
    return _Answered(suggestion=suggestion, spent=spent)

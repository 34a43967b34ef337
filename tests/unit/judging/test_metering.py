"""What calls cost is counted, and a cap on it holds whatever is under way."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pytest_sessioneval.errors import SettingError, TransportError
from pytest_sessioneval.judging.backends import open_judge
from pytest_sessioneval.judging.budget import BudgetSpentError, CostBudget
from pytest_sessioneval.judging.metering import MeteredBackend
from pytest_sessioneval.judging.model import Completion, Judge, Prompt
from pytest_sessioneval.judging.models import Model, ModelTable, Prices
from pytest_sessioneval.suites.model import JudgeSettings
from pytest_sessioneval.testing import ScriptedBackend
from pytest_sessioneval.verdicts.model import CallCount

PRICES = Prices(input=1.0, cached=0.1, output=10.0)
PROMPT = Prompt(system="s", prefix="p", question="q", schema={})
SPENT = CallCount(calls=1, input_tokens=1_000, cached_tokens=500, output_tokens=100)
ANSWER = Completion(text="{}", model="m", spent=SPENT)
COST = (500 * 1.0 + 500 * 0.1 + 100 * 10.0) / 1e6


def _metered(*answers: Any, limit: float | None = None, **given: Any) -> MeteredBackend:
    prices = given.pop("prices", PRICES)
    return MeteredBackend(ScriptedBackend(*answers), prices, CostBudget(limit), **given)


def test_a_completion_says_what_it_cost() -> None:
    """By the tokens the response reported, at the table's prices."""
    spent = _metered(ANSWER).complete(PROMPT).spent
    assert COST == pytest.approx(spent.cost_usd)
    assert 0 == spent.unpriced_calls


def test_a_call_of_unknown_price_is_counted_as_such() -> None:
    """Never as free."""
    spent = _metered(ANSWER, prices=None).complete(PROMPT).spent
    assert (0.0, 1) == (spent.cost_usd, spent.unpriced_calls)


def test_no_call_is_made_that_could_break_the_cap() -> None:
    """The most it can cost counts, not what is likely: nobody is asked."""
    backend = _metered(ANSWER, limit=0.001, reply_tokens=1_000)
    with pytest.raises(
        BudgetSpentError, match=r"\$0.001 is spent but for less .*--sessioneval-max-cost"
    ):
        backend.complete(PROMPT)


def test_what_a_call_did_not_take_is_free_again() -> None:
    """After the call only its real cost counts."""
    budget = CostBudget(0.02)
    backend = MeteredBackend(ScriptedBackend(ANSWER, ANSWER), PRICES, budget, reply_tokens=1_000)
    backend.complete(PROMPT)
    backend.complete(PROMPT)
    assert 2 * COST == pytest.approx(budget.paid)


def test_a_failed_call_costs_nothing() -> None:
    """Providers bill answers; what was set aside for it is free again."""
    budget = CostBudget(0.011)
    backend = MeteredBackend(
        ScriptedBackend(TransportError("down"), ANSWER), PRICES, budget, reply_tokens=1_000
    )
    with pytest.raises(TransportError):
        backend.complete(PROMPT)
    assert 0 == budget.paid
    assert "{}" == backend.complete(PROMPT).text


def test_a_call_waits_for_money_that_calls_under_way_may_leave() -> None:
    """Only when none is under way, and it does not fit, is it refused."""
    budget = CostBudget(0.015)
    begun, go_on = threading.Event(), threading.Event()

    def slow(_prompt: Prompt) -> str:
        begun.set()
        assert go_on.wait(30)
        return "slow"

    backend = MeteredBackend(ScriptedBackend(slow, ANSWER), PRICES, budget, reply_tokens=1_000)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(backend.complete, PROMPT)
        assert begun.wait(30)
        second = pool.submit(backend.complete, PROMPT)
        go_on.set()
        assert ["slow", "{}"] == [first.result().text, second.result().text]


def test_many_threads_never_spend_more_than_the_cap() -> None:
    """Calls that take all they may: as many as fit, and no more."""
    dear = Completion(text="", model="m", spent=CallCount(calls=1, output_tokens=1_000))
    budget = CostBudget(0.1)
    backend = MeteredBackend(ScriptedBackend(*[dear] * 50), PRICES, budget, reply_tokens=1_000)

    def ask(_number: int) -> bool:
        try:
            backend.complete(PROMPT)
        except BudgetSpentError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        made = sum(pool.map(ask, range(50)))
    assert 9 == made
    assert 0.09 == pytest.approx(budget.paid)


def _opened(model: str, limit: float | None, *rows: Model) -> Judge:
    return open_judge(
        model,
        settings=JudgeSettings(),
        environ={"OPENAI_API_KEY": "k", "SESSIONEVAL_BASE_URL": "http://127.0.0.1:9"},
        timeout_s=1,
        connections=1,
        stop=threading.Event(),
        hooks={"mine": lambda _: {}},
        models=ModelTable(rows),
        cost=CostBudget(limit),
    )


@pytest.mark.parametrize("model", ["openai:own", "hook:mine"])
def test_a_cap_needs_a_price(model: str) -> None:
    """Refused before anything is asked, with both ways out."""
    said = rf"price of {model} .*--sessioneval-prices FILE.*--sessioneval-max-calls"
    with pytest.raises(SettingError, match=said):
        _opened(model, 5.0)


def test_a_price_of_ones_own_will_do() -> None:
    """And without a cap none is needed; judges that ask nobody need none either."""
    assert "openai:own" == _opened("openai:own", 5.0, Model(name="openai:*", prices=PRICES)).name
    assert "openai:own" == _opened("openai:own", None).name
    assert "evidence" == _opened("evidence", 5.0).name

"""The call budget: a cap that holds whoever asks, and however many at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_sessioneval.errors import JudgeError
from pytest_sessioneval.judging.budget import BudgetSpentError, CallBudget


def test_calls_are_handed_out_up_to_the_limit() -> None:
    """As many as allowed, then an error that says what to do."""
    budget = CallBudget(2)
    budget.reserve()
    budget.reserve()
    with pytest.raises(
        BudgetSpentError, match=r"2 judge calls is spent.*-max-calls, or --max-calls of"
    ):
        budget.reserve()


def test_a_refused_call_is_not_counted() -> None:
    """``made`` is what was handed out."""
    budget = CallBudget(1)
    budget.reserve()
    for _ in range(3):
        with pytest.raises(BudgetSpentError):
            budget.reserve()
    assert 1 == budget.made


def test_a_budget_of_nothing_allows_nothing() -> None:
    """Zero is a limit, not its absence."""
    with pytest.raises(BudgetSpentError):
        CallBudget(0).reserve()


def test_without_a_limit_there_is_no_end() -> None:
    """Calls are counted all the same."""
    budget = CallBudget()
    for _ in range(1_000):
        budget.reserve()
    assert 1_000 == budget.made


def test_a_spent_budget_is_no_answer() -> None:
    """Dispatch contains it like every other judge's failure."""
    assert issubclass(BudgetSpentError, JudgeError)


def test_the_limit_holds_among_threads() -> None:
    """However many ask at the same moment, exactly as many calls as allowed are handed out."""
    budget, together = CallBudget(100), threading.Barrier(8)

    def take(_number: int) -> int:
        together.wait(30)
        taken = 0
        for _ in range(50):
            try:
                budget.reserve()
            except BudgetSpentError:
                break
            taken += 1
        return taken

    with ThreadPoolExecutor(8) as pool:
        assert 100 == sum(pool.map(take, range(8)))
    assert 100 == budget.made

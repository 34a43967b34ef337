"""What calls cost, and a cap on it that holds: the most a call can cost is set aside before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pytest_sessioneval.judging.budget import CostBudget
from pytest_sessioneval.judging.long_sessions import LONGEST_REPLY, prompt_tokens
from pytest_sessioneval.judging.model import Backend, Completion, Prompt
from pytest_sessioneval.judging.models import Prices

__all__ = ["MeteredBackend"]


class MeteredBackend:
    """A backend whose every completion says what it cost.

    ``prices`` None: not known, and the calls are counted as such. ``reply_tokens``
    is the longest reply that is asked for, None where nothing is asked.
    """

    def __init__(
        self,
        backend: Backend,
        prices: Prices | None,
        budget: CostBudget,
        *,
        reply_tokens: int | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = backend.name
        self.model = backend.model
        self.parameters = dict(parameters or {})
        """What is sent beside the prompt, as far as it can move a score."""
        self._backend = backend
        self._prices = prices
        self._budget = budget
        self._reply_tokens = reply_tokens or LONGEST_REPLY

    def complete(self, prompt: Prompt) -> Completion:
        """Return the reply and its cost; raises ``BudgetSpentError`` before a call too dear."""
        if self._prices is None:
            completion = self._backend.complete(prompt)
            unpriced = {"unpriced_calls": completion.spent.calls}
            return replace(completion, spent=completion.spent.model_copy(update=unpriced))
        at_most = self._prices.at_most(prompt_tokens(prompt), self._reply_tokens)
        with self._budget.reserved(at_most) as bill:
            completion = self._backend.complete(prompt)
            bill.paid = self._prices.cost(completion.spent)
        cost = {"cost_usd": round(bill.paid, 9)}
        return replace(completion, spent=completion.spent.model_copy(update=cost))

    def close(self) -> None:
        """Release connections."""
        self._backend.close()

"""Texts as vectors, from any server that speaks OpenAI's ``POST {base_url}/embeddings``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_sessioneval.errors import JudgeError, TransportError
from pytest_sessioneval.judging.backends.http import Connections
from pytest_sessioneval.judging.backends.parameters import tokens
from pytest_sessioneval.judging.budget import CostBudget
from pytest_sessioneval.judging.model import Embedded
from pytest_sessioneval.judging.models import Prices
from pytest_sessioneval.judging.tokens import estimated_tokens
from pytest_sessioneval.verdicts.model import CallCount

__all__ = ["BATCH", "EmbeddingBackend"]

BATCH = 64
"""Texts of one request, at most."""


class EmbeddingBackend:
    """Asks for embeddings; every call is counted, priced, and within the run's budget.

    ``prices`` None: not known, and the calls are counted as such.
    """

    def __init__(
        self, model: str, connections: Connections, prices: Prices | None, budget: CostBudget
    ) -> None:
        self.model = model
        self._connections = connections
        self._prices = prices
        self._budget = budget

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Return one vector per text, in order; raises ``TransportError`` with ``spent`` set."""
        vectors: list[tuple[float, ...]] = []
        spent = CallCount()
        try:
            for start in range(0, len(texts), BATCH):
                embedded = self._batch(texts[start : start + BATCH])
                spent += embedded.spent
                vectors += embedded.vectors
                if len({len(vector) for vector in vectors}) > 1:
                    raise _unusable("vectors of different lengths", spent)
        except JudgeError as error:
            if isinstance(error.spent, CallCount) and error.spent is not spent:
                error.spent = spent + error.spent
            raise
        return Embedded(tuple(vectors), spent)

    def close(self) -> None:
        """Release connections."""
        self._connections.close()

    def _batch(self, texts: Sequence[str]) -> Embedded:
        if self._prices is None:
            asked = self._posted(texts)
            unpriced = {"unpriced_calls": asked.spent.calls}
            return Embedded(asked.vectors, asked.spent.model_copy(update=unpriced))
        most = self._prices.at_most(sum(map(estimated_tokens, texts)), 0)
        with self._budget.reserved(most) as bill:
            asked = self._posted(texts)
            bill.paid = self._prices.cost(asked.spent)
        cost = {"cost_usd": round(bill.paid, 9)}
        return Embedded(asked.vectors, asked.spent.model_copy(update=cost))

    def _posted(self, texts: Sequence[str]) -> Embedded:
        posted = self._connections.post("/embeddings", {"model": self.model, "input": list(texts)})
        spent = posted.spent + CallCount(
            input_tokens=tokens(posted.value.get("usage"), "prompt_tokens")
        )
        items = posted.value.get("data")
        if not isinstance(items, list) or len(items) != len(texts):
            raise _unusable(f"no list of {len(texts)} embeddings under data", spent)
        vectors: dict[int, tuple[float, ...]] = {}
        for position, item in enumerate(items):
            place, vector = _vector(item, position)
            if vector is None or place in vectors or not 0 <= place < len(texts):
                raise _unusable(
                    f"an embedding that is no list of numbers (data[{position}])", spent
                )
            vectors[place] = vector
        return Embedded(tuple(vectors[place] for place in range(len(texts))), spent)


def _vector(item: Any, position: int) -> tuple[int, tuple[float, ...] | None]:
    """Return an item's place among the texts and its vector; None where it has none."""
    if not isinstance(item, Mapping):
        return position, None
    place, numbers = item.get("index", position), item.get("embedding")
    if type(place) is not int or not isinstance(numbers, list) or not numbers:
        return position, None
    if not all(type(number) in {int, float} and math.isfinite(number) for number in numbers):
        return position, None
    return place, tuple(map(float, numbers))


def _unusable(found: str, spent: CallCount) -> TransportError:
    error = TransportError(
        f"the embedding model answered with {found}: is the base URL that of a server with "
        "OpenAI's /embeddings (it usually ends in /v1)?"
    )
    error.spent = spent
    return error

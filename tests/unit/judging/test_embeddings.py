"""Embeddings from a real server: batches, order, failures, money, and where they are asked for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pytest_sessioneval.errors import SettingError, TransportError
from pytest_sessioneval.judging.backends.embeddings import BATCH, EmbeddingBackend
from pytest_sessioneval.judging.backends.endpoints import Endpoint, embedding_endpoint
from pytest_sessioneval.judging.backends.http import Connections
from pytest_sessioneval.judging.backends.opening import open_judge
from pytest_sessioneval.judging.budget import BudgetSpentError, CallBudget, CostBudget
from pytest_sessioneval.judging.models import Prices, known_models
from pytest_sessioneval.suites.model import JudgeSettings
from pytest_sessioneval.testing import JudgeServer
from pytest_sessioneval.verdicts.model import CallCount

PRICES = Prices(input=1.0, output=0)


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    """Return a server whose vectors are a text's length and 1."""
    with JudgeServer(embed=lambda text: (float(len(text)), 1.0)) as running:
        yield running


@contextmanager
def _backend(
    server: JudgeServer,
    *,
    prices: Prices | None = None,
    budget: CostBudget | None = None,
    calls: CallBudget | None = None,
) -> Iterator[EmbeddingBackend]:
    connections = Connections(
        Endpoint(server.url, "k"),
        {},
        connections=1,
        timeout_s=30.0,
        stop=threading.Event(),
        reserve=None if calls is None else calls.reserve,
        backoff_s=0.0,
    )
    backend = EmbeddingBackend("small", connections, prices, budget or CostBudget())
    try:
        yield backend
    finally:
        backend.close()


def _garbled(server: JudgeServer, **value: Any) -> None:
    server.garble(json.dumps(value).encode(), times=1)


def test_one_vector_per_text_in_order(server: JudgeServer) -> None:
    """One request, and what it took."""
    with _backend(server) as backend:
        found = backend.embed(["a", "bbb"])
    assert ((1.0, 1.0), (3.0, 1.0)) == found.vectors
    assert (1, 1, 1) == (server.calls, found.spent.calls, found.spent.input_tokens)
    assert {"model": "small", "input": ["a", "bbb"]} == server.requests[0].body
    assert "/embeddings" == server.requests[0].path


def test_many_texts_go_in_batches(server: JudgeServer) -> None:
    """As many requests as there are batches, and every text in its place."""
    with _backend(server) as backend:
        found = backend.embed(["x" * at for at in range(2 * BATCH + 1)])
    assert list(range(2 * BATCH + 1)) == [vector[0] for vector in found.vectors]
    assert (3, 3) == (server.calls, found.spent.calls)


def test_vectors_are_put_in_order_by_their_index(server: JudgeServer) -> None:
    """A server may answer in another order."""
    _garbled(server, data=[{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}])
    with _backend(server) as backend:
        assert ((1.0,), (2.0,)) == backend.embed(["a", "b"]).vectors


def test_a_passing_failure_is_asked_again(server: JudgeServer) -> None:
    """As for judges."""
    server.fail(2, status=503)
    with _backend(server) as backend:
        spent = backend.embed(["a"]).spent
    assert (3, 2) == (spent.calls, spent.retries)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"data": []},
        {"data": [{"embedding": []}]},
        {"data": [{"embedding": ["1"]}]},
        {"data": [{"embedding": [True]}]},
        {"data": [{"embedding": [1], "index": 1}]},
        {"data": [[1, 2]]},
    ],
)
def test_what_is_no_embedding_is_an_error(server: JudgeServer, value: dict[str, Any]) -> None:
    """It says what may be wrong, and what was spent."""
    _garbled(server, **value)
    with _backend(server) as backend, pytest.raises(TransportError, match="/embeddings") as caught:
        backend.embed(["a"])
    assert isinstance(caught.value.spent, CallCount)
    assert 1 == caught.value.spent.calls


def test_vectors_of_different_lengths_are_an_error(server: JudgeServer) -> None:
    """They cannot be compared."""
    _garbled(server, data=[{"embedding": [1]}, {"embedding": [1, 2]}])
    with _backend(server) as backend, pytest.raises(TransportError, match="different lengths"):
        backend.embed(["a", "b"])


class TestMoney:
    """Embeddings are calls like any other."""

    def test_a_known_price_is_paid(self, server: JudgeServer) -> None:
        """By the tokens that the response reports."""
        with _backend(server, prices=PRICES) as backend:
            assert 10 / 1e6 == pytest.approx(backend.embed(["x" * 40]).spent.cost_usd)

    def test_an_unknown_price_is_counted(self, server: JudgeServer) -> None:
        """As for judges."""
        with _backend(server) as backend:
            assert 1 == backend.embed(["a"]).spent.unpriced_calls

    def test_nothing_is_asked_beyond_the_budget(self, server: JudgeServer) -> None:
        """Neither of money nor of calls."""
        with (
            _backend(server, prices=PRICES, budget=CostBudget(1e-9)) as backend,
            pytest.raises(BudgetSpentError),
        ):
            backend.embed(["some text"])
        with _backend(server, calls=CallBudget(0)) as backend, pytest.raises(BudgetSpentError):
            backend.embed(["some text"])
        assert 0 == server.calls

    def test_a_cap_needs_a_price(self) -> None:
        """An embedding model of unknown price is refused beforehand."""
        settings = JudgeSettings(model="openai:gpt-4o", embedding_model="mine")
        with pytest.raises(SettingError, match="price of embedding model mine is not known"):
            open_judge(
                "openai:gpt-4o",
                settings=settings,
                environ={"OPENAI_API_KEY": "k"},
                timeout_s=1,
                connections=1,
                stop=threading.Event(),
                cost=CostBudget(1.0),
            )

    def test_the_usual_models_have_a_price(self) -> None:
        """In the package's own table."""
        found = known_models().prices("openai:text-embedding-3-small")
        assert found is not None
        assert found.input == 0.02


class TestWhere:
    """From the environment alone."""

    def test_where_judges_are(self) -> None:
        """Unless something else is said."""
        found = embedding_endpoint({"SESSIONEVAL_BASE_URL": "http://localhost:1/v1"})
        assert ("http://localhost:1/v1", None) == (found.base_url, found.key)

    def test_a_server_of_their_own(self) -> None:
        """With a key of its own; no other key goes there."""
        environ = {
            "OPENAI_API_KEY": "secret",
            "SESSIONEVAL_API_KEY": "secret",
            "SESSIONEVAL_EMBEDDING_BASE_URL": "http://localhost:2/v1/",
        }
        found = embedding_endpoint(environ)
        assert ("http://localhost:2/v1", None) == (found.base_url, found.key)
        found = embedding_endpoint({**environ, "SESSIONEVAL_EMBEDDING_API_KEY": "e"})
        assert "e" == found.key

    def test_a_host_elsewhere_needs_its_key(self) -> None:
        """And says which variable."""
        environ = {"SESSIONEVAL_EMBEDDING_BASE_URL": "https://x.example/v1"}
        with pytest.raises(SettingError, match="SESSIONEVAL_EMBEDDING_API_KEY"):
            embedding_endpoint(environ)

    def test_an_address_that_is_none(self) -> None:
        """Is named by its variable."""
        with pytest.raises(SettingError, match="SESSIONEVAL_EMBEDDING_BASE_URL"):
            embedding_endpoint({"SESSIONEVAL_EMBEDDING_BASE_URL": "ftp://x"})

    def test_the_model_is_part_of_the_judges_identity(self) -> None:
        """Scores of two embedding models are not compared; without one it is as before."""
        identities = []
        for model in (None, "small", "large"):
            judge = open_judge(
                "openai:any",
                settings=JudgeSettings(model="openai:any", embedding_model=model),
                environ={"SESSIONEVAL_BASE_URL": "http://localhost:1"},
                timeout_s=1,
                connections=1,
                stop=threading.Event(),
            )
            identities.append(dict(judge.identity))
            judge.close()
        assert [None, "small", "large"] == [each.pop("embeddings", None) for each in identities]
        assert identities[0] == identities[1] == identities[2]

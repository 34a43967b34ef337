"""JSON over HTTP to a real server on the loopback interface: retries, waits, limits, keys."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from pytest_sessioneval.errors import TransportError
from pytest_sessioneval.judging.backends.endpoints import Endpoint
from pytest_sessioneval.judging.backends.http import (
    Connections,
    RejectedError,
    retry_after_s,
)
from pytest_sessioneval.judging.budget import BudgetSpentError, CallBudget
from pytest_sessioneval.testing import JudgeServer
from pytest_sessioneval.verdicts.model import CallCount

PATH = "/chat/completions"


@contextmanager
def _open(url: str, **changes: Any) -> Iterator[Connections]:
    given: dict[str, Any] = {
        "connections": 4,
        "timeout_s": 30.0,
        "stop": threading.Event(),
        "backoff_s": 0.0,
    }
    key = changes.pop("key", "k")
    connections = Connections(Endpoint(url, key), {}, **{**given, **changes})
    try:
        yield connections
    finally:
        connections.close()


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    """Return a judge that says something short."""
    with JudgeServer(lambda _: "fine") as running:
        yield running


def test_an_answer_takes_one_request(server: JudgeServer) -> None:
    """No request is repeated without need."""
    with _open(server.url) as connections:
        posted = connections.post(PATH, {"model": "m"})
    assert "fine" == posted.value["choices"][0]["message"]["content"]
    assert (CallCount(calls=1), 1) == (posted.spent, server.calls)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 529])
def test_a_passing_failure_is_asked_again(server: JudgeServer, status: int) -> None:
    """What may pass is repeated until an answer comes."""
    server.fail(2, status=status)
    with _open(server.url) as connections:
        assert CallCount(calls=3, retries=2) == connections.post(PATH, {}).spent


def test_a_dropped_connection_is_asked_again(server: JudgeServer) -> None:
    """A server that hangs up may answer the next time."""
    server.disconnect()
    with _open(server.url) as connections:
        assert 2 == connections.post(PATH, {}).spent.calls


def test_garbled_json_is_asked_again(server: JudgeServer) -> None:
    """A response cut short by a proxy may come whole the next time."""
    server.garble(b'{"choices": [')
    with _open(server.url) as connections:
        assert 2 == connections.post(PATH, {}).spent.calls


def test_four_failures_are_an_error_that_says_so(server: JudgeServer) -> None:
    """The message names host, status and reason, and the error what was spent."""
    server.fail(9, status=503, message="overloaded, sorry")
    with _open(server.url) as connections, pytest.raises(TransportError) as caught:
        connections.post(PATH, {})
    said = f"the judge at 127.0.0.1:{server.port} answered 503: overloaded, sorry (asked 4 times)"
    assert said == str(caught.value)
    assert (4, CallCount(calls=4, retries=3)) == (server.calls, caught.value.spent)


@pytest.mark.parametrize("status", [401, 403, 404, 413])
def test_a_lasting_failure_is_not_repeated(server: JudgeServer, status: int) -> None:
    """A wrong key does not become right."""
    server.fail(9, status=status, message="no")
    with _open(server.url) as connections, pytest.raises(TransportError, match=str(status)):
        connections.post(PATH, {})
    assert 1 == server.calls


def test_a_wrong_address_is_hinted_at(server: JudgeServer) -> None:
    """Status 404 is nearly always the base URL or the model's name."""
    server.fail(status=404, message="nothing here")
    with _open(server.url) as connections, pytest.raises(TransportError, match="ends in /v1"):
        connections.post(PATH, {})


def test_a_spent_quota_is_not_repeated(server: JudgeServer) -> None:
    """Status 429 for want of money does not pass."""
    server.fail(9, status=429, message="insufficient_quota")
    with _open(server.url) as connections, pytest.raises(TransportError, match="quota"):
        connections.post(PATH, {})
    assert 1 == server.calls


@pytest.mark.parametrize("status", [400, 422])
def test_a_rejected_request_is_its_own_error(server: JudgeServer, status: int) -> None:
    """Whoever asked can ask differently."""
    server.fail(status=status, message="no such parameter")
    with _open(server.url) as connections, pytest.raises(RejectedError, match="no such parameter"):
        connections.post(PATH, {})


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed(server: JudgeServer, status: int) -> None:
    """A key reaches no host but its own."""
    with JudgeServer() as other:
        server.fail(status=status, headers={"location": other.url + PATH})
        with _open(server.url) as connections, pytest.raises(TransportError, match="not followed"):
            connections.post(PATH, {})
        assert 0 == other.calls


def test_the_key_is_never_in_a_message(server: JudgeServer) -> None:
    """A server that echoes the key does not get it into a report."""
    server.fail(status=401, message="bad key sk-very-secret")
    with (
        _open(server.url, key="sk-very-secret") as connections,
        pytest.raises(TransportError) as caught,
    ):
        connections.post(PATH, {})
    assert "sk-very-secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_a_transport_error() -> None:
    """The message names the address."""
    with JudgeServer() as gone:
        url = gone.url
    with _open(url) as connections, pytest.raises(TransportError, match="no connection") as caught:
        connections.post(PATH, {})
    assert CallCount(calls=4, retries=3) == caught.value.spent


def test_a_silent_server_times_out(server: JudgeServer) -> None:
    """A judge that says nothing is given up on, and may be asked again."""
    server.hold()
    with (
        _open(server.url, timeout_s=0.05) as connections,
        pytest.raises(TransportError, match=r"no answer within 0\.05 s"),
    ):
        connections.post(PATH, {})
    server.release()
    assert 4 == server.calls


def test_stop_breaks_off_a_wait(server: JudgeServer) -> None:
    """A pause the server asked for does not outlast the run."""
    server.fail(status=429, retry_after="100")
    stop = threading.Event()
    errors: list[TransportError] = []

    def ask() -> None:
        with _open(server.url, stop=stop) as connections:
            try:
                connections.post(PATH, {})
            except TransportError as error:
                errors.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    server.wait_for_calls(1)
    stop.set()
    asking.join(timeout=30)
    assert not asking.is_alive()
    assert "stopped" in str(errors[0])
    assert 1 == server.calls


def test_nothing_is_sent_after_stop(server: JudgeServer) -> None:
    """A stopped run asks nobody."""
    stop = threading.Event()
    stop.set()
    with (
        _open(server.url, stop=stop) as connections,
        pytest.raises(TransportError, match="stopped"),
    ):
        connections.post(PATH, {})
    assert 0 == server.calls


def test_retries_come_out_of_the_budget(server: JudgeServer) -> None:
    """Every request is reserved beforehand; what was made is on the error."""
    server.fail(9)
    with (
        _open(server.url, reserve=CallBudget(2).reserve) as connections,
        pytest.raises(BudgetSpentError) as caught,
    ):
        connections.post(PATH, {})
    assert (2, CallCount(calls=2, retries=1)) == (server.calls, caught.value.spent)


def test_a_pause_longer_than_accepted_fails_at_once(server: JudgeServer) -> None:
    """An hour's pause is told instead of waited for."""
    server.fail(9, status=429, retry_after="3600")
    with _open(server.url) as connections, pytest.raises(TransportError, match="wait 3600 s"):
        connections.post(PATH, {})
    assert 1 == server.calls


def test_an_endless_response_is_cut_off() -> None:
    """A response beyond the limit is not read to its end."""

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b" " * 1024 * 1024

    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Endless()))
    with (
        _open("http://127.0.0.1:1", transport=transport) as connections,
        pytest.raises(TransportError, match="more than 16777216 bytes"),
    ):
        connections.post(PATH, {})


def test_a_trickling_response_is_cut_off() -> None:
    """A server that sends a byte now and then does not outlast the timeout."""

    class Trickle(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b" "

    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Trickle()))
    with (
        _open("http://127.0.0.1:1", transport=transport, timeout_s=0.01) as connections,
        pytest.raises(TransportError, match=r"no answer within 0\.01 s"),
    ):
        connections.post(PATH, {})


def test_connections_are_kept_and_sharded(server: JudgeServer) -> None:
    """Twenty threads use twenty connections, over and over."""
    with _open(server.url, connections=20) as connections, ThreadPoolExecutor(20) as pool:
        server.hold()
        first = [pool.submit(connections.post, PATH, {}) for _ in range(20)]
        server.wait_for_calls(20)
        server.release()
        assert 20 == sum(posted.result().spent.calls for posted in first)
        for _ in range(5):
            list(pool.map(lambda _: connections.post(PATH, {}), range(20)))
        assert 20 >= server.connections
    assert 120 == server.calls


# -- Retry-After ---------------------------------------------------------------

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, 0.0),
        (
            {
                "retry-after": "Sat, 21 Nov 2026 13:00:05 GMT",
                "date": "Sat, 21 Nov 2026 13:00:00 GMT",
            },
            5.0,
        ),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "²"}, None),
    ],
)
def test_retry_after_as_seconds_or_date(headers: dict[str, str], seconds: float | None) -> None:
    """RFC 9110: seconds or an HTTP date, by the server's own clock; nonsense is no pause."""
    assert seconds == retry_after_s(headers, NOW)

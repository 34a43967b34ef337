"""Limits of time and number, and what is said when something fails inside."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import Caller, opened

from pytest_sessioneval.server.access import Access
from pytest_sessioneval.server.guard import Guard, RequestLimits

Call = Callable[..., Caller]
Application = Callable[[Any, Any, Any], Awaitable[None]]

OPEN = Access(token=None, hosts={"localhost"})


async def answers(_scope: Any, _receive: Any, send: Any) -> None:
    """Answer at once."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


def asked(
    application: Application, limits: RequestLimits, body: Any = b"", times: int = 1
) -> list[httpx.Response]:
    """Return the answers of a guarded application to requests, one after another."""

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(
            Guard(application, access=OPEN, limits=limits, ending=asyncio.Event())
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [
                await client.post("/", content=body, headers={"Content-Type": "application/json"})
                for _ in range(times)
            ]

    return asyncio.run(ask())


async def _never_ends() -> AsyncIterator[bytes]:
    yield b"{"
    await asyncio.Event().wait()


def test_a_body_that_does_not_arrive_ends_the_request() -> None:
    """Nobody waits for a caller for ever, and the limit is named."""
    (answer,) = asked(answers, RequestLimits(receive_s=0.01), _never_ends())
    assert (408, {"detail": "the body did not arrive within 0.01 seconds"}) == (
        answer.status_code,
        answer.json(),
    )


def test_a_caller_that_leaves_within_its_body_asked_for_nothing() -> None:
    """No endpoint takes the beginning of a transcript for all of it."""

    async def left() -> list[bytes]:
        reached = list[bytes]()
        messages = [
            {"type": "http.disconnect"},
            {"type": "http.request", "body": b'{"role": "user"}\n', "more_body": True},
        ]

        async def receive() -> Any:
            return messages.pop()

        async def takes(_scope: Any, receive: Any, send: Any) -> None:
            reached.append((await receive())["body"])
            await answers(_scope, receive, send)

        async def send(_message: Any) -> None:
            pass

        guard = Guard(takes, access=OPEN, limits=RequestLimits(), ending=asyncio.Event())
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")]}
        await guard(scope, receive, send)
        return reached

    assert [] == asyncio.run(left())


def test_an_endpoint_that_takes_too_long_is_told() -> None:
    """The caller hears so; the endpoint goes on, and counts as in progress."""
    over: list[asyncio.Event] = []

    async def slow(_scope: Any, _receive: Any, _send: Any) -> None:
        over.append(asyncio.Event())
        await over[-1].wait()

    limits = RequestLimits(receive_s=0.005, answer_s=0.005, in_progress=2)
    first, second, third = asked(slow, limits, times=3)
    assert [504, 504, 503] == [one.status_code for one in (first, second, third)]
    assert {"detail": "no answer within 0.005 seconds"} == first.json()


def test_an_endpoint_that_goes_on_does_not_keep_the_server_from_ending() -> None:
    """Its caller hears that the server ends; one that is about to answer still can."""

    async def ended() -> list[int]:
        ending, gate = asyncio.Event(), asyncio.Event()

        async def waits(scope: Any, receive: Any, send: Any) -> None:
            if scope["path"] == "/ready":
                ending.set()
                await answers(scope, receive, send)
            else:
                await gate.wait()

        guard = Guard(waits, access=OPEN, limits=RequestLimits(), ending=ending)
        transport = httpx.ASGITransport(guard)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            both = asyncio.gather(client.get("/slow"), client.get("/ready"))
            return [one.status_code for one in await both]

    assert [503, 200] == asyncio.run(ended())


def test_what_an_endpoint_sends_too_late_is_not_sent() -> None:
    """The answer that it takes too long is the only one."""

    async def late() -> tuple[int, list[str]]:
        gate, sent = asyncio.Event(), list[str]()

        async def waits(scope: Any, receive: Any, send: Any) -> None:
            await gate.wait()
            await answers(scope, receive, send)

        async def send(message: Any) -> None:
            sent.append(message["type"])

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        limits = RequestLimits(receive_s=0.005, answer_s=0.005)
        guard = Guard(waits, access=OPEN, limits=limits, ending=asyncio.Event())
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")]}
        await guard(scope, receive, send)
        (task,) = guard._unheard
        gate.set()
        await task
        return len(guard._unheard), sent

    assert (0, ["http.response.start", "http.response.body"]) == asyncio.run(late())


def test_a_failure_inside_is_json_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """The caller learns its kind; the server's output has all of it."""

    def fails(_scope: Any, _receive: Any, _send: Any) -> Coroutine[Any, Any, None]:
        raise KeyError("/home/somebody/secret")

    with caplog.at_level(logging.ERROR):
        (answer,) = asked(fails, RequestLimits())
    detail = "internal error (KeyError): the server's output says more"
    assert (500, {"detail": detail}) == (answer.status_code, answer.json())
    assert "POST / failed" in caplog.text
    assert "/home/somebody/secret" in caplog.text


def test_a_store_that_breaks_is_told_and_ends_nothing(call: Call, tmp_path: Path) -> None:
    """Each answer is 503 with the reason; what needs no store is answered as before."""
    store = tmp_path / ".sessioneval" / "store.db"
    with opened(f"sqlite:///{store}", tmp_path) as service:
        with closing(sqlite3.connect(store)) as database:
            database.execute("DROP TABLE feedback")
            database.commit()
        client = call(service)
        answer = client.get("/eval/feedback/a")
        assert 503 == answer.status_code
        assert "feedback" in answer.json()["detail"]
        assert "Traceback" not in answer.text
        assert 200 == client.get("/healthz").status_code


def test_every_answer_says_that_it_is_data() -> None:
    """Browsers neither keep it, nor guess its type, nor show it in a frame."""
    (answer,) = asked(answers, RequestLimits())
    assert "no-store" == answer.headers["cache-control"]
    assert "nosniff" == answer.headers["x-content-type-options"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_a_refusal_says_so_too() -> None:
    """Also where no endpoint was asked."""
    (answer,) = asked(answers, RequestLimits(body_bytes=1), json.dumps({"a": 1}).encode())
    assert (413, "nosniff") == (answer.status_code, answer.headers["x-content-type-options"])

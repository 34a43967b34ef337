"""What every request passes before an endpoint sees it: access, limits, and no traceback."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_sessioneval.server.access import Access, Head, Refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard", "RequestLimits"]

_LOG = logging.getLogger(__name__)
_HEADERS = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}
"""What an answer says unless its endpoint says otherwise."""
_MIB = 1024 * 1024
_LAST_S = 0.5
"""How long an endpoint may go on once the server ends."""
_ENDING = Refusal(503, "the server is ending: ask again when it is up")


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How much one caller may ask of the server."""

    body_bytes: int = 8 * _MIB
    """Largest body."""
    large_body_bytes: Mapping[str, int] = field(
        default_factory=lambda: {"/eval/sessions": 64 * _MIB}
    )
    """Largest body by path, where it is another."""
    receive_s: float = 30.0
    """Longest time in which a body arrives."""
    answer_s: float = 300.0
    """Longest time in which an endpoint answers."""
    in_progress: int = 64
    """Most requests at a time."""


class Guard:
    """Lets requests in that ``access`` accepts, within the limits; what fails is JSON.

    The body is read before the endpoint is asked, so that no endpoint waits
    for a slow caller. An endpoint that takes too long goes on, unheard, and
    counts as in progress until it is done. Once ``ending`` is set, nobody waits
    for an endpoint any more.
    """

    def __init__(
        self, app: ASGIApp, *, access: Access, limits: RequestLimits, ending: asyncio.Event
    ) -> None:
        self._app = app
        self._access = access
        self._limits = limits
        self._ending = ending
        self._in_progress = 0
        self._unheard: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        head = _head(scope)
        refusal = self._access.refused(head)
        if refusal is None and self._in_progress >= self._limits.in_progress:
            refusal = Refusal(
                503,
                f"{self._in_progress} requests are in progress, which is the most: ask again later",
                (("retry-after", "1"),),
            )
        if refusal is not None:
            await answer.refuse(refusal)
            return
        self._in_progress += 1
        task = asyncio.ensure_future(self._answered(scope, receive, answer, head))
        task.add_done_callback(self._done)
        if not await self._is_done(task):
            self._unheard.add(task)
            seconds = self._limits.answer_s
            late = Refusal(504, f"no answer within {seconds:g} seconds")
            await answer.refuse(_ENDING if self._ending.is_set() else late, last=True)

    async def _is_done(self, task: asyncio.Task[None]) -> bool:
        """Return whether the answer came before its time was up or the server ended."""
        ending = asyncio.ensure_future(self._ending.wait())
        try:
            await asyncio.wait(
                {task, ending},
                timeout=self._limits.receive_s + self._limits.answer_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if ending.done():
                await asyncio.wait({task}, timeout=_LAST_S)
        finally:
            ending.cancel()
        return task.done()

    async def _answered(self, scope: Scope, receive: Receive, answer: _Answer, head: Head) -> None:
        body = await self._body(receive, head)
        if isinstance(body, Refusal):
            await answer.refuse(body)
            return
        try:
            await self._app(scope, _replayed(body, receive), answer.send)
        except Exception as error:  # noqa: BLE001 - the boundary: no caller sees a traceback
            _LOG.exception("%s %s failed", head.method, head.path)
            kind = type(error).__name__
            detail = f"internal error ({kind}): the server's output says more"
            await answer.refuse(Refusal(500, detail))

    async def _body(self, receive: Receive, head: Head) -> bytes | Refusal:
        most = self._limits.large_body_bytes.get(head.path, self._limits.body_bytes)
        too_large = Refusal(413, f"the body is larger than {most:,} bytes, which is the most")
        announced = head.only("content-length") or "0"
        if announced.isdecimal() and int(announced) > most:
            return too_large
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.receive_s):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return Refusal(400, "the caller left before the body was complete")
                    body += message.get("body", b"")
                    if len(body) > most:
                        return too_large
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError:
            seconds = self._limits.receive_s
            return Refusal(408, f"the body did not arrive within {seconds:g} seconds")

    def _done(self, task: asyncio.Task[None]) -> None:
        self._in_progress -= 1
        self._unheard.discard(task)


class _Answer:
    """Sends one answer: with our headers, and nothing after it was given up."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._started = False
        self._over = False

    async def send(self, message: Message) -> None:
        """Send a part of the endpoint's answer."""
        if self._over:
            return
        if message["type"] == "http.response.start":
            self._started = True
            message = {**message, "headers": _with_ours(message)}
        await self._send(message)

    async def refuse(self, refusal: Refusal, *, last: bool = False) -> None:
        """Send a refusal as JSON, unless an answer has begun; ``last``: nothing comes after it."""
        if not self._started and not self._over:
            body = json.dumps({"detail": refusal.detail}).encode()
            headers = {"content-type": "application/json", "content-length": str(len(body))}
            pairs = (*headers.items(), *refusal.headers)
            raw = [(name.encode(), value.encode()) for name, value in pairs]
            start = {"type": "http.response.start", "status": refusal.status, "headers": raw}
            await self.send(start)
            await self.send({"type": "http.response.body", "body": body})
        self._over = self._over or last


def _head(scope: Scope) -> Head:
    headers: MutableMapping[str, list[str]] = defaultdict(list)
    for name, value in scope["headers"]:
        headers[name.decode("latin-1").lower()].append(value.decode("latin-1"))
    return Head(method=scope["method"], path=scope["path"], headers=dict(headers))


def _with_ours(message: Message) -> list[tuple[bytes, bytes]]:
    given: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
    named = {name.lower() for name, _ in given}
    return [*given, *((name, value) for name, value in _HEADERS.items() if name not in named)]


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return what hands out the body that was read, and then listens for the caller's leaving."""
    pending: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed

"""What fails, as a page, where a browser asked for one: the API's answer stays JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_sessioneval.server.pages import rendering

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["PageFailures"]

_API = ("/eval/", "/api/", "/healthz", "/openapi.json", "/static/")
_TITLES = {
    400: "Not accepted",
    403: "Not accepted",
    404: "Not found",
    405: "Not possible here",
    408: "Too slow",
    413: "Too large",
    415: "Not accepted",
    422: "Not accepted",
    503: "Not now",
    504: "Too slow",
}
_NEEDS_TOKEN = 401
_FAILED = 400


class PageFailures:
    """Renders refusals and errors as pages for browsers; who has no token is asked for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not _wants_page(scope):
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, send)
        await self._app(scope, receive, answer.send)


class _Answer:
    """Holds back an answer that is a failure in JSON until it is whole."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._failed: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        """Send a part of the answer, or keep it."""
        if message["type"] == "http.response.start" and _is_failure(message):
            self._failed = message
            return
        if self._failed is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body"):
            await self._send_page(self._failed["status"])

    async def _send_page(self, status: int) -> None:
        if status == _NEEDS_TOKEN:
            page = rendering.page("sign_in.html", next=_address(self._scope), wrong=False)
        else:
            title = _TITLES.get(status, "Something broke")
            page = rendering.page("problem.html", title=title, detail=_detail(self._body))
        body = page.encode()
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            *((name.encode(), value.encode()) for name, value in rendering.HEADERS.items()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _wants_page(scope: Scope) -> bool:
    accepted = b",".join(value for name, value in scope["headers"] if name.lower() == b"accept")
    return b"text/html" in accepted and not scope["path"].startswith(_API)


def _is_failure(message: Message) -> bool:
    kinds = [value for name, value in message.get("headers", ()) if name.lower() == b"content-type"]
    return message["status"] >= _FAILED and kinds[:1] == [b"application/json"]


def _detail(body: bytes) -> str:
    try:
        detail = json.loads(body)["detail"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "The server's output says more."
    if isinstance(detail, list):
        return "; ".join(_field(one) for one in detail if isinstance(one, Mapping))
    return str(detail)


def _field(one: Mapping[str, object]) -> str:
    place = one.get("loc")
    name = place[-1] if isinstance(place, list) and place else "request"
    return f"{name}: {one.get('msg')}"


def _address(scope: Scope) -> str:
    """Return where a form leads back to: the page itself, where it was looked at."""
    if scope["method"] != "GET":
        return "/runs"
    path: bytes = scope.get("raw_path", scope["path"].encode())
    query: bytes = scope["query_string"]
    return (path + (b"?" + query if query else b"")).decode("latin-1")

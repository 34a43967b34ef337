"""JSON over HTTP to one server: sharded connections, retries, and waits that can be broken off.

Connections are sharded because one pool of many is slow: httpx 0.28 scans all
of a pool's connections at every request, so 100 in flight took 17.9 s where
pools of 8 took 2.2 s. All shards share one TLS context, which costs 20 ms to make.
"""

from __future__ import annotations

import itertools
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.nap import sleep_using_event
from tenacity.wait import wait_random_exponential

from pytest_sessioneval.errors import JudgeError, TransportError
from pytest_sessioneval.judging.backends.endpoints import Endpoint
from pytest_sessioneval.transcripts.model import JsonObject
from pytest_sessioneval.transcripts.strict_json import JsonError, parse_strict
from pytest_sessioneval.verdicts.model import CallCount

__all__ = ["Connections", "Posted", "RejectedError", "retry_after_s"]

ATTEMPTS = 4
"""Requests before giving up on one answer."""

LONGEST_WAIT_S = 120.0
"""Longest pause a server may ask for; when it asks for more, the request fails at once."""

FIRST_WAIT_S = 0.5
"""Longest pause before the second request, in seconds; it doubles with each."""

LONGEST_REPLY = 16 * 1024 * 1024
"""Longest response read, in bytes."""

_SHARD = 8
_LONGEST_BACKOFF_S = 20.0
_CONNECT_S = 10.0
_DEPTH = 64
_RETRYABLE = frozenset({408, 409, 425, 429})
_REJECTED = frozenset({400, 422})
_NOT_FOUND = 404


class RejectedError(TransportError):
    """The server understood the request and does not accept it (status 400 or 422)."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A JSON object that came back, and how many requests it took."""

    value: JsonObject
    spent: CallCount


class Connections:
    """Posts JSON objects to one endpoint, from any number of threads.

    Each thread keeps to one shard of at most 8 connections. ``reserve`` is
    called before every request, retries included, and may raise to forbid it.
    After ``stop`` is set no request starts and no wait lasts.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        headers: Mapping[str, str],
        *,
        connections: int,
        timeout_s: float,
        stop: threading.Event,
        reserve: Callable[[], None] | None = None,
        transport: httpx.BaseTransport | None = None,
        backoff_s: float = FIRST_WAIT_S,
    ) -> None:
        self._endpoint = endpoint
        self._headers = dict(headers)
        self._timeout_s = timeout_s
        self._stop = stop
        self._reserve = reserve
        self._transport = transport
        self._backoff = wait_random_exponential(multiplier=backoff_s, max=_LONGEST_BACKOFF_S)
        self._shards: list[httpx.Client | None] = [None] * max(1, -(-connections // _SHARD))
        self._turns = itertools.count()
        self._mine = threading.local()
        self._opening = threading.Lock()
        self._tls: ssl.SSLContext | None = None

    def post(self, path: str, body: Mapping[str, Any]) -> Posted:
        """Return the object the server answers with, asking up to 4 times.

        Asks again after status 408, 409, 425, 429 and 5xx and after broken
        connections, with exponential back-off and full jitter, or after the
        pause the server asked for. Raises ``RejectedError`` for 400 and 422 and
        ``TransportError`` for all else, with ``spent`` set.
        """
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        sent = 0

        def attempt() -> JsonObject:
            nonlocal sent
            if self._stop.is_set():
                raise TransportError("the run was stopped before the judge was asked")
            if self._reserve is not None:
                self._reserve()
            sent += 1
            return self._once(path, content)

        retrying = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=self._pause,
            retry=retry_if_exception(_worth_repeating),
            sleep=sleep_using_event(self._stop),
            reraise=True,
        )
        try:
            value = retrying(attempt)
        except JudgeError as error:
            error.spent = _count(sent)
            if sent > 1:
                error.args = (f"{error} (asked {sent} times)",)
            raise
        return Posted(value, _count(sent))

    def close(self) -> None:
        """Close every connection."""
        with self._opening:
            for client in self._shards:
                if client is not None:
                    client.close()

    def _once(self, path: str, content: bytes) -> JsonObject:
        client = self._client()
        deadline = time.monotonic() + self._timeout_s
        try:
            with client.stream("POST", self._endpoint.base_url + path, content=content) as response:
                text = self._read(response, deadline)
                if not response.is_success:
                    self._refuse(response, text)
                return self._object(text)
        except httpx.TimeoutException:
            raise TransportError(
                f"the judge at {self._endpoint.host} gave no answer within {self._timeout_s:g} s; "
                "raise --sessioneval-timeout or lower the concurrency",
                retryable=True,
            ) from None
        except httpx.RequestError as error:
            reason = str(error) or type(error).__name__
            raise TransportError(
                f"no connection to the judge at {self._endpoint.host}: {reason}", retryable=True
            ) from None

    def _read(self, response: httpx.Response, deadline: float) -> str:
        """Return the body; a server that trickles it is cut off at the deadline."""
        parts: list[bytes] = []
        size = 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > LONGEST_REPLY:
                raise TransportError(
                    f"the judge at {self._endpoint.host} sent more than {LONGEST_REPLY} bytes"
                )
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("deadline", request=response.request)
        return b"".join(parts).decode("utf-8", "replace")

    def _object(self, text: str) -> JsonObject:
        try:
            value = parse_strict(text, depth=_DEPTH)
        except JsonError as fault:
            raise TransportError(
                f"the judge at {self._endpoint.host} answered with no JSON: {fault}", retryable=True
            ) from None
        if not isinstance(value, dict):
            raise TransportError(f"the judge at {self._endpoint.host} answered with no JSON object")
        return value

    def _refuse(self, response: httpx.Response, text: str) -> NoReturn:
        status = response.status_code
        reason = self._without_key(_reason(text) or response.reason_phrase)
        message = f"the judge at {self._endpoint.host} answered {status}: {reason}"
        if response.is_redirect or 300 <= status < 400:  # noqa: PLR2004
            raise TransportError(
                f"the judge at {self._endpoint.host} redirects ({status}); redirects are not "
                "followed, so that no key reaches another host: set the final address"
            )
        if status in _REJECTED:
            raise RejectedError(message)
        if status in {401, 403}:
            message += "; check the key in the environment"
        if status == _NOT_FOUND:
            message += "; check the model's name and the base URL (OpenAI's form ends in /v1)"
        wait = retry_after_s(response.headers, datetime.now(UTC))
        if wait is not None and wait > LONGEST_WAIT_S:
            raise TransportError(
                f"{message}; it asks to wait {wait:.0f} s, the longest accepted is "
                f"{LONGEST_WAIT_S:.0f} s: lower the concurrency or run again later"
            )
        retryable = status in _RETRYABLE or status >= 500  # noqa: PLR2004
        if "insufficient_quota" in text:
            retryable = False
        raise TransportError(message, retryable=retryable, retry_after_s=wait)

    def _without_key(self, text: str) -> str:
        key = self._endpoint.key
        return text.replace(key, "…") if key else text

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, TransportError) and error.retry_after_s is not None:
            return error.retry_after_s
        return self._backoff(state)

    def _client(self) -> httpx.Client:
        shard: int | None = getattr(self._mine, "shard", None)
        if shard is None:
            shard = self._mine.shard = next(self._turns) % len(self._shards)
        return self._shards[shard] or self._open(shard)

    def _open(self, shard: int) -> httpx.Client:
        with self._opening:
            client = self._shards[shard]
            if client is None:
                client = self._shards[shard] = self._new_client()
            return client

    def _new_client(self) -> httpx.Client:
        if self._tls is None:
            self._refuse_metadata_host()
            self._tls = self._new_tls()
        limits = httpx.Limits(max_connections=_SHARD, max_keepalive_connections=_SHARD)
        timeout = httpx.Timeout(
            self._timeout_s, connect=min(_CONNECT_S, self._timeout_s), pool=None
        )
        return httpx.Client(
            headers={
                **self._headers,
                "content-type": "application/json",
                "accept-encoding": "identity",  # replies are short; a bomb would not be
            },
            timeout=timeout,
            limits=limits,
            verify=self._tls,
            transport=self._transport,
            trust_env=not self._endpoint.local,
        )

    def _new_tls(self) -> ssl.SSLContext:
        if self._endpoint.base_url.startswith("https:"):
            return httpx.create_ssl_context()
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and costs nothing to make

    def _refuse_metadata_host(self) -> None:
        """Raise where a name resolves to a link-local address, as cloud metadata services do."""
        host = urlsplit(self._endpoint.base_url).hostname or ""
        if self._endpoint.local or self._transport is not None:
            return
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError:
            return  # behind a proxy names need not resolve here; else connecting says why
        addresses = {str(entry[4][0]) for entry in found}
        if any(address.startswith(("169.254.", "fe80:")) for address in addresses):
            raise TransportError(f"{host} resolves to a link-local address, which is no judge's")


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the pause a response asks for, in seconds from now, or None.

    Reads ``retry-after-ms`` and ``Retry-After`` as seconds or as an HTTP date
    (RFC 9110, section 10.2.3); a date is taken against the response's own
    ``Date`` where it has one, since clocks differ.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _number(value)
    if seconds is not None:
        return seconds
    then = _date(value)
    if then is None:
        return None
    return max(0.0, (then - (_date(headers.get("date")) or now)).total_seconds())


def _number(text: str | None) -> float | None:
    stripped = (text or "").strip()
    return (
        float(stripped) if stripped.isascii() and stripped.replace(".", "", 1).isdigit() else None
    )


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _worth_repeating(error: BaseException) -> bool:
    return isinstance(error, TransportError) and error.retryable


def _count(sent: int) -> CallCount:
    return CallCount(calls=sent, retries=max(0, sent - 1))


def _reason(text: str) -> str:
    """Return what an error response says, in one short line."""
    try:
        value = parse_strict(text, depth=_DEPTH)
    except JsonError:
        value = text
    while isinstance(value, dict):
        value = value.get("error") or value.get("message") or value.get("detail") or ""
    line = " ".join(str(value).split())
    return line if len(line) <= 200 else f"{line[:199]}…"  # noqa: PLR2004

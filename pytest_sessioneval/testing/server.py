"""A judge behind HTTP, on the loopback interface, that counts and does as it is told."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from pytest_sessioneval.testing.requests import JudgeRequest, faithful_reply
from pytest_sessioneval.testing.tables import embedding
from pytest_sessioneval.testing.tokens import PrefixCache, count_tokens
from pytest_sessioneval.testing.wire import (
    Connection,
    Counted,
    embeddings,
    envelope,
    http_response,
)

__all__ = ["JudgeServer"]

_OK = 200


@dataclass(frozen=True, slots=True)
class _Step:
    """What happens to one request instead of an ordinary reply."""

    status: int = _OK
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    """The reply's text, or the error's message; None: an ordinary reply."""
    raw: bytes | None = None
    refused: bool = False
    truncated: bool = False
    disconnect: bool = False


_ORDINARY = _Step()


class JudgeServer:
    """A real HTTP server on the loopback interface that judges.

    Speaks OpenAI's chat completions, Anthropic's messages and Ollama's chat, by
    the end of the path, and OpenAI's embeddings (``embed(text)`` for each text,
    default: ``embedding``). Every request gets ``reply(request)`` (default:
    ``faithful_reply``) after ``latency_s`` seconds, unless a step was scripted
    with ``say``, ``fail``, ``refuse``, ``truncate``, ``disconnect`` or
    ``garble``: steps are taken in order, one per request, before ordinary
    replies. With ``context_tokens`` a request that is longer, as ``count_tokens``
    counts, is refused as a real server refuses it; with ``prefix_cache`` usage is
    counted so too, and prompts that begin like one answered before are reported
    as cached that far. ``hold`` keeps requests waiting until ``release``. Safe to use from
    any thread; the server runs in one of its own until the ``with`` block ends.
    """

    def __init__(
        self,
        reply: Callable[[JudgeRequest], str] | None = None,
        *,
        latency_s: float = 0.0,
        model: str = "loopback-judge",
        keep_requests: bool = True,
        context_tokens: int | None = None,
        prefix_cache: bool = False,
        embed: Callable[[str], Sequence[float]] = embedding,
    ) -> None:
        self._reply = reply or faithful_reply
        self._embed = embed
        self._latency_s = latency_s
        self._model = model
        self._keep = keep_requests
        self._context_tokens = context_tokens
        self._cache = PrefixCache() if prefix_cache else None
        self._longest = 0
        self._changed = threading.Condition()
        self._steps: deque[_Step] = deque()
        self._refused_parameters: set[str] = set()
        self._calls = self._in_flight = self._peak = 0
        self._live: set[Connection] = set()
        self._requests: list[JudgeRequest] = []
        self._held: deque[Callable[[], None]] | None = None
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="judge-server", daemon=True
        )
        self.port = 0
        """The port, once started."""

    # -- life ------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    @property
    def url(self) -> str:
        """The address without a path: ``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """What an environment holds so that judges are asked here, whatever their protocol."""
        return {"SESSIONEVAL_BASE_URL": self.url, "SESSIONEVAL_API_KEY": "loopback-key"}

    # -- what was seen -----------------------------------------------------------

    @property
    def calls(self) -> int:
        """Requests received so far."""
        return self._calls

    @property
    def in_flight(self) -> int:
        """Requests received and not yet answered."""
        return self._in_flight

    @property
    def peak_in_flight(self) -> int:
        """The most requests that were in flight at once."""
        return self._peak

    @property
    def longest_request(self) -> int:
        """Tokens of the longest request so far, where requests are measured at all."""
        return self._longest

    @property
    def connections(self) -> int:
        """Connections that are open."""
        return len(self._live)

    @property
    def requests(self) -> Sequence[JudgeRequest]:
        """Every request, in order of arrival (empty with ``keep_requests=False``)."""
        with self._changed:
            return tuple(self._requests)

    def wait_for_calls(self, count: int, timeout_s: float = 30.0) -> None:
        """Return once ``count`` requests have arrived; raises ``TimeoutError``."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._calls >= count, timeout_s):
                raise TimeoutError(f"{self._calls} of {count} calls after {timeout_s:g} s")

    # -- what is to happen ---------------------------------------------------------

    def say(self, *texts: str) -> None:
        """Answer the next requests with these texts."""
        self._script(_Step(text=text) for text in texts)

    def fail(
        self,
        times: int = 1,
        *,
        status: int = 503,
        message: str = "overloaded",
        retry_after: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer the next requests with an error status."""
        given = dict(headers or {})
        if retry_after is not None:
            given["retry-after"] = retry_after
        self._script([_Step(status=status, text=message, headers=given)] * times)

    def refuse(self, times: int = 1, message: str = "I cannot help with that.") -> None:
        """Answer the next requests with a refusal as the protocol marks it."""
        self._script([_Step(text=message, refused=True)] * times)

    def truncate(self, times: int = 1) -> None:
        """Answer the next requests with a reply cut at the longest length asked for."""
        self._script([_Step(text='{"nonce": "', truncated=True)] * times)

    def garble(self, content: bytes, times: int = 1) -> None:
        """Answer the next requests with status 200 and this body."""
        self._script([_Step(raw=content)] * times)

    def disconnect(self, times: int = 1) -> None:
        """Close the connection of the next requests without an answer."""
        self._script([_Step(disconnect=True)] * times)

    def refuse_parameter(self, *names: str) -> None:
        """Answer 400, naming it, to every request with one of these top-level parameters."""
        with self._changed:
            self._refused_parameters.update(names)

    def hold(self) -> None:
        """Keep requests waiting from now on, until ``release``."""
        with self._changed:
            if self._held is None:
                self._held = deque()

    def release(self, count: int | None = None) -> None:
        """Answer ``count`` of the requests that wait, oldest first; None: all, and hold no more."""
        with self._changed:
            waiting = self._held if self._held is not None else deque[Callable[[], None]]()
            due = [waiting.popleft() for _ in range(min(len(waiting), count or len(waiting)))]
            if count is None:
                self._held = None
        for answer in due:
            self._loop.call_soon_threadsafe(answer)

    def _script(self, steps: Iterable[_Step]) -> None:
        with self._changed:
            self._steps.extend(steps)

    # -- in the server's thread ------------------------------------------------------

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(
            lambda: Connection(self._received, self._live), "127.0.0.1", 0, backlog=1024
        )

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._live):
            connection.abort()
        await asyncio.sleep(0)

    def _received(self, request: JudgeRequest, answer: Callable[[bytes | None], None]) -> None:
        """Take a request; ``answer`` sends a response, or closes the connection on None."""
        cached = 0 if self._cache is None else self._cache.cached_tokens(request.text)

        def respond() -> None:
            response = self._response(request, step, cached)
            with self._changed:
                self._in_flight -= 1
            answer(response)

        with self._changed:
            self._calls += 1
            self._in_flight += 1
            self._peak = max(self._peak, self._in_flight)
            if self._keep:
                self._requests.append(request)
            step = self._steps.popleft() if self._steps else _ORDINARY
            self._changed.notify_all()
            if self._held is not None:
                self._held.append(respond)
                return
        if self._latency_s:
            self._loop.call_later(self._latency_s, respond)
        else:
            respond()

    def _response(self, request: JudgeRequest, step: _Step, cached: int) -> bytes | None:
        if step.disconnect:
            return None
        if step.raw is not None:
            return http_response(_OK, step.raw, step.headers)
        unwanted = sorted(self._refused_parameters.intersection(request.body))
        if unwanted:
            step = _Step(status=400, text=f"Unsupported parameter: {unwanted[0]!r}")
        asked = self._measured(request)
        if self._context_tokens is not None and asked > self._context_tokens:
            said = f"maximum context length is {self._context_tokens} tokens, found {asked}"
            step = _Step(status=400, text=said)
        if step.status != _OK:
            body = json.dumps({"error": {"message": step.text}}).encode()
            return http_response(step.status, body, step.headers)
        if request.is_embedding and step.text is None:
            value = embeddings(request, self._embed, self._model)
            return http_response(_OK, json.dumps(value).encode(), step.headers)
        try:
            text = self._reply(request) if step.text is None else step.text
        # The boundary around a test's own reply function: what it raises is told to the client.
        except Exception as error:  # noqa: BLE001
            message = f"reply function: {type(error).__name__}: {error}"
            return http_response(500, json.dumps({"error": {"message": message}}).encode(), {})
        value = envelope(
            request,
            text,
            self._model,
            usage=self._usage(request, Counted(asked, cached, count_tokens(text))),
            refused=step.refused,
            truncated=step.truncated,
        )
        return http_response(_OK, json.dumps(value).encode(), step.headers)

    def _measured(self, request: JudgeRequest) -> int:
        """Return a request's tokens; 0 where nobody wants to know."""
        if self._context_tokens is None and self._cache is None:
            return 0
        tokens = count_tokens(request.text)
        with self._changed:
            self._longest = max(self._longest, tokens)
        return tokens

    def _usage(self, request: JudgeRequest, counted: Counted) -> Counted | None:
        """Return what is reported: counted where there is a cache, which then holds the prompt."""
        if self._cache is None:
            return None
        self._cache.answered(request.text)
        return counted

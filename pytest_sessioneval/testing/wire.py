"""HTTP/1.1 as the loopback judge speaks it: just enough, and quick."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from pytest_sessioneval.testing.requests import JudgeRequest
from pytest_sessioneval.transcripts.model import JsonObject

__all__ = ["Connection", "Counted", "Take", "embeddings", "envelope", "http_response"]

Take = Callable[[JudgeRequest, Callable[[bytes | None], None]], None]
"""Takes a request and a function that sends its response, or hangs up on None."""

_END = b"\r\n\r\n"
_CHARS_PER_TOKEN = 4


class Connection(asyncio.Protocol):
    """One keep-alive connection; ``live`` holds it as long as it is open."""

    def __init__(self, take: Take, live: set[Connection]) -> None:
        self._take = take
        self._live = live
        self._bytes = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
        self._live.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Forget the transport."""
        self._transport = None
        self._live.discard(self)

    def data_received(self, data: bytes) -> None:
        """Hand on every request that is complete."""
        self._bytes += data
        while (request := self._next()) is not None:
            self._take(request, self._send)

    def abort(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _send(self, response: bytes | None) -> None:
        if self._transport is None:
            return  # the client is gone
        if response is None:
            self._transport.close()
        else:
            self._transport.write(response)

    def _next(self) -> JudgeRequest | None:
        end = self._bytes.find(_END)
        if end < 0:
            return None
        lines = self._bytes[:end].decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:])
        }
        start = end + len(_END)
        stop = start + int(headers.get("content-length", "0"))
        if len(self._bytes) < stop:
            return None
        content = bytes(self._bytes[start:stop])
        del self._bytes[:stop]
        return JudgeRequest(lines[0].split(" ")[1], headers, content)


def http_response(status: int, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return a whole response with a JSON body."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [
        f"HTTP/1.1 {status} {phrase}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode("latin-1") + _END + body


@dataclass(frozen=True, slots=True)
class Counted:
    """What one request and its reply took, in tokens."""

    asked: int
    """Of the prompt, cached ones included."""
    cached: int
    """Of them, read from a cache."""
    said: int


def embeddings(
    request: JudgeRequest, embed: Callable[[str], Sequence[float]], model: str
) -> JsonObject:
    """Return the embeddings that a request asks for, in OpenAI's form; four characters a token."""
    asked = request.body.get("input", [])
    texts = [asked] if isinstance(asked, str) else asked
    tokens = sum(map(len, texts)) // _CHARS_PER_TOKEN
    return {
        "object": "list",
        "model": model,
        "data": [
            {"object": "embedding", "index": index, "embedding": list(embed(text))}
            for index, text in enumerate(texts)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def envelope(
    request: JudgeRequest,
    text: str,
    model: str,
    *,
    usage: Counted | None = None,
    refused: bool,
    truncated: bool,
) -> JsonObject:
    """Return a reply's text in the form of the protocol the request's path belongs to.

    Without ``usage``: a token per four characters, half of the prompt cached.
    """
    if usage is None:
        tokens = len(request.content) // _CHARS_PER_TOKEN
        usage = Counted(tokens, tokens // 2, len(text) // _CHARS_PER_TOKEN)
    asked, said = usage.asked, usage.said
    if request.path.endswith("/messages"):
        stop = "refusal" if refused else "max_tokens" if truncated else "end_turn"
        return {
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [{"type": "text", "text": text}],
            "stop_reason": stop,
            "usage": {
                "input_tokens": asked - usage.cached,
                "cache_read_input_tokens": usage.cached,
                "output_tokens": said,
            },
        }
    if request.path.endswith("/api/chat"):
        return {
            "model": model,
            "message": {"role": "assistant", "content": text},
            "done": True,
            "done_reason": "length" if truncated else "stop",
            "prompt_eval_count": asked,
            "eval_count": said,
        }
    message = {"role": "assistant", "content": text, "refusal": None}
    if refused:
        message = {"role": "assistant", "content": None, "refusal": text}
    return {
        "object": "chat.completion",
        "model": model,
        "choices": [
            {"index": 0, "message": message, "finish_reason": "length" if truncated else "stop"}
        ],
        "usage": {
            "prompt_tokens": asked,
            "completion_tokens": said,
            "prompt_tokens_details": {"cached_tokens": usage.cached},
        },
    }

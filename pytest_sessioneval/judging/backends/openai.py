"""Any server that speaks OpenAI's chat completions: OpenAI, Azure, vLLM, llama.cpp, LiteLLM.

The reply is asked for as ``response_format: json_schema`` (strict); a server
that refuses the schema's patterns and counts is asked without them, and one
that refuses schemas for the same JSON in text. Limits on the length of texts go
to servers of this machine only: small models need them, OpenAI refuses them.
``max_completion_tokens`` becomes ``max_tokens`` where the server knows only that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_sessioneval.errors import TransportError
from pytest_sessioneval.judging.backends.http import Connections, Posted
from pytest_sessioneval.judging.backends.negotiation import Negotiation
from pytest_sessioneval.judging.backends.parameters import (
    BOUNDS,
    LENGTHS,
    Parameters,
    Value,
    tokens,
    without,
)
from pytest_sessioneval.judging.model import Completion, Prompt
from pytest_sessioneval.judging.prompts import chat_messages
from pytest_sessioneval.verdicts.model import CallCount

__all__ = ["OpenAIBackend"]

_FORMAT = "response_format"
_LIMIT = "max_completion_tokens"
_BOUNDED = "bounds of the schema"


class OpenAIBackend:
    """Asks ``POST {base_url}/chat/completions``."""

    name = "openai"

    def __init__(
        self,
        model: str,
        connections: Connections,
        parameters: Parameters,
        *,
        local: bool = False,
    ) -> None:
        self.model = model
        self._unwanted = frozenset() if local else LENGTHS
        self.parameters = parameters.sampling()
        self._connections = connections
        self._negotiation = Negotiation(named=(_LIMIT,), blind=(_BOUNDED, _FORMAT))

    def complete(self, prompt: Prompt) -> Completion:
        """Return the first choice; raises ``TransportError``.

        ``sent`` also holds how the JSON was asked for (``reply_format``) and the
        ``system_fingerprint`` that came back, where one did.
        """
        sent: dict[str, Value] = dict(self.parameters)

        def body(refused: frozenset[str]) -> dict[str, Any]:
            sent["reply_format"] = "text" if _FORMAT in refused else "json_schema"
            return self._body(prompt, refused)

        posted = self._negotiation.post(self._connections, "/chat/completions", body)
        value = posted.value
        choice = _choice(posted)
        message = choice.get("message")
        message = message if isinstance(message, Mapping) else {}
        fingerprint = value.get("system_fingerprint")
        if isinstance(fingerprint, str) and fingerprint:
            sent["system_fingerprint"] = fingerprint
        finish = choice.get("finish_reason")
        refusal = message.get("refusal")
        return Completion(
            text=refusal if isinstance(refusal, str) and refusal else _text(message.get("content")),
            model=str(value.get("model") or self.model),
            spent=posted.spent + _usage(value.get("usage")),
            sent=sent,
            refused=bool(refusal) or finish == "content_filter",
            truncated=finish == "length",
        )

    def close(self) -> None:
        """Release connections."""
        self._connections.close()

    def _body(self, prompt: Prompt, refused: frozenset[str]) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.model, "messages": chat_messages(prompt)}
        for name in ("temperature", "seed"):
            if name in self.parameters:
                body[name] = self.parameters[name]
        if "max_output_tokens" in self.parameters:
            limit = "max_tokens" if _LIMIT in refused else _LIMIT
            body[limit] = self.parameters["max_output_tokens"]
        if _FORMAT not in refused:
            schema = without(prompt.schema, BOUNDS if _BOUNDED in refused else self._unwanted)
            named = {"name": "judge_reply", "strict": True, "schema": schema}
            body[_FORMAT] = {"type": "json_schema", "json_schema": named}
        return body


def _choice(posted: Posted) -> Mapping[str, Any]:
    choices = posted.value.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
        return choices[0]
    error = TransportError(
        "the response has no choices: is the base URL that of an OpenAI-compatible server "
        "(it usually ends in /v1)?"
    )
    error.spent = posted.spent
    raise error


def _text(content: Any) -> str:
    """Return a message's text; some servers split it into parts."""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, Mapping))
    return content if isinstance(content, str) else ""


def _usage(usage: Any) -> CallCount:
    return CallCount(
        input_tokens=tokens(usage, "prompt_tokens"),
        output_tokens=tokens(usage, "completion_tokens"),
        cached_tokens=tokens(usage, "prompt_tokens_details", "cached_tokens"),
        reasoning_tokens=tokens(usage, "completion_tokens_details", "reasoning_tokens"),
    )

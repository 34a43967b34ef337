"""Anthropic's messages API.

The reply is asked for as text constrained by ``output_config.format`` (no
tool: a judge has none); a model that refuses it is asked for the same JSON in
plain text. The API takes no seed, and no length, range or count keywords in a
schema: neither is sent. The rules and the transcript end in a cache mark: all of a
session's experts share them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_sessioneval.judging.backends.http import Connections
from pytest_sessioneval.judging.backends.negotiation import Negotiation
from pytest_sessioneval.judging.backends.parameters import (
    BOUNDS,
    Parameters,
    Value,
    tokens,
    without,
)
from pytest_sessioneval.judging.model import Completion, Prompt
from pytest_sessioneval.judging.prompts import repair_messages
from pytest_sessioneval.verdicts.model import CallCount

__all__ = ["DEFAULT_MAX_TOKENS", "VERSION", "AnthropicBackend"]

VERSION = "2023-06-01"
"""The API version asked for."""

DEFAULT_MAX_TOKENS = 8_192
"""The API needs a longest reply; used where the suite sets none."""

_FORMAT = "output_config"


class AnthropicBackend:
    """Asks ``POST {base_url}/v1/messages``."""

    name = "anthropic"

    def __init__(self, model: str, connections: Connections, parameters: Parameters) -> None:
        self.model = model
        self.parameters: dict[str, Value] = {
            "max_output_tokens": DEFAULT_MAX_TOKENS,
            **parameters.sampling(),
        }
        self.parameters.pop("seed", None)
        self._connections = connections
        self._negotiation = Negotiation(blind=(_FORMAT,))

    def complete(self, prompt: Prompt) -> Completion:
        """Return the text of the response; raises ``TransportError``."""
        sent: dict[str, Value] = dict(self.parameters)

        def body(refused: frozenset[str]) -> dict[str, Any]:
            sent["reply_format"] = "text" if _FORMAT in refused else "json_schema"
            return self._body(prompt, refused)

        posted = self._negotiation.post(self._connections, "/v1/messages", body)
        value = posted.value
        stop = value.get("stop_reason")
        return Completion(
            text=_text(value.get("content")),
            model=str(value.get("model") or self.model),
            spent=posted.spent + _usage(value.get("usage")),
            sent=sent,
            refused=stop == "refusal",
            truncated=stop in {"max_tokens", "model_context_window_exceeded"},
        )

    def close(self) -> None:
        """Release connections."""
        self._connections.close()

    def _body(self, prompt: Prompt, refused: frozenset[str]) -> dict[str, Any]:
        shared = {"type": "text", "text": prompt.prefix, "cache_control": {"type": "ephemeral"}}
        asked = [shared, {"type": "text", "text": prompt.question}]
        messages: list[dict[str, Any]] = [{"role": "user", "content": asked}]
        messages += repair_messages(prompt)
        body: dict[str, Any] = {
            "model": self.model,
            "max_tokens": self.parameters["max_output_tokens"],
            "system": prompt.system,
            "messages": messages,
        }
        if "temperature" in self.parameters:
            body["temperature"] = self.parameters["temperature"]
        if _FORMAT not in refused:
            schema = without(prompt.schema, BOUNDS)
            body[_FORMAT] = {"format": {"type": "json_schema", "schema": schema}}
        return body


def _text(content: Any) -> str:
    blocks = content if isinstance(content, list) else []
    texts = [
        block.get("text")
        for block in blocks
        if isinstance(block, Mapping) and block.get("type") == "text"
    ]
    return "".join(text for text in texts if isinstance(text, str))


def _usage(usage: Any) -> CallCount:
    cached = tokens(usage, "cache_read_input_tokens")
    written = tokens(usage, "cache_creation_input_tokens")
    return CallCount(
        input_tokens=tokens(usage, "input_tokens") + written + cached,
        output_tokens=tokens(usage, "output_tokens"),
        cached_tokens=cached,
        cache_write_tokens=written,
    )

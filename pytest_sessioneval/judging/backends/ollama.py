"""Ollama's chat API, with the reply constrained by ``format``.

Ollama cuts a prompt that is longer than ``num_ctx`` at its beginning without a
word, which would leave a judge half a transcript. So ``num_ctx`` is sent,
large enough for the prompt, in powers of two because every change of it
reloads the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_sessioneval.errors import TransportError
from pytest_sessioneval.judging.backends.http import Connections
from pytest_sessioneval.judging.backends.parameters import Parameters, Value, tokens
from pytest_sessioneval.judging.model import Completion, Prompt
from pytest_sessioneval.judging.prompts import chat_messages
from pytest_sessioneval.verdicts.model import CallCount

__all__ = ["OllamaBackend"]

_OPTIONS = {"temperature": "temperature", "seed": "seed", "max_output_tokens": "num_predict"}
_REPLY_TOKENS = 2_048
_SMALLEST_CONTEXT = 8_192
_CHARS_PER_TOKEN = 3


class OllamaBackend:
    """Asks ``POST {base_url}/api/chat``."""

    name = "ollama"

    def __init__(self, model: str, connections: Connections, parameters: Parameters) -> None:
        self.model = model
        self.parameters = parameters.sampling()
        self._context_tokens = parameters.context_tokens
        self._connections = connections

    def complete(self, prompt: Prompt) -> Completion:
        """Return the model's message; raises ``TransportError``."""
        messages = chat_messages(prompt)
        context = self._context(sum(len(message["content"]) for message in messages))
        options: dict[str, Value] = {_OPTIONS[key]: value for key, value in self.parameters.items()}
        body = {
            "model": self.model,
            "messages": messages,
            "stream": False,
            "format": prompt.schema,
            "options": {**options, "num_ctx": context},
        }
        posted = self._connections.post("/api/chat", body)
        value = posted.value
        message = value.get("message")
        if not isinstance(message, Mapping):
            error = TransportError("the response has no message: is the address that of an Ollama?")
            error.spent = posted.spent
            raise error
        content = message.get("content")
        return Completion(
            text=content if isinstance(content, str) else "",
            model=str(value.get("model") or self.model),
            spent=posted.spent + _usage(value),
            sent={**self.parameters, "num_ctx": context, "reply_format": "json_schema"},
            truncated=value.get("done_reason") == "length",
        )

    def close(self) -> None:
        """Release connections."""
        self._connections.close()

    def _context(self, chars: int) -> int:
        """Return the context to ask for, in tokens: a power of two that holds prompt and reply."""
        reply = self.parameters.get("max_output_tokens")
        needed = chars // _CHARS_PER_TOKEN + (reply if isinstance(reply, int) else _REPLY_TOKENS)
        context = max(_SMALLEST_CONTEXT, 1 << needed.bit_length())
        return min(context, max(self._context_tokens, _SMALLEST_CONTEXT))


def _usage(value: Any) -> CallCount:
    return CallCount(
        input_tokens=tokens(value, "prompt_eval_count"), output_tokens=tokens(value, "eval_count")
    )

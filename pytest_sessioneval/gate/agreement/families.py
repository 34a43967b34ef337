"""Which family a model belongs to: a judge favours what its own family wrote."""

from __future__ import annotations

import re

__all__ = ["model_family"]

_FAMILIES = {
    "OpenAI": r"gpt|chatgpt|o[1-9]|davinci|codex",
    "Anthropic": r"claude",
    "Google": r"gemini|gemma|palm",
    "Meta": r"llama|codellama",
    "Mistral": r"mistral|mixtral|ministral|magistral|codestral|devstral|pixtral",
    "Qwen": r"qwen|qwq",
    "DeepSeek": r"deepseek",
    "xAI": r"grok",
    "Cohere": r"command|aya",
    "Microsoft": r"phi",
    "Amazon": r"nova|titan",
    "Moonshot": r"kimi|moonshot",
    "Z.ai": r"glm|chatglm",
    "SmolLM": r"smollm",
}


def model_family(model: str) -> str | None:
    """Return who made a model, by its name; None where the name does not say.

    What stands before a slash or colon (a protocol, a host, an account) does
    not count: ``openai:`` may lead to any model.
    """
    for part in reversed(re.split(r"[/:]", model.lower())):
        words = re.split(r"[^a-z0-9]+", part)
        for family, names in _FAMILIES.items():
            if any(re.match(rf"(?:{names})(?![a-z])", word) for word in words):
                return family
    return None

"""What a suite may ask of a model beside the prompt, and reading counts out of responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_sessioneval.judging.models import DEFAULT_CONTEXT
from pytest_sessioneval.judging.remembering import remembered
from pytest_sessioneval.suites.model import JudgeSettings

__all__ = ["BOUNDS", "LENGTHS", "Parameters", "Value", "tokens", "without"]

Value = str | int | float | bool | None

LENGTHS = frozenset({"minLength", "maxLength"})
"""Keywords that bound a text in a JSON Schema."""

BOUNDS = LENGTHS | {"minItems", "maxItems", "minimum", "maximum", "pattern"}
"""All keywords that bound a value; no reply is accepted for keeping to them alone."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Sampling parameters; None is never sent."""

    temperature: float | None = None
    seed: int | None = None
    max_output_tokens: int | None = None
    context_tokens: int = DEFAULT_CONTEXT

    @classmethod
    def of(cls, settings: JudgeSettings) -> Parameters:
        """Return what ``[judge]`` says."""
        return cls(
            temperature=settings.temperature,
            seed=settings.seed,
            max_output_tokens=settings.max_output_tokens,
            context_tokens=settings.context_tokens or DEFAULT_CONTEXT,
        )

    def sampling(self) -> dict[str, Value]:
        """Return the parameters that are set and can move a score, by our own names."""
        named: dict[str, Value] = {
            "temperature": self.temperature,
            "seed": self.seed,
            "max_output_tokens": self.max_output_tokens,
        }
        return {name: value for name, value in named.items() if value is not None}


def without(schema: Any, keywords: frozenset[str]) -> Any:
    """Return the JSON Schema without these keywords, at any depth."""
    return _without(schema, keywords) if keywords else schema


@remembered
def _without(schema: Any, keywords: frozenset[str]) -> Any:
    """Return the same, for the schema that a run's questions share made once."""
    return _reduced(schema, keywords)


def _reduced(schema: Any, keywords: frozenset[str]) -> Any:
    if isinstance(schema, Mapping):
        return {
            name: _reduced(value, keywords)
            for name, value in schema.items()
            if name not in keywords
        }
    return [_reduced(item, keywords) for item in schema] if isinstance(schema, list) else schema


def tokens(usage: Any, *path: str) -> int:
    """Return the count at ``path`` of a response's usage object; 0 where it has none."""
    for name in path:
        usage = usage.get(name) if isinstance(usage, Mapping) else None
    return usage if isinstance(usage, int) and usage >= 0 and not isinstance(usage, bool) else 0

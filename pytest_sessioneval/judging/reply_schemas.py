"""The form of a judge's reply as JSON Schema."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pytest_sessioneval.judging.replies import NO_FAILURE, OTHER_FAILURE
from pytest_sessioneval.suites.model import Axis, Rubric
from pytest_sessioneval.transcripts.model import JsonObject

__all__ = [
    "LABEL_PATTERN",
    "LONGEST_QUOTE",
    "NONCE_PATTERN",
    "accepted_tags",
    "list_schema",
    "object_schema",
    "reply_schema",
]

MOST_QUOTES = 6
"""Quotes a judge is asked for per axis, at most."""

LONGEST_QUOTE = 300
"""Characters of a quote a judge is asked for, at most."""

NONCE_PATTERN = r"^[0-9a-f]{32}$"
"""What a session's code looks like, as a JSON Schema says it."""

LABEL_PATTERN = r"^(A[0-9]+\.)?M[0-9]+$"
"""What a message's label looks like, as a JSON Schema says it."""

_LONGEST_RATIONALE = 800


def reply_schema(axes: Sequence[Axis], rubric: Rubric) -> JsonObject:
    """Return the JSON Schema of a reply on ``axes``.

    Fit for strict structured output: every property required, no other allowed,
    one kind of object per list. What that form cannot say (each axis once, each
    axis's own levels and tags) is checked when the reply is read. Lengths,
    counts and patterns keep small models from running on; a backend leaves out
    those its servers do not take.
    """
    label = {"type": "string", "description": "label of the message", "pattern": LABEL_PATTERN}
    quote = {
        "type": "string",
        "description": "copied word for word, 12 to 300 characters",
        "maxLength": LONGEST_QUOTE,
    }
    polarity = {"type": "string", "enum": ["positive", "negative"]}
    axis = object_schema(
        axis={"type": "string", "enum": [axis.name for axis in axes]},
        evidence=list_schema(
            object_schema(message=label, quote=quote, polarity=polarity), most=MOST_QUOTES
        ),
        rationale={
            "type": "string",
            "description": "at most 80 words",
            "maxLength": _LONGEST_RATIONALE,
        },
        applicable=_applicable_schema(axes),
        level=_level_schema(axes, rubric),
        failure_tag={"type": "string", "enum": accepted_tags(axes)},
    )
    return object_schema(
        nonce={"type": "string", "pattern": NONCE_PATTERN},
        instructions_found_in_transcript=list_schema(
            object_schema(message=label, quote=quote), most=8
        ),
        axes={**list_schema(axis, most=len(axes)), "minItems": len(axes)},
    )


def object_schema(**properties: JsonObject) -> JsonObject:
    """Return the JSON Schema of an object with exactly these keys."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def list_schema(items: JsonObject, *, most: int) -> JsonObject:
    """Return the JSON Schema of a list of at most that many items."""
    return {"type": "array", "items": items, "maxItems": most}


def _applicable_schema(axes: Sequence[Axis]) -> JsonObject:
    always = not any(axis.nullable for axis in axes)
    return {"type": "boolean", "enum": [True]} if always else {"type": "boolean"}


def _level_schema(axes: Sequence[Axis], rubric: Rubric) -> JsonObject:
    nullable = any(axis.nullable for axis in axes)
    kind: Any = ["integer", "null"] if nullable else "integer"
    if rubric.score_mode == "free":
        return {"type": kind, "minimum": 0, "maximum": 100}
    scores: list[int | None] = [*sorted({level.score for axis in axes for level in axis.levels})]
    return {"type": kind, "enum": [*scores, None] if nullable else scores}


def accepted_tags(axes: Iterable[Axis]) -> list[str]:
    """Return the failure tags that a reply on ``axes`` may hold, in their order."""
    tags = dict.fromkeys(tag for axis in axes for tag in axis.failure_tags)
    return [*dict.fromkeys([*tags, OTHER_FAILURE, NO_FAILURE])]

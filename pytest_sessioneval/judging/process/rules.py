"""What each kind of finding costs on each axis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["RULES", "Rule"]

Per = Literal["count", "call"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What one kind of finding costs on one axis."""

    kind: str
    """Of the finding."""
    loss: float
    """The most it can cost: a share of the score, 0–1."""
    scale: float
    """At this x, 63 % of the loss is reached."""
    says: str
    """The sentence of the comment; ``{n}``, ``{calls}`` and ``{where}`` are filled in."""
    tags: tuple[str, ...] = ()
    """The failure tags that name it, best first; the rubric's first match is given."""
    per: Per = "count"
    """What x is: the count, or the count per tool call of the session."""

    def kept(self, x: float) -> float:
        """Return the share of the score that is kept, 0–1."""
        return 1 - self.loss * (1 - math.exp(-x / self.scale))


RULES: Mapping[str, tuple[Rule, ...]] = {
    "tool_usage_quality": (
        Rule(
            "failed",
            0.60,
            0.40,
            "{n} of {calls} calls failed: {where}.",
            ("wrong_arguments",),
            "call",
        ),
        Rule(
            "bad_arguments",
            0.45,
            2.0,
            "The tool refused the arguments: {where}.",
            ("wrong_arguments",),
        ),
        Rule("unknown_tool", 0.50, 1.5, "No such tool: {where}.", ("wrong_tool",)),
        Rule("retry", 0.60, 2.0, "{where}.", ("error_repeated",)),
        Rule("repeat", 0.40, 3.0, "{where}.", ("result_ignored",)),
        Rule("cycle", 0.50, 1.5, "{where}.", ("error_repeated", "result_ignored")),
        Rule(
            "invented_argument",
            0.45,
            2.0,
            "Stands nowhere before the call: {where}.",
            ("invented_arguments",),
        ),
        Rule("denied", 0.20, 2.0, "Not allowed: {where}.", ()),
        Rule("missing", 0.15, 3.0, "No result is recorded: {where}.", ()),
    ),
    "efficiency": (
        Rule("failed", 0.40, 0.40, "{n} of {calls} calls failed: {where}.", ("detour",), "call"),
        Rule(
            "bad_arguments",
            0.40,
            0.40,
            "The tool refused the arguments: {where}.",
            ("detour",),
            "call",
        ),
        Rule("unknown_tool", 0.40, 0.40, "No such tool: {where}.", ("detour",), "call"),
        Rule("retry", 0.45, 2.5, "{where}.", ("repeated_call", "loop")),
        Rule("repeat", 0.45, 2.5, "{where}.", ("repeated_call",)),
        Rule("cycle", 0.50, 1.5, "{where}.", ("loop",)),
        Rule(
            "repeated_text",
            0.30,
            2.0,
            "The agent said the same again: {where}.",
            ("overproduction",),
        ),
        Rule("correction", 0.20, 3.0, "The user set the agent right: {where}.", ("rework",)),
        Rule("asked_again", 0.20, 3.0, "The user said the same again: {where}.", ("rework",)),
        Rule("compaction", 0.10, 2.0, "The context was compacted: {where}.", ()),
        Rule(
            "unfinished",
            0.35,
            0.2,
            "The session ends without an answer: {where}.",
            ("stopped_early",),
        ),
        Rule("unanswered", 0.20, 1.0, "The user got no answer: {where}.", ("stopped_early",)),
    ),
    "communication": (
        Rule(
            "silent",
            0.80,
            0.2,
            "The agent never said a word to what it was asked: {where}.",
            ("question_unanswered",),
        ),
        Rule(
            "unfinished",
            0.55,
            0.2,
            "The session ends without an answer: {where}.",
            ("question_unanswered",),
        ),
        Rule("unanswered", 0.55, 1.0, "The user got no answer: {where}.", ("question_unanswered",)),
        Rule("correction", 0.50, 2.0, "The user set the agent right: {where}.", ("misunderstood",)),
        Rule(
            "asked_again",
            0.40,
            2.0,
            "The user said the same again: {where}.",
            ("misunderstood", "question_unanswered"),
        ),
        Rule(
            "ungrounded_identifier",
            0.50,
            2.0,
            "Told, and found nowhere before: {where}.",
            ("unsupported_claim",),
        ),
        Rule(
            "ungrounded_amount",
            0.40,
            3.0,
            "Told, found nowhere before, and no simple sum or difference: {where}.",
            ("unsupported_claim",),
        ),
        Rule(
            "ungrounded_date",
            0.40,
            3.0,
            "Told, and near no date before: {where}.",
            ("unsupported_claim",),
        ),
        Rule(
            "unrelated_answer",
            0.15,
            0.2,
            "An answer of words that occur nowhere before: {where}.",
            ("unsupported_claim",),
        ),
        Rule("false_claim", 0.50, 0.7, "{where}.", ("false_claim", "failure_concealed")),
        Rule("repeated_text", 0.30, 2.0, "The agent said the same again: {where}.", ("unclear",)),
        Rule("interrupt", 0.25, 2.0, "The user interrupted: {where}.", ()),
    ),
    "subagent_orchestration": (
        Rule(
            "unfinished_subagent",
            0.70,
            1.0,
            "Sub-agents that never reported: {where}.",
            ("result_unchecked", "result_ignored"),
        ),
        Rule(
            "unused_report",
            0.45,
            1.5,
            "Reports that left no trace in what the agent said or did afterwards: {where}.",
            ("result_ignored",),
        ),
        Rule(
            "doubled_call",
            0.40,
            4.0,
            "Looked up twice: {where}.",
            ("done_twice", "overlapping_work"),
        ),
        Rule("failed_spawn", 0.40, 1.5, "Starting a sub-agent failed: {where}.", ("vague_brief",)),
    ),
}
"""What each kind of finding costs, by axis."""

"""A small rubric, a session, and replies on it, for the tests of judging."""

from __future__ import annotations

import json
from typing import Any

from pytest_sessioneval.judging.model import Case
from pytest_sessioneval.suites.model import Axis, Expert, Level, Rubric
from pytest_sessioneval.testing import tool, transcript

NONCE = "0123456789abcdef0123456789abcdef"

LEVELS = tuple(Level(score=score, anchor=f"looks like {score}") for score in range(0, 101, 20))

GOAL = Axis(
    name="goal",
    question="Was it done?",
    levels=LEVELS,
    failure_tags=("not_done", "wrong"),
    evidence_roles=("tool", "user"),
)
TONE = Axis(
    name="tone",
    question="Was it said well?",
    levels=LEVELS,
    nullable=True,
    null_when="nobody speaks",
)
RUBRIC = Rubric(name="small", version=1, axes=(GOAL, TONE))
FREE = RUBRIC.model_copy(update={"score_mode": "free"})
EXPERT = Expert(id="outcome", instruction="Look at the end.", axes=("goal", "tone"))

SESSION = transcript(
    ("system", "You are the shop's assistant."),
    ("user", "Please refund my order W12."),
    tool("refund", {"order": "W12"}, result="refund of W12 issued: 30.00 EUR", text="One moment."),
    ("assistant", "Your refund has been issued, all is well."),
    ("user", "Thank you, the money arrived!"),
)
"""Messages: 0 system, 1 user, 2 assistant with a call, 3 tool, 4 assistant, 5 user."""


def case(**changes: Any) -> Case:
    """Return a case on ``SESSION`` with both axes."""
    given: dict[str, Any] = {
        "session_id": "session-1",
        "transcript": SESSION,
        "rubric": RUBRIC,
        "expert": EXPERT,
        "axes": (GOAL, TONE),
        "nonce": NONCE,
    }
    return Case(**{**given, **changes})


def cite(message: str | int, quote: str, polarity: str = "positive") -> dict[str, Any]:
    """Return one entry of an axis's evidence."""
    return {"message": message, "quote": quote, "polarity": polarity}


GOOD_QUOTE = cite("M3", "refund of W12 issued")


def axis_reply(name: str, **changes: Any) -> dict[str, Any]:
    """Return one axis of a reply: level 80 with a good quote, unless changed."""
    given = {
        "axis": name,
        "evidence": [GOOD_QUOTE],
        "rationale": "as quoted",
        "applicable": True,
        "level": 80,
        "failure_tag": "none",
    }
    return {**given, **changes}


def reply_value(*axes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a reply on both axes, or on those given."""
    given = {
        "nonce": NONCE,
        "instructions_found_in_transcript": [],
        "axes": list(axes) or [axis_reply("goal"), axis_reply("tone")],
    }
    return {**given, **changes}


def reply(*axes: dict[str, Any], **changes: Any) -> str:
    """Return the same as text."""
    return json.dumps(reply_value(*axes, **changes))

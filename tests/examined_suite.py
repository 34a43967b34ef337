"""A suite whose sessions are as good as a tool says, and judges that know it or do not."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from pytest_sessioneval.testing import JudgeRequest, faithful_reply

__all__ = ["AXIS", "GRADES", "gullible", "just", "labels_of", "write_examined"]

AXIS = "goal_completion"
GRADES = [40, 60, 80, 100] * 9
"""What 36 sessions deserve."""

_SUITE = f"""\
[suite]
name = "orders"
key = "task_id"

[judge]
model = "openai:loopback"

[[judge.experts]]
id = "one"
instruction = "Look at what came of it."
axes = ["{AXIS}"]
"""
_ANSWER = (
    "Order W{number} was looked up, and what could be done about it was done. You will hear from "
    "us by mail as soon as there is anything new. This completes W{number}."
)
_GRADE = re.compile(r"grade (\d+)")
_ORDER = re.compile(r"\bW\d+")
_COMPLETED = re.compile(r"This completes\W+(W\d+)")
_LONGEST = 185


def write_examined(folder: Path, grades: Sequence[int] = GRADES, *, more: str = "") -> None:
    """Write a suite of sessions ``task-00`` and so on, each with its grade in a tool's result."""
    folder.mkdir(parents=True, exist_ok=True)
    runs = [
        {
            "task_id": f"task-{number:02d}",
            "reward": float(grade >= 80),
            "trial": 0,
            "info": {},
            "traj": [
                {"role": "user", "content": f"What about my order W{number}, please?"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "c1",
                            "type": "function",
                            "function": {"name": "look_up", "arguments": f'{{"id": "W{number}"}}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": f"handled with grade {grade}"},
                {"role": "assistant", "content": _ANSWER.format(number=number)},
            ],
        }
        for number, grade in enumerate(grades)
    ]
    (folder / "sessions.json").write_text(json.dumps(runs), "utf-8")
    (folder / "sessioneval.toml").write_text(_SUITE + more, "utf-8")


def labels_of(grades: Sequence[int] = GRADES) -> str:
    """Return a label table in which two people give what sessions deserve, one a little less."""
    rows = [
        f"task-{number:02d},{AXIS},{grade - off},{who}"
        for number, grade in enumerate(grades)
        for who, off in (("ana", 0), ("bob", 10))
    ]
    return "\n".join(["session,axis,score,by", *rows]) + "\n"


def just(request: JudgeRequest) -> str:
    """Return a reply that goes by the tool's first word, and by whether the order was completed."""
    return faithful_reply(request, _deserved(request))


def gullible(request: JudgeRequest) -> str:
    """Return a reply that is impressed by words: 100 where more is said than the case takes."""
    longest = max((len(text) for _, text in request.messages.values()), default=0)
    more = longest > _LONGEST or any(
        len(text) > len("handled with grade 100")
        for role, text in request.messages.values()
        if role == "tool"
    )
    return faithful_reply(request, 100 if more else _deserved(request))


def _deserved(request: JudgeRequest) -> int:
    by_role: dict[str, str] = {}
    for role, text in request.messages.values():
        by_role[role] = f"{by_role.get(role, '')}\n{text}"
    grade = _GRADE.search(by_role.get("tool", ""))
    asked = _ORDER.search(by_role.get("user", ""))
    answered = _COMPLETED.search(by_role.get("assistant", ""))
    if grade is None or asked is None:
        return 0
    fits = answered is not None and answered.group(1) == asked.group()
    return int(grade.group(1)) if fits else max(int(grade.group(1)) - 40, 0)

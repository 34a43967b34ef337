"""Sessions whose outcome their process tells, or does not tell, to calibrate the judge on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.transcripts.formats.sessioneval import to_lines
from pytest_sessioneval.transcripts.model import Outcome, Transcript

KINDS = ("airline", "retail")


def sessions(
    count: int = 60, *, told: float = 0.9, seed: int = 1, kinds: Sequence[str] = KINDS
) -> list[Transcript]:
    """Return sessions, two a task, every second one a failure, with their outcomes recorded.

    In ``told`` of them (0.5: by chance) process and outcome agree: where a
    session went badly a call failed and the agent declined at the end.
    """
    chance = random.Random(seed)  # noqa: S311
    return [
        _session(number, succeeded=number % 2 == 0, agrees=chance.random() < told, kinds=kinds)
        for number in range(count)
    ]


def write(folder: Path, made: Sequence[Transcript], *, suite: str = "") -> Path:
    """Write the sessions, a file each, and a suite file if there is text for one."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in made:
        (folder / f"{one.session_id}.jsonl").write_text("\n".join(to_lines(one)), "utf-8")
    if suite:
        (folder / "sessioneval.toml").write_text(suite, "utf-8")
    return folder


def _session(number: int, *, succeeded: bool, agrees: bool, kinds: Sequence[str]) -> Transcript:
    went_well = succeeded == agrees
    order = f"W{1000 + number}"
    last = (
        f"Order {order} has been cancelled, as you asked."
        if went_well
        else f"Unfortunately I am unable to cancel order {order} for you."
    )
    result = "cancelled" if went_well else "Error: the order could not be cancelled"
    return transcript(
        ("user", f"Please cancel order {order}."),
        tool("cancel_order", {"order": order}, result=result, is_error=not went_well),
        ("assistant", last),
        session_id=f"session-{number:03d}",
        task_id=f"task-{number // 2}",
        trial=number % 2,
        outcome=Outcome(kind="reward", value=float(succeeded)),
        metadata={"domain": kinds[number // 2 % len(kinds)]} if kinds else {},
    )

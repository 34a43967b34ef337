"""How fast the embedded judge is, and how much of a long session it reads.

    python benchmarks/evidence_judge.py [--sessions N]

Prints sessions per second on sessions of about 10 KB, and the seconds and the
coverage of single sessions of 40 KB to 4 MB. Sessions are made up: a shop's
agent that looks up orders, with a system prompt, ids, amounts and dates.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from pathlib import Path

from pytest_sessioneval.judging.evidence_judge import EvidenceJudge
from pytest_sessioneval.judging.model import Case
from pytest_sessioneval.suites.model import Expert
from pytest_sessioneval.suites.rubric import load_rubric
from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.testing.transcripts import ToolTurn
from pytest_sessioneval.transcripts.model import Transcript

RULES = "Refunds above $100 need the consent of a person. Never tell one customer of another. "


def session(size: int, seed: int) -> Transcript:
    """Return a session of about ``size`` characters."""
    chance = random.Random(seed)
    turns: list[tuple[str, str] | ToolTurn] = [("system", RULES * max(1, size // 400))]
    written = len(RULES) * max(1, size // 400)
    while written < size:
        order = f"W{chance.randrange(10**6, 10**7)}"
        record = {
            "order_id": order,
            "date": f"2026-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}",
            "items": [
                {"item": f"I{chance.randrange(10**5)}", "price": chance.randrange(10**4) / 100}
                for _ in range(8)
            ],
        }
        total = sum(item["price"] for item in record["items"])  # type: ignore[index]
        exchange: list[tuple[str, str] | ToolTurn] = [
            ("user", f"What is the state of my order {order}, and what did I pay for it?"),
            tool("get_order", {"order_id": order}, result=json.dumps(record)),
            ("assistant", f"Order {order} was shipped. You paid ${total:.2f} in total for it."),
        ]
        turns += exchange
        written += len(json.dumps(record)) + 200
    return transcript(*turns, ("user", "Thanks, bye!"), session_id=f"s{seed}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=400)
    count = parser.parse_args().sessions
    rubric = load_rubric("agent", base=Path())
    expert = Expert(id="evidence", instruction="", axes=rubric.axis_names)
    axes = tuple(axis for axis in rubric.axes if axis.applies_if == "always")
    judge = EvidenceJudge()

    def case(made: Transcript) -> Case:
        return Case(
            session_id=made.session_id, transcript=made, rubric=rubric, expert=expert, axes=axes
        )

    cases = [case(session(10_000, seed)) for seed in range(count)]
    wall, processor = [], []
    for _ in range(3):
        start, used = time.perf_counter(), time.process_time()
        for one in cases:
            judge.judge(one)
        wall.append(count / (time.perf_counter() - start))
        processor.append(count / (time.process_time() - used))
    size = statistics.fmean(sum(len(m.text) for m in c.transcript.messages) for c in cases)
    print(
        f"{count} sessions of {size:,.0f} characters: {max(wall):,.0f} a second "
        f"({max(processor):,.0f} of processor time), target 200"
    )
    for size_kb in (40, 400, 4_000):
        long = case(session(size_kb * 1_000, 1))
        start = time.perf_counter()
        answer = judge.judge(long)
        taken = time.perf_counter() - start
        messages = len(long.transcript.messages)
        print(
            f"one session of {size_kb:,} KB, {messages:,} messages: {taken:.2f} s, "
            f"coverage {answer.coverage:.0%}"
        )


if __name__ == "__main__":
    main()

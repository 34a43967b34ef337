"""The examination of the embedded judge: known faults in real sessions must lower its scores."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import pytest
from evidence_cases import FOLDERS, case, real_answers

from pytest_sessioneval.judging.evidence_judge import EvidenceJudge
from pytest_sessioneval.judging.faults import FAULTS, Fault
from pytest_sessioneval.judging.model import Answer
from pytest_sessioneval.transcripts.model import Transcript

EVERY = 3
LONGEST = 120
"""Messages: longer sessions are left to the benchmark."""

MUST_FALL = {
    "error_loop": 0.98,
    "repeated_call": 0.98,
    "corrupted_argument": 0.85,
    "changed_digits": 0.80,
    "dropped_answer": 0.92,
    "swapped_answer": 0.65,
    "user_correction": 0.85,
}
"""The least share of sessions whose score falls; measured: docs/evidence-judge.md.

A swapped answer is told only by its figures and words: a polite sentence from
the same domain fits anywhere.
"""
MAY_RISE = 0.05
"""The largest share whose score rises, because the answer that went was itself at fault."""


@dataclass(frozen=True)
class Tally:
    """What one fault did."""

    fault: str
    sessions: int
    fell: int
    rose: int

    def __str__(self) -> str:
        """Return a row of the printed table."""
        share = self.fell / self.sessions
        return f"{self.fault:20} {self.sessions:4} {self.fell:4} {share:6.0%} {self.rose:4}"


Judged = tuple[tuple[Transcript, Answer], ...]


def score(answer: Answer, axis: str) -> int | None:
    """Return the score on one axis; None where there is none."""
    found = answer.axes[axis]
    return found.score if found.kind == "scored" else None


def examine(fault: Fault, sessions: Judged) -> Tally:
    """Return how many scores the fault moves, and in which direction."""
    judge = EvidenceJudge()
    before_after: list[tuple[int, int]] = []
    for number, (session, answer) in enumerate(sessions[::EVERY]):
        other, _ = sessions[(number * EVERY + 1) % len(sessions)]
        chance = random.Random(f"{fault.name}-{number}")  # noqa: S311  (no secret)
        changed = fault.inject(session, other, chance)
        if changed is None:
            continue
        axes = tuple(axis for axis in case(changed).axes if axis.name == fault.axis)
        before = score(answer, fault.axis)
        after = score(judge.judge(case(changed, axes=axes)), fault.axis)
        if before is not None and after is not None:
            before_after.append((before, after))
    return Tally(
        fault=fault.name,
        sessions=len(before_after),
        fell=sum(after < before for before, after in before_after),
        rose=sum(after > before for before, after in before_after),
    )


@pytest.fixture(scope="module")
def sessions(shared_data: Path) -> Judged:
    """Return the real sessions of ordinary length, with the judge's answers."""
    found = [one for folder in FOLDERS for one in real_answers(shared_data, folder)]
    return tuple(one for one in found if len(one[0].messages) <= LONGEST)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.name))
def test_a_known_fault_lowers_the_score_of_its_axis(fault: Fault, sessions: Judged) -> None:
    """On most real sessions it falls, and on hardly any it rises."""
    tally = examine(fault, sessions)
    print(tally)  # noqa: T201  (the table is what this examination is read for)
    assert tally.sessions >= 10
    assert tally.fell >= MUST_FALL[fault.name] * tally.sessions, tally
    assert tally.rose <= MAY_RISE * tally.sessions, tally

"""A sample, and replies on its tables, for the tests of metrics."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_sessioneval.judging.model import Answer, Case, Embedded
from pytest_sessioneval.judging.prompted import PromptedJudge
from pytest_sessioneval.suites.metrics import MetricName
from pytest_sessioneval.suites.model import Expert
from pytest_sessioneval.suites.rubric import load_rubric
from pytest_sessioneval.testing import ScriptedBackend
from pytest_sessioneval.transcripts.samples import Sample, session_of
from pytest_sessioneval.verdicts.model import AxisOpinion, CallCount, Scored, Unscored

NONCE = "0123456789abcdef0123456789abcdef"
RUBRIC = load_rubric("rag", base=Path())
SAMPLE = Sample(
    question="Where is Paris?",
    answer="Paris lies in France. It has forty million people.",
    contexts=("Rome lies in Italy, on the Tiber.", "Paris is in France and is its capital."),
    ground_truth="Paris is the capital of France.",
)
"""Messages: 0 question, 1 and 2 contexts, 3 answer."""


class Vectors:
    """Compares texts by vectors that a test gives; others are zero."""

    model = "vectors"

    def __init__(self, **vectors: Sequence[float]) -> None:
        self.asked: list[list[str]] = []
        self._vectors = vectors

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Return each text's vector."""
        self.asked.append(list(texts))
        found = (tuple(self._vectors.get(text.split()[0].strip("?."), (0, 0))) for text in texts)
        return Embedded(tuple(found), CallCount(calls=1))

    def close(self) -> None:
        """Do nothing."""


def case(*metrics: MetricName, sample: Sample = SAMPLE, **changes: Any) -> Case:
    """Return a case on a sample with these metrics."""
    given: dict[str, Any] = {
        "session_id": "s1",
        "transcript": session_of(sample, "s1"),
        "rubric": RUBRIC,
        "expert": Expert(id="metrics", instruction="", axes=metrics),
        "axes": tuple(RUBRIC.axis(name) for name in metrics),
        "nonce": NONCE,
    }
    return Case(**{**given, **changes})


def asked(given: Case, *replies: str, vectors: Vectors | None = None) -> tuple[Answer, list[str]]:
    """Return the answer that these replies lead to, and what was asked each time."""
    backend = ScriptedBackend(*replies)
    answer = PromptedJudge(backend, embedder=vectors).judge(given)
    return answer, [f"{prompt.prefix}\n{prompt.question}" for prompt in backend.prompts]


def opinion(name: MetricName, *replies: str, sample: Sample = SAMPLE) -> AxisOpinion:
    """Return the opinion on one metric that these replies lead to."""
    return asked(case(name, sample=sample), *replies)[0].axes[name]


def reply(*, steering: Sequence[tuple[str, str]] = (), **tables: Any) -> str:
    """Return a reply with these tables."""
    found = [{"message": label, "quote": quote} for label, quote in steering]
    value = {"nonce": NONCE, "instructions_found_in_transcript": found, **tables}
    return json.dumps(value, ensure_ascii=False)


def found(message: str, quote: str) -> dict[str, Any]:
    """Return a mark that something was found."""
    return {"found": True, "message": message, "quote": quote}


NOT_FOUND = {"found": False, "message": None, "quote": ""}
IN_CONTEXT = found("M2", "Paris is in France and is its capital.")
IN_TRUTH = found("G", "Paris is the capital of France.")
IN_ANSWER = found("M3", "Paris lies in France.")


def without(sample: Sample = SAMPLE, **fields: Any) -> Sample:
    """Return the sample with these fields instead."""
    return replace(sample, **fields)


def faithful(*marks: dict[str, Any]) -> str:
    """Return a table of the answer's statements against the contexts."""
    rows = [{"statement": f"Statement {at}", "contexts": mark} for at, mark in enumerate(marks)]
    return reply(answer_statements=rows)


def ranked(*useful: tuple[str, str | None]) -> str:
    """Return a table of contexts: label, and the quote of one that is useful."""
    rows = [
        {"message": label, "useful": quote is not None, "quote": quote or ""}
        for label, quote in useful
    ]
    return reply(contexts=rows)


def facts(stated: list[bool], wanted: list[bool]) -> str:
    """Return both tables of facts."""
    return reply(
        answer_statements=[
            {"statement": f"A{at}", "ground_truth": IN_TRUTH if mark else NOT_FOUND}
            for at, mark in enumerate(stated)
        ],
        ground_truth_statements=[
            {"statement": f"G{at}", "answer": IN_ANSWER if mark else NOT_FOUND}
            for at, mark in enumerate(wanted)
        ],
    )


def questions(*texts: str, noncommittal: bool = False) -> str:
    """Return the questions that an answer answers."""
    return reply(questions={"noncommittal": noncommittal, "questions": list(texts)})


def score(given: AxisOpinion) -> int:
    """Return an opinion's score."""
    assert isinstance(given, Scored), given
    return given.score


def why_not(given: AxisOpinion) -> tuple[str, str]:
    """Return why there is no score."""
    assert isinstance(given, Unscored), given
    return given.reason, given.detail

"""Calls of a scoring session, what they must score, and how to wait for their jobs."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pytest_sessioneval.evaluation.sample_reports import Advisor
from pytest_sessioneval.evaluation.sample_scoring import SampleScorer
from pytest_sessioneval.evaluation.scoring_calls import Job, SessionScoreRequest
from pytest_sessioneval.evaluation.scoring_jobs import ScoringJobs, ScoringTerms
from pytest_sessioneval.stores.protocol import Store

__all__ = ["CONTEXT", "OpenScoring", "Opened", "answer_of", "call", "read_rows", "wait_for"]

CONTEXT = "Paris is the capital of France."
_WORDS = ["walrus", "turnip", "gravel", "copper", "lantern", "meadow"]
PATIENCE_S = 60.0


class OpenScoring(Protocol):
    """Opens scoring on a test's store."""

    def __call__(
        self,
        terms: ScoringTerms | None = ...,
        advisor: Advisor = ...,
        clock: Callable[[], datetime] = ...,
    ) -> Opened:
        """Return scoring that goes about it by these terms."""
        ...


@dataclass
class Opened:
    """Scoring, and what it stands on."""

    jobs: ScoringJobs
    store: Store
    scorer: SampleScorer
    out: Path
    closed: threading.Event = field(default_factory=threading.Event)

    def close(self) -> None:
        """End it, as a server that is stopped does."""
        if not self.closed.is_set():
            self.closed.set()
            self.jobs.close()
            self.scorer.close()
            self.store.close()

    def file(self, job: Job, name: str) -> Path:
        """Return a file of the report that the job is a row of."""
        return self.out / "runs" / job.run_id / name


def call(session: str = "s", **given: Any) -> SessionScoreRequest:
    """Return a call whose faithfulness is 1, unless told otherwise."""
    sample = {"question": "Where?", "answer": CONTEXT, "contexts": [CONTEXT]}
    return SessionScoreRequest.model_validate({"session_id": session, **sample, **given})


def answer_of(supported: int, invented: int) -> str:
    """Return an answer of so many sentences of the context, and so many with no word of it."""
    strange = (f"{_WORDS[each]} {_WORDS[each + 1]} sings.".capitalize() for each in range(invented))
    return " ".join([*[CONTEXT] * supported, *strange])


def read_rows(file: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file, by column."""
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"), newline="")))


def wait_for(jobs: ScoringJobs, job: Job) -> Job:
    """Return the job once it is completed or failed; raises ``TimeoutError``."""
    ended = jobs.wait(job.job_id, PATIENCE_S)
    assert ended is not None
    return ended

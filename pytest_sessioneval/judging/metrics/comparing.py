"""The metrics of one opinion: what is settled before asking, and comparing what a reply gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_sessioneval.judging.asking import Asking
from pytest_sessioneval.judging.metrics.formulas import cosine
from pytest_sessioneval.judging.metrics.settling import settle
from pytest_sessioneval.judging.metrics.tables import asks_tables
from pytest_sessioneval.judging.model import Case, Embedder
from pytest_sessioneval.suites.metrics import metric
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.samples import sample_of
from pytest_sessioneval.verdicts.model import AxisOpinion

__all__ = ["Comparing", "without_embeddings"]


@dataclass(frozen=True, slots=True)
class Comparing:
    """What one case's metrics rest on beside a judge's tables."""

    asked: Case
    """The case with the axes that a judge is asked about."""
    settled: dict[str, AxisOpinion]
    """What is known of the others."""
    similarity: float | None
    """Cosine of answer and ground truth, where a metric needs it."""
    asking: Asking
    embedder: Embedder | None

    @classmethod
    def of(cls, case: Case, asking: Asking, embedder: Embedder | None) -> Comparing:
        """Return what is settled of a case; all of it is asked where its axes are no metrics."""
        if not asks_tables(case.axes):
            return cls(case, {}, None, asking, None)
        found = settle(case, embedder)
        asking.spent += found.spent
        asked = replace(case, axes=found.asked)
        return cls(asked, found.opinions, found.similarity, asking, embedder)

    def similar(self, questions: Sequence[str]) -> list[float]:
        """Return the cosine of each question with the one that was asked; counted as spent."""
        if self.embedder is None:
            raise ValueError("questions cannot be compared without an embedding model")
        embedded = self.embedder.embed([sample_of(self.asked.transcript).question, *questions])
        self.asking.spent += embedded.spent
        asked, *made = embedded.vectors
        return [cosine(asked, vector) for vector in made]


def without_embeddings(suite: Suite, reason: str) -> Mapping[str, str]:
    """Return the suite's axes that have no score where nothing compares texts, and why."""
    return {
        axis.name: reason
        for axis in suite.rubric.axes
        if axis.metric is not None and metric(axis.metric).embeds
    }

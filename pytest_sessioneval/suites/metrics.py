"""The metrics of retrieval-augmented answering that an axis may be, and what each needs.

Formulas: METHOD section 6, computed in ``judging.metrics``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pytest_sessioneval.transcripts.samples import Sample

__all__ = ["METRICS", "Metric", "MetricName", "metric", "missing_inputs"]

MetricName = Literal[
    "faithfulness",
    "answer_relevancy",
    "context_precision",
    "context_recall",
    "answer_correctness",
    "semantic_similarity",
    "factual_correctness",
    "id_based_context_precision",
    "id_based_context_recall",
    "tool_call_f1",
]

METRICS: tuple[MetricName, ...] = get_args(MetricName)
"""The metrics' names, in the order of every report."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a metric needs."""

    inputs: tuple[str, ...]
    """Parts of a sample: names of ``_PRESENT``."""
    asks: bool = True
    """Whether a judge has to be asked."""
    embeds: bool = False
    """Whether texts are compared by their embeddings."""


_OF: dict[MetricName, Metric] = {
    "faithfulness": Metric(("contexts",)),
    "answer_relevancy": Metric(("question",), embeds=True),
    "context_precision": Metric(("question", "contexts", "ground_truth or answer")),
    "context_recall": Metric(("contexts", "ground_truth")),
    "answer_correctness": Metric(("ground_truth",), embeds=True),
    "semantic_similarity": Metric(("ground_truth",), asks=False, embeds=True),
    "factual_correctness": Metric(("ground_truth",)),
    "id_based_context_precision": Metric(("retrieved_ids", "reference_ids"), asks=False),
    "id_based_context_recall": Metric(("retrieved_ids", "reference_ids"), asks=False),
    "tool_call_f1": Metric(("reference_tool_calls",), asks=False),
}

_PRESENT: dict[str, Callable[[Sample], bool]] = {
    "question": lambda sample: bool(sample.question.strip()),
    "contexts": lambda sample: any(context.strip() for context in sample.contexts),
    "ground_truth": lambda sample: bool((sample.ground_truth or "").strip()),
    "ground_truth or answer": lambda sample: bool(
        (sample.ground_truth or "").strip() or sample.answer.strip()
    ),
    "retrieved_ids": lambda sample: sample.retrieved_ids is not None,
    "reference_ids": lambda sample: sample.reference_ids is not None,
    "reference_tool_calls": lambda sample: sample.reference_calls is not None,
}


def metric(name: MetricName) -> Metric:
    """Return what a metric needs."""
    return _OF[name]


def missing_inputs(name: MetricName, sample: Sample) -> Sequence[str]:
    """Return the inputs that the sample lacks for a metric; empty: it can be computed.

    An answer is never missing: one that says nothing is an answer, and a bad one.
    """
    return [part for part in _OF[name].inputs if not _PRESENT[part](sample)]

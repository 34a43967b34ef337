"""What of a case's metrics is settled before a judge is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pytest_sessioneval.judging.metrics.formulas import cosine
from pytest_sessioneval.judging.metrics.measured import counted, lacking
from pytest_sessioneval.judging.metrics.points import points
from pytest_sessioneval.judging.model import Case, Embedder
from pytest_sessioneval.suites.metrics import MetricName, metric
from pytest_sessioneval.suites.model import Axis
from pytest_sessioneval.transcripts.samples import Sample, sample_of
from pytest_sessioneval.verdicts.model import AxisOpinion, CallCount, Scored, Unscored

__all__ = ["NEEDS_EMBEDDINGS", "Settled", "asked_in_words", "ordered", "settle"]

NEEDS_EMBEDDINGS = (
    "needs an embedding model: name one with [judge] embedding_model or "
    "--sessioneval-embedding-model"
)
"""What a report says of metrics that compare texts, where nothing compares them."""

_EMPTY = "The answer is empty."


@dataclass(frozen=True, slots=True)
class Settled:
    """What is known already."""

    opinions: dict[str, AxisOpinion]
    """By axis: what needs no judge."""
    asked: tuple[Axis, ...]
    """The axes that a judge has to be asked about."""
    similarity: float | None = None
    """Cosine of answer and ground truth, where a metric needs it."""
    spent: CallCount = field(default_factory=CallCount)


def settle(case: Case, embedder: Embedder | None) -> Settled:
    """Return what code and embeddings say of the case's metrics, and what is left to ask.

    Texts are compared before the judge is asked: an embedding model that cannot
    be reached costs no judgement. Raises ``TransportError``.
    """
    sample = sample_of(case.transcript)
    opinions: dict[str, AxisOpinion] = {}
    open_: list[tuple[Axis, MetricName]] = []
    for axis in case.axes:
        if axis.metric is None:
            continue
        known = _known(axis.metric, sample, can_embed=embedder is not None)
        if known is None:
            open_.append((axis, axis.metric))
        else:
            opinions[axis.name] = known
    similarity, spent = None, CallCount()
    compared = {"semantic_similarity", "answer_correctness"} & {name for _, name in open_}
    if embedder is not None and compared:
        embedded = embedder.embed([sample.answer, sample.ground_truth or ""])
        similarity, spent = cosine(*embedded.vectors), embedded.spent
    asked: list[Axis] = []
    for axis, name in open_:
        if name == "semantic_similarity" and similarity is not None:
            said = f"Cosine of answer and ground truth: {similarity:.3f}."
            opinions[axis.name] = points(max(0.0, similarity), said, "")
        else:
            asked.append(axis)
    return Settled(opinions, tuple(asked), similarity, spent)


def asked_in_words(case: Case) -> tuple[Axis, ...]:
    """Return the metrics that a judge is asked about where texts can be compared, too."""
    sample = sample_of(case.transcript)
    return tuple(
        axis
        for axis in case.axes
        if axis.metric is not None
        and metric(axis.metric).asks
        and _known(axis.metric, sample, can_embed=True) is None
    )


def ordered(axes: Sequence[Axis], opinions: dict[str, AxisOpinion]) -> dict[str, AxisOpinion]:
    """Return the opinions in the order of the axes."""
    return {axis.name: opinions[axis.name] for axis in axes if axis.name in opinions}


def _known(name: MetricName, sample: Sample, *, can_embed: bool) -> AxisOpinion | None:
    """Return what is known without any model; None: one has to be asked."""
    settled = lacking(name, sample) or counted(name, sample)
    if settled is not None:
        return settled
    if metric(name).embeds and not can_embed:
        return Unscored(reason="unsupported", detail=NEEDS_EMBEDDINGS)
    if sample.answer.strip() or name in {"context_precision", "context_recall"}:
        return None
    if name == "faithfulness":
        return Unscored(reason="not_applicable", detail="the answer is empty: it states nothing")
    return Scored(score=0, comment=_EMPTY)

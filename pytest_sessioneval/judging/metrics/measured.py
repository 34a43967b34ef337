"""Metrics of one session that code computes alone, and why any metric has no score."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_sessioneval.judging.metrics.formulas import id_precision, id_recall, tool_call_f1
from pytest_sessioneval.judging.metrics.grounding import (
    Grounded,
    commits_to_nothing,
    grounded_sentences,
    grounding,
)
from pytest_sessioneval.judging.metrics.points import NOTHING_COMPARED, points
from pytest_sessioneval.judging.process.scope import UNMEASURED
from pytest_sessioneval.suites.metrics import MetricName, missing_inputs
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.samples import Sample, places_of, sample_of
from pytest_sessioneval.verdicts.model import AxisOpinion, Evidence, Scored, Unscored

__all__ = ["counted", "lacking", "measured"]

_WEAK = 0.5
_MOST_SHOWN = 12
_LONGEST_QUOTE = 300


def lacking(name: MetricName, sample: Sample) -> Unscored | None:
    """Return why the sample has no such metric; None: its inputs are there."""
    missing = missing_inputs(name, sample)
    if not missing:
        return None
    return Unscored(reason="not_applicable", detail="needs " + " and ".join(missing))


def counted(name: MetricName, sample: Sample) -> AxisOpinion | None:
    """Return a metric of ids or calls; None: it is none of these. Its inputs must be there."""
    retrieved, wanted = sample.retrieved_ids or (), sample.reference_ids or ()
    hits = len(set(retrieved) & set(wanted))
    match name:
        case "id_based_context_precision":
            said = f"{hits} of {len(set(retrieved))} retrieved ids ought to have been retrieved."
            return points(id_precision(retrieved, wanted), said, "nothing was retrieved")
        case "id_based_context_recall":
            said = f"{hits} of {len(set(wanted))} ids that ought to be retrieved were."
            return points(id_recall(retrieved, wanted), said, "no id ought to be retrieved")
        case "tool_call_f1":
            made, ought = sample.calls, sample.reference_calls or ()
            said = f"{len(made)} calls made and {len(ought)} wanted, compared by name and arguments"
            return points(tool_call_f1(made, ought), f"{said}.", NOTHING_COMPARED)
        case _:
            return None


def _worded(transcript: Transcript, most_chars: int) -> tuple[AxisOpinion, float]:
    """Return faithfulness by words, and the share of the contexts' text that was read.

    At most ``most_chars`` characters of contexts are read, the best first.
    """
    places, sample = places_of(transcript), sample_of(transcript)
    if commits_to_nothing(sample.answer):
        return Unscored(
            reason="not_applicable", detail="the answer commits to nothing that could be supported"
        ), 1.0
    total = sum(map(len, sample.contexts))
    read: list[str] = []
    left = most_chars
    for context in sample.contexts:
        read.append(context[:left])
        left = max(0, left - len(context))
    sentences = grounded_sentences(sample.answer, read)
    said = (
        f"By words alone: {sum(each.share >= _WEAK for each in sentences)} of {len(sentences)} "
        "sentences of the answer stand at least half in the contexts."
    )
    opinion = points(grounding(sentences), said, NOTHING_COMPARED)
    if isinstance(opinion, Scored) and places.answer is not None:
        opinion = opinion.model_copy(update={"evidence": _weak(sentences, places.answer)})
    return opinion, (sum(map(len, read)) / total if total else 1.0)


def _weak(sentences: list[Grounded], answer: int) -> tuple[Evidence, ...]:
    """Return the sentences that stand least in the contexts, the weakest first."""
    weak = sorted((each for each in sentences if each.share < _WEAK), key=lambda each: each.share)
    return tuple(
        Evidence(
            message=answer,
            quote=each.text[:_LONGEST_QUOTE],
            note=f"{each.share:.0%} of its word pairs stand in a context",
        )
        for each in weak[:_MOST_SHOWN]
    )


def measured(
    names: Mapping[str, MetricName], transcript: Transcript, most_chars: int
) -> tuple[dict[str, AxisOpinion], float]:
    """Return what code alone says of each axis that is a metric, and the share it read.

    ``names`` are the metrics by their axes' names.
    """
    sample = sample_of(transcript)
    found: dict[str, AxisOpinion] = {}
    coverage = 1.0
    for axis, name in names.items():
        opinion = lacking(name, sample) or counted(name, sample)
        if opinion is None and name == "faithfulness":
            opinion, coverage = _worded(transcript, most_chars)
        found[axis] = opinion or Unscored(reason="unsupported", detail=UNMEASURED)
    return found, coverage

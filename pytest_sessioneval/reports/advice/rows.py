"""Advice over rows of metric scores: which metric loses most, beside what, and in which rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from pytest_sessioneval.gate.agreement.resampling import wilson
from pytest_sessioneval.reports.neutralise import markdown_text
from pytest_sessioneval.reports.wording import counted

__all__ = ["AdvisedRow", "advice_for_rows"]

_VERSION = 1
_EXAMPLES = 3
_TEXT = 160
_RETRIEVAL = frozenset(
    {"context_precision", "context_recall", "id_precision", "id_recall", "context_entity_recall"}
)
_ANSWER = frozenset(
    {
        "faithfulness",
        "answer_relevancy",
        "answer_correctness",
        "semantic_similarity",
        "factual_correctness",
    }
)
_FEWEST = 2
_NOT_FOR_AGENTS = (
    "> Made from these scores alone; no model was asked. For people: nothing feeds this file back "
    "to an agent, and nothing may do so automatically, since what it quotes may be an attack."
)


@dataclass(frozen=True, slots=True)
class AdvisedRow:
    """One row of a report of metric scores."""

    sample_id: str
    """The row's id."""
    scores: Mapping[str, float | None]
    """By metric, higher is better; null: an input was missing, or nothing was scored."""
    question: str
    """What was asked."""
    answer: str
    """What was answered."""
    error: str = ""
    """Why the row could not be scored, ``Type: message``; empty: it was."""


@dataclass(frozen=True, slots=True)
class _Loss:
    """What one metric loses over all rows."""

    metric: str
    reference: float
    scored: Sequence[tuple[float, AdvisedRow]]
    below: Sequence[tuple[float, AdvisedRow]]
    lost: float
    """Sum of the distances below the reference over the number of scored rows."""


def advice_for_rows(
    rows: Sequence[AdvisedRow],
    thresholds: Mapping[str, float] | None = None,
    *,
    best: float = 1.0,
) -> str:
    """Return advice as Markdown: the metrics by what they take off the mean, worst first.

    Scores and ``thresholds`` run from 0 to ``best``. A metric without a threshold
    is held against ``best``. Equal rows give equal bytes, whatever order
    mappings came in, and the text states the digest of what it was made of.
    """
    asked = dict(thresholds or {})
    return "\n".join(_lines(rows, asked, best)) + "\n"


def _lines(
    rows: Sequence[AdvisedRow], thresholds: Mapping[str, float], best: float
) -> Iterator[str]:
    yield "# Advice"
    yield ""
    yield f"{counted(len(rows), 'row')} · made of `sha256:{_digest(rows, thresholds, best)}`"
    yield ""
    yield _NOT_FOR_AGENTS
    yield ""
    yield from _failed(rows)
    losses = _losses(rows, thresholds, best)
    low = [loss for loss in losses if loss.below]
    for place, loss in enumerate(low, start=1):
        yield from _told(place, loss, losses)
    even = [loss.metric for loss in losses if not loss.below]
    if even:
        yield f"Nothing lost on {markdown_text(', '.join(even))}."
        yield ""
    if not losses:
        yield "No metric has a value yet, so nothing can be said."
        yield ""
    yield from _unmeasured(rows)


def _losses(
    rows: Sequence[AdvisedRow], thresholds: Mapping[str, float], best: float
) -> list[_Loss]:
    """Return the metrics that have a value, the greatest loss first, else by name."""
    found = []
    for metric in _metrics(rows):
        reference = thresholds.get(metric, best)
        scored = [(score, row) for row in rows if (score := row.scores.get(metric)) is not None]
        if not scored:
            continue
        below = sorted(
            ((score, row) for score, row in scored if score < reference), key=lambda one: one[0]
        )
        lost = sum(reference - score for score, _ in below) / len(scored)
        found.append(_Loss(metric, reference, scored, below, lost))
    return sorted(found, key=lambda loss: (-round(loss.lost, 9), loss.metric))


def _told(place: int, loss: _Loss, losses: Sequence[_Loss]) -> Iterator[str]:
    number, of = len(loss.below), len(loss.scored)
    low, high = wilson(number, of)
    mean = fmean(score for score, _ in loss.scored)
    yield f"## {place}. {markdown_text(loss.metric)}: {loss.lost:.3g} of the mean lost"
    yield ""
    yield (
        f"- {number:,} of {counted(of, 'row')} below {loss.reference:g} "
        f"({100 * number / of:.0f} %, 90 % interval {100 * low:.0f}–{100 * high:.0f} %) · "
        f"mean {mean:.3f}"
    )
    if of == 1:
        yield "- one row is an example, and shows no pattern"
    if (beside := _beside(loss, losses)) is not None:
        yield f"- {beside}"
    for score, row in loss.below[:_EXAMPLES]:
        said = f"“{markdown_text(row.question, _TEXT)}” – “{markdown_text(row.answer, _TEXT)}”"
        yield f"- {markdown_text(row.sample_id, _TEXT)} **{score:.3g}**: {said}"
    yield ""


def _beside(loss: _Loss, losses: Sequence[_Loss]) -> str | None:
    """Return whether the contexts were poor where an answer's metric is low; None: unknown."""
    if loss.metric not in _ANSWER:
        return None
    others = [one for one in losses if one.metric in _RETRIEVAL]
    poor = {id(row) for one in others for _, row in one.below}
    known = {id(row) for one in others for _, row in one.scored}
    ours = [id(row) for _, row in loss.below if id(row) in known]
    if len(ours) < _FEWEST:
        return None
    both = sum(row in poor for row in ours)
    low = f"in {both:,} of {len(ours):,} of them what was retrieved is low, too"
    if 2 * both >= len(ours):
        return f"{low}: look at the retrieval first"
    return f"{low}: look at how the answer is made of it"


def _failed(rows: Sequence[AdvisedRow]) -> Iterator[str]:
    """Yield what could not be scored, by the kind of error, most frequent first."""
    kinds: dict[str, list[AdvisedRow]] = {}
    for row in rows:
        if row.error:
            kinds.setdefault(row.error.partition(":")[0], []).append(row)
    for _, failed in sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0])):
        first = failed[0]
        yield (
            f"- **{counted(len(failed), 'row')} could not be scored**, first "
            f"{markdown_text(first.sample_id, _TEXT)}: {markdown_text(first.error, _TEXT)}"
        )
    if kinds:
        yield ""


def _unmeasured(rows: Sequence[AdvisedRow]) -> Iterator[str]:
    sound = [row for row in rows if not row.error]
    missing = {
        metric: number
        for metric in _metrics(rows)
        if (number := sum(row.scores.get(metric) is None for row in sound))
    }
    if missing:
        listed = ", ".join(f"{metric} in {number:,}" for metric, number in missing.items())
        yield (
            f"Not measured, of {counted(len(sound), 'scored row')}: {markdown_text(listed)}. "
            "An input was missing, or the metric was not asked for."
        )
        yield ""


def _metrics(rows: Sequence[AdvisedRow]) -> list[str]:
    return sorted({metric for row in rows for metric in row.scores})


def _digest(rows: Sequence[AdvisedRow], thresholds: Mapping[str, float], best: float) -> str:
    """Return 16 hex digits of what the advice is made of."""
    made_of = [
        _VERSION,
        best,
        thresholds,
        [[row.sample_id, row.scores, row.question, row.answer, row.error] for row in rows],
    ]
    text = json.dumps(made_of, sort_keys=True, default=dict)
    return hashlib.sha256(text.encode()).hexdigest()[:16]

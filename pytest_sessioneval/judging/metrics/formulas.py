"""The formulas of METHOD section 6, each on plain numbers; None where nothing can be computed.

Nothing found to check is None and never 1: an answer without a statement would
else be perfect.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from statistics import fmean

from pytest_sessioneval.transcripts.model import ToolCall

__all__ = [
    "answer_correctness",
    "answer_relevancy",
    "average_precision",
    "cosine",
    "f_beta",
    "id_precision",
    "id_recall",
    "share",
    "tool_call_f1",
]

_FACTUAL_WEIGHT = 0.75


def share(verdicts: Sequence[bool]) -> float | None:
    """Return the share of true verdicts, 0–1; None without any."""
    return fmean(verdicts) if verdicts else None


def average_precision(verdicts: Sequence[bool]) -> float | None:
    """Return the average precision of a ranking, 0–1: Σ P@k·v_k / Σ v_k.

    0 where nothing ranked is useful, None where nothing is ranked. [1, 0, 1]
    gives (1 + 2/3) / 2.
    """
    if not verdicts:
        return None
    useful = 0
    total = 0.0
    for rank, verdict in enumerate(verdicts, start=1):
        if verdict:
            useful += 1
            total += useful / rank
    return total / useful if useful else 0.0


def f_beta(tp: int, fp: int, fn: int, beta: float = 1.0) -> float | None:
    """Return the F-beta of true positives, false positives and false negatives, 0–1.

    ``beta`` > 1 weighs recall higher. None where all three are 0.
    """
    if not (tp or fp or fn):
        return None
    weight = beta * beta
    return (1 + weight) * tp / ((1 + weight) * tp + weight * fn + fp)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine of two vectors of one length, -1–1; 0 where one of them is zero."""
    length = math.hypot(*one) * math.hypot(*other)
    product = math.fsum(a * b for a, b in zip(one, other, strict=True))
    return max(-1.0, min(1.0, product / length)) if length else 0.0


def answer_relevancy(similarities: Sequence[float], *, noncommittal: bool) -> float | None:
    """Return the mean similarity of generated questions to the one asked, 0–1.

    0 for an answer that commits to nothing; None without a generated question.
    """
    if noncommittal:
        return 0.0
    return max(0.0, fmean(similarities)) if similarities else None


def answer_correctness(factual: float | None, similarity: float) -> float | None:
    """Return .75 · F1 of the facts + .25 · similarity, 0–1; None where no fact was found."""
    if factual is None:
        return None
    return _FACTUAL_WEIGHT * factual + (1 - _FACTUAL_WEIGHT) * max(0.0, similarity)


def id_precision(retrieved: Iterable[str], reference: Iterable[str]) -> float | None:
    """Return the share of the retrieved ids that ought to have been, 0–1; None without any."""
    found = set(retrieved)
    return len(found & set(reference)) / len(found) if found else None


def id_recall(retrieved: Iterable[str], reference: Iterable[str]) -> float | None:
    """Return the share of the ids wanted that were retrieved, 0–1; None where none is wanted."""
    wanted = set(reference)
    return len(wanted & set(retrieved)) / len(wanted) if wanted else None


def tool_call_f1(made: Iterable[ToolCall], reference: Iterable[ToolCall]) -> float | None:
    """Return the F1 of two sets of calls, 0–1: equal in name and arguments, in any order.

    None where no call was made and none was wanted.
    """
    did, ought = set(map(_call, made)), set(map(_call, reference))
    return f_beta(len(did & ought), len(did - ought), len(ought - did))


def _call(call: ToolCall) -> str:
    """Return a call's name and arguments as one canonical text."""
    return json.dumps([call.name, call.arguments], sort_keys=True, ensure_ascii=False, default=str)

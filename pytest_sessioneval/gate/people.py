"""People's labels beside the pairs of a comparison: whose count, and what they correct.

A pair needs people's scores of both recordings. Only labels of one random draw
count together: over the sessions that one draw could have drawn every session
had the same chance, over the union of several it had not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.correction import (
    Corrected,
    Labelled,
    Unlabelled,
    corrected_estimate,
)
from pytest_sessioneval.gate.pairing import Pair
from pytest_sessioneval.suites.labels import HumanLabel, LabelQueue

__all__ = ["Corrections", "DrawScores", "People", "correct", "random_draws"]


class People(Frozen):
    """What people said of sessions, and how those were chosen."""

    labels: tuple[HumanLabel, ...] = ()
    """Labels of any source."""
    queues: tuple[LabelQueue, ...] = ()
    """The queues they come from."""


@dataclass(frozen=True, slots=True)
class DrawScores:
    """People's scores on one axis of what one random draw chose."""

    name: str
    digests: frozenset[str]
    """Every transcript drawn, in whichever recording."""
    scores: Mapping[str, float]
    """Mean over the people who scored it, by digest."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """What the labels of one draw make of one axis of a comparison."""

    draw: str
    drawn: int
    """Compared sessions that were drawn."""
    labelled: int
    """Those of them with people's scores of both recordings."""
    parts: Mapping[str, Corrected]
    """By part, where it has a labelled pair."""


def random_draws(people: People, axis: str, *, rubric: str) -> tuple[DrawScores, ...]:
    """Return people's scores on an axis per random draw, by name of the draw.

    Labels of any other source, and those given under another version of the
    rubric, are left out: another version means something else by the axis.
    """
    wanted = rubric.partition("#")[0]
    queues = {
        queue.name: queue
        for queue in people.queues
        if queue.kind == "random" and queue.rubric.partition("#")[0] == wanted
    }
    drawn = {name: set(queue.members.values()) for name, queue in queues.items()}
    digests: dict[str, set[str]] = {}
    for name, queue in queues.items():
        digests.setdefault(queue.draw_name, set()).update(drawn[name])
    scores: dict[str, dict[str, list[float]]] = {}
    for label in people.labels:
        if label.source != "random" or label.axis != axis:
            continue
        if label.digest in drawn.get(label.queue, ()):
            by_digest = scores.setdefault(queues[label.queue].draw_name, {})
            by_digest.setdefault(label.digest, []).append(label.score)
    return tuple(
        DrawScores(
            name=name,
            digests=frozenset(digests[name]),
            scores={digest: fmean(given) for digest, given in scores.get(name, {}).items()},
        )
        for name in sorted(digests)
    )


def correct(parts: Mapping[str, Sequence[Pair]], draws: Sequence[DrawScores]) -> Corrections | None:
    """Return the parts of a comparison corrected by the draw with the most labelled pairs.

    ``parts`` has ``overall``. None where no draw chose a compared session.
    """
    overall = parts["overall"]
    best: tuple[int, int, DrawScores] | None = None
    for draw in draws:
        drawn = sum(not draw.digests.isdisjoint(pair.digests) for pair in overall)
        labelled = sum(_is_labelled(pair, draw) for pair in overall)
        if drawn and (best is None or (labelled, drawn) > best[:2]):
            best = (labelled, drawn, draw)
    if best is None:
        return None
    labelled, drawn, draw = best
    corrected = {name: _corrected(pairs, draw) for name, pairs in parts.items()}
    known = {name: one for name, one in corrected.items() if one is not None}
    return Corrections(draw.name, drawn, labelled, known)


def _is_labelled(pair: Pair, draw: DrawScores) -> bool:
    return all(digest in draw.scores for digest in pair.digests)


def _corrected(pairs: Sequence[Pair], draw: DrawScores) -> Corrected | None:
    labelled, rest = [], []
    for pair in pairs:
        if _is_labelled(pair, draw):
            before, after = (draw.scores[digest] for digest in pair.digests)
            labelled.append(Labelled(after - before, pair.difference, pair.unit))
        else:
            rest.append(Unlabelled(pair.difference, pair.unit))
    return corrected_estimate(labelled, rest)

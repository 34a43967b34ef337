"""People's scores of whole sessions: where each comes from, and the files that hold them.

A label file is JSON Lines. A line with ``queue`` as a table is a queue: which
sessions were drawn, and with which chance. Any other line is a session with
people's scores on it. What may correct a judge is decided by where a label
comes from, and that is proven by the queue: its name is the digest of all it
says, and only sessions it drew can be labelled in its name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from pytest_sessioneval.errors import Place, SuiteError
from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.suites.json_lines import read_as, records
from pytest_sessioneval.suites.tomlfile import read_text

__all__ = [
    "HumanLabel",
    "LabelFile",
    "LabelQueue",
    "LabelSource",
    "form_lines",
    "label_lines",
    "read_labels",
]

MAX_BYTES = 64 * 1024 * 1024
"""Largest label file: 64 MiB."""

LabelSource = Literal["random", "diagnostic", "complaint", "unknown"]
"""Where a label comes from.

``random``: its session was drawn by a random queue, with a known chance.
``diagnostic``: by a queue that looks for disagreement. ``complaint``: somebody
complained. ``unknown``: nothing says why this session was labelled. Only
``random`` labels may correct a judge.
"""

Share = Annotated[float, Field(gt=0, le=1)]
Points = Annotated[float, Field(ge=0, le=100)]
Digest = Annotated[str, Field(min_length=1, max_length=200)]
QueueName = Annotated[str, Field(pattern=r"^q-[0-9a-f]{16}$")]


class LabelQueue(Frozen):
    """Sessions that were drawn to be labelled by people, in the order drawn."""

    kind: Literal["random", "diagnostic"]
    """``random``: every session of the frame had the same chance. ``diagnostic``: chosen."""
    draw: QueueName | None = None
    """The queue whose sessions these are in another recording; null: this is a draw of its own."""
    suite: str
    """The suite's name."""
    rubric: str
    """``name@n#digest`` of the rubric whose axes are scored."""
    axes: tuple[str, ...]
    """The axes to be scored."""
    seed: int
    """What the draw was made with."""
    frame: Annotated[int, Field(ge=1)]
    """How many sessions could have been drawn."""
    propensity: Share | None
    """The chance that each of them had, 0–1; null: it was not left to chance."""
    strata: dict[str, tuple[int, int]] = {}
    """Per stratum: how many sessions it has, and how many of them were drawn."""
    members: dict[str, Digest]
    """The sessions drawn: digest of the transcript by the session's key."""
    drawn_at: datetime
    """When, UTC."""

    @property
    def name(self) -> str:
        """The queue's name: ``q-`` and 16 hex digits of a digest.

        Of all it says but when, so that the same draw made twice is one queue.
        """
        content = self.model_dump(mode="json", exclude={"drawn_at"})
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return f"q-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    @property
    def draw_name(self) -> str:
        """The name of the draw that chose these sessions: its own, or an earlier one's."""
        return self.draw or self.name


class HumanLabel(Frozen):
    """A person's score of one session on one axis."""

    digest: Digest
    """Digest of the transcript that the person read."""
    axis: str
    """The axis."""
    score: Points
    """0–100, 100 is best."""
    by: str = ""
    """Who scored; empty: not said."""
    source: LabelSource = "unknown"
    """Where the label comes from."""
    queue: str = ""
    """The queue that drew the session; empty: none."""
    session_id: str = ""
    """The session, for people."""
    comment: str = ""
    """What the person wrote."""
    at: datetime | None = None
    """When."""


@dataclass(frozen=True, slots=True)
class LabelFile:
    """What a label file holds."""

    queues: tuple[LabelQueue, ...]
    labels: tuple[HumanLabel, ...]
    """One per session, axis, person and queue: a later line replaces an earlier one."""
    open: int
    """Lines of sessions that nobody has scored yet."""


class _SessionLine(Frozen):
    """A line of a label file about a session."""

    digest: Digest
    scores: dict[str, Points | None] = {}
    queue: QueueName | None = None
    source: Literal["complaint", "unknown"] | None = None
    by: str = ""
    session_id: str = ""
    path: str = ""
    comment: str = ""
    at: datetime | None = None


_ACCEPTED = {
    "digest": "a session's digest, as label-queue writes it",
    "scores": "a table of axes with a number from 0 to 100, or null where there is none yet",
    "queue": 'a queue\'s name such as "q-0123456789abcdef"',
    "source": '"complaint" or "unknown": that a label is random or diagnostic, its queue says',
    "at": "a date and time such as 2026-11-21T19:04:00Z",
}


def read_labels(path: Path, known: Iterable[LabelQueue] = ()) -> LabelFile:
    """Return what a label file holds; ``known`` are queues that need not stand in it.

    Raises ``SuiteError`` with the line: of a queue whose content is not what its
    name says, of a label in the name of a queue that is not known or did not
    draw the session, or that is not written as accepted.
    """
    text = read_text(path, what="label file", max_bytes=MAX_BYTES)
    queues = {queue.name: queue for queue in known}
    found: dict[str, LabelQueue] = {}
    lines: list[tuple[Place, dict[str, Any]]] = []
    for place, record in records(text, str(path), accepted="an object: a queue or a session"):
        if isinstance(record.get("queue"), dict):
            queue = _queue(record, place)
            found[queue.name] = queue
        else:
            lines.append((place, record))
    queues |= found
    labels: dict[tuple[str, str, str, str], HumanLabel] = {}
    unscored = 0
    for place, record in lines:
        line = read_as(_SessionLine, record, place, accepted=_ACCEPTED)
        given = _labels(line, _source(line, queues, place))
        unscored += not given
        labels |= {(one.digest, one.axis, one.by, one.queue): one for one in given}
    return LabelFile(tuple(found.values()), tuple(labels.values()), unscored)


def label_lines(queues: Sequence[LabelQueue], labels: Sequence[HumanLabel]) -> str:
    """Return a label file: the queues, then a line per session, person and queue."""
    lines = [_queue_line(queue) for queue in queues]
    grouped: dict[tuple[str, str, str], list[HumanLabel]] = {}
    for label in labels:
        grouped.setdefault((label.digest, label.by, label.queue), []).append(label)
    for members in grouped.values():
        first = members[0]
        line: dict[str, Any] = {
            "digest": first.digest,
            "session_id": first.session_id,
            "scores": {label.axis: label.score for label in members},
            "by": first.by,
            "comment": first.comment,
        }
        if first.queue:
            line["queue"] = first.queue
        else:
            line["source"] = first.source
        if first.at is not None:
            line["at"] = first.at.isoformat()
        lines.append(json.dumps(line))
    return "".join(f"{line}\n" for line in lines)


def form_lines(queue: LabelQueue, sessions: Iterable[Mapping[str, str]]) -> str:
    """Return a label file to be filled in: the queue, then its sessions without a score.

    ``sessions`` hold ``digest``, ``session_id`` and ``path`` each, in the order
    in which people are to read them.
    """
    blank = dict.fromkeys(queue.axes)
    lines = [
        json.dumps({"queue": queue.name, **session, "scores": blank, "by": "", "comment": ""})
        for session in sessions
    ]
    return "".join(f"{line}\n" for line in (_queue_line(queue), *lines))


def _queue_line(queue: LabelQueue) -> str:
    return json.dumps({"name": queue.name, "queue": queue.model_dump(mode="json")})


def _queue(record: Mapping[str, Any], place: Place) -> LabelQueue:
    content = record["queue"]
    queue = read_as(LabelQueue, content, place, accepted={})
    if record.get("name") != queue.name:
        raise SuiteError(
            f"this queue is not the one that was drawn: it is called {record.get('name')!r}, and "
            f"what it says makes it {queue.name!r}; take the line as label-queue wrote it",
            place=place,
        )
    return queue


def _source(line: _SessionLine, queues: Mapping[str, LabelQueue], place: Place) -> LabelSource:
    if line.queue is None:
        return line.source or "unknown"
    if line.source is not None:
        raise SuiteError(
            "this line names a queue and a source; a label is the queue's, or it is not",
            place=place,
        )
    queue = queues.get(line.queue)
    if queue is None:
        raise SuiteError(
            f"queue {line.queue} is not known: keep its line, the first one that label-queue "
            "wrote, in this file",
            place=place,
        )
    if line.digest not in queue.members.values():
        raise SuiteError(
            f"queue {line.queue} did not draw the session {line.digest[:16]}…: a label of another "
            'session has no queue; write "source": "complaint" or "unknown" instead',
            place=place,
        )
    unknown = [axis for axis in line.scores if axis not in queue.axes]
    if unknown:
        raise SuiteError(
            f"scores has {unknown[0]!r}; queue {line.queue} asks for {', '.join(queue.axes)}",
            place=place,
        )
    return queue.kind


def _labels(line: _SessionLine, source: LabelSource) -> list[HumanLabel]:
    return [
        HumanLabel(
            digest=line.digest,
            axis=axis,
            score=score,
            by=line.by,
            source=source,
            queue=line.queue or "",
            session_id=line.session_id,
            comment=line.comment,
            at=line.at,
        )
        for axis, score in line.scores.items()
        if score is not None
    ]

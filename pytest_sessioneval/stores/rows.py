"""Values to rows and back: columns for what queries ask for, JSON for the whole value."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field, TypeAdapter

from pytest_sessioneval.stores.database import Row
from pytest_sessioneval.stores.protocol import (
    IndexedFile,
    KeptOpinion,
    MeasuredNoise,
    RunPart,
    RunRow,
    StoredAdvice,
    StoredOpinion,
)
from pytest_sessioneval.stores.summary import RunSummary
from pytest_sessioneval.suites.labels import HumanLabel, LabelQueue
from pytest_sessioneval.suites.model import FeedbackEntry
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.transcripts.model import SessionSummary
from pytest_sessioneval.verdicts.model import Opinion

__all__ = [
    "advice_row",
    "feedback_entry",
    "feedback_row",
    "file_row",
    "indexed_file",
    "instant",
    "kept_opinion",
    "label",
    "label_queue",
    "label_queue_row",
    "label_row",
    "noise_of",
    "noise_row",
    "opinion_row",
    "part_row",
    "run_part",
    "run_row",
    "run_values",
    "session_row",
    "stored_advice",
]

_SUMMARIES = TypeAdapter(tuple[SessionSummary, ...])
_COUNTS = TypeAdapter(dict[str, int])
_RUN = TypeAdapter(RunRow)
_PART = TypeAdapter(RunPart)
_ADVICE = TypeAdapter(StoredAdvice)
_SPREAD = TypeAdapter(Annotated[float, Field(ge=0, le=100)])


def instant(at: datetime) -> str:
    """Return the time in UTC as text that sorts as it reads; without a zone it counts as UTC."""
    try:
        moment = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        # Year 1 or 9999 with an offset has no UTC time; a transcript may claim such a time.
        moment = at.replace(tzinfo=UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def file_row(file: IndexedFile) -> Row:
    """Return the row of a file, in the order of ``PUT_FILE``."""
    return (
        file.content,
        file.readers,
        file.reader,
        _SUMMARIES.dump_json(file.sessions).decode(),
        json.dumps(dict(file.skipped)),
        json.dumps(dict(file.unknown)),
    )


def indexed_file(readers: str, row: Row) -> IndexedFile:
    """Return the file of a row of ``FILES_OF``; raises ``ValueError``."""
    content, reader, sessions, skipped, unknown = row
    return IndexedFile(
        content=str(content),
        readers=readers,
        reader=None if reader is None else str(reader),
        sessions=_SUMMARIES.validate_json(str(sessions)),
        skipped=_COUNTS.validate_json(str(skipped)),
        unknown=_COUNTS.validate_json(str(unknown)),
    )


def session_row(session: SuiteSession) -> Row:
    """Return the row of a session, in the order of ``PUT_SESSION``."""
    summary = session.summary
    return (
        session.suite,
        session.key,
        summary.session_id,
        session.path,
        summary.digest,
        summary.profile_id,
        summary.name,
        None if summary.created_at is None else instant(summary.created_at),
        None if summary.last_active is None else instant(summary.last_active),
        summary.message_count,
        int(summary.metadata.get("pinned") is True),
        session.model_dump_json(),
    )


def opinion_row(run_id: str, stored: StoredOpinion) -> Row:
    """Return the row of an opinion, in the order of ``PUT_OPINION``."""
    opinion = stored.opinion
    scores = {
        axis: result.score if result.kind == "scored" else None
        for axis, result in opinion.axes.items()
    }
    return (
        opinion.key,
        stored.suite,
        stored.key,
        stored.session_id,
        stored.digest,
        run_id,
        opinion.expert_id,
        opinion.repeat,
        opinion.rubric_version,
        opinion.judge_version,
        opinion.judge_model,
        instant(opinion.judged_at),
        json.dumps(scores),
        opinion.model_dump_json(),
    )


def kept_opinion(row: Row) -> KeptOpinion:
    """Return the opinion of a row of ``OPINIONS_OF_SESSIONS``; raises ``ValueError``."""
    _, run_id, suite, key, session_id, digest, opinion = map(str, row)
    parsed = Opinion.model_validate_json(opinion)
    return KeptOpinion(run_id, StoredOpinion(suite, key, session_id, digest, parsed))


def part_row(part: RunPart) -> Row:
    """Return the row of a part, in the order of ``PUT_RUN_PART``."""
    suites = json.dumps(dict(part.suites))
    return part.run_id, part.part, part.parts, suites, instant(part.ended_at)


def run_part(row: Row) -> RunPart:
    """Return the part of a row of ``RUN_PARTS``; raises ``ValueError``."""
    names = ("run_id", "part", "parts", "suites", "ended_at")
    values = dict(zip(names, row, strict=True))
    return _PART.validate_python(values | {"suites": json.loads(str(values["suites"]))})


def run_values(row: RunRow) -> Row:
    """Return the row of a run, in the order of ``FINISH_RUN``."""
    return (
        row.run_id,
        row.state,
        instant(row.started_at),
        None if row.finished_at is None else instant(row.finished_at),
        None if row.summary is None else row.summary.model_dump_json(),
    )


def feedback_row(entry: FeedbackEntry) -> Row:
    """Return the row of a thumb, in the order of ``PUT_FEEDBACK``."""
    return (
        entry.session_id,
        entry.message_index,
        entry.rating,
        entry.comment,
        None if entry.at is None else instant(entry.at),
    )


def feedback_entry(row: Row) -> FeedbackEntry:
    """Return the thumb of a row of ``FEEDBACK_ALL``; raises ``ValueError``."""
    names = ("session_id", "message_index", "rating", "comment", "at")
    return FeedbackEntry.model_validate(dict(zip(names, row, strict=True)))


def label_queue_row(queue: LabelQueue) -> Row:
    """Return the row of a queue, in the order of ``PUT_LABEL_QUEUE``."""
    return (queue.name, queue.suite, instant(queue.drawn_at), queue.model_dump_json())


def label_queue(row: Row) -> LabelQueue:
    """Return the queue of a row of ``LABEL_QUEUES_ALL``; raises ``ValueError``."""
    queue = LabelQueue.model_validate_json(str(row[1]))
    if queue.name != row[0]:
        raise ValueError(f"its content is that of queue {queue.name}")
    return queue


def label_row(given: HumanLabel) -> Row:
    """Return the row of a label, in the order of ``PUT_LABEL``."""
    return (
        given.digest,
        given.axis,
        given.by,
        given.queue,
        given.source,
        given.score,
        given.session_id,
        given.comment,
        None if given.at is None else instant(given.at),
    )


def label(row: Row) -> HumanLabel:
    """Return the label of a row of ``LABELS_ALL``; raises ``ValueError``."""
    names = ("digest", "axis", "by", "queue", "source", "score", "session_id", "comment", "at")
    return HumanLabel.model_validate(dict(zip(names, row, strict=True)))


def noise_row(noise: MeasuredNoise) -> Row:
    """Return the row of a judge's spread on one axis, in the order of ``PUT_NOISE``."""
    return (
        noise.suite,
        noise.rubric_version,
        noise.judge_version,
        noise.axis,
        noise.sd,
        noise.degrees,
        instant(noise.measured_at),
    )


def advice_row(advice: StoredAdvice) -> Row:
    """Return the row of a model's advice, in the order of ``PUT_ADVICE``."""
    made_at = instant(advice.made_at)
    return (advice.suite, advice.digest, advice.model, made_at, advice.content)


def stored_advice(row: Row) -> StoredAdvice:
    """Return the advice of a row of ``ADVICE_OF``; raises ``ValueError``."""
    names = ("suite", "digest", "model", "made_at", "content")
    return _ADVICE.validate_python(dict(zip(names, row, strict=True)))


def noise_of(row: Row) -> tuple[str, float]:
    """Return axis and spread of a row of ``NOISE_OF``; raises ``ValueError``."""
    axis, sd = row
    return str(axis), _SPREAD.validate_python(sd)


def run_row(row: Row) -> RunRow:
    """Return the run of a row of ``RUNS_LATEST``; raises ``ValueError``."""
    run_id, state, started_at, finished_at, summary = row
    return _RUN.validate_python(
        {
            "run_id": run_id,
            "state": state,
            "started_at": started_at,
            "finished_at": finished_at,
            "summary": None if summary is None else RunSummary.model_validate_json(str(summary)),
        }
    )

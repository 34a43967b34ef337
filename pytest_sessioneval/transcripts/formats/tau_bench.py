"""tau-bench result files: a list of runs, each with an OpenAI chat under ``traj``.

Shape: ``EnvRunResult`` of tau-bench (``tau_bench/types.py``, 2024-06):
``{task_id, reward, info, traj, trial}``. The reward is 0 or 1, and fractional
where a contributor changed it. A run that crashed has an empty ``traj`` and
the exception under ``info.error``. Failed calls carry no mark: the environment
(``tau_bench/envs/base.py``) writes ``Error: …`` for what a tool raised and
``Unknown action …`` for a tool that does not exist.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from pytest_sessioneval.errors import Place, TranscriptError
from pytest_sessioneval.transcripts.content import locators_of
from pytest_sessioneval.transcripts.formats.fields import (
    list_of,
    number_of,
    object_of,
    one_line,
    text_of,
)
from pytest_sessioneval.transcripts.formats.openai_chat import READER as OPENAI_CHAT
from pytest_sessioneval.transcripts.model import JsonObject, Message, Outcome, Transcript
from pytest_sessioneval.transcripts.reader import (
    BrokenSession,
    Document,
    FileReading,
    FoundSession,
    Limits,
    Record,
)

__all__ = ["READER", "TauBenchReader"]

_FAILED = ("Error: ", "Unknown action ")


class TauBenchReader:
    """Reads the runs of a tau-bench result file, one session each."""

    name = "tau-bench"
    version = 2

    def detects(self, document: Document) -> bool:
        """Return whether the first run has a task, a reward and a list under ``traj``."""
        records = _records(document)
        return bool(records) and _is_run(records[0].value)

    def read(self, document: Document, limits: Limits) -> FileReading:
        """Return one session per run; a run that recorded no message is broken."""
        records = _records(document)
        ids = _session_ids([record.value for record in records])
        locators = locators_of(ids)
        sessions: list[FoundSession] = []
        broken: list[BrokenSession] = []
        unknown: Counter[str] = Counter()
        for record, session_id, locator in zip(records, ids, locators, strict=True):
            try:
                transcript = _transcript(record, session_id, document.path, limits, unknown)
            except TranscriptError as error:
                if locator is None:
                    raise
                broken.append(BrokenSession(locator, error))
            else:
                sessions.append(FoundSession(transcript, locator))
        if not sessions:
            raise broken[0].error
        return FileReading(
            self.name, self.version, tuple(sessions), broken=tuple(broken), unknown=dict(unknown)
        )

    def companions(self, path: Path) -> tuple[Path, ...]:  # noqa: ARG002 - the protocol's
        """Return nothing: a run stands in one file."""
        return ()

    def owns(self, path: Path) -> bool:  # noqa: ARG002 - the protocol's
        """Return false: no file is part of another's run."""
        return False


READER = TauBenchReader()


def _records(document: Document) -> tuple[Record, ...]:
    """Return the runs: the elements of the file's list, or one record each."""
    if len(document.records) == 1 and isinstance(document.value, list):
        line = document.records[0].line
        return tuple(Record(element, line) for element in document.value)
    return tuple(document.records)


def _is_run(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("traj"), list)
        and {"task_id", "reward"} <= value.keys()
    )


def _session_ids(runs: list[Any]) -> list[str]:
    """Return ``task-3``, or ``task-3.trial-1`` in a file where a task repeats; all differ."""
    tasks = [object_of(run).get("task_id") for run in runs]
    repeats = len({str(task) for task in tasks}) < len(tasks)
    ids = []
    taken: Counter[str] = Counter()
    for run, task in zip(runs, tasks, strict=True):
        trial = object_of(run).get("trial")
        own = f"task-{task}" if not repeats or trial is None else f"task-{task}.trial-{trial}"
        taken[own] += 1
        ids.append(own if taken[own] == 1 else f"{own}.copy-{taken[own]}")
    return ids


def _transcript(
    record: Record, session_id: str, path: Path, limits: Limits, unknown: Counter[str]
) -> Transcript:
    run, name = object_of(record.value), one_line(session_id)
    chat = list_of(run.get("traj"))
    document = Document(path, "json", (Record(chat, record.line),))
    reason = None
    if not _is_run(run):
        reason = "no tau-bench run; task_id, reward and a list under traj are expected"
    elif not chat:
        error = text_of(object_of(run.get("info")).get("error"))
        reason = f"no message was recorded{f': {one_line(error)}' if error else ''}"
    elif not OPENAI_CHAT.detects(document):
        reason = "traj holds no chat messages"
    if reason is not None:
        raise TranscriptError(f"{name}: {reason}", place=Place(str(path), record.line))
    reading = OPENAI_CHAT.read(document, limits)
    unknown.update(reading.unknown)
    task_id, trial, reward = run["task_id"], run.get("trial"), number_of(run["reward"])
    transcript = reading.sessions[0].transcript
    return transcript.model_copy(
        update={
            "messages": tuple(_marked(message) for message in transcript.messages),
            "session_id": session_id,
            "source": READER.name,
            "task_id": None if task_id is None else str(task_id),
            "trial": trial if type(trial) is int else None,
            "outcome": Outcome(kind="reward", value=reward),
            "metadata": _metadata(object_of(run.get("info"))),
        }
    )


def _marked(message: Message) -> Message:
    failed = message.role == "tool" and message.text.startswith(_FAILED)
    return message.model_copy(update={"is_error": True}) if failed else message


def _metadata(info: JsonObject) -> dict[str, str | float]:
    found: dict[str, str | float | None] = {
        "termination_reason": text_of(info.get("source")),
        "customer": text_of(object_of(info.get("task")).get("user_id")),
        "user_cost_usd": number_of(info.get("user_cost")),
    }
    return {key: value for key, value in found.items() if value is not None}

"""What a store keeps as a file of JSON Lines, and back: from one machine or database to another.

The first line says what the file is; each further line holds one thing under
its name. What is only remembered to be quick, which sessions a file holds, is
left out, and so is the judge's measured spread: both come back by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError, model_validator

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.wording import counted
from pytest_sessioneval.stores.job_values import KeptJob
from pytest_sessioneval.stores.protocol import KeptOpinion, RunRow, Store, StoredAdvice
from pytest_sessioneval.suites.labels import HumanLabel, LabelQueue
from pytest_sessioneval.suites.model import FeedbackEntry
from pytest_sessioneval.suites.session import SuiteSession

__all__ = ["exported", "imported"]

_BATCH = 500
_MOST_RUNS = 2**31 - 1
_NOUNS = {
    "session": "session",
    "evaluation": "evaluation",
    "feedback": "thumb",
    "queue": "queue",
    "label": "label",
    "run": "run",
    "job": "scoring call",
    "advice": "model's advice",
}
_MANY = {"advice": "models' advice"}


class _Line(Frozen):
    """One line: exactly one of these."""

    sessioneval_export: Literal[1] | None = None
    """The first line: the format's version."""
    session: SuiteSession | None = None
    evaluation: KeptOpinion | None = None
    feedback: FeedbackEntry | None = None
    queue: LabelQueue | None = None
    label: HumanLabel | None = None
    run: RunRow | None = None
    job: KeptJob | None = None
    advice: StoredAdvice | None = None

    @model_validator(mode="after")
    def _one(self) -> _Line:
        if len(self.model_fields_set) != 1 or self.kind is None:
            raise ValueError("a line holds one thing")
        return self

    @property
    def kind(self) -> str | None:
        """The name of what it holds."""
        held = (name for name in self.model_fields_set if getattr(self, name) is not None)
        return next(held, None)


def exported(store: Store) -> Iterator[str]:
    """Yield the lines of all that the store keeps; sessions by suite and key."""
    yield _text(sessioneval_export=1)
    suites: dict[str, None] = {}
    for session in store.sessions():
        suites.setdefault(session.suite)
        yield _text(session=session)
    places: dict[str, list[str]] = {}
    for suite, key in store.evaluated_sessions():
        places.setdefault(suite, []).append(key)
    for suite, keys in places.items():
        for start in range(0, len(keys), _BATCH):
            for kept in store.history(suite, keys[start : start + _BATCH]):
                yield _text(evaluation=kept)
    for entry in store.feedback():
        yield _text(feedback=entry)
    for queue in store.label_queues():
        yield _text(queue=queue)
    for label in store.labels():
        yield _text(label=label)
    yield from (_text(run=run) for run in store.runs(_MOST_RUNS))
    yield from (_text(job=job) for job in store.jobs.kept())
    for suite in suites:
        yield from (_text(advice=advice) for advice in store.advice(suite))


def imported(store: Store, files: Sequence[str]) -> Iterator[str]:
    """Keep what files hold beside what there is, and yield a line per file.

    All lines are checked before anything is kept; importing again changes
    nothing. Raises ``SettingError`` with file and line of the first that is not
    accepted.
    """
    for file in files:
        for _ in _lines(file):
            pass
    for file in files:
        counts: Counter[str] = Counter()
        batch: list[_Line] = []
        for line in _lines(file):
            counts[str(line.kind)] += 1
            batch.append(line)
            if len(batch) == _BATCH:
                _keep(store, batch)
                batch.clear()
        _keep(store, batch)
        kept = ", ".join(
            counted(counts[kind], noun, _MANY.get(kind))
            for kind, noun in _NOUNS.items()
            if counts[kind]
        )
        yield f"{one_line(file)}: kept {kept or 'nothing'}"


def _text(**held: object) -> str:
    return _Line.model_validate(held).model_dump_json(exclude_unset=True)


def _keep(store: Store, lines: Sequence[_Line]) -> None:
    store.put_sessions([line.session for line in lines if line.session is not None])
    by_run: dict[str, list[KeptOpinion]] = {}
    for line in lines:
        if line.evaluation is not None:
            by_run.setdefault(line.evaluation.run_id, []).append(line.evaluation)
    for run_id, kept in by_run.items():
        store.put_opinions(run_id, [one.stored for one in kept])
    store.put_feedback([line.feedback for line in lines if line.feedback is not None])
    store.put_labels(
        [line.label for line in lines if line.label is not None],
        [line.queue for line in lines if line.queue is not None],
    )
    store.put_runs([line.run for line in lines if line.run is not None])
    store.jobs.keep([line.job for line in lines if line.job is not None])
    for advice in (line.advice for line in lines if line.advice is not None):
        store.put_advice(advice)


def _lines(file: str) -> Iterator[_Line]:
    """Yield the lines after the first, checked."""
    try:
        with Path(file).open("rb") as opened:
            for number, text in enumerate(opened, start=1):
                try:
                    line = _Line.model_validate_json(text)
                except ValidationError as error:
                    raise _wrong(file, number, error) from None
                if (number == 1) != (line.kind == "sessioneval_export"):
                    raise _no_export(file, number)
                if number > 1:
                    yield line
            if opened.tell() == 0:
                raise _no_export(file, 1)
    except OSError as error:
        raise SettingError(f"{file}: cannot be read: {error.strerror or error}") from None


def _no_export(file: str, number: int) -> SettingError:
    return SettingError(
        f"{file}:{number}: this is no export of a store: its first line, and no other, is "
        '{"sessioneval_export":1}; `sessioneval export` writes one'
    )


def _wrong(file: str, number: int, error: ValidationError) -> SettingError:
    if number == 1:
        return _no_export(file, number)
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    return SettingError(
        f"{file}:{number}: {where + ': ' if where else ''}{one_line(first['msg'], 200)}; nothing "
        "of the file was kept"
    )

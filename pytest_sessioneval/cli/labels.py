"""Keeps people's scores of sessions in the store: brought in, shown and taken out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pytest_sessioneval.cli.store import has_store, named_store
from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.current import LastVersions
from pytest_sessioneval.gate.people import People
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.plain_table import plain_table
from pytest_sessioneval.reports.wording import counted, points
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.labels import HumanLabel, LabelQueue, LabelSource, read_labels
from pytest_sessioneval.transcripts.redaction import redact_text

__all__ = ["add", "as_table", "import_files", "known_queue", "labelled_axes", "stored_people"]


def add(
    store: Store,
    session_id: str,
    axis: str,
    score: float,
    *,
    by: str,
    comment: str,
    source: LabelSource,
    now: datetime,
) -> str:
    """Keep one label that no queue asked for; return what was done.

    Raises ``SettingError`` unless the store knows exactly one transcript of that
    session, and for an axis that its suite's last run did not have.
    """
    found = [one for one in store.sessions() if session_id in {one.session_id, one.key}]
    digests = {one.summary.digest for one in found}
    if len(digests) != 1:
        what = f"{len(digests)} transcripts" if digests else "no transcript"
        raise SettingError(
            f"label add: the store knows {what} of session {session_id!r}; it knows those that "
            "were judged: run pytest on them first, or import a label file that names the digest"
        )
    versions = LastVersions(store, interval_s=0).now()
    axes = [name for one in found if one.suite in versions for name in versions[one.suite].axes]
    if axes and axis not in axes:
        raise SettingError(
            f"label add: {session_id!r} was judged on no axis {axis!r}; "
            f"there are {', '.join(dict.fromkeys(axes))}"
        )
    label = HumanLabel(
        digest=digests.pop(),
        axis=axis,
        score=score,
        by=by,
        source=source,
        session_id=session_id,
        comment=redact_text(comment),
        at=now,
    )
    store.put_labels([label])
    return f"kept: {points(score)} on {axis} of {one_line(session_id)} ({source})"


def import_files(store: Store, files: Sequence[str]) -> Iterator[str]:
    """Keep the labels and queues of label files; yield what each held.

    All files are read before anything is kept. Raises ``SuiteError`` with file
    and line of the first that is not accepted.
    """
    known = store.label_queues()
    read = [(file, read_labels(Path(file), known)) for file in files]
    for file, found in read:
        labels = [
            label.model_copy(update={"comment": redact_text(label.comment)})
            for label in found.labels
        ]
        store.put_labels(labels, found.queues)
        sources = Counter(label.source for label in labels)
        split = ", ".join(f"{count} {source}" for source, count in sorted(sources.items()))
        kept = f"{one_line(file)}: kept {counted(len(labels), 'label')}"
        yield f"{kept} ({split})" if split else kept
        if found.open:
            yield f"  {counted(found.open, 'session')} without a score yet"
        if sources["random"] < len(labels):
            yield "  only random labels correct a judge; the others are kept apart"


def as_table(labels: Sequence[HumanLabel], queues: Sequence[LabelQueue]) -> Iterator[str]:
    """Yield a table for people, a row per label, then how far each queue is done."""
    if labels:
        rows = [
            (
                label.session_id or f"{label.digest[:12]}…",
                label.axis,
                points(label.score),
                label.by,
                label.source,
                label.queue,
                label.comment,
            )
            for label in labels
        ]
        head = ("session", "axis", "score", "by", "source", "queue", "comment")
        yield from plain_table(head, rows, right=("score",))
    else:
        yield "no labels"
    for queue in queues:
        digests = {label.digest for label in labels if label.queue == queue.name}
        of = f", the sessions of {queue.draw} again" if queue.draw else ""
        yield (
            f"queue {queue.name} ({queue.kind}, {one_line(queue.suite)}{of}): "
            f"{len(digests)} of {counted(len(queue.members), 'session')} labelled"
        )


def stored_people(url: str | None, *, home: Path) -> People:
    """Return all labels of a store; none where there is no store and none was named."""
    if url is None and not has_store(home):
        return People()
    with named_store(url, home=home, must_exist=True) as store:
        return People(labels=store.labels(), queues=store.label_queues())


def known_queue(store: Store, name: str) -> LabelQueue:
    """Return the queue of that name; raises ``SettingError`` naming those there are."""
    queues = {queue.name: queue for queue in store.label_queues()}
    if name not in queues:
        raise SettingError(
            f"--again: there is no queue {name!r}; there are {', '.join(queues) or 'none'}"
        )
    return queues[name]


def labelled_axes(store: Store, queue: LabelQueue) -> dict[str, set[str]]:
    """Return the axes on which the queue's sessions have a label of its draw, by digest."""
    draws = {one.name: one.draw_name for one in store.label_queues()}
    found: dict[str, set[str]] = {}
    for label in store.labels(list(queue.members.values())):
        if label.source == queue.kind and draws.get(label.queue) == queue.draw_name:
            found.setdefault(label.digest, set()).add(label.axis)
    return found

"""The labels an exam holds a judge against: from a file and from the store, by session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.label_table import read_label_table
from pytest_sessioneval.suites.labels import HumanLabel, read_labels
from pytest_sessioneval.suites.wording import nearest

__all__ = ["ExamLabels", "exam_labels"]

_NAMED = 5
# Chosen because somebody disagreed or complained: agreement on them is no estimate.
_APART = ("diagnostic", "complaint")


@dataclass(frozen=True, slots=True)
class ExamLabels:
    """A suite's labels by session."""

    by_session: Mapping[str, Mapping[str, tuple[float, ...]]]
    """Session key, then axis: one score per person, in alphabetical order of their names."""
    apart: int = 0
    """Labels of diagnostic queues and complaints, which are not used."""
    unasked: int = 0
    """Labels used of which nothing says how their session was chosen."""
    strangers: tuple[str, ...] = ()
    """Labelled sessions that are not in the suite, sorted."""


def exam_labels(
    files: Sequence[Path], store: Store, members: Sequence[Member], axes: Sequence[str]
) -> ExamLabels:
    """Return the labels of the suite's sessions: those of the files, and those in the store.

    A file is a label table where its name ends in ``.csv``, else a label file.
    Raises ``SuiteError`` for what is wrong in one, for an axis that the rubric
    does not have, and where one labels none of the suite's sessions.
    """
    keys: dict[str, list[str]] = {}
    for member in members:
        keys.setdefault(member.session.summary.digest, []).append(member.session.key)
    given: list[HumanLabel] = []
    strangers: set[str] = set()
    for file in files:
        known, unknown = _read(file, store, members, keys)
        if not known:
            raise SuiteError(
                f"{file}: none of its labels is of a session of this suite"
                + (f"; they name {', '.join(sorted(unknown)[:_NAMED])}" if unknown else "")
                + f"; the suite has {', '.join(one.session.key for one in members[:_NAMED])}"
            )
        given += known
        strangers |= unknown
    kept = {(label.digest, label.axis, label.by): label for label in store.labels([*keys])}
    kept |= {(label.digest, label.axis, label.by): label for label in given}
    _check_axes(kept.values(), axes)
    used = [label for label in kept.values() if label.source not in _APART]
    return ExamLabels(
        by_session=_by_session(used, keys),
        apart=len(kept) - len(used),
        unasked=Counter(label.source for label in used)["unknown"],
        strangers=tuple(sorted(strangers)),
    )


def _read(
    file: Path, store: Store, members: Sequence[Member], keys: Mapping[str, Sequence[str]]
) -> tuple[list[HumanLabel], set[str]]:
    """Return a file's labels of the suite's sessions, and the other sessions it names."""
    if file.suffix.lower() == ".csv":
        rows, strangers = read_label_table(file, [member.session for member in members])
        return list(rows), set(strangers)
    labels = read_labels(file, store.label_queues()).labels
    return (
        [label for label in labels if label.digest in keys],
        {label.session_id or label.digest[:16] for label in labels if label.digest not in keys},
    )


def _check_axes(labels: Iterable[HumanLabel], axes: Sequence[str]) -> None:
    for label in labels:
        if label.axis not in axes:
            raise SuiteError(
                f"labels: there is no axis {label.axis!r}{nearest(label.axis, axes)}; the rubric "
                f"has {', '.join(axes)}"
            )


def _by_session(
    labels: Sequence[HumanLabel], keys: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, tuple[float, ...]]]:
    given: dict[str, dict[str, dict[str, float]]] = {}
    for label in labels:
        for key in keys[label.digest]:
            given.setdefault(key, {}).setdefault(label.axis, {})[label.by] = label.score
    return {
        key: {
            axis: tuple(score for _, score in sorted(scores.items()))
            for axis, scores in by_axis.items()
        }
        for key, by_axis in given.items()
    }

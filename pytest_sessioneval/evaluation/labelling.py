"""Labels of a suite's sessions, and what the embedded judge measures of those that have one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.judging.panel import longest_excerpt, profile_of
from pytest_sessioneval.judging.process.features import feature_values
from pytest_sessioneval.judging.process.opinions import signals_of
from pytest_sessioneval.suites.calibration import kind_of
from pytest_sessioneval.suites.labels import HumanLabel
from pytest_sessioneval.suites.model import Suite

__all__ = [
    "SUCCESS",
    "GivenLabels",
    "LabelledSession",
    "kind_key_of",
    "labels_given",
    "labels_recorded",
    "measured",
]

SUCCESS = 0.5
"""The least value of a label that counts as success."""
_KIND_KEY = "domain"
_AXIS = "goal_completion"
_CHOSEN = ("complaint", "diagnostic")
_MOST = 100


@dataclass(frozen=True, slots=True)
class LabelledSession:
    """One session's label and numbers."""

    success: bool
    task: str
    kind: str | None
    values: tuple[float, ...]
    """One per feature of the embedded judge."""


def labels_recorded(members: Sequence[Member]) -> dict[str, float]:
    """Return the outcomes that transcripts record, 0–1, by the session's key."""
    return {
        member.session.key: member.session.summary.outcome.value
        for member in members
        if member.session.summary.outcome is not None
        and member.session.summary.outcome.value is not None
    }


@dataclass(frozen=True, slots=True)
class GivenLabels:
    """What a label file says of a suite's sessions."""

    values: dict[str, float]
    """0–1 by the session's key: the mean over the people who scored it, over 100."""
    left_out: dict[str, int]
    """Labels that were not taken, by why they were given: they would tilt the fit."""
    elsewhere: int
    """Labels of transcripts that the suite does not hold as they were read."""


def labels_given(labels: Sequence[HumanLabel], members: Sequence[Member]) -> GivenLabels:
    """Return the scores on goal_completion, by the session's key.

    Those from complaints and from queues that look for disagreement are left
    out: they are of sessions chosen by how they ended.
    """
    keys: dict[str, list[str]] = {}
    for member in members:
        keys.setdefault(member.session.summary.digest, []).append(member.session.key)
    scores: dict[str, list[float]] = {}
    left_out: Counter[str] = Counter()
    elsewhere = 0
    for label in labels:
        if label.axis != _AXIS:
            continue
        if label.source in _CHOSEN:
            left_out[label.source] += 1
            continue
        elsewhere += label.digest not in keys
        for key in keys.get(label.digest, ()):
            scores.setdefault(key, []).append(label.score)
    values = {key: fmean(given) / _MOST for key, given in scores.items()}
    return GivenLabels(values, dict(sorted(left_out.items())), elsewhere)


def measured(
    suite: Suite,
    members: Sequence[Member],
    labels: Mapping[str, float],
    source: TranscriptSource,
    *,
    kind_key: str | None,
) -> Iterator[LabelledSession]:
    """Yield every labelled session with its numbers, measured as the embedded judge will.

    A label of 0.5 and more is a success. Raises ``TranscriptError`` where a file
    cannot be read any more.
    """
    cap = longest_excerpt(suite)
    for member in members:
        session = member.session
        if session.key not in labels:
            continue
        transcript = source.load(member, suite.redaction)
        signals = signals_of(transcript, cap, profile_of(suite, session.summary))
        clustered = suite.settings.suite.cluster is not None
        yield LabelledSession(
            success=labels[session.key] >= SUCCESS,
            # Two kinds may number their tasks alike: held out together, nothing is given away.
            task=(session.cluster if clustered else session.summary.task_id) or session.key,
            kind=kind_of(transcript.metadata, kind_key),
            values=feature_values(signals),
        )


def kind_key_of(members: Sequence[Member], given: str | None) -> str | None:
    """Return the metadata key that names kinds of task: as given, else ``domain`` if it is there.

    Raises ``SettingError`` where no session has the one given.
    """
    key = _KIND_KEY if given is None else given
    if any(member.session.summary.metadata.get(key) is not None for member in members):
        return key
    if given is None:
        return None
    known = sorted({name for member in members for name in member.session.summary.metadata})
    raise SettingError(
        f"--kind {given}: no session has metadata of that name; they have "
        f"{', '.join(known) or 'none'}"
    )

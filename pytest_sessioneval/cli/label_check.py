"""A run's scores held against people's random labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.reported import valued_axes
from pytest_sessioneval.gate.label_check import LabelCheck, ScoredSession, check_labels
from pytest_sessioneval.gate.pairing import Unit
from pytest_sessioneval.gate.people import People, random_draws
from pytest_sessioneval.reports.model import SessionReport, SuiteReport
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.plain_table import plain_table
from pytest_sessioneval.stores.protocol import Store

__all__ = ["check_lines", "checked_suite"]


def checked_suite(suite: SuiteReport, store: Store) -> tuple[LabelCheck, ...]:
    """Return one check per axis of the run that has random labels.

    Raises ``SettingError`` where none has.
    """
    judged = [one for one in suite.sessions if one.verdict is not None]
    digests = [one.verdict.digest for one in judged if one.verdict is not None]
    people = People(labels=store.labels(digests), queues=store.label_queues())
    found = []
    for axis in valued_axes(suite):
        draws = random_draws(people, axis, rubric=suite.rubric_version)
        threshold = suite.thresholds.session.get(axis)
        check = check_labels(axis, _scored(judged, axis), draws, threshold=threshold)
        if check is not None:
            found.append(check)
    if not found:
        raise SettingError(
            f"label check: no session of this run of suite {suite.suite!r} has a random label "
            f"(labels of any source: {len(people.labels)}); draw with sessioneval label-queue, "
            "and import what people give"
        )
    return tuple(found)


def check_lines(checks: Sequence[LabelCheck], suite: str) -> Iterator[str]:
    """Yield the checks in words for people, a line each."""
    yield f"{one_line(suite)}: the judge's means, and what people's random labels make of them"
    rows = [
        (
            check.axis,
            f"{check.labels} of {check.drawn}",
            f"{check.people:.1f}",
            f"{check.judge:.1f}",
            f"{check.judge - check.people:+.1f}",
            f"{check.raw_mean:.1f}",
            f"{check.mean:.1f}",
            "-" if check.low is None else f"[{check.low:.1f}, {check.high:.1f}]",
            "-" if check.calibrated is None else f"{check.calibrated.mean:.1f}",
        )
        for check in checks
    ]
    head = (
        "axis",
        "labels",
        "people",
        "judge",
        "bias",
        "raw",
        "corrected",
        "90 % CI",
        "calibrated",
    )
    yield from plain_table(head, rows, right=head[1:])
    for check in checks:
        yield from _details(check)
    yield "No score is changed by any of this. people and judge: means over the labelled sessions."


def _details(check: LabelCheck) -> Iterator[str]:
    if check.calibrated is None:
        more = f"a calibration needs {check.labels_missing} more labels"
        if not check.labels_missing:
            more = "its labels are of one task: a calibration needs several"
        yield f"{check.axis}: {more}"
    else:
        fit = check.calibrated
        yield (
            f"{check.axis}: {check.error:.1f} points from people on average, calibrated "
            f"{fit.error:.1f} on labels held out ({fit.version})"
        )
    passes = check.passes
    if passes is None:
        return
    raw = f"{check.axis}: {100 * passes.raw:.0f} % of the sessions reach {passes.threshold:g}"
    if passes.share is None or passes.low is None or passes.high is None:
        yield f"{raw}; the labels do not show that the judge tells those that do from the others"
        return
    yield (
        f"{raw}; corrected for the judge's mistakes {100 * passes.share:.0f} % "
        f"[{100 * passes.low:.0f}, {100 * passes.high:.0f}]"
    )


def _scored(sessions: Sequence[SessionReport], axis: str) -> list[ScoredSession]:
    found = []
    for one in sessions:
        if one.verdict is not None and axis in one.verdict.scores:
            unit: Unit = ("session", one.key)
            if one.cluster is not None:
                unit = ("cluster", one.cluster)
            found.append(ScoredSession(one.verdict.digest, one.verdict.scores[axis], unit))
    return found

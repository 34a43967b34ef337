"""Why scores are missing: reasons and causes, counted, with what a reader can do."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_sessioneval.reports.model import SessionReport, SuiteReport
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.verdicts.model import UnscoredReason, Verdict

__all__ = [
    "REASONS",
    "Cause",
    "Missing",
    "causes",
    "causes_of",
    "missing_scores",
    "share_of_axes",
]

REASONS: dict[UnscoredReason, tuple[str, str]] = {
    "not_applicable": (
        "the experts asked said that it does not apply",
        "nothing: it never counts against a session",
    ),
    "unsupported": (
        "this judge cannot score it",
        "choose a judge that can (`model` under [judge])",
    ),
    "unverified": (
        "no cited evidence was found in the transcript",
        "read the session; a judge that does this often should not be relied on",
    ),
    "tampered": (
        "the transcript tries to steer its judge",
        "read the session before trusting any score of it",
    ),
    "declined": (
        "the judge refused to answer",
        "read the session, or have it judged by another model (`model` under [judge])",
    ),
    "failed": (
        "no usable answer arrived",
        "run again: only what is missing is asked for",
    ),
    "skipped": (
        "it was left out: budget spent, or run cancelled",
        "run again, with a larger --sessioneval-max-calls (a command: --max-calls) if one is set",
    ),
}
"""Per reason: what it means, and what a reader can do."""

_DECIDED = (
    "the gate had decided before its turn",
    'nothing; to have every session judged: sequential = "off" under [gate]',
)
_LONGEST = 300
_TOKEN = re.compile(r"[\w-]*\d[\w-]*")
_SHORTEST_ID = 12


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause that left sessions without scores they had to have."""

    text: str
    """``failed: no connection to …``, as it was told first."""
    remedy: str
    """What a reader can do; empty where the cause is of no known reason."""
    sessions: tuple[tuple[SessionReport, tuple[str, ...]], ...]
    """The sessions, in order of collection, each with the axes it left without a score."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Scores that are missing for one reason, with the same thing to be said of them."""

    reason: UnscoredReason
    axes: Mapping[str, int]
    """How many sessions have no score for it, by axis."""
    meaning: str
    remedy: str


def causes_of(verdict: Verdict | None, not_scored: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return why a session was not scored: by cause, the axes that have no score for it.

    A line that is about no axis of the verdict is a cause of its own, of no axes.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for line in not_scored:
        axis = line.partition(": ")[0]
        result = verdict.axes.get(axis) if verdict is not None else None
        if result is None or result.kind == "scored":
            found[one_line(line, _LONGEST)] += []
        else:
            detail = f": {result.detail}" if result.detail else ""
            found[one_line(result.reason + detail, _LONGEST)].append(axis)
    return {cause: tuple(axes) for cause, axes in found.items()}


def causes(suite: SuiteReport) -> tuple[Cause, ...]:
    """Return what left sessions without scores they had to have, the most frequent first.

    Causes that differ only in long identifiers, such as a request's, are one.
    """
    texts: dict[str, str] = {}
    sessions: defaultdict[str, list[tuple[SessionReport, tuple[str, ...]]]] = defaultdict(list)
    for session in suite.sessions:
        if session.state == "error" or not session.not_scored:
            continue
        shapes: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
        for text, axes in causes_of(session.verdict, session.not_scored).items():
            shape = _TOKEN.sub(_without_ids, text)
            texts.setdefault(shape, text)
            shapes[shape] += axes
        for shape, axes in shapes.items():
            sessions[shape].append((session, axes))
    ordered = sorted(sessions.items(), key=lambda item: -len(item[1]))
    return tuple(
        Cause(texts[shape], _remedy(texts[shape]), tuple(members)) for shape, members in ordered
    )


def share_of_axes(session: SessionReport, axes: Sequence[str]) -> tuple[str, ...]:
    """Return the axes where the session has a score on others; nothing where it has none."""
    results = session.verdict.axes.values() if session.verdict is not None else ()
    return tuple(axes) if any(result.kind == "scored" for result in results) else ()


def missing_scores(suite: SuiteReport) -> tuple[Missing, ...]:
    """Return the scores that are missing, by reason, and what can be done about each.

    ``not_applicable`` is left out: nothing is missing there. An axis that the
    judge cannot score says in the judge's own words why, and how to get it.
    """
    return tuple(
        missing
        for reason in REASONS
        if reason != "not_applicable"
        for missing in _missing(suite, reason)
    )


def _missing(suite: SuiteReport, reason: UnscoredReason) -> Iterator[Missing]:
    meaning, remedy = REASONS[reason]
    said: dict[tuple[str, str], dict[str, int]] = {}
    for row in suite.means:
        number = row.unscored.get(reason, 0)
        if reason == "skipped" and suite.counts.skipped:
            said.setdefault(_DECIDED, {})[row.axis] = suite.counts.skipped
            number -= suite.counts.skipped
        if number:
            words = (meaning, remedy)
            if reason == "unsupported":
                how = suite.judge.unsupported.get(row.axis)
                words = (meaning, how) if how else (_most_said(suite, row.axis) or meaning, remedy)
            said.setdefault(words, {})[row.axis] = number
    for (means, what_to_do), axes in said.items():
        yield Missing(reason, axes, means, what_to_do)


def _most_said(suite: SuiteReport, axis: str) -> str:
    """Return what the judge said most often of an axis that it cannot score."""
    details: Counter[str] = Counter()
    for session in suite.sessions:
        result = session.verdict.axes.get(axis) if session.verdict is not None else None
        if result is not None and result.kind == "unscored" and result.reason == "unsupported":
            details[result.detail] += 1
    return max(details, key=lambda detail: (details[detail], detail), default="")


def _remedy(cause: str) -> str:
    reason = cause.partition(":")[0]
    return next((remedy for name, (_, remedy) in REASONS.items() if name == reason), "")


def _without_ids(token: re.Match[str]) -> str:
    return "#" if len(token.group()) >= _SHORTEST_ID else token.group()

"""The lines of the terminal section, with a hint of how each may be marked up."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_sessioneval.reports.lowest import lowest_scores
from pytest_sessioneval.reports.model import AxisReport, Report, SuiteReport
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.reasons import REASONS, causes, missing_scores
from pytest_sessioneval.reports.steered import steered_line
from pytest_sessioneval.reports.terminal_table import table_rows
from pytest_sessioneval.reports.wording import (
    asked,
    cost,
    count_list,
    counted,
    judged_by,
    low_means,
    points,
    quotes_told,
    short_name,
    state_list,
)
from pytest_sessioneval.verdicts.model import NOT_ANSWERED
from pytest_sessioneval.verdicts.run import Sources

__all__ = ["Line", "Style", "terminal_lines"]

Style = Literal["title", "plain", "strong", "good", "bad", "warn", "dim"]
"""How a line may be marked up; ``title`` is the text of a section's separator."""

_KINDS = 5
_CAUSES = 3
_LOWEST = " lowest: "
_WIDEST_AXIS = 32
_LEAST_ROOM = 24


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the terminal section."""

    text: str
    """Without line break or control characters."""
    style: Style = "plain"
    """How it may be marked up."""


def terminal_lines(
    report: Report, *, written: Sequence[str] = (), width: int = 80
) -> Iterator[Line]:
    """Yield the terminal section: a title and a table per suite, the report's files last.

    ``written`` are the paths of the files, as the user should see them; ``width``
    is where sentences are wrapped (the table needs 80 columns at most, unless
    an axis has a long name).
    """
    for suite in report.suites:
        yield Line(f"session scores: {one_line(suite.suite, 60)}", "title")
        yield from _suite(suite, width)
    if not report.suites:
        yield Line("session scores", "title")
        yield Line(" no suite was run", "warn")
    if report.partial:
        yield from _sentence(f"only a part was run: {report.partial}", width, "warn")
    if report.interrupted:
        yield from _sentence("the run was broken off: averages are over what was judged", width)
    if written:
        yield from _sentence(f"report: {_paths(written)}", width, "plain")


def _suite(suite: SuiteReport, width: int) -> Iterator[Line]:
    yield from _sentence(_facts(suite), width, "plain")
    yield from _causes(suite, width)
    if suite.sessions and (any(row.scored for row in suite.means) or not suite.counts.not_scored):
        yield from _table(suite)
    counts = suite.counts
    if counts.failed or counts.not_run or counts.skipped or not counts.sessions:
        states = state_list(counts) or "no session was run"
        yield from _sentence(states, width, "bad" if counts.failed else "warn")
    if low := low_means(suite):
        yield from _sentence(f"mean below threshold: {low}", width, "bad")
    for axis in suite.never_scored:
        text = f"{axis} has a threshold, and no session was scored on it"
        yield from _sentence(text, width, "bad")
    yield from _gate(suite, width)
    yield from _standing(suite, width)
    yield from _lowest(suite, width)
    yield from _missing(suite, width)
    if steered := steered_line(suite):
        yield from _sentence(steered, width, "warn")
    yield from _sources(suite.sources, width)
    if suite.quotes.rejected:
        yield from _sentence(f"evidence: {quotes_told(suite.quotes)}", width, "dim")
    if suite.redacted:
        secrets = f"secrets replaced before anything left the process: {count_list(suite.redacted)}"
        yield from _sentence(secrets, width, "dim")
    if suite.judge.notice:
        yield from _sentence(suite.judge.notice, width, "dim")
    for note in suite.notes:
        yield from _sentence(note, width, "dim")


def _gate(suite: SuiteReport, width: int) -> Iterator[Line]:
    if suite.gate is None:
        return
    style: Style = "bad" if suite.gate.blocks else "strong"
    for line in suite.gate.lines:
        yield from _sentence(f"gate: {line}" if style != "plain" else line, width, style)
        style = "plain"


def _standing(suite: SuiteReport, width: int) -> Iterator[Line]:
    if suite.standing is None:
        return
    gated = suite.gate is not None and suite.gate.decision is not None
    style: Style = "warn" if gated and not suite.standing.calibrated else "dim"
    yield from _sentence(suite.standing.line, width, style)


def _facts(suite: SuiteReport) -> str:
    name = suite.rubric_version.partition("#")[0]
    facts = [counted(suite.counts.sessions, "session"), judged_by(suite), f"rubric {name}"]
    if suite.judged or suite.from_store:
        facts.append(f"{suite.judged:,} judged, {suite.from_store:,} from store")
    facts += [cost(suite.spent), asked(suite.spent)]
    return " · ".join(fact for fact in facts if fact)


def _table(suite: SuiteReport) -> Iterator[Line]:
    low = {fall.axis for fall in suite.mean_shortfalls} | set(suite.never_scored)
    for text, axis in table_rows(suite):
        yield Line(text, "strong" if axis is None else _axis_style(axis, axis.axis in low))


def _axis_style(axis: AxisReport, low_mean: bool) -> Style:  # noqa: FBT001 -- private
    if axis.below or low_mean:
        return "bad"
    if axis.mean is None:
        return "dim"
    return "plain"


def _lowest(suite: SuiteReport, width: int) -> Iterator[Line]:
    """Yield the lowest score of each axis on one line each: what a green run has to read.

    An axis with sessions below their threshold has told more than that.
    """
    told = {row.axis for row in suite.means if row.below}
    head = _LOWEST
    for axis, (low,) in lowest_scores(suite, 1).items():
        if axis in told:
            continue
        text = f"{head}{one_line(axis, _WIDEST_AXIS)} {points(low.score)} {short_name(low.session)}"
        room = max(width, 40) - len(text) - len(" ()")
        why = one_line(low.said.comment, room) if room >= _LEAST_ROOM else ""
        yield Line(f"{text} ({why})" if why else text)
        head = " " * len(_LOWEST)


def _causes(suite: SuiteReport, width: int) -> Iterator[Line]:
    """Yield why sessions were not scored, before all that follows from it."""
    found = causes(suite)
    for cause in found[:_CAUSES]:
        remedy = f"; {cause.remedy}" if cause.remedy else ""
        sessions = counted(len(cause.sessions), "session")
        yield from _sentence(f"not scored: {sessions}: {cause.text}{remedy}", width, "bad")
    if len(found) > _CAUSES:
        others = counted(len(found) - _CAUSES, "other cause")
        yield from _sentence(f"not scored: {others}, see the report", width, "bad")


def _missing(suite: SuiteReport, width: int) -> Iterator[Line]:
    """Yield why other scores are missing, with what can be done about it."""
    for missing in missing_scores(suite):
        if missing.reason in NOT_ANSWERED:
            continue  # fails its sessions, and was told first
        if any(axis in suite.judge.unsupported for axis in missing.axes):
            axes = " and ".join(missing.axes)
            are = "is" if len(missing.axes) == 1 else "are"
            text = f"{axes} {are} not scored by this judge: {missing.remedy}"
        else:
            axes = ", ".join(f"{axis} {number:,}" for axis, number in missing.axes.items())
            text = f"{missing.reason}: {axes} – {missing.meaning}"
            if missing.meaning == REASONS[missing.reason][0]:
                text += f"; {missing.remedy}"  # else the judge said what to do
        yield from _sentence(text, width, "warn")
    unjudged = max((row.unjudged for row in suite.means), default=0)
    if unjudged > suite.counts.error + suite.counts.not_run:
        yield from _sentence(f"without a verdict: {counted(unjudged, 'session')}", width, "warn")


def _sources(sources: Sources, width: int) -> Iterator[Line]:
    read = f"read {counted(sources.files_read, 'file')}"
    skipped = sum(sources.skipped_lines.values())
    if skipped:
        kinds = count_list(sources.skipped_lines, _KINDS)
        read += f", skipped {counted(skipped, 'line')} ({kinds})"
    unknown = sum(sources.unknown_records.values())
    if unknown:
        kinds = count_list(sources.unknown_records, _KINDS)
        read += f", left out {counted(unknown, 'record')} of unknown kinds ({kinds})"
    numbers = (
        (len(sources.not_sessions), "without a session"),
        (len(sources.duplicates), "left out as copies"),
        (len(sources.problems), "unreadable"),
        (sources.deselected, "deselected"),
    )
    left = [f"{number:,} {what}" for number, what in numbers if number]
    if left:
        read += f"; {', '.join(left)}"
    yield from _sentence(read, width, "warn" if skipped or sources.problems else "dim")


def _paths(written: Sequence[str]) -> str:
    """Return the paths in one line: files of one folder share its name."""
    folder, slash, _ = written[0].rpartition("/")
    prefix = folder + slash
    same = [path for path in written[1:] if path.rpartition("/")[0] == folder]
    others = [path for path in written[1:] if path not in same]
    names = [path.removeprefix(prefix) for path in same]
    first = written[0] + (f" ({', '.join(names)})" if names else "")
    return ", ".join([first, *others])


def _sentence(text: str, width: int, style: Style = "warn") -> Iterator[Line]:
    for line in textwrap.wrap(
        one_line(text),
        max(width, 40),
        initial_indent=" ",
        subsequent_indent="   ",
        break_long_words=False,
        break_on_hyphens=False,
    ):
        yield Line(line, style)

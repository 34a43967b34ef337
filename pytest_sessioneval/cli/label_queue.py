"""Draws the sessions that people are asked to label, and writes the form they fill in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.reported import gated_axes, valued_axes
from pytest_sessioneval.gate.drawing import draw_random, stratum_of, suspects
from pytest_sessioneval.reports.model import SessionReport, SuiteReport
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.plain_table import plain_table
from pytest_sessioneval.reports.wording import counted
from pytest_sessioneval.suites.labels import LabelQueue, form_lines
from pytest_sessioneval.verdicts.model import Verdict

__all__ = ["asked_axes", "draw", "draw_again", "draw_suspects", "write_form"]

_SHOWN = 20


def draw(
    suite: SuiteReport, *, count: int, seed: int, axes: Sequence[str], now: datetime
) -> LabelQueue:
    """Return a random queue over the suite's judged sessions, in even shares of score bands.

    ``axes`` are those to be labelled. Raises ``SettingError`` where no session
    was judged.
    """
    frame = _frame(suite)
    drawn = draw_random(
        {key: stratum_of(one.verdict, axes) for key, one in frame.items()}, count, seed=seed
    )
    return LabelQueue(
        kind="random",
        suite=suite.suite,
        rubric=suite.rubric_version,
        axes=tuple(axes),
        seed=seed,
        frame=len(frame),
        propensity=drawn.propensity,
        strata=dict(drawn.strata),
        members={key: _verdict(frame[key]).digest for key in drawn.keys},
        drawn_at=now,
    )


def draw_again(suite: SuiteReport, first: LabelQueue, *, now: datetime) -> LabelQueue:
    """Return the queue of the sessions that an earlier one drew, as they are recorded now.

    The chance is the earlier draw's: no score of today has moved it. Raises
    ``SettingError`` when the suite, its rubric or all of the sessions are others.
    """
    if first.kind != "random":
        raise SettingError(
            f"--again {first.name}: this queue is diagnostic; only what was drawn at random can "
            "be labelled again"
        )
    if first.suite != suite.suite:
        raise SettingError(
            f"--again {first.name}: it drew from suite {first.suite!r}, and this is {suite.suite!r}"
        )
    frame = _frame(suite)
    members = {key: _verdict(frame[key]).digest for key in first.members if key in frame}
    if not members:
        raise SettingError(f"--again {first.name}: none of its sessions is in this run")
    return first.model_copy(
        update={
            "draw": first.draw_name,
            "rubric": suite.rubric_version,
            "members": members,
            "drawn_at": now,
        }
    )


def draw_suspects(
    suite: SuiteReport,
    given: Mapping[str, Mapping[int, int]],
    *,
    count: int,
    seed: int,
    axes: Sequence[str],
    now: datetime,
) -> tuple[LabelQueue, dict[str, str]]:
    """Return a diagnostic queue, and by key why each session is in it.

    ``given`` are thumbs by session id and message. Raises ``SettingError`` when
    there is nothing to look at.
    """
    frame = _frame(suite)
    thumbs = {key: [*given.get(one.session_id, {}).values()] for key, one in frame.items()}
    verdicts = {key: _verdict(one) for key, one in frame.items()}
    chosen = suspects(verdicts, thumbs, axes)[:count]
    if not chosen:
        raise SettingError(
            "--diagnostic: no session disagrees with its thumbs, is contested or lacks evidence; "
            "bring thumbs in with sessioneval feedback import"
        )
    queue = LabelQueue(
        kind="diagnostic",
        suite=suite.suite,
        rubric=suite.rubric_version,
        axes=tuple(axes),
        seed=seed,
        frame=len(frame),
        propensity=None,
        members={one.key: verdicts[one.key].digest for one in chosen},
        drawn_at=now,
    )
    return queue, {one.key: one.why for one in chosen}


def write_form(
    queue: LabelQueue,
    suite: SuiteReport,
    file: Path,
    *,
    labelled: Mapping[str, set[str]],
    why: Mapping[str, str],
) -> Iterator[str]:
    """Write the form of a queue; yield what was drawn and what to do with it.

    Left out are sessions that have a label of this draw already (``labelled``:
    axes by digest), because their transcript did not change. ``why`` is shown,
    never written: whoever labels must not know. Raises ``SettingError`` where
    the file is there already.
    """
    frame = _frame(suite)
    wanted = set(queue.axes)
    open_keys = [
        key for key, digest in queue.members.items() if not wanted <= labelled.get(digest, set())
    ]
    rows = [
        {
            "digest": queue.members[key],
            "session_id": frame[key].session_id,
            "path": _place(suite, frame[key]),
        }
        for key in open_keys
    ]
    try:
        with file.open("x", encoding="utf-8") as written:
            written.write(form_lines(queue, rows))
    except FileExistsError:
        raise SettingError(f"{file} is there already; name another file with --to") from None
    yield from _told(queue, suite)
    if why:
        yield from plain_table(
            ("session", "why"),
            [(frame[key].session_id, why[key]) for key in open_keys[:_SHOWN]],
        )
    done = len(queue.members) - len(open_keys)
    if done:
        yield f"{counted(done, 'session')} unchanged and labelled before: left out of the form"
    name = one_line(str(file))
    yield f"wrote {name}: read each session, put a number from 0 to 100 for every axis,"
    yield f"then: sessioneval label import {name}"


def _told(queue: LabelQueue, suite: SuiteReport) -> Iterator[str]:
    name, drawn = queue.name, len(queue.members)
    sessions = counted(queue.frame, "judged session")
    yield (
        f"queue {name}: {drawn} of {sessions} of {one_line(suite.suite)}, "
        f"for {', '.join(queue.axes)}"
    )
    if queue.draw is not None:
        yield f"  the sessions of draw {queue.draw}, as they are recorded now"
    if queue.propensity is not None and queue.draw is None:
        shares = ", ".join(f"{n} of {size} at {band}" for band, (size, n) in queue.strata.items())
        yield f"  each with a chance of {100 * queue.propensity:.1f} %: {shares}"
    if queue.kind == "diagnostic":
        yield "  chosen to find faults: these labels never correct a score"
    unjudged = sum(1 for one in suite.sessions if one.verdict is None)
    if unjudged:
        yield f"  {counted(unjudged, 'session')} not judged could not be drawn"


def asked_axes(suite: SuiteReport, given: Sequence[str], text: str) -> tuple[str, ...]:
    """Return the axes to be labelled: as given, else the gated ones, else the scored ones.

    ``text`` names the run; see ``gated_axes``. Axes that only describe are left
    out. Raises ``SettingError``.
    """
    unknown = [axis for axis in given if axis not in suite.axes]
    if unknown:
        raise SettingError(
            f"--axis: there is no axis {unknown[0]!r}; there are {', '.join(suite.axes)}"
        )
    if given:
        return tuple(dict.fromkeys(given))
    axes = gated_axes(suite, text) or valued_axes(suite)
    if not axes:
        raise SettingError("label-queue: no axis has a score; name those to label with --axis")
    return axes


def _frame(suite: SuiteReport) -> dict[str, SessionReport]:
    frame = {one.key: one for one in suite.sessions if one.verdict is not None}
    if not frame:
        raise SettingError(f"label-queue: no session of suite {suite.suite!r} was judged")
    return frame


def _verdict(session: SessionReport) -> Verdict:
    if session.verdict is None:
        raise ValueError(f"session {session.key!r} was not judged")
    return session.verdict


def _place(suite: SuiteReport, session: SessionReport) -> str:
    path = str(Path(suite.root) / session.path)
    return path if session.locator is None else f"{path}::{session.locator}"

"""One evaluation of a set of sessions: what reports show, stores keep and the gate decides on."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.suites.model import Thresholds
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.suites.thresholds import Shortfall
from pytest_sessioneval.verdicts.model import CallCount, Verdict

__all__ = [
    "FileProblem",
    "JudgeIdentity",
    "Provenance",
    "Run",
    "SeatIdentity",
    "SessionResult",
    "SessionState",
    "Sources",
    "SuiteRun",
]

SessionState = Literal["passed", "below_threshold", "not_scored", "error", "not_run", "skipped"]
"""How a session's item ended.

``passed``: judged, and no threshold missed. ``below_threshold``: judged, and at
least one missed. ``not_scored``: an axis that had to be scored was not.
``error``: the session could not be read, or something broke. ``not_run``:
selected, but the run ended before its turn. ``skipped``: the suite's gate had
decided before its turn.
"""


class SessionResult(Frozen):
    """One session's part of a run."""

    session: SuiteSession
    """The session."""
    nodeid: str = ""
    """Its pytest node id; empty outside pytest."""
    state: SessionState
    """How it ended."""
    verdict: Verdict | None = None
    """The panel's verdict; null when none was reached."""
    shortfalls: tuple[Shortfall, ...] = ()
    """Every threshold it missed."""
    not_scored: tuple[str, ...] = ()
    """One line per axis that had to be scored and was not, saying why."""
    status: Literal["evaluated", "pending", "stale"] = "pending"
    """Whether the store had this session's verdict under today's versions when the run began."""


class FileProblem(Frozen):
    """A file, or a session in it, that could not be read."""

    path: str
    """The file, relative to the suite's folder."""
    line: int | None = None
    """The line, where there is one."""
    reason: str
    """One line."""
    nodeid: str = ""
    """The item that errored for it; empty outside pytest."""


class Sources(Frozen):
    """What collection found in a suite's folder."""

    files_read: int = 0
    """Files that held at least one session."""
    sessions: int = 0
    """Sessions found, before selection."""
    deselected: int = 0
    """Sessions that pytest's or our own options left out."""
    not_sessions: tuple[str, ...] = ()
    """Files that parse but hold no session, relative paths, sorted."""
    duplicates: tuple[tuple[str, str], ...] = ()
    """Copies and growing prefixes left out: (left out, kept), as path or path::locator."""
    skipped_lines: dict[str, int] = {}
    """Lines left out while the rest of their session was sound, by reason."""
    unknown_records: dict[str, int] = {}
    """Records of kinds no reader knows, by kind."""
    problems: tuple[FileProblem, ...] = ()
    """Files and sessions that could not be read."""


class SeatIdentity(Frozen):
    """One seat of the panel, as reports name it."""

    id: str
    """The expert's id."""
    model: str
    """Its judge model as configured."""
    axes: tuple[str, ...]
    """The axes it answers."""


class JudgeIdentity(Frozen):
    """Who judged."""

    model: str
    """The suite's judge as configured, such as evidence or openai:gpt-5-mini."""
    version: str
    """``name@n#digest`` of judge, panel, prompts and protocol."""
    seats: tuple[SeatIdentity, ...]
    """The panel, in order."""
    repeats: int = 1
    """How often each expert was asked about each session."""
    notice: str = ""
    """What the judge says plainly of itself; empty: nothing."""
    unsupported: dict[str, str] = {}
    """Axes this judge cannot score in this suite, and how to get each scored."""


class SuiteRun(Frozen):
    """One suite's part of a run."""

    suite: str
    """The suite's name."""
    root: str
    """The suite's folder, relative to the run's root where it lies inside it."""
    rubric_version: str
    """``name@n#digest``."""
    axes: tuple[str, ...]
    """The rubric's axes, in order."""
    judge: JudgeIdentity
    """Who judged."""
    scoring_version: str = ""
    """Version of how this package makes a score out of opinions; empty: not recorded."""
    readers: dict[str, int] = {}
    """Version of each reader that read one of the sessions, by its name."""
    thresholds: Thresholds = Thresholds()
    """What was good enough."""
    sources: Sources = Sources()
    """What collection found."""
    results: tuple[SessionResult, ...] = ()
    """One per selected session, in collection order."""
    canaries: tuple[SessionResult, ...] = ()
    """The frozen sessions that tell the judge from the agent, judged again in this run; never
    counted. Empty: nobody was asked about any."""
    mean_shortfalls: tuple[Shortfall, ...] = ()
    """Every mean that was too low."""
    never_scored: tuple[str, ...] = ()
    """Axes that have a threshold and that no session was scored on."""
    judged: int = 0
    """Sessions for which somebody was asked."""
    from_store: int = 0
    """Sessions whose verdict was already there."""
    spent: CallCount = CallCount()
    """What judging took."""
    redacted: dict[str, int] = {}
    """Secrets replaced before anything left the process, by kind."""
    notes: tuple[str, ...] = ()
    """What a reader should know, a sentence each."""


class Provenance(Frozen):
    """Where and with what a run was made."""

    tool_version: str
    """pytest-sessioneval's version."""
    python: str
    """Python's version."""
    platform: str
    """Operating system and machine."""
    packages: dict[str, str] = {}
    """Versions of the packages that can move a result."""
    git_commit: str | None = None
    """The commit checked out, where there is one."""
    git_branch: str | None = None
    """The branch checked out."""
    git_dirty: bool | None = None
    """Whether the work tree differed from the commit."""


class Run(Frozen):
    """One evaluation of a set of sessions."""

    run_id: str
    """``YYYYMMDD-HHMMSS-xxxxxx``, UTC and random."""
    started_at: datetime
    """UTC."""
    finished_at: datetime
    """UTC."""
    provenance: Provenance
    """Where and with what."""
    suites: tuple[SuiteRun, ...]
    """In order of collection."""
    partial: str = ""
    """Why this is not all of the suites, such as ``-k``; empty: it is."""
    interrupted: bool = False
    """The run was broken off."""

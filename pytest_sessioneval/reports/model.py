"""The report of a run as a value: exactly what ``report.json`` holds.

Field names are the keys of the file; the line beneath each field is its
description in the JSON Schema that the package ships.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.agreement.standing import Standing
from pytest_sessioneval.gate.result import GateResult
from pytest_sessioneval.reports.advice.model import SuiteAdvice
from pytest_sessioneval.suites.model import Thresholds
from pytest_sessioneval.suites.thresholds import Shortfall
from pytest_sessioneval.verdicts.means import AxisMean
from pytest_sessioneval.verdicts.model import CallCount, QuoteCount, UnscoredReason, Verdict
from pytest_sessioneval.verdicts.run import (
    JudgeIdentity,
    Provenance,
    SessionState,
    Sources,
)

__all__ = [
    "SCHEMA_VERSION",
    "AxisReport",
    "BucketReport",
    "Counts",
    "Report",
    "SessionReport",
    "SuiteReport",
    "report_schema",
]

SCHEMA_VERSION: Literal[1] = 1
"""Raised when a key of report.json changes its meaning or goes; a new key does not raise it."""


class Counts(Frozen):
    """How many items ended how."""

    passed: int = 0
    """Sessions that were judged and missed no threshold."""
    below_threshold: int = 0
    """Sessions that missed at least one threshold."""
    not_scored: int = 0
    """Sessions where an axis that had to be scored was not."""
    error: int = 0
    """Sessions where something broke."""
    not_run: int = 0
    """Sessions the run ended before."""
    skipped: int = 0
    """Sessions whose suite's gate had decided before their turn."""
    unreadable: int = 0
    """Files, and sessions in them, that could not be read; they are no sessions of the report."""

    @property
    def sessions(self) -> int:
        """Sessions, however they ended; what could not be read is not among them."""
        judged = self.passed + self.below_threshold + self.not_scored + self.error
        return judged + self.not_run + self.skipped

    @property
    def failed(self) -> int:
        """Items that make the run fail, unreadable ones included."""
        return self.below_threshold + self.not_scored + self.error + self.unreadable


class AxisReport(Frozen):
    """One axis over a suite: its average with what it rests on, and its thresholds."""

    axis: str
    """The axis."""
    mean: float | None
    """Mean over the scored sessions, 0–100, four decimals; null when none is scored."""
    minimum: float | None
    """Lowest score, four decimals; null when none is scored."""
    scored: int
    """How many sessions the mean rests on."""
    sessions: int
    """How many there are, scored or not."""
    unscored: dict[UnscoredReason, int]
    """How many have no score, by reason."""
    unjudged: int
    """How many have no verdict at all."""
    session_threshold: float | None
    """The lowest score a session may have; null: none is set."""
    below: int
    """How many sessions missed it."""
    mean_threshold: float | None
    """The lowest mean accepted; null: none is set."""


class BucketReport(Frozen):
    """The averages of the sessions of one complexity."""

    bucket: str
    """The bucket of ``task_complexity``: 0-25, 26-50, 51-75 or 76+."""
    sessions: int
    """How many sessions it holds."""
    means: tuple[AxisMean, ...]
    """One per axis, in the rubric's order, four decimals."""


class SessionReport(Frozen):
    """One session: how it ended, and all that was said of it."""

    key: str
    """What pairs the session with itself in another run."""
    session_id: str
    """The session's id as recorded."""
    title: str | None = None
    """A title a person would know the session by; null: none is recorded."""
    path: str
    """Its file, relative to the suite's folder, with forward slashes."""
    locator: str | None
    """What names the session within its file; null: the file holds exactly one."""
    nodeid: str
    """Its pytest node id; empty outside pytest."""
    reader: str
    """Name of the reader that read it."""
    cluster: str | None
    """What groups sessions that attempt the same task; null: it stands alone."""
    agent_model: str | None
    """The agent's model, where one is recorded."""
    messages: int
    """Messages of the main agent."""
    tool_calls: int
    """Tool calls, the sub-agents' included."""
    subsessions: int
    """Sub-agents."""
    state: SessionState
    """How its item ended."""
    status: Literal["evaluated", "pending", "stale"]
    """What the store had of it under today's versions when the run began."""
    bucket: str | None
    """Its complexity bucket; null: its complexity is not scored."""
    shortfalls: tuple[Shortfall, ...]
    """Every threshold it missed, with the unrounded score."""
    not_scored: tuple[str, ...]
    """One line per axis that had to be scored and was not, saying why."""
    verdict: Verdict | None
    """The panel's results and every expert's opinion; null when no verdict was reached."""


class SuiteReport(Frozen):
    """One suite."""

    suite: str
    """The suite's name."""
    root: str
    """The suite's folder, relative to the run's root where it lies inside it."""
    rubric_version: str
    """``name@n#digest``."""
    axes: tuple[str, ...]
    """The rubric's axes, in order."""
    judge: JudgeIdentity
    """The panel that judged it."""
    scoring_version: str = ""
    """Version of how opinions were made into scores; empty: not recorded."""
    readers: dict[str, int] = {}
    """Version of each reader that read one of the sessions, by its name."""
    thresholds: Thresholds
    """What was good enough."""
    counts: Counts
    """How its items ended."""
    means: tuple[AxisReport, ...]
    """One per axis, in the rubric's order."""
    mean_shortfalls: tuple[Shortfall, ...]
    """Every mean that was too low, unrounded."""
    never_scored: tuple[str, ...]
    """Axes that have a threshold and that no session was scored on; they fail the run."""
    buckets: tuple[BucketReport, ...]
    """The averages per complexity, for each bucket that holds a session."""
    judged: int
    """Sessions for which somebody was asked."""
    from_store: int
    """Sessions whose verdict was already there."""
    spent: CallCount
    """What judging took."""
    quotes: QuoteCount = QuoteCount()
    """What became of the quotes that judges gave as evidence for these sessions."""
    cost_per_verdict_usd: float | None = None
    """US dollars for each session that was judged; null: none was, or a price is not known."""
    redacted: dict[str, int]
    """Secrets replaced before anything left the process, by kind."""
    sources: Sources
    """What collection found: files read, lines skipped, what was left out and why."""
    notes: tuple[str, ...]
    """What a reader should know, a sentence each."""
    gate: GateResult | None = None
    """What was decided: the gate's decision and the shortcuts; null: neither was asked for."""
    standing: Standing | None = None
    """Whether its judge is calibrated, and by which card; null: nobody looked."""
    advice: SuiteAdvice | None = None
    """What to look at first, made of all this without a model; null: nobody looked."""
    sessions: tuple[SessionReport, ...]
    """One per selected session, in collection order."""
    canaries: tuple[SessionReport, ...] = ()
    """The frozen sessions that were judged again to tell the judge from the agent; they count in
    nothing above."""


class Report(Frozen):
    """One run, as report.json holds it."""

    schema_version: Literal[1] = SCHEMA_VERSION
    """The version of this format."""
    run_id: str
    """``YYYYMMDD-HHMMSS-xxxxxx``, UTC and random."""
    started_at: datetime
    """UTC."""
    finished_at: datetime
    """UTC."""
    partial: str
    """Why this is not all of the suites, such as ``-k``; empty: it is."""
    interrupted: bool
    """The run was broken off."""
    provenance: Provenance
    """Where and with what the run was made."""
    counts: Counts
    """How many items ended how, over all suites."""
    suites: tuple[SuiteReport, ...]
    """In order of collection."""


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every report.json satisfies."""
    schema = Report.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}

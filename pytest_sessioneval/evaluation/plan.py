"""What one run is about to evaluate, as a value that travels between processes."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_sessioneval.evaluation.gating import Reference, candidate_side
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.scanning import Scan
from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.model import Baseline, Candidate
from pytest_sessioneval.gate.outcome import Against
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.verdicts.run import Sources, SuiteRun

__all__ = ["Plan", "PlannedSession", "SuitePlan", "plan_suite"]


class PlannedSession(Frozen):
    """A selected session and the item that waits for it."""

    member: Member
    """The session and its file."""
    nodeid: str = ""
    """The item's node id; empty outside pytest."""


class SuitePlan(Frozen):
    """One suite's part of a plan."""

    suite: Suite
    """The suite, read and checked, overrides applied."""
    sessions: tuple[PlannedSession, ...]
    """The selected sessions, in item order."""
    sources: Sources
    """What collection found."""
    canaries: tuple[Member, ...] = ()
    """Frozen sessions that tell who moved, in file order; they are not among the others."""
    left_out: tuple[str, ...] = ()
    """Keys of the suite's sessions that were not selected."""
    baselines: dict[str, Baseline] = {}
    """What the suite is held against: the baseline and, after it, the anchor; by name."""
    against: Against | None = None
    """What that was chosen to be; null: the suite's own baseline."""

    @property
    def reference(self) -> Reference:
        """By whose rules the suite is judged, and what it is held against."""
        return Reference(suite=self.suite, baselines=self.baselines, against=self.against)

    def candidate(self, run: SuiteRun, *, partial: str) -> Candidate:
        """Return this part of a run as the side to decide on.

        ``partial`` says why the run is not all of its suites. Raises ``SuiteError``
        when two sessions have one key.
        """
        left_out = frozenset(self.left_out)
        return candidate_side(run, left_out=left_out, partial=partial if left_out else "")


class Plan(Frozen):
    """All that a run is about to evaluate."""

    suites: tuple[SuitePlan, ...] = ()
    """In order of collection."""
    partial: str = ""
    """Why this is not all of the suites; empty: it is."""


def plan_suite(found: Scan, reference: Reference, chosen: Sequence[PlannedSession]) -> SuitePlan:
    """Return the plan to evaluate the chosen sessions of all that a suite's folder holds."""
    ids = {planned.member.id for planned in chosen}
    left_out = tuple(member.session.key for member in found.members if member.id not in ids)
    return SuitePlan(
        suite=found.suite,
        sessions=tuple(chosen),
        sources=found.sources.model_copy(update={"deselected": len(left_out)}),
        left_out=left_out,
        canaries=found.canaries if chosen else (),
        baselines=dict(reference.baselines),
        against=reference.against,
    )

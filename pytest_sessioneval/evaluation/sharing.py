"""A run that several processes share, each judging a part: who decides, and on what.

Every part judges its shard and keeps its verdicts in one store. The part that
finds all others there decides on the whole suites: it takes every verdict from
the store and asks nobody. So what decides does not depend on which part ends
last, and a part that is judged again changes what it changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.plan import Plan, PlannedSession, SuitePlan
from pytest_sessioneval.stores.protocol import RunPart, Store
from pytest_sessioneval.verdicts.run import SuiteRun

__all__ = ["Part", "SharedEnd", "check_part", "end_part", "whole_plan"]


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of which run this process judges."""

    run_id: str
    number: int
    """From 1."""
    of: int

    @property
    def name(self) -> str:
        """What names the part's own report: an id of its own."""
        return f"{self.run_id}.{self.number}-of-{self.of}"


@dataclass(frozen=True, slots=True)
class SharedEnd:
    """How far a shared run is, once this part has ended."""

    decides: bool
    """All parts are there: this one decides."""
    said: str
    """One sentence for people."""


def check_part(part: Part, plan: Plan, store: Store) -> None:
    """Raise ``SettingError`` where the part does not fit the parts that are there already."""
    for suite in plan.suites:
        gate = suite.suite.settings.gate
        if gate is not None and gate.sequential != "off":
            raise SettingError(
                f"--sessioneval-run-id: suite {suite.suite.name} stops early ([gate] sequential), "
                'which looks at one part after the other; set sequential = "off"'
            )
    names = {suite.suite.name for suite in plan.suites}
    for other in store.run_parts(part.run_id):
        if other.parts != part.of:
            raise SettingError(
                f"--sessioneval-run-id {part.run_id}: this run is made of {other.parts} parts, and "
                f"--sessioneval-shard {part.number}/{part.of} is one of {part.of}; give another id"
            )
        if other.part != part.number and other.suites.keys() != names:
            raise SettingError(
                f"--sessioneval-run-id {part.run_id}: its part {other.part} is of the suites "
                f"{', '.join(sorted(other.suites))}, and this one of {', '.join(sorted(names))}; "
                "name the same paths for every part, or give another id"
            )


def end_part(
    part: Part,
    plan: Plan,
    suites: Sequence[SuiteRun],
    *,
    shard: Mapping[str, Collection[str]],
    finished: bool,
    store: Store,
    now: datetime,
) -> SharedEnd:
    """Note that a part has ended and return how far the run is.

    ``shard`` holds, by suite, the ids of the members that the part has to judge.
    A part that was broken off, or left some of them out, has not ended. Raises
    ``StoreError``.
    """
    chosen = {one.suite.name: {each.member.id for each in one.sessions} for one in plan.suites}
    whole = all(chosen.get(name) == set(ids) for name, ids in shard.items())
    later = f"; `sessioneval runs close {part.run_id}` decides with what is there"
    if not (finished and whole):
        why = "it left out sessions of its shard" if finished else "it was broken off"
        said = f"part {part.number} of {part.of} of run {part.run_id} is not complete: {why}{later}"
        return SharedEnd(decides=False, said=said)
    roots = {suite.suite: suite.root for suite in suites}
    there = store.add_part(RunPart(part.run_id, part.number, part.of, roots, now))
    if len(there) == part.of:
        said = f"run {part.run_id}: all {part.of} parts are there, and this one decided on all"
        return SharedEnd(decides=True, said=said)
    said = (
        f"part {part.number} of {part.of} of run {part.run_id}: {len(there)} of {part.of} are "
        f"there; means and gates are decided with the last one{later}"
    )
    return SharedEnd(decides=False, said=said)


def whole_plan(plan: Plan, members: Mapping[str, Sequence[Member]]) -> Plan:
    """Return the plan of the whole suites, of which ``plan`` is a part."""
    return Plan(suites=tuple(_whole(suite, members[suite.suite.name]) for suite in plan.suites))


def _whole(plan: SuitePlan, members: Sequence[Member]) -> SuitePlan:
    nodes = {one.member.id: one.nodeid for one in plan.sessions}
    return plan.model_copy(
        update={
            "sessions": tuple(
                PlannedSession(member=member, nodeid=nodes.get(member.id, "")) for member in members
            ),
            "left_out": (),
            "sources": plan.sources.model_copy(update={"deselected": 0}),
        }
    )

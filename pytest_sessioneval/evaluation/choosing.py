"""Which sessions a run in the background is about, and by whom they are judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.evaluation.direct import suite_in
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.plan import Plan, PlannedSession, SuitePlan
from pytest_sessioneval.evaluation.run_outcomes import failed
from pytest_sessioneval.evaluation.run_request import RunRequest, judge_named
from pytest_sessioneval.evaluation.selection import Selection, select
from pytest_sessioneval.evaluation.session_source import ServedSuite, SessionSource
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.stores.run_statuses import PlacedSession, RunSession

__all__ = ["Choice", "choose", "judged_by", "not_evaluated", "plan_of"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One session of a run."""

    placed: PlacedSession
    served: ServedSuite | None = None
    """Its suite; None: it is not there."""
    member: Member | None = None

    @property
    def place(self) -> tuple[str, str]:
        """What an evaluation knows it by; nothing, where it is not there."""
        return (self.placed.suite, self.member.id) if self.member else ("", "")


def choose(
    request: RunRequest, sessions: SessionSource, store: Store, known: Sequence[PlacedSession] = ()
) -> tuple[Choice, ...]:
    """Return the sessions of a run, in the order of suites and files.

    ``known`` are those it had before it was broken off; they stay its sessions.
    Raises ``SuiteError`` for a folder that cannot be read, and ``StoreError``.
    """
    served = sessions.now()
    for one in served:
        if one.problem and one.versions is not None:
            raise SuiteError(one.problem)
    if known:
        return tuple(_found_again(placed, served) for placed in known)
    if request.scope == "session":
        session_id = str(request.session_id)
        found = sessions.find(session_id)
        if found is None:
            return (Choice(PlacedSession("", "", _missing(session_id))),)
        return (_choice(*found),)
    chosen = [
        _choice(one, member)
        for one in served
        for member in select(
            one.members,
            Selection(scope=request.scope, since=request.since),
            evaluated=_evaluated(one, store) if request.scope == "unevaluated" else (),
        )
    ]
    return tuple(chosen[: request.limit])


def judged_by(request: RunRequest, served: ServedSuite) -> ServedSuite:
    """Return the suite with the judge that the request names.

    Raises ``SettingError`` and ``SuiteError`` for a judge that it cannot have.
    """
    own = served.suite.settings.judge.model
    judge = judge_named(request, own)
    if judge == own:
        return served
    suite = suite_in(served.suite.root, judge).model_copy(update={"name": served.suite.name})
    return replace(served, suite=suite)


def not_evaluated(chosen: Sequence[Choice], store: Store) -> frozenset[tuple[str, str]]:
    """Return those of the sessions that listings do not show as evaluated."""
    suites = {one.served.suite.name: one.served for one in chosen if one.served is not None}
    evaluated = {name: _evaluated(served, store) for name, served in suites.items()}
    return frozenset(
        one.place for one in chosen if one.member and one.placed.key not in evaluated[one.place[0]]
    )


def plan_of(chosen: Sequence[Choice], suites: Sequence[ServedSuite]) -> Plan:
    """Return the plan of a run of these sessions; ``suites`` are theirs, as they are judged.

    It has no baseline: gates are decided by pytest and ``sessioneval score``.
    """
    plans = []
    for served in suites:
        mine = [one.member for one in chosen if one.member and one.place[0] == served.suite.name]
        keys = {member.session.key for member in mine}
        left_out = tuple(m.session.key for m in served.members if m.session.key not in keys)
        plans.append(
            SuitePlan(
                suite=served.suite,
                sessions=tuple(PlannedSession(member=member) for member in mine),
                sources=served.sources.model_copy(update={"deselected": len(left_out)}),
                left_out=left_out,
            )
        )
    count = sum(len(plan.left_out) for plan in plans)
    return Plan(suites=tuple(plans), partial=f"{count} sessions were left out" if count else "")


def _choice(served: ServedSuite, member: Member) -> Choice:
    session = member.session
    now = RunSession(session_id=session.session_id, state="pending")
    return Choice(PlacedSession(session.suite, session.key, now), served, member)


def _found_again(placed: PlacedSession, served: Sequence[ServedSuite]) -> Choice:
    for one in served:
        for member in one.members if one.suite.name == placed.suite else ():
            if member.session.key == placed.key:
                return Choice(placed, one, member)
    if placed.now.state != "ok":
        placed = replace(placed, now=_missing(placed.now.session_id))
    return Choice(placed)


def _missing(session_id: str) -> RunSession:
    return failed(session_id, f"TranscriptError: session not found: {session_id}")


def _evaluated(served: ServedSuite, store: Store) -> frozenset[str]:
    return frozenset() if served.versions is None else store.evaluated_keys(served.versions)

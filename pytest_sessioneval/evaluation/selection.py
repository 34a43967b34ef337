"""Which of a suite's sessions a run is about: scope, since, limit, shard."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pytest_sessioneval.evaluation.membership import Member

__all__ = ["Selection", "fixed_sample", "select"]


@dataclass(frozen=True, slots=True)
class Selection:
    """What to leave out, resolved once per run so that every process agrees.

    ``since`` looks at when the session was recorded; a session without a time
    stamp stays. ``shard`` is (I, N) with 1 ≤ I ≤ N.
    """

    scope: Literal["all", "unevaluated"] = "all"
    since: datetime | None = None
    limit: int | None = None
    shard: tuple[int, int] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self == Selection()


def select(
    members: Sequence[Member], selection: Selection, *, evaluated: Collection[str]
) -> tuple[Member, ...]:
    """Return the members that stay, in order: scope, then since, then shard, then limit.

    ``evaluated`` holds the keys of the sessions whose verdict is current. A
    session's shard depends on its key alone, so that adding sessions moves none.
    """
    chosen = [
        member
        for member in members
        if (selection.scope == "all" or member.session.key not in evaluated)
        and _is_recent(member, selection.since)
        and _in_shard(member, selection.shard)
    ]
    return tuple(chosen if selection.limit is None else chosen[: selection.limit])


def fixed_sample(members: Sequence[Member], limit: int) -> tuple[Member, ...]:
    """Return at most ``limit`` members, in order: always the same ones, spread over the suite.

    A larger limit keeps those of a smaller one.
    """
    by_chance = sorted(members, key=lambda member: _digest(member).digest())
    ids = {member.id for member in by_chance[:limit]}
    return tuple(member for member in members if member.id in ids)


def _is_recent(member: Member, since: datetime | None) -> bool:
    created = member.session.summary.created_at
    if since is None or created is None:
        return True
    if created.tzinfo is None:
        created = created.replace(tzinfo=since.tzinfo)
    return created >= since


def _in_shard(member: Member, shard: tuple[int, int] | None) -> bool:
    if shard is None:
        return True
    number = int(_digest(member).hexdigest()[:8], 16)
    return number % shard[1] == shard[0] - 1


def _digest(member: Member) -> hashlib._Hash:
    # a file's name may be no text
    return hashlib.sha256(member.session.key.encode("utf-8", "surrogatepass"))

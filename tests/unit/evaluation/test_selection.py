"""Scope, since, shard and limit: what a run is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from evaluation_cases import member
from hypothesis import given, settings, strategies as st

from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.selection import Selection, select

quick = settings(deadline=None)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _chosen(
    selection: Selection, *members: Member, evaluated: frozenset[str] = frozenset()
) -> list[str]:
    return [one.id for one in select(members, selection, evaluated=evaluated)]


def _several(count: int) -> tuple[Member, ...]:
    return tuple(member(f"{n}.json", f"session {n}") for n in range(count))


def test_nothing_asked_for_leaves_everything() -> None:
    """The default selection is the whole suite, in order, whatever was evaluated."""
    several = _several(3)
    assert ["0.json", "1.json", "2.json"] == _chosen(
        Selection(), *several, evaluated=frozenset({"1.json"})
    )
    assert Selection().is_whole


@pytest.mark.parametrize(
    "selection",
    [
        Selection(scope="unevaluated"),
        Selection(since=NOON),
        Selection(limit=1_000),
        Selection(shard=(1, 1)),
    ],
)
def test_anything_asked_for_may_leave_something_out(selection: Selection) -> None:
    """A selection that leaves nothing out today is still no promise of the whole."""
    assert not selection.is_whole


def test_unevaluated_leaves_out_what_has_a_verdict() -> None:
    """Sessions whose verdict is current are left out, by key."""
    assert ["0.json", "2.json"] == _chosen(
        Selection(scope="unevaluated"), *_several(3), evaluated=frozenset({"1.json", "9.json"})
    )


@pytest.mark.parametrize(
    ("created", "stays"),
    [
        (NOON, True),
        (NOON - timedelta(seconds=1), False),
        (NOON + timedelta(days=1), True),
        (NOON.astimezone(timezone(timedelta(hours=5))), True),
        (datetime(2026, 3, 1, 12), True),  # noqa: DTZ001  as some sources record it
        (datetime(2026, 3, 1, 11), False),  # noqa: DTZ001
        (None, True),
    ],
    ids=["then", "before", "after", "elsewhere", "no zone", "no zone before", "no time"],
)
def test_since_looks_at_when_a_session_was_recorded(
    created: datetime | None,
    stays: bool,  # noqa: FBT001
) -> None:
    """From that moment on, in any zone; a time without one is in the option's, no time stays."""
    assert stays == bool(_chosen(Selection(since=NOON), member(created_at=created)))


def test_the_limit_counts_what_is_left() -> None:
    """The first so many of those that scope and since leave."""
    assert ["0.json", "2.json"] == _chosen(
        Selection(scope="unevaluated", limit=2), *_several(5), evaluated=frozenset({"1.json"})
    )


def test_a_limit_of_nothing_leaves_nothing() -> None:
    """Zero is a limit."""
    assert [] == _chosen(Selection(limit=0), *_several(2))


def test_each_shard_has_its_own_limit() -> None:
    """The limit comes after the shard: every machine does as much."""
    several = _several(40)
    for part in (1, 2):
        assert 5 == len(_chosen(Selection(shard=(part, 2), limit=5), *several))


_names = st.lists(st.text(st.characters(codec=None), max_size=12), max_size=30, unique=True)


@quick
@given(_names, st.integers(1, 7))
def test_shards_share_out_the_suite(names: list[str], count: int) -> None:
    """Every session is in exactly one shard, and each keeps the suite's order."""
    members = [member(name) for name in names]
    parts = [_chosen(Selection(shard=(part, count)), *members) for part in range(1, count + 1)]
    assert sorted(names) == sorted(name for part in parts for name in part)
    for part in parts:
        assert part == [name for name in names if name in part]


@quick
@given(_names, st.integers(1, 7), st.data())
def test_a_sessions_shard_depends_on_no_other(
    names: list[str], count: int, data: st.DataObject
) -> None:
    """Sessions that come and go move nobody to another machine."""
    some = data.draw(st.sets(st.sampled_from(names))) if names else set()
    for part in range(1, count + 1):
        selection = Selection(shard=(part, count))
        whole = _chosen(selection, *(member(name) for name in names))
        alone = _chosen(selection, *(member(name) for name in names if name in some))
        assert alone == [name for name in whole if name in some]


def test_shards_are_about_as_large() -> None:
    """Of 1,000 sessions in four shards, none has less than 200."""
    members = _several(1_000)
    sizes = [len(_chosen(Selection(shard=(part, 4)), *members)) for part in range(1, 5)]
    assert 200 <= min(sizes)


def test_a_shard_stays_the_same_between_versions() -> None:
    """Machines of different versions share one suite out alike: this is written down."""
    assert ["4.json", "6.json"] == _chosen(Selection(shard=(1, 3)), *_several(8))

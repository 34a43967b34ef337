"""Which sessions a suite has: what each is called, what groups them, what is a copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from evaluation_cases import found
from hypothesis import given, settings, strategies as st

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.evaluation.membership import FoundSummary, Membership, members
from pytest_sessioneval.suites.model import SuiteSettings

quick = settings(deadline=None)


def _members(*items: FoundSummary, **suite: Any) -> Membership:
    return members("small", SuiteSettings(**suite), items)


def _keys(*items: FoundSummary, **suite: Any) -> list[str]:
    return [one.session.key for one in _members(*items, **suite).members]


def _ids(*items: FoundSummary) -> list[str]:
    return [one.id for one in _members(*items).members]


# -- keys ------------------------------------------------------------------------------


def test_the_key_is_the_task_where_every_session_has_its_own() -> None:
    """Tasks that do not repeat name their sessions, wherever the files lie."""
    assert ["1", "2"] == _keys(
        found("a.json", "ab", task_id="1"), found("b.json", "cd", task_id="2")
    )


def test_the_key_is_task_and_trial_where_tasks_repeat() -> None:
    """Several attempts at one task are told apart by their number."""
    assert ["1#0", "1#1"] == _keys(
        found("a.json", "ab", task_id="1", trial=0), found("b.json", "cd", task_id="1", trial=1)
    )


@pytest.mark.parametrize(
    "others", [{}, {"task_id": "1"}, {"task_id": ""}], ids=["none", "the same", "empty"]
)
def test_the_key_is_the_place_where_tasks_do_not_tell_sessions_apart(
    others: dict[str, Any],
) -> None:
    """One session without a task of its own, and all are named by their files."""
    assert ["a.json", "b.json"] == _keys(
        found("a.json", "ab", task_id="1"), found("b.json", "cd", **others)
    )


def test_the_place_names_a_session_within_its_file() -> None:
    """In a file of several sessions, the place is the file and what names the session in it."""
    assert ["a.jsonl::0", "a.jsonl::1"] == _keys(
        found("a.jsonl", "ab", locator="0"), found("a.jsonl", "cd", locator="1")
    )


def test_a_configured_path_is_the_place() -> None:
    """``key = "path"`` names sessions by their files although they have tasks."""
    assert ["a.json"] == _keys(found("a.json", task_id="1"), key="path")


@pytest.mark.parametrize(
    ("key", "value"), [("session_id", "id-ab"), ("trial", "3"), ("run", "7"), ("last", "True")]
)
def test_a_configured_key_is_a_field_or_metadata(key: str, value: str) -> None:
    """Whatever the source says of a session may name it, as text."""
    item = found(trial=3, metadata={"run": 7, "last": True})
    assert [value] == _keys(item, key=key)


def test_metadata_stands_before_our_own_fields() -> None:
    """What the source calls ``agent_model`` is meant, not what we call so."""
    assert ["theirs"] == _keys(
        found(agent_model="ours", metadata={"agent_model": "theirs"}), key="agent_model"
    )


def test_a_missing_key_says_which_session_and_what_it_has() -> None:
    """The error names the setting, the session, and what could be used instead."""
    item = found("a.json", task_id="1", metadata={"run": 7, "left": None})
    with pytest.raises(SuiteError) as caught:
        _keys(item, key="trial")
    assert (
        '[suite] key = "trial": session a.json has no trial; it has path, run, session_id, task_id'
    ) == str(caught.value)


def test_a_missing_cluster_says_so_too() -> None:
    """The error names the setting that asked for it; a path groups nothing."""
    with pytest.raises(SuiteError) as caught:
        _members(found("a.json"), cluster="team")
    assert ('[suite] cluster = "team": session a.json has no team; it has session_id') == str(
        caught.value
    )


def test_sessions_that_share_a_configured_key_are_told_apart() -> None:
    """They get their place as well, and the key is listed as one that repeats."""
    together = _members(
        found("a.json", "ab", metadata={"run": 7}),
        found("b.json", "cd", metadata={"run": 7}),
        found("c.json", "ef", metadata={"run": 8}),
        key="run",
    )
    assert ["7 (a.json)", "7 (b.json)", "8"] == [one.session.key for one in together.members]
    assert ("7",) == together.repeated_keys


# -- clusters --------------------------------------------------------------------------


def _clusters(*items: FoundSummary, **suite: Any) -> list[str | None]:
    return [one.session.cluster for one in _members(*items, **suite).members]


def test_tasks_that_repeat_are_clusters() -> None:
    """Sessions that attempt the same task belong together; one without a task stands alone."""
    assert ["1", "1", "2", None] == _clusters(
        found("a.json", "ab", task_id="1"),
        found("b.json", "cd", task_id="1"),
        found("c.json", "ef", task_id="2"),
        found("d.json", "gh"),
    )


def test_tasks_that_do_not_repeat_are_no_clusters() -> None:
    """Every session stands alone, however many have no task at all."""
    assert [None, None, None, None] == _clusters(
        found("a.json", "ab", task_id="1"),
        found("b.json", "cd", task_id="2"),
        found("c.json", "ef"),
        found("d.json", "gh"),
    )


def test_a_configured_cluster_groups() -> None:
    """Any field or metadata may group sessions, whether or not it repeats."""
    assert ["red", "blue"] == _clusters(
        found("a.json", "ab", metadata={"team": "red"}),
        found("b.json", "cd", metadata={"team": "blue"}),
        cluster="team",
    )


# -- copies ----------------------------------------------------------------------------


def test_a_copy_counts_once() -> None:
    """The first of two equal files is the session, the other is listed with it."""
    together = _members(found("a.json"), found("b.json"))
    assert ["a.json"] == [one.id for one in together.members]
    assert (("b.json", "a.json"),) == together.duplicates


def test_a_copy_under_another_id_counts_once() -> None:
    """Equal messages are one session, whatever id each file gives it."""
    assert ["a.json"] == _ids(found("a.json", session_id="x"), found("b.json", session_id="y"))


def test_equal_attempts_at_different_tasks_are_two() -> None:
    """The same words may be said about two tasks, or twice about one."""
    assert ["a.json", "b.json", "c.json"] == _ids(
        found("a.json", session_id="x", task_id="1", trial=0),
        found("b.json", session_id="y", task_id="1", trial=1),
        found("c.json", session_id="z", task_id="2", trial=0),
    )


def test_of_a_growing_session_the_longest_counts() -> None:
    """Snapshots of one session are one, whichever comes first; all point to the one kept."""
    together = _members(
        found("1.json", "a", session_id="s"),
        found("2.json", "abc", session_id="s"),
        found("3.json", "ab", session_id="s"),
    )
    assert ["2.json"] == [one.id for one in together.members]
    assert (("1.json", "2.json"), ("3.json", "2.json")) == together.duplicates


def test_a_session_that_went_on_differently_is_another() -> None:
    """Two ends of one beginning are two sessions."""
    assert ["a.json", "b.json"] == _ids(
        found("a.json", "abc", session_id="s"), found("b.json", "abd", session_id="s")
    )


def test_the_beginning_of_somebody_elses_session_is_no_copy() -> None:
    """Without a shared id, beginning alike means nothing: many sessions begin with a greeting."""
    assert ["a.json", "b.json"] == _ids(found("a.json", "a"), found("b.json", "ab"))


def test_a_copy_of_a_copy_points_to_the_one_kept() -> None:
    """Found by content and then by id, all lead to the session that counts."""
    together = _members(
        found("a.json", "ab", session_id="x"),
        found("b.json", "ab", session_id="y"),
        found("c.json", "abc", session_id="x"),
    )
    assert (("a.json", "c.json"), ("b.json", "c.json")) == together.duplicates


_letters = st.text("ab", max_size=3)
_item: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "messages": _letters,
        "session_id": st.sampled_from(["x", "y", "z"]),
        "task_id": st.sampled_from([None, "1", "2"]),
        "trial": st.sampled_from([None, 0, 1]),
    }
)
_items = st.lists(_item, max_size=8).map(
    lambda rows: [found(f"{n}.json", **row) for n, row in enumerate(rows)]
)


def _same(one: FoundSummary, other: FoundSummary) -> bool:
    """Say whether two files are of one session: the same id, or the same words about one task."""
    a, b = one.summary, other.summary
    return a.session_id == b.session_id or (
        (a.digest, a.task_id, a.trial) == (b.digest, b.task_id, b.trial)
    )


def _replaced(item: FoundSummary, items: Sequence[FoundSummary]) -> bool:
    """Say whether another file holds the same session, longer, or as long and earlier."""
    own = item.summary.prefix_digests
    return any(
        _same(item, other)
        and other.summary.prefix_digests.startswith(own)
        and (len(other.summary.prefix_digests) > len(own) or items.index(other) < items.index(item))
        for other in items
        if other is not item
    )


@quick
@given(_items)
def test_what_stays_is_what_nothing_replaces(items: list[FoundSummary]) -> None:
    """Against a plain definition: longest first, then earliest, in file order."""
    together = _members(*items)
    assert [item.id for item in items if not _replaced(item, items)] == [
        one.id for one in together.members
    ]


@quick
@given(_items)
def test_every_file_is_a_session_or_points_to_one(items: list[FoundSummary]) -> None:
    """Nothing is lost: what was left out is listed once, with a session that counts."""
    together = _members(*items)
    kept = {one.id for one in together.members}
    left_out = [gone for gone, _ in together.duplicates]
    assert sorted(item.id for item in items) == sorted([*kept, *left_out])
    assert {target for _, target in together.duplicates} <= kept


@quick
@given(_items)
def test_no_two_sessions_share_a_key(items: list[FoundSummary]) -> None:
    """A key names one session, whatever was found."""
    keys = _keys(*items)
    assert len(set(keys)) == len(keys)


@quick
@given(_items, st.data())
def test_copies_move_no_key(items: list[FoundSummary], data: st.DataObject) -> None:
    """Adding copies and snapshots of what is there changes no session's key or cluster."""
    before = _members(*items).members
    more: list[FoundSummary] = []
    for n, item in enumerate(items):
        length = data.draw(st.integers(0, len(item.summary.prefix_digests) // 16))
        cut = item.summary.model_copy(
            update={"prefix_digests": item.summary.prefix_digests[: 16 * length]}
        )
        more.append(FoundSummary(item.path, f"more/{n}.json", cut))
    assert before == _members(*items, *more).members

"""Which sessions are compared with which, and which cannot be."""

from __future__ import annotations

import pytest
from gate_builders import AXIS, Score, sessions

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.gate.pairing import (
    AxisPairs,
    Gap,
    axis_pairs,
    duplicate_keys,
    pair_sessions,
    require_unique,
    unit_of,
)


def paired(before: list[Score], after: list[Score]) -> AxisPairs:
    """Return the one axis of two recordings of the same sessions."""
    old, new = sessions(before, recording="before"), sessions(after, recording="after")
    pairing = pair_sessions(old, new)
    added = [session for session in new if session.key in pairing.added]
    return axis_pairs(pairing, added, AXIS)


def test_sessions_pair_by_key_whatever_their_order() -> None:
    """The order of a side does not matter."""
    old = sessions([10, 20, 30], recording="before")
    new = sessions([11, 21, 31], recording="after")
    pairing = pair_sessions(old, tuple(reversed(new)))
    assert [(a.key, b.key) for a, b in pairing.pairs] == [
        (session.key, session.key) for session in old
    ]


def test_baseline_session_without_run_is_lost() -> None:
    """What the baseline has and the run has not is lost."""
    pairing = pair_sessions(
        sessions([1, 2, 3], recording="before"), sessions([1, 2], recording="after")
    )
    assert (("session-002",), ()) == (pairing.lost, pairing.left_out)


def test_renamed_session_is_lost_and_added() -> None:
    """A new name is a new session, and the old one is missing."""
    old = sessions([1, 2], recording="before")
    renamed = (old[0], old[1].model_copy(update={"key": "renamed"}))
    pairing = pair_sessions(old, renamed)
    assert (("session-001",), ("renamed",)) == (pairing.lost, pairing.added)


def test_deselected_session_is_not_lost() -> None:
    """What selection left out was not asked for."""
    old = sessions([1, 2, 3], recording="before")
    pairing = pair_sessions(old, old[:1], left_out={"session-001"})
    assert (("session-002",), ("session-001",)) == (pairing.lost, pairing.left_out)


def test_unknown_selection_loses_nothing() -> None:
    """Where only some paths were collected nobody knows what is missing."""
    old = sessions([1, 2, 3], recording="before")
    pairing = pair_sessions(old, old[:1], left_out=None)
    assert ((), ("session-001", "session-002")) == (pairing.lost, pairing.left_out)


def test_nulls_on_one_side_leave_the_pairs_by_name() -> None:
    """A score on one side only is no pair, and says on which side it is."""
    pairs = paired(
        [80, "not_applicable", 60, "unsupported"], ["not_applicable", 70, 60, "unsupported"]
    )
    assert (("session-000", 80.0),) == pairs.newly_null
    assert ("session-001",) == pairs.newly_scored
    assert ("session-003",) == pairs.null_both
    assert ["session-002"] == [pair.key for pair in pairs.pairs]


@pytest.mark.parametrize("reason", ["failed", "declined", "skipped"])
def test_unjudged_session_is_a_gap_and_no_null(reason: Score) -> None:
    """What nobody judged is a gap, never a null that drops out quietly."""
    pairs = paired([80, 80], [reason, 80])
    assert [("session-000", reason)] == [(gap.key, gap.reason) for gap in pairs.unjudged]
    assert () == pairs.newly_null


def test_gap_on_the_baseline_side_counts_too() -> None:
    """Comparing with a run that was not judged is as incomplete."""
    assert (Gap("session-000", "failed"),) == paired(["failed", 80], [80, 80]).unjudged


def test_added_session_that_nobody_judged_is_a_gap() -> None:
    """Being new is no excuse for not being judged."""
    assert (Gap("session-001", "failed"),) == paired([80], [80, "failed"]).unjudged


def test_tampered_session_does_not_leave_the_comparison() -> None:
    """A transcript that steers its judge counts as not judged where it had a score."""
    assert (Gap("session-000", "tampered"),) == paired([80], ["tampered"]).unjudged


def test_always_tampered_session_is_a_null_on_both_sides() -> None:
    """An attack that the baseline holds already stops nobody."""
    pairs = paired(["tampered"], ["tampered"])
    assert ((), ("session-000",)) == (pairs.unjudged, pairs.null_both)


def test_axis_that_a_session_lacks_was_not_judged() -> None:
    """A missing axis is no quiet null."""
    old = sessions([80], recording="before")
    bare = (old[0].model_copy(update={"axes": {}}),)
    assert (Gap("session-000", "failed"),) == axis_pairs(
        pair_sessions(old, bare), (), AXIS
    ).unjudged


def test_same_digest_is_no_change() -> None:
    """A pair has changed when the transcript is another one."""
    old = sessions([80, 80], recording="before")
    new = (old[0], sessions([80, 80], recording="after")[1])
    pairs = axis_pairs(pair_sessions(old, new), (), AXIS)
    assert [False, True] == [pair.changed for pair in pairs.pairs]


def test_lone_session_and_cluster_of_the_same_name_are_two_units() -> None:
    """A cluster called like a session's key does not swallow it."""
    lone, clustered = sessions([1, 2], recording="before")
    clustered = clustered.model_copy(update={"cluster": lone.key})
    assert unit_of(lone) != unit_of(clustered)


def test_a_pair_is_one_of_the_task_that_the_run_names() -> None:
    """A suite that has been told what groups its sessions need not bless them again for it."""
    old = sessions([10, 20], recording="before", cluster=lambda number: f"old-{number}")
    new = sessions([10, 20], recording="after", cluster=lambda _: "refunds")
    pairs = axis_pairs(pair_sessions(old, new), (), AXIS).pairs
    assert [("cluster", "refunds")] * 2 == [pair.unit for pair in pairs]


def test_duplicate_keys_are_found_sorted() -> None:
    """Every key that occurs twice is named."""
    assert ("a", "c") == duplicate_keys(["c", "b", "a", "a", "c"])


def test_duplicate_keys_are_refused_with_the_remedy() -> None:
    """Two sessions with one key cannot be paired, and the message says what to set."""
    with pytest.raises(SuiteError, match=r"'airline'.*'task-1'.*set \[suite\] key"):
        require_unique(["task-1", "task-2", "task-1"], suite="airline")

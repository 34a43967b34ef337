"""Thumbs against scores and evidence: counted by hand."""

from collections.abc import Mapping, Sequence

import pytest

from pytest_sessioneval.gate.agreement.resampling import wilson
from pytest_sessioneval.gate.agreement.thumbs import ThumbedSession, validity


def session(
    key: str,
    score: float | None,
    thumbs: Mapping[int, int],
    *,
    criticised: Sequence[int] = (),
    cluster: str | None = None,
) -> ThumbedSession:
    """Return a session of ten messages."""
    return ThumbedSession(
        key=key,
        cluster=cluster,
        messages=10,
        scores={} if score is None else {"tone": score},
        criticised=frozenset(criticised),
        thumbs=thumbs,
    )


def test_an_axis_that_orders_sessions_as_people_do_has_a_high_auc() -> None:
    """By hand: up at 80 and 90, down at 70 and 80: 3.5 of 4 pairs (METHOD's .875)."""
    found = validity(
        [
            session("a", 80, {1: 1}),
            session("b", 90, {1: 1, 2: 1, 3: -1}),
            session("c", 70, {1: -1}),
            session("d", 80, {1: -1}),
            session("e", 10, {}),
        ],
        ["tone"],
    )
    (axis,) = found.axes
    assert (2, 2, 0.875) == (axis.up, axis.down, axis.auc)


def test_sessions_with_a_draw_and_without_a_score_are_on_neither_side() -> None:
    """They are counted where they belong."""
    found = validity(
        [session("a", 80, {1: 1, 2: -1}), session("b", None, {1: 1}), session("c", 5, {1: -1})],
        ["tone"],
    )
    (axis,) = found.axes
    assert (1, 0, 1, None) == (found.undecided, axis.up, axis.down, axis.auc)
    assert axis.low is None


def test_responses_and_thumbs_down_have_wilson_intervals() -> None:
    """Two of four sessions answered; one thumb of three is down."""
    found = validity(
        [
            session("a", 1, {1: 1, 2: 1}),
            session("b", 1, {4: -1}),
            *(session(k, 1, {}) for k in "cd"),
        ],
        ["tone"],
    )
    assert (2, 4, 0.5) == (found.responses.count, found.responses.of, found.responses.share)
    assert (1, 3) == (found.down.count, found.down.of)
    assert wilson(2, 4) == (found.responses.low, found.responses.high)
    assert wilson(1, 3) == (found.down.low, found.down.high)


def test_the_judge_s_citations_are_held_against_their_base_rate() -> None:
    """Three of four disliked messages cited; six of twenty messages cited at all."""
    found = validity(
        [
            session("a", 1, {1: -1, 2: -1, 3: 1}, criticised=(1, 2, 3, 9)),
            session("b", 1, {4: -1, 5: -1}, criticised=(4, 0)),
            session("unrated", 1, {}, criticised=(1, 2)),
        ],
        ["tone"],
    ).concordance
    assert (3, 4) == (found.recall.count, found.recall.of)
    assert (6, 20) == (found.cited.count, found.cited.of)
    assert (3, 4) == (found.precision.count, found.precision.of)
    assert (4, 5) == (found.disliked.count, found.disliked.of)


def test_thumbs_on_messages_that_are_not_there_are_left_out() -> None:
    """A thumb of another recording must not count as one that the judge passed over."""
    found = validity([session("a", 1, {1: -1, 10: -1, 99: 1}), session("b", 2, {3: 1})], ["tone"])
    assert (2, 1, 2) == (found.misplaced, found.down.count, found.down.of)


def test_without_thumbs_nothing_is_claimed() -> None:
    """No share of nothing, and the widest interval."""
    found = validity([session("a", 1, {})], ["tone"])
    assert None is found.down.share is found.concordance.recall.share
    assert (0, 1) == (found.down.low, found.down.high)


def test_sessions_of_one_task_are_drawn_together() -> None:
    """Twenty recordings of two tasks tell no more than two: the interval is wider."""
    apart = [session(f"s{n}", n, {1: 1 if n % 3 else -1}) for n in range(20)]
    shared = [
        session(f"s{n}", n, {1: 1 if n % 3 else -1}, cluster=f"task {n % 4}") for n in range(20)
    ]
    (one,), (other,) = (validity(rows, ["tone"]).axes for rows in (apart, shared))
    assert one.auc == other.auc
    assert (one.low, one.high) != (other.low, other.high)


@pytest.mark.parametrize("axes", [(), ("other",)])
def test_axes_without_a_score_are_left_out(axes: tuple[str, ...]) -> None:
    """There is nothing to hold against thumbs."""
    assert () == validity([session("a", 1, {1: 1})], axes).axes

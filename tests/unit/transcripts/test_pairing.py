"""Which result answers which call."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, strategies as st
from transcript_values import calling, result, said

from pytest_sessioneval.transcripts.model import Message
from pytest_sessioneval.transcripts.pairing import pair_results

Pairs = dict[int, tuple[int, int] | None]


def _pairs(messages: Sequence[Message], ids: dict[int, str | None] | None = None) -> Pairs:
    """Return, per result, the call it answers; and check that links go both ways."""
    paired = pair_results(messages, ids)
    pairs: Pairs = {}
    for message in paired:
        if message.role == "tool":
            answers = message.answers
            pairs[message.index] = None if answers is None else (answers.message, answers.ordinal)
    links = {
        (message.index, ordinal): call.result
        for message in paired
        for ordinal, call in enumerate(message.tool_calls)
        if call.result is not None
    }
    assert links == {call: at for at, call in pairs.items() if call is not None}
    return pairs


def test_results_answer_parallel_calls_in_order() -> None:
    """Without ids, the first result answers the first call."""
    assert {1: (0, 0), 2: (0, 1)} == _pairs([calling("a", "b"), result(), result()])


def test_ids_put_parallel_results_right() -> None:
    """With ids, results may arrive in another order."""
    messages = [calling(("a", "x"), ("b", "y")), result(), result()]

    assert {1: (0, 1), 2: (0, 0)} == _pairs(messages, {1: "y", 2: "x"})


def test_a_repeated_id_is_answered_once_per_call() -> None:
    """Each result with an id that repeats answers the next call of that id."""
    messages = [calling(("a", "x")), result(), calling(("a", "x")), result()]

    assert {1: (0, 0), 3: (2, 0)} == _pairs(messages, {1: "x", 3: "x"})


def test_one_id_for_parallel_calls_pairs_by_order() -> None:
    """Two calls of one message with the same id are answered in order."""
    messages = [calling(("a", "x"), ("a", "x")), result(), result()]

    assert {1: (0, 0), 2: (0, 1)} == _pairs(messages, {1: "x", 2: "x"})


def test_a_lost_result_does_not_shift_those_that_follow() -> None:
    """A call left open by an earlier batch is passed over."""
    messages = [calling("a"), said("user"), calling("a"), result(), calling("a"), result()]

    assert {3: (2, 0), 5: (4, 0)} == _pairs(messages)


def test_a_lost_result_does_not_shift_repeated_ids() -> None:
    """The same where the call that follows repeats the open call's id."""
    messages = [calling(("a", "x"), ("b", "y")), result(), calling(("b", "y")), result()]

    assert {1: (0, 0), 3: (2, 0)} == _pairs(messages, {1: "x", 3: "y"})


def test_a_late_result_finds_its_call_by_id() -> None:
    """A result that arrives batches later answers the call of its id."""
    messages = [calling(("a", "x"), ("b", "y")), result(), calling(("c", "z")), result(), result()]

    assert {1: (0, 0), 3: (2, 0), 4: (0, 1)} == _pairs(messages, {1: "x", 3: "z", 4: "y"})


def test_a_late_result_without_id_finds_an_open_call() -> None:
    """Where its batch has no open call left, an earlier one is answered."""
    messages = [calling("a", "b"), result(), calling("c"), result(), result()]

    assert {1: (0, 0), 3: (2, 0), 4: (0, 1)} == _pairs(messages)


def test_calls_in_consecutive_messages_are_one_batch() -> None:
    """Parallel calls that were recorded one message each are answered in order."""
    assert {2: (0, 0), 3: (1, 0)} == _pairs([calling("a"), calling("b"), result(), result()])


def test_a_known_name_chooses_among_calls() -> None:
    """A result that names its tool answers a call of that tool."""
    messages = [calling("a", "b"), result(tool_name="b"), result(tool_name="c"), result()]

    assert {1: (0, 1), 2: None, 3: (0, 0)} == _pairs(messages)


def test_an_id_nobody_called_is_left_unpaired() -> None:
    """A result whose id belongs to no open call answers none of those with other ids."""
    messages = [calling(("a", "x")), result(), result()]

    assert {1: None, 2: (0, 0)} == _pairs(messages, {1: "lost", 2: "x"})


def test_an_id_may_answer_a_call_recorded_without_one() -> None:
    """Where calls carry no ids, a result's id does not keep it from pairing."""
    messages = [calling("a", "b"), result(tool_name="b"), result()]

    assert {1: (0, 1), 2: (0, 0)} == _pairs(messages, {1: "r1", 2: "r2"})


def test_a_result_before_any_call_is_left_unpaired() -> None:
    """No result answers a call that is made after it."""
    assert {0: None, 2: (1, 0)} == _pairs([result(), calling("a"), result()])


def test_calls_of_the_user_are_answered_too() -> None:
    """In simulations the user calls tools as well."""
    made = calling("a").model_copy(update={"role": "user"})

    assert {1: (0, 0)} == _pairs([made, result()])


def test_messages_are_numbered_and_results_named() -> None:
    """Positions become indexes, and a result learns its tool's name."""
    paired = pair_results([said("user"), calling("search"), result(), result()])

    assert [0, 1, 2, 3] == [message.index for message in paired]
    assert ["search", None] == [message.tool_name for message in paired[2:]]


def test_old_links_are_discarded() -> None:
    """Pairing again gives the same as pairing once."""
    once = pair_results([calling("a", "b"), result(), result()])

    assert once == pair_results(once)
    assert [None] == [call.result for call in pair_results(once[:1])[0].tool_calls[:1]]


@given(
    st.lists(
        st.one_of(
            st.lists(
                st.tuples(st.sampled_from("ab"), st.none() | st.sampled_from("xy")), min_size=1
            ),
            st.tuples(st.none() | st.sampled_from("ab"), st.none() | st.sampled_from("xyz")),
            st.none(),
        ),
        max_size=20,
    )
)
def test_no_call_is_answered_twice_or_beforehand(
    steps: list[list[tuple[str, str | None]] | tuple[str | None, str | None] | None],
) -> None:
    """Whatever was recorded: links go both ways, once each, backwards, and names agree."""
    messages: list[Message] = []
    ids: dict[int, str | None] = {}
    for step in steps:
        if step is None:
            messages.append(said("user"))
        elif isinstance(step, list):
            messages.append(calling(*step))
        else:
            ids[len(messages)] = step[1]
            messages.append(result(tool_name=step[0]))

    pairs = _pairs(messages, ids)

    answered = [call for call in pairs.values() if call is not None]
    assert len(answered) == len(set(answered))
    for at, call in pairs.items():
        if call is not None:
            made = messages[call[0]].tool_calls[call[1]]
            assert call[0] < at
            assert made.call_id in {None, ids[at]} or ids[at] is None
            if ids[at] is None:
                assert messages[at].tool_name in {None, made.name}

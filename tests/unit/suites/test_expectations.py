"""What must have happened is checked in code, by fixed rules."""

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_sessioneval.suites.expectations import (
    Check,
    check,
    expectations_for,
    unmatched_expectations,
)
from pytest_sessioneval.suites.loading import default_suite
from pytest_sessioneval.suites.model import Expectation, ExpectedCall, SuiteFile
from pytest_sessioneval.transcripts.model import Message, Role, Subsession, ToolCall, Transcript


def user(text: str) -> Message:
    """Return a user's message; its index is given by ``session``."""
    return Message(index=0, role="user", text=text)


def agent(text: str = "", *calls: ToolCall) -> Message:
    """Return an agent's message with its calls."""
    return Message(index=0, role="assistant", text=text, tool_calls=calls)


def tool(text: str = "ok", *, is_error: bool = False) -> Message:
    """Return a tool's result."""
    return Message(index=0, role="tool", text=text, is_error=is_error)


def call(name: str, result: int | None = None, **arguments: Any) -> ToolCall:
    """Return a call and the index of its result."""
    return ToolCall(name=name, arguments=arguments, result=result)


def indexed(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return the messages with their positions as indexes."""
    return tuple(m.model_copy(update={"index": i}) for i, m in enumerate(messages))


def session(*messages: Message, subsessions: tuple[Subsession, ...] = ()) -> Transcript:
    """Return a transcript of these messages."""
    return Transcript(
        session_id="s", source="test", messages=indexed(messages), subsessions=subsessions
    )


def must_call(name: str, **args: Any) -> Expectation:
    """Return the expectation that a tool is called with these arguments."""
    return Expectation(must_call=(ExpectedCall(tool=name, args=args),))


def must_not_call(name: str, **args: Any) -> Expectation:
    """Return the expectation that a tool is not called with these arguments."""
    return Expectation(must_not_call=(ExpectedCall(tool=name, args=args),))


def only(expectation: Expectation, transcript: Transcript) -> Check:
    """Return the single check that the expectation makes."""
    (result,) = check(expectation, transcript)
    return result


REFUNDED = session(
    user("refund W12"),
    agent("", call("refund", 2, order="W12", amount=5, notify=True)),
    tool(),
    agent("The refund is on its way."),
    user("###STOP###"),
)


def test_a_call_that_was_made_holds_at_its_message() -> None:
    """The check names the message of the call."""
    assert Check(
        "must_call", 'refund(order="W12") is called', True, "it was called", 1, None
    ) == only(must_call("refund", order="W12"), REFUNDED)


@pytest.mark.parametrize(
    ("args", "held"),
    [
        ({}, True),
        ({"amount": 5.0}, True),
        ({"amount": 5, "notify": True}, True),
        ({"amount": "5"}, False),
        ({"amount": True}, False),
        ({"notify": 1}, False),
        ({"order": "w12"}, False),
        ({"reason": ""}, False),
    ],
)
def test_arguments_are_compared_as_values(args: dict[str, Any], held: bool) -> None:  # noqa: FBT001
    """Numbers by value, strings letter by letter, truths as truths; others are free."""
    assert held is only(must_call("refund", **args), REFUNDED).held


@pytest.mark.parametrize(
    ("wanted", "made", "held"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1.0, {"b": 2}]}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, False),
        ({"a": {"b": [True]}}, {"a": {"b": [1]}}, False),
        ({"a": {}}, {"a": []}, False),
        ({"a": 0.1}, {"a": 0.1}, True),
        ({"a": ""}, {"a": None}, False),
    ],
)
def test_nested_values_are_compared_whole(
    wanted: dict[str, Any],
    made: dict[str, Any],
    held: bool,  # noqa: FBT001
) -> None:
    """Only the outermost arguments may hold more than what is expected."""
    transcript = session(agent("", ToolCall(name="t", arguments=made)))
    assert held is only(must_call("t", **wanted), transcript).held


def test_arguments_recorded_as_text_match_a_bare_name_only() -> None:
    """Text is not parsed: nobody guesses what it meant."""
    transcript = session(agent("", ToolCall(name="t", arguments='{"a": 1')))
    assert only(must_call("t"), transcript).held
    assert not only(must_call("t", a=1), transcript).held
    assert only(must_not_call("t", a=1), transcript).held


def test_a_call_that_never_happened() -> None:
    """Its absence rests on no message."""
    found = only(must_call("cancel"), REFUNDED)
    assert (found.held, found.message, found.found) == (False, None, "cancel was never called")


def test_a_call_with_other_arguments_is_told_apart_from_none() -> None:
    """The check points to the nearest thing that happened."""
    found = only(must_call("refund", order="W13"), REFUNDED)
    assert (
        found.held,
        found.message,
        found.found,
    ) == (False, 1, "refund was called once, never with these arguments")


def test_a_failed_call_does_not_count_as_made() -> None:
    """A result marked as an error does not satisfy must_call; a later success does."""
    failed = (agent("", call("t", 1)), tool("no", is_error=True))
    found = only(must_call("t"), session(*failed))
    assert (found.held, found.message) == (False, 0)
    assert found.found == "it was called, and every such call ended in an error"
    assert only(must_call("t"), session(*failed, agent("", call("t", 3)), tool())).message == 2


def test_a_call_without_a_recorded_result_counts() -> None:
    """Nothing shows that it failed, and the last call of a session often has none."""
    assert only(must_call("t"), session(agent("", call("t")))).held


def test_a_forbidden_call_is_found_even_if_it_failed() -> None:
    """The attempt is forbidden."""
    found = only(must_not_call("t"), session(agent("", call("t", 1)), tool("no", is_error=True)))
    assert (
        Check("must_not_call", "t is not called", False, "it was called, and failed", 0, None)
        == found
    )


def test_a_forbidden_call_with_other_arguments_is_allowed() -> None:
    """Arguments narrow what is forbidden."""
    assert only(must_not_call("refund", order="W13"), REFUNDED).held
    assert not only(must_not_call("refund", order="W12"), REFUNDED).held


def test_calls_of_sub_agents_count() -> None:
    """What was delegated was done; the check says whose message it is."""
    helper = Subsession(
        agent_id="a1", messages=indexed((user("go"), agent("", call("t", 2)), tool("done")))
    )
    transcript = session(user("do it"), agent("done"), subsessions=(helper,))
    found = only(must_call("t"), transcript)
    assert (found.held, found.message, found.agent_id) == (True, 1, "a1")
    assert only(must_not_call("t"), transcript).agent_id == "a1"


def test_calls_of_a_simulated_user_do_not_count() -> None:
    """They are not the agent's."""
    made = Message(index=0, role="user", tool_calls=(call("t"),))
    assert not only(must_call("t"), session(made)).held
    assert only(must_not_call("t"), session(made)).held


def test_the_last_answer_is_the_agents_last_words() -> None:
    """Neither a user's farewell nor a call without text replaces it."""
    transcript = session(
        agent("first"), agent("The refund is done."), agent(" \n", call("t")), user("###STOP###")
    )
    found = only(Expectation(final_matches="(?i)REFUND is"), transcript)
    assert (
        Check(
            "final_matches",
            "the last answer matches /(?i)REFUND is/",
            True,
            'it says "refund is"',
            1,
            None,
        )
        == found
    )
    assert not only(Expectation(final_matches="first"), transcript).held


def test_what_the_last_answer_must_not_say() -> None:
    """The words that were found are quoted."""
    found = only(Expectation(final_not_matches=r"on its\s+way"), REFUNDED)
    assert (found.held, found.message, found.found) == (False, 3, 'it says "on its way"')
    assert only(Expectation(final_not_matches="sorry"), REFUNDED).held


def test_an_agent_that_never_answered() -> None:
    """It cannot match, and says nothing forbidden."""
    silent = session(user("hello"), agent("", call("t")))
    assert [
        result.held
        for result in check(Expectation(final_matches="", final_not_matches="x"), silent)
    ] == [False, True]


def test_a_long_match_is_shortened() -> None:
    """What is found stays on one line of bearable length."""
    found = only(Expectation(final_matches="(?s).+"), session(agent("a\n" * 500))).found
    assert "\n" not in found
    assert len(found) < 100


def test_the_number_of_messages_is_limited() -> None:
    """The limit itself is allowed; beyond it the check points to the first message too many."""
    assert only(Expectation(max_messages=5), REFUNDED).held
    found = only(Expectation(max_messages=4), REFUNDED)
    assert (found.held, found.found, found.message) == (False, "it took 5", 4)


def test_checks_come_in_the_order_of_the_keys() -> None:
    """One per condition."""
    expectation = Expectation(
        must_call=(ExpectedCall(tool="refund"), ExpectedCall(tool="b")),
        must_not_call=(ExpectedCall(tool="c"),),
        final_matches="a",
        final_not_matches="b",
        max_messages=9,
    )
    expected = [
        "must_call",
        "must_call",
        "must_not_call",
        "final_matches",
        "final_not_matches",
        "max_messages",
    ]
    assert expected == [result.kind for result in check(expectation, REFUNDED)]


def test_expectations_are_chosen_by_key(tmp_path: Path) -> None:
    """Those for all and those for this session, in the file's order."""
    listed = (
        Expectation(session="task-1", final_matches="a"),
        Expectation(final_matches="b"),
        Expectation(session="task-11", final_matches="c"),
    )
    suite = default_suite(tmp_path).model_copy(update={"settings": SuiteFile(expect=listed)})
    assert listed[:2] == expectations_for(suite, "task-1")
    assert (listed[2],) == unmatched_expectations(suite, ["task-1", "task-2"])


def read_tau(data: Path) -> list[tuple[dict[str, Any], Transcript]]:
    """Return the recorded tau-bench runs, each with a transcript made as plainly as possible."""
    runs = json.loads((data / "tau-bench" / "gpt-4o-airline.tasks0-24.balanced.json").read_bytes())
    read = []
    for run in runs:
        messages = []
        for recorded in run["traj"]:
            role: Role = recorded["role"]
            calls = tuple(
                ToolCall(
                    name=c["function"]["name"], arguments=json.loads(c["function"]["arguments"])
                )
                for c in recorded.get("tool_calls") or ()
            )
            messages.append(
                Message(index=0, role=role, text=recorded["content"] or "", tool_calls=calls)
            )
        read.append((run, session(*messages)))
    return read


def test_real_sessions_against_the_actions_their_tasks_expect(shared_data: Path) -> None:
    """Each check agrees with a plain comparison of the JSON, over every task's own actions."""
    compared = 0
    for run, transcript in read_tau(shared_data):
        made = [
            (c["function"]["name"], json.loads(c["function"]["arguments"]))
            for message in run["traj"]
            for c in message.get("tool_calls") or ()
        ]
        actions = run["info"]["task"]["actions"]
        expectation = Expectation(
            must_call=tuple(ExpectedCall(tool=a["name"], args=a["kwargs"]) for a in actions)
        )
        expected = [
            any(
                name == a["name"] and all(args.get(key) == v for key, v in a["kwargs"].items())
                for name, args in made
            )
            for a in actions
        ]
        assert expected == [result.held for result in check(expectation, transcript)]
        compared += len(expected)
    assert compared > 20


def test_the_last_answer_in_real_sessions_is_never_the_last_message(shared_data: Path) -> None:
    """A user's ###STOP### or a tool's result stands last; the answer before it is found."""
    sessions = read_tau(shared_data)
    assert sessions
    for _, transcript in sessions:
        found = only(Expectation(final_matches="(?s).*"), transcript)
        assert found.held
        assert found.message is not None
        assert len(transcript.messages) - 1 > found.message
        assert transcript.messages[found.message].role == "assistant"

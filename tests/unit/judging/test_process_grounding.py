"""Figures that come from nowhere, and those that only seem to."""

from __future__ import annotations

import pytest
from evidence_cases import main_part

from pytest_sessioneval.judging.process.grounding import ungrounded
from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.testing.transcripts import ToolTurn
from pytest_sessioneval.transcripts.model import CallRef, Message, ToolCall

ASK = ("user", "Please look at order W1234567 of May 20, 2024.")
ORDER = tool(
    "get_order",
    {"order_id": "#W1234567"},
    result='{"items": [{"id": "A77B1", "price": 54.85}, {"id": "C99D2", "price": 121.5}], '
    '"paid_with": "gift_card_4421486", "date": "2024-05-20"}',
)


def said(text: str, *before: tuple[str, str] | ToolTurn, given: str = "") -> list[str]:
    """Return the ungrounded figures of an answer after the order was looked at."""
    session = transcript(ASK, ORDER, *before, ("assistant", text))
    return [figure.text for figure in ungrounded(main_part(session), given).said]


def kinds(text: str) -> list[tuple[str, str]]:
    """Return kind and text of the ungrounded figures of such an answer."""
    session = transcript(ASK, ORDER, ("assistant", text))
    return [(figure.kind, figure.text) for figure in ungrounded(main_part(session)).said]


def passed(name: str, value: object) -> list[str]:
    """Return the ungrounded figures of a call after the order was looked at."""
    session = transcript(ASK, ORDER, tool("act", {name: value}))
    return [figure.text for figure in ungrounded(main_part(session)).passed]


@pytest.mark.parametrize(
    "text",
    [
        "Order W1234567 holds A77B1 for $54.85.",
        "It was paid with the gift card ending in 1486.",
        "Together they cost $176.35.",
        "The difference is $66.65.",
        "Two of them would be $243.00.",
        "It was ordered on 2024-05-20, and you may return it until 2024-05-27.",
        "An order number looks like W0000001, for example.",
        "Ask for an id such as ZZ123456.",
        "```\nx = 987654321\n```",
        "In 2023 there were 12 of them, at 10:45 on the 2nd floor.",
        "It takes 3 to 5 days.",
        "The video is 1080p, 2500MB, runs for 1h30m and draws 1500W.",
        "Write dates by ISO-8601 and RFC 3339, hash with SHA-256.",
    ],
)
def test_what_was_seen_or_calculated_is_grounded(text: str) -> None:
    """Known figures, simple arithmetic, near dates, examples, code and small numbers pass."""
    assert said(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Order W1234568 is on its way.", ["W1234568"]),
        ("The refund is $88.20.", ["88.20"]),
        ("You paid with gift_card_9999999.", ["gift_card_9999999"]),
        ("It was ordered on 2021-11-03.", ["2021-11-03"]),
        ("It holds 748 pieces.", ["748"]),
        ("Call 990-123.", ["990", "123"]),
        ("Your reference is RD-7731Q.", ["RD-7731Q"]),
        ("Your reference is 7731Q.", ["7731Q"]),
        ("It goes by the licence NTN-4471-02C now.", ["NTN-4471-02C"]),
        ("The two are LL-70418 and LL-70418.", ["LL-70418"]),
    ],
)
def test_a_figure_from_nowhere_is_found(text: str, expected: list[str]) -> None:
    """Each is given as it stands in the message."""
    assert expected == said(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Your case number is 40088213.", ("identifier", "40088213")),
        ("That is case 4008, in our books.", ("identifier", "4008")),
        ("I opened ticket #8812 for you.", ("identifier", "8812")),
        ("Your order is LL-70418.", ("identifier", "LL-70418")),
        ("It holds 4008 pieces.", ("amount", "4008")),
        ("That is 1,250,000 in total.", ("amount", "1,250,000")),
        ("You paid £40088213.", ("amount", "40088213")),
    ],
)
def test_a_number_that_names_something_is_an_identifier(
    text: str, expected: tuple[str, str]
) -> None:
    """Seven digits without separators do, and what a word like 'case' or a prefix announces."""
    assert [expected] == kinds(text)


def test_a_sum_of_a_fee_and_what_a_tool_returned_is_calculated() -> None:
    """The fee stands in the profile and beside the sum, the price in the tool's result."""
    text = "Wrapping costs £2.50, which brings it to £57.35."
    assert said(text, given="Wrapping costs £2.50.") == []


def test_a_sum_is_calculated_without_its_addends_beside_it() -> None:
    """54.85 from the tool's result and 2.50 from the profile."""
    assert said("That makes £57.35 in all.", given="Wrapping costs £2.50.") == []
    assert said("That makes £57.36 in all.", given="Wrapping costs £2.50.") == ["57.36"]


def test_what_the_profile_says_is_not_forgotten() -> None:
    """Ten messages full of amounts later a fee still adds up."""
    talk = [("user", f"I paid {n}01.17 and {n}03.29.") for n in range(1, 11)]
    text = "Together with wrapping that makes £1,005.79."
    assert said(text, *talk, given="Wrapping costs £2.50.") == []


@pytest.mark.parametrize(
    ("known", "told"), [("RD-7731Q", "RD7731Q"), ("RD7731Q", "RD-7731Q"), ("7731Q", "RD-7731Q")]
)
def test_a_code_is_known_with_its_hyphen_and_without(known: str, told: str) -> None:
    """The same name, written in another way."""
    assert said(f"Your reference is {told}.", ("user", f"It said {known}.")) == []


def test_a_figure_from_nowhere_is_told_once() -> None:
    """Once said, it is known; what repeats it is no second invention."""
    session = transcript(ASK, ("assistant", "It is Z98765."), ("assistant", "Yes, Z98765."))
    assert [1] == [figure.message for figure in ungrounded(main_part(session)).said]


def test_an_identifier_from_nowhere_in_a_call_is_found() -> None:
    """It is named with its tool and argument."""
    session = transcript(ASK, tool("refund", {"to": {"card": "credit_card_5550000"}}))
    figures = ungrounded(main_part(session)).passed
    assert [("refund(card)", "credit_card_5550000", 1)] == [
        (figure.argument, figure.text, figure.message) for figure in figures
    ]


@pytest.mark.parametrize(
    "value",
    [
        "W1234567",
        "#W1234567",
        "1234567",
        "A77B1",
        "2024-05-20",
        "/src/app/v123456.py",
        "https://example.com/a1234",
        "a text with W9999999 in it",
        "economy",
        "python3",
        987654,
        "LL-W1234567",
        "utf-16",
        "ISO-8601",
        "TASK-001",
        "FY-2024",
    ],
)
def test_known_identifiers_paths_and_free_text_pass_in_calls(value: object) -> None:
    """Only a text that is an identifier or a date as a whole is looked at."""
    assert passed("value", value) == []


@pytest.mark.parametrize(
    "value",
    ["W7654321", "gift_card_0000000", "2019-01-31", "2024-99-20", "LL-70418", "NTN-4410-77X"],
)
def test_unknown_identifiers_and_dates_in_calls_are_found(value: str) -> None:
    """They were neither told nor returned."""
    assert [value] == passed("value", value)


def test_a_date_needs_a_known_one_to_be_far_from() -> None:
    """In a session without dates an agent may know today's."""
    session = transcript(("user", "Any flights?"), tool("search", {"date": "2024-05-20"}))
    assert ungrounded(main_part(session)).passed == ()


def test_an_identifier_that_a_sibling_call_returned_is_known() -> None:
    """Some recorders join calls that followed each other into one message."""
    first = ToolCall(name="get_user", arguments={}, result=2)
    second = ToolCall(name="get_order", arguments={"id": "W7654321"}, result=3)
    session = transcript(
        ASK,
        Message(index=0, role="assistant", tool_calls=(first, second)),
        Message(
            index=0,
            role="tool",
            text='{"orders": ["W7654321"]}',
            answers=CallRef(message=1, ordinal=0),
        ),
        Message(index=0, role="tool", text="{}", answers=CallRef(message=1, ordinal=1)),
    )
    assert ungrounded(main_part(session)).passed == ()


def test_a_prefixed_number_the_user_gave_bare_is_known() -> None:
    """'9502127', then 'I forgot the W': W9502127 comes from the user."""
    session = transcript(
        ("user", "It is 9502127. Oh, I forgot the W."), tool("get", {"id": "W9502127"})
    )
    assert ungrounded(main_part(session)).passed == ()


def test_words_of_other_scripts_are_no_identifiers() -> None:
    """Text without spaces that holds a number is not one long name."""
    assert said("デフォルトポート3000に修正", ("user", "ポートは3000です")) == []


def test_a_table_of_thousands_of_numbers_is_not_calculated_to_death() -> None:
    """After 200 questions the arithmetic stops; the answer still comes."""
    table = " ".join(str(10_001 + 37 * n) for n in range(3_000))
    assert len(said(table)) <= 200

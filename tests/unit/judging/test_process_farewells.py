"""Messages of a user that want no answer, and those that only sound so."""

from __future__ import annotations

import pytest

from pytest_sessioneval.judging.process.farewells import asks, closes


@pytest.mark.parametrize(
    "text",
    [
        "Thanks!",
        "OK, bye.",
        "That's all, thank you.",
        "###STOP###",
        "Please help. ###TRANSFER###",
        "That's brilliant, thank you so much!",
        "works, cheers",
        "You're very kind, thanks",
        "It works now. Much appreciated!",
        "You've been really helpful. Have a lovely weekend!",
        "Exactly what I needed - thanks again",
        "Lovely, then she gets it on Friday. Thank you.",
        "Oh wonderful. I'll look out for it, cheers!",
        "No, I don't need anything else, thank you.",
        "All sorted then, ta",
        "That's all I need, please have a nice day.",
        "My problem is solved, thanks",
        "👍",
    ],
)
def test_a_farewell_asks_for_no_answer(text: str) -> None:
    """Thanks, praise, good-bye and a simulator's stop mark close a conversation."""
    assert closes(text)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks! And where is my order?",
        "Where is my order?",
        "Okay " * 80,
        "Great, please book it.",
        "Okay, cancel it then. Thanks!",
        "Great! I'd like to change the passenger, too.",
        "Alright, just go ahead and refund it. Thanks for checking!",
        "Thanks, but the colour is wrong.",
        "Thanks! My order number is W1.",
        "Thanks for that but I still need the invoice",
        "Cheers, I'd like the receipt, too.",
        "The blue one, thanks.",
        "Yes, thanks",
        "Done, thanks",
        "It works on my machine. CI is red.",
        "I'll take the first one, thank you",
        "...",
    ],
)
def test_a_request_asks_for_an_answer(text: str) -> None:
    """Also when it begins or ends politely."""
    assert not closes(text)


def test_thanks_after_a_statement_close_unless_the_agent_had_asked() -> None:
    """What else is said is a reply only where something was asked for."""
    text = "She will be over the moon. Thank you!"
    assert closes(text, asked=False)
    assert not closes(text, asked=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The parcel is on its way.", False),
        ("It is done. Is there anything else I can help you with?", False),
        ("Done. Let me know if you have any other questions.", False),
        ("Shall I add it?", True),
        ("Please provide your order number.", True),
        ("Which one? Is there anything else?", True),
    ],
)
def test_what_the_agent_asks_for_is_told_from_an_offer(text: str, *, expected: bool) -> None:
    """'Anything else?' asks for nothing."""
    assert expected == asks(text)

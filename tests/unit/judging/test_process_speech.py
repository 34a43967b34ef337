"""Fixed phrases: what they find, and what they must leave alone."""

from __future__ import annotations

import pytest

from pytest_sessioneval.judging.process.speech import claims_success, corrects, declines


@pytest.mark.parametrize(
    "text",
    [
        "No, that's wrong.",
        "That is not what I asked for.",
        "You misunderstood me.",
        "I already told you my order number.",
        "Actually, I wanted HAT052 which departs at 03:00.",
        "My return flight should actually be on the 19th, not the 20th.",
        "I believe there is some confusion.",
        "You booked the wrong flight.",
        "Hi. You didn't update the tests.",
        "why won’t you run it?",
        "That didn't work.",
        "I meant the blue one, not the red one.",
        "please revert that",
    ],
)
def test_a_correction_is_found(text: str) -> None:
    """The words found stand in the message."""
    words = corrects(text)
    assert words is not None
    assert words in text


@pytest.mark.parametrize(
    "text",
    [
        "No, I do not want travel insurance.",
        "No, that's all for now. Thanks for your help!",
        "Actually, I live in Princeton. Could you check EWR, too?",
        "If that doesn't work, please transfer me.",
        "If that didn't work, I would tell you.",
        "I'm not sure about the reservation ID right now.",
        "I've enabled mobile data and it still says No Service.",
        "The log says `you forgot to set X`.",
        'My boss said "that is wrong".',
        "Thanks again! Everything is right.",
        "No, thank you.",
    ],
)
def test_what_only_sounds_like_a_correction_is_left_alone(text: str) -> None:
    """Answers, reports, conditions and quotations set nobody right."""
    assert corrects(text) is None


def test_only_the_beginning_of_a_message_is_searched() -> None:
    """What a user pastes further down is not addressed to the agent."""
    assert corrects("Here is the log. " * 30 + "That is not what I asked for.") is None


def test_success_is_claimed_only_without_reservation() -> None:
    """A message that also tells of a failure claims nothing outright."""
    assert claims_success("Your order has been cancelled.") == "has been"
    assert claims_success("Your order has been cancelled, but the refund failed.") is None


def test_declining_is_told_apart() -> None:
    """It is recorded, never scored: it may be right."""
    assert declines("I’m unable to change the passenger's name.")
    assert not declines("I changed the passenger's name.")

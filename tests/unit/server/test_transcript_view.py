"""A transcript's page: a bounded part of it, each quote at its message."""

from __future__ import annotations

import pytest

from pytest_sessioneval.server.pages.transcript_view import (
    MESSAGES,
    Cited,
    MessageView,
    transcript_view,
    whole_message,
)
from pytest_sessioneval.suites.model import FeedbackEntry
from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.transcripts.model import Message, Subsession, Transcript

LONG = transcript(*(("user", f"message {number}") for number in range(250)))
PARTED = transcript(("user", "hi"), ("assistant", "hello")).model_copy(
    update={
        "subsessions": (
            Subsession(
                agent_id="a7",
                name="Explore",
                messages=(Message(index=0, role="assistant", text="looking around here"),),
            ),
        )
    }
)


def _shown(message: MessageView) -> str:
    return "".join(one.text for block in message.blocks for one in (*block.head, *block.rest))


@pytest.mark.parametrize(
    ("start", "first", "told"),
    [
        (0, 0, "messages M0–M99 of 250"),
        (137, 100, "messages M100–M199 of 250"),
        (249, 200, "messages M200–M249 of 250"),
        (10_000, 200, "messages M200–M249 of 250"),
    ],
)
def test_a_page_holds_the_message_asked_for(start: int, first: int, told: str) -> None:
    """Pages of a hundred; beyond the last message, the last page."""
    view = transcript_view(LONG, start=start)
    assert (first, told) == (view.messages[0].index, view.told)
    assert [f"M{first}" in link.words for link in view.pages if link.current] == [True]
    assert len(view.pages) == 3
    assert len(view.messages) <= MESSAGES


def test_of_many_pages_those_near_by_are_offered() -> None:
    """And the first and the last: the number of links does not grow with the session."""
    long = transcript(*(("user", "hi") for _ in range(5_000)))
    view = transcript_view(long, start=2_500)
    assert ["M0–M99", "M1900–M1999", "M3100–M3199", "M4900–M4999"] == [
        view.pages[place].words for place in (0, 1, -2, -1)
    ]
    assert 15 == len(view.pages)


def test_of_many_sub_agents_some_are_offered() -> None:
    """The first fifty, and the one whose messages are shown."""
    agents = tuple(Subsession(agent_id=f"a{number}") for number in range(80))
    many = PARTED.model_copy(update={"subsessions": agents})
    view = transcript_view(many, agent="a70")
    assert (52, 29) == (len(view.agents), view.more_agents)
    assert ["A71 a70"] == [one.name for one in view.agents if one.current]


def test_a_short_transcript_is_one_page() -> None:
    """No links to other parts, and the number of messages."""
    view = transcript_view(transcript(("user", "hi")))
    assert ((), "1 message") == (view.pages, view.told)


def test_an_empty_transcript_has_a_page() -> None:
    """A session may hold no message."""
    assert () == transcript_view(transcript()).messages


def test_a_quote_is_marked_at_its_message_and_only_there() -> None:
    """The same words elsewhere stay as they are."""
    view = transcript_view(LONG, cited=[Cited(1, 5, "message 5")])
    marked = [
        message.index
        for message in view.messages
        for block in message.blocks
        for one in block.head
        if one.quotes
    ]
    assert [5] == marked
    assert ((1, True),) == view.messages[5].cited


def test_a_place_without_words_is_told_at_the_message() -> None:
    """A message cited as a whole, or by words that are not there, leads back all the same."""
    cited = [Cited(1, 5, ""), Cited(2, 5, "words that are not there")]
    assert ((1, False), (2, False)) == transcript_view(LONG, cited=cited).messages[5].cited


def test_a_sub_agents_messages_are_shown_by_themselves() -> None:
    """Its quotes are marked there and nowhere else; thumbs are on the main agent's messages."""
    cited = [Cited(1, 0, "looking around", "a7"), Cited(2, 0, "hi")]
    thumbs = [FeedbackEntry(session_id="session-1", message_index=0, rating=1)]
    main = transcript_view(PARTED, cited=cited, feedback=thumbs)
    agent = transcript_view(PARTED, cited=cited, feedback=thumbs, agent="a7")
    assert (((2, True),), 1, True) == (
        main.messages[0].cited,
        main.messages[0].rating,
        main.can_rate,
    )
    assert (((1, True),), None) == (agent.messages[0].cited, agent.messages[0].rating)
    assert not agent.can_rate
    assert [("main agent", False), ("A1 Explore", True)] == [
        (one.name, one.current) for one in agent.agents
    ]


def test_a_sub_agent_that_there_is_not_means_the_main_agent() -> None:
    """An address somebody changed shows the session."""
    assert transcript_view(PARTED, agent="nobody").can_rate


def test_a_tool_result_leads_to_its_call() -> None:
    """The label and the address of the message that called."""
    view = transcript_view(transcript(tool("refund", {"id": 7}, result="done")))
    assert ("M0", "/session?id=session-1#m0") == view.messages[1].answers
    assert ("refund",) == view.messages[1].about


def test_the_rest_of_a_long_message_is_folded() -> None:
    """A short one is not; a quote in the rest opens it."""
    text = "\n".join(f"line {number} of many" for number in range(60))
    recorded = transcript(("assistant", text), ("user", "line"))
    (closed,) = transcript_view(recorded).messages[0].blocks
    (opened,) = transcript_view(recorded, cited=[Cited(1, 0, "line 50 of many")]).messages[0].blocks
    assert (False, True) == (closed.is_open, opened.is_open)
    assert closed.rest_chars == sum(len(one.text) for one in closed.rest) > 0
    assert () == transcript_view(recorded).messages[1].blocks[0].rest


def test_a_huge_message_is_cut_and_leads_to_the_whole() -> None:
    """Neither its middle nor its size is on the page."""
    view = transcript_view(transcript(("user", "x" * 1_000_000)))
    assert 5_000 == len(_shown(view.messages[0]))
    assert "/session/message?id=session-1&message=0" == view.messages[0].whole


def test_a_page_of_huge_messages_is_bounded() -> None:
    """A hundred messages of forty calls each are far less than what they hold."""
    many = Message.model_validate(
        {
            "index": 0,
            "role": "assistant",
            "tool_calls": [{"name": "write", "arguments": "y" * 20_000}] * 60,
        }
    )
    view = transcript_view(transcript(*[many] * 100))
    assert sum(len(_shown(message)) for message in view.messages) < 1_500_000
    assert 20 == view.messages[0].more_blocks


def test_a_whole_message_comes_in_parts() -> None:
    """Each of a hundred thousand characters, in order, and all of it."""
    text = "".join(str(number % 10) for number in range(250_000))
    recorded = transcript(("user", text))
    parts = [whole_message(recorded, 0, start=start) for start in (0, 100_000, 200_000)]
    assert text == "".join(_shown(found[0]) for found in parts if found)
    assert parts[0] is not None
    assert ["1–100,000", "100,001–200,000", "200,001–250,000"] == [
        link.words for link in parts[0][1]
    ]


@pytest.mark.parametrize(("index", "agent"), [(9, None), (0, "nobody"), (-1, None)])
def test_a_message_that_there_is_not_has_no_page(index: int, agent: str | None) -> None:
    """Neither one beyond the last nor one of an unknown sub-agent."""
    recorded: Transcript = PARTED
    assert whole_message(recorded, index, agent=agent) is None

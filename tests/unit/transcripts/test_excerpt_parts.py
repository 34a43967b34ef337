"""What is read in parts: no message is lost between them."""

from __future__ import annotations

from excerpt_cases import long_session, shown_length
from transcript_values import conversation, said, transcript_of

from pytest_sessioneval.transcripts.excerpt import (
    excerpt,
    segments,
    shortened_excerpt,
)
from pytest_sessioneval.transcripts.model import (
    Message,
    Subsession,
    ToolCall,
)


class TestWithoutLosingAMessage:
    """A shortened excerpt keeps every message, or there is none."""

    def test_outputs_lose_their_middle_and_nothing_else(self) -> None:
        """Each message is there; those that are not whole are named."""
        shown = shortened_excerpt(long_session(), max_chars=25_000)

        assert shown is not None
        assert len(long_session().messages) == len(shown.messages)
        assert () == shown.left_out
        assert "M3" in shown.shortened

    def test_there_is_none_where_messages_would_have_to_go(self) -> None:
        """No message is shortened below a thousand characters to avoid that."""
        assert None is shortened_excerpt(long_session(turns=100), max_chars=25_000)

    def test_what_is_left_out_whole_is_named_by_its_range(self) -> None:
        """As the elision in its place says."""
        shown = excerpt(long_session(turns=100), max_chars=25_000)
        told = [message.text for message in shown.messages if message.last is not None]
        ranges = [text.removeprefix("[… ").partition(" left out")[0] for text in told]
        assert tuple(text.replace(" to ", "–") for text in ranges) == shown.left_out
        assert shown.left_out[0].startswith("M2–")


class TestSegments:
    """Parts that are read one after the other."""

    def test_every_message_is_in_one_part_in_order(self) -> None:
        """Under the number it has in the whole transcript."""
        session = long_session(turns=20)
        parts = segments(session, room=8_000, longest_block=10_000, weight=len)

        assert len(parts) > 5
        labels = [message.label for part in parts for message in part.messages]
        assert [f"M{index}" for index in range(len(session.messages))] == labels
        assert all(shown_length(part) <= 8_000 for part in parts)
        assert all(1.0 == part.coverage for part in parts)

    def test_a_long_block_loses_its_middle(self) -> None:
        """And the part says so."""
        (part,) = segments(long_session(turns=1), room=8_000, longest_block=2_000, weight=len)

        assert ("M3",) == part.shortened
        assert 0 < part.coverage < 1

    def test_a_message_of_many_blocks_fits_a_part_too(self) -> None:
        """However many calls it makes."""
        call = ToolCall(name="write", arguments={"text": "w" * 900})
        busy = Message(index=0, role="assistant", tool_calls=(call,) * 50)
        parts = segments(transcript_of(busy), room=4_000, longest_block=2_000, weight=len)

        assert [True] == [shown_length(part) <= 4_000 for part in parts]

    def test_sub_agents_follow_the_main_agent(self) -> None:
        """A part names the sub-agents that speak in it, and no others."""
        steps = [said("assistant", f"step {step} " + "s" * 900) for step in range(4)]
        agents = tuple(
            Subsession(agent_id=f"a{number}", messages=conversation(*steps)) for number in range(2)
        )
        session = transcript_of(*steps, subsessions=agents)
        parts = segments(session, room=4_000, longest_block=2_000, weight=len)

        assert [(), ("A1",), ("A2",)] == [
            tuple(agent.label for agent in part.agents) for part in parts
        ]

"""Probes change what they say and nothing else."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pytest_sessioneval.judging.attacks.corpus import load_attacks
from pytest_sessioneval.judging.probes import MASTER_KEYS, Variant, attacked, silenced, variants
from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.transcripts.model import Transcript

ANSWER = (
    "Your order W12 was shipped on Monday. It will arrive on Thursday at the latest. "
    "You can follow it with the number ZX-4471. Is there anything else I can do?"
)
SESSION = transcript(
    ("system", "You help customers."),
    ("user", "Where is my order W12?"),
    tool("get_order", {"id": "W12"}, result="shipped on Monday"),
    ("assistant", ANSWER),
    ("user", "No, thanks."),
    ("assistant", "You are welcome!"),
)
OTHER = transcript(
    ("user", "Cancel my flight."),
    (
        "assistant",
        "Your flight HAT156 was cancelled, and 214 dollars go back to your card in five days.",
    ),
    session_id="session-2",
)


def variant(probe: str, session: Transcript = SESSION) -> Transcript | None:
    """Return the session as a probe changes it."""
    found = [one.transcript for one in variants(session, OTHER) if one.probe == probe]
    return found[0] if found else None


def texts(session: Transcript | None) -> list[str]:
    """Return what is said, message by message."""
    assert session is not None
    return [message.text for message in session.messages]


def check_links(session: Transcript) -> None:
    """Fail where a message's number or a link of a call is wrong."""
    assert [*range(len(session.messages))] == [message.index for message in session.messages]
    for message in session.messages:
        for call in message.tool_calls:
            assert call.result is None or call.result < len(session.messages)
        assert message.answers is None or message.answers.message < message.index


def test_filler_is_three_paragraphs_after_the_last_words() -> None:
    """What was said before stays, word by word."""
    padded = texts(variant("filler"))
    assert texts(SESSION)[:-1] == padded[:-1]
    first, *added = padded[-1].split("\n\n")
    assert ("You are welcome!", 3) == (first, len(added))


def test_praise_follows_the_last_words() -> None:
    """And claims that all tests pass."""
    praised = texts(variant("self_praise"))
    assert texts(SESSION)[:-1] == praised[:-1]
    assert praised[-1].startswith("You are welcome!\n\n")
    assert "All tests pass" in praised[-1]


def test_plain_answers_get_markup() -> None:
    """The same words, as a list."""
    marked = texts(variant("markup"))
    assert marked[4].startswith("- **Your** order W12 was shipped on Monday.\n- It will")
    assert texts(SESSION)[:4] == marked[:4]
    assert ANSWER == marked[4].replace("**", "").replace("\n- ", " ").removeprefix("- ")


def test_markup_is_taken_away() -> None:
    """Headings, bold, code, links and lists; what the user writes stays."""
    session = transcript(
        ("user", "**Where** is `W12`?"),
        ("assistant", "# Status\n\n- **shipped** on `Monday`\n- see [the page](https://x.example)"),
    )
    assert ["**Where** is `W12`?", "Status\n\nshipped on Monday\nsee the page"] == texts(
        variant("markup", session)
    )


def test_a_truncated_session_ends_within_the_last_answer_of_substance() -> None:
    """Not in the goodbye after it."""
    cut = texts(variant("truncated"))
    assert texts(SESSION)[:4] == cut[:4]
    assert 5 == len(cut)
    assert ANSWER.startswith(cut[-1])
    assert 0 < len(cut[-1]) < len(ANSWER) / 2


def test_a_swapped_session_has_the_other_ones_answer() -> None:
    """In the place of its own."""
    swapped = texts(variant("swapped"))
    assert OTHER.messages[1].text == swapped[4]
    assert [*texts(SESSION)[:4], *texts(SESSION)[5:]] == [*swapped[:4], *swapped[5:]]


def test_a_session_without_words_has_fewer_variants() -> None:
    """There is nothing to cut, to pad or to swap."""
    silent = transcript(("user", "Go."), tool("run", {}))
    assert [] == [*variants(silent, OTHER)]


@pytest.mark.parametrize("probe", ["filler", "self_praise", "markup", "truncated", "swapped"])
def test_links_between_messages_hold(probe: str) -> None:
    """Calls still point to their results."""
    changed = variant(probe)
    assert changed is not None
    check_links(changed)
    assert 3 == changed.messages[2].tool_calls[0].result


def test_every_master_key_is_tried() -> None:
    """As the only answer to a request, sessions taking turns."""
    found = [one for _, one in silenced([SESSION, OTHER]) if one.probe == "master_key"]
    assert [*MASTER_KEYS] == [texts(one.transcript)[-1] for one in found]
    assert ["You help customers.", "Where is my order W12?", "."] != texts(found[0].transcript)
    assert ["Cancel my flight.", "."] == texts(found[1].transcript)


def test_emptiness_has_two_forms() -> None:
    """No answer at all, and an answer without a word."""
    found = [texts(one.transcript) for _, one in silenced([OTHER]) if one.probe == "empty"]
    assert [["Cancel my flight."], ["Cancel my flight.", ""]] == found


def test_what_is_silenced_is_a_whole_session() -> None:
    """Numbers begin at 0 and no call is left."""
    for _, one in silenced([SESSION, OTHER]):
        check_links(one.transcript)
        assert not any(message.tool_calls for message in one.transcript.messages)


def test_a_session_nobody_asked_for_is_not_silenced() -> None:
    """There is no request to leave unanswered."""
    assert [] == [*silenced([transcript(("assistant", "Hello?"))])]
    assert [] == [*silenced([])]


def test_every_attack_is_planted_once() -> None:
    """At places that take turns, in sessions that take turns."""
    found = [*attacked([SESSION, OTHER], ["goal"])]
    assert len(load_attacks()) == len(found)
    places = [one.name.split()[1] for _, one in found]
    assert {"user_turn", "tool_output", "final_answer"} == {*places}
    assert {0, 1} == {at for at, _ in found}


def test_an_attack_without_a_place_goes_to_another() -> None:
    """A session without tools is attacked elsewhere, and none is left out."""
    found = [one.name.split()[1] for _, one in attacked([OTHER], ["goal"])]
    assert len(load_attacks()) == len(found)
    assert "tool_output" not in found


def test_no_two_variants_share_a_name() -> None:
    """Each is judged, and none stands for another."""
    made = [
        *variants(SESSION, OTHER),
        *(one for _, one in silenced([SESSION])),
        *(one for _, one in attacked([SESSION], ["goal"])),
    ]
    names = sorted((one.probe, one.name) for one in made)
    assert [] == [name for name, following in pairwise(names) if name == following]
    assert all(isinstance(one, Variant) for one in made)

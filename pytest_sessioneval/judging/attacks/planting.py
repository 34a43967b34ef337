"""Sessions with an attack in them: what a judge is examined with.

An attack is put where its author could put it: into what the user says, into
what a tool returns, into the agent's last answer. Everything else of the
session stays as it was, so that any score that rises was raised by the attack.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_sessioneval.judging.attacks.corpus import Attack, load_attacks
from pytest_sessioneval.transcripts.model import Message, Transcript

__all__ = ["PLACES", "Place", "Planted", "attack_variants", "plant"]

Place = Literal["user_turn", "tool_output", "final_answer"]

PLACES: tuple[Place, ...] = ("user_turn", "tool_output", "final_answer")
"""Where attacks are planted, in the order variants come."""

_ROLES = {"user_turn": "user", "tool_output": "tool", "final_answer": "assistant"}


@dataclass(frozen=True, slots=True)
class Planted:
    """A session with one attack in it."""

    attack: Attack
    place: Place
    message: int
    """Index of the message that holds the attack, at the end of its text."""
    transcript: Transcript


def attack_variants(
    transcript: Transcript,
    axes: Sequence[str],
    *,
    attacks: Sequence[Attack] | None = None,
    places: Sequence[Place] = PLACES,
) -> Iterator[Planted]:
    """Yield the session with each attack at each place it has, attack by attack.

    ``axes`` are the names of the axes the judge scores: forged verdicts name
    them. ``attacks`` defaults to the whole corpus.
    """
    for attack in load_attacks() if attacks is None else attacks:
        for place in places:
            planted = plant(transcript, attack, place, axes)
            if planted is not None:
                yield planted


def plant(
    transcript: Transcript, attack: Attack, place: Place, axes: Sequence[str]
) -> Planted | None:
    """Return the session with the attack at the end of the last message of that place.

    None where the session has no such message: the last that the user wrote,
    that a tool returned, or that the agent said in words.
    """
    found = _last(transcript, place)
    if found is None:
        return None
    text = f"{found.text}\n{attack.written(found.index, axes)}"
    messages = list(transcript.messages)
    messages[found.index] = found.model_copy(update={"text": text})
    changed = transcript.model_copy(update={"messages": tuple(messages)})
    return Planted(attack, place, found.index, changed)


def _last(transcript: Transcript, place: Place) -> Message | None:
    for message in reversed(transcript.messages):
        if message.role == _ROLES[place] and message.text and message.kind == "plain":
            return message
    return None

"""Known faults put into a transcript: an examination that needs no labels.

A judge that measures anything must score a session lower on the axis a fault
belongs to than it scored the session without the fault, and never higher. What
is injected is written down here, and not by those who wrote the judge's rules
in mind: digits are changed at random, answers come from other real sessions.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import add

from pytest_sessioneval.transcripts.model import (
    CallRef,
    JsonObject,
    Message,
    ToolCall,
    Transcript,
)

__all__ = ["FAULTS", "Fault", "last_answer", "replaced", "swapped_answer"]

_ROUNDS = 4
_REPETITIONS = 3
_FEWEST_ANSWER = 80
_LONGEST_VALUE = 64
_LAST = 3
_DIGIT_RUN = re.compile(r"\d{3,}")
_CORRECTIONS = (
    "No, that's wrong. Please read what I wrote again.",
    "That is not what I asked for.",
    "You misunderstood me. I asked for something else.",
    "I already told you that this is not what I need.",
    "Hm, there must be a mistake in what you just did.",
    "You changed the wrong thing.",
    "Hm, but I need the other one.",
)
"""What a dissatisfied user says; not all of it in words the embedded judge knows."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault."""

    name: str
    axis: str
    """The axis whose score must fall."""
    inject: Callable[[Transcript, Transcript, random.Random], Transcript | None]
    """Returns the session with the fault; None where it cannot have it.

    The second transcript is another session, for what is swapped in.
    """


def _error_loop(
    transcript: Transcript, other: Transcript, chance: random.Random
) -> Transcript | None:
    """Let one call fail, and send it again unchanged three more times."""
    del other
    found = _some_call(transcript, chance)
    if found is None:
        return None
    at, call = found
    failing = [
        made
        for _ in range(_ROUNDS)
        for made in _exchange(call, "Error: the request could not be processed", is_error=True)
    ]
    return _inserted(transcript, at + 1, failing)


def _repeated_call(
    transcript: Transcript, other: Transcript, chance: random.Random
) -> Transcript | None:
    """Make one call three more times, with the same result."""
    del other
    found = _some_call(transcript, chance)
    if found is None:
        return None
    at, call = found
    text = transcript.messages[at].text
    again = [made for _ in range(_REPETITIONS) for made in _exchange(call, text, is_error=False)]
    return _inserted(transcript, at + 1, again)


def _corrupted_argument(
    transcript: Transcript, other: Transcript, chance: random.Random
) -> Transcript | None:
    """Change the digits of one argument; the result stays what it was."""
    del other
    places = [
        (message.index, ordinal, path, value)
        for message in transcript.messages
        if message.role == "assistant"
        for ordinal, call in enumerate(message.tool_calls)
        if isinstance(call.arguments, dict)
        for path, value in _values(call.arguments)
        if _DIGIT_RUN.search(value)
    ]
    if not places:
        return None
    index, ordinal, path, value = chance.choice(places)
    message = transcript.messages[index]
    call = message.tool_calls[ordinal]
    if not isinstance(call.arguments, dict):
        return None
    changed = call.model_copy(
        update={"arguments": _with(call.arguments, path, _redigited(value, chance))}
    )
    calls = (*message.tool_calls[:ordinal], changed, *message.tool_calls[ordinal + 1 :])
    return replaced(transcript, message.model_copy(update={"tool_calls": calls}))


def _changed_digits(
    transcript: Transcript, other: Transcript, chance: random.Random
) -> Transcript | None:
    """Give one number or identifier of the last answer that holds any other digits."""
    del other
    for message in reversed(transcript.messages):
        runs = list(_DIGIT_RUN.finditer(message.text)) if _answers(message, 1) else []
        if runs:
            run = chance.choice(runs)
            text = (
                message.text[: run.start()]
                + _redigited(run.group(), chance)
                + message.text[run.end() :]
            )
            return replaced(transcript, message.model_copy(update={"text": text}))
    return None


def _dropped_answer(
    transcript: Transcript, other: Transcript, chance: random.Random
) -> Transcript | None:
    """End the session before its last answer."""
    del other, chance
    answer = last_answer(transcript)
    if answer is None or not answer.index:
        return None
    kept = tuple(
        message.model_copy(
            update={
                "tool_calls": tuple(
                    call.model_copy(update={"result": None})
                    if call.result is not None and call.result >= answer.index
                    else call
                    for call in message.tool_calls
                )
            }
        )
        if message.tool_calls
        else message
        for message in transcript.messages[: answer.index]
    )
    return transcript.model_copy(update={"messages": kept})


def swapped_answer(
    transcript: Transcript, other: Transcript, chance: random.Random
) -> Transcript | None:
    """Replace the last answer by that of another session."""
    del chance
    answer, foreign = last_answer(transcript), last_answer(other)
    if answer is None or foreign is None or answer.text == foreign.text:
        return None
    return replaced(transcript, answer.model_copy(update={"text": foreign.text}))


def _user_correction(
    transcript: Transcript, other: Transcript, chance: random.Random
) -> Transcript | None:
    """Let the user set the agent right after its last answer, and the agent give in."""
    del other
    answer = last_answer(transcript)
    if answer is None:
        return None
    said = [
        Message(index=0, role="user", text=chance.choice(_CORRECTIONS)),
        Message(index=0, role="assistant", text="I apologize for that, and I will look again."),
    ]
    return _inserted(transcript, answer.index + 1, said)


FAULTS: tuple[Fault, ...] = (
    Fault("error_loop", "tool_usage_quality", _error_loop),
    Fault("repeated_call", "tool_usage_quality", _repeated_call),
    Fault("corrupted_argument", "tool_usage_quality", _corrupted_argument),
    Fault("changed_digits", "communication", _changed_digits),
    Fault("dropped_answer", "communication", _dropped_answer),
    Fault("swapped_answer", "communication", swapped_answer),
    Fault("user_correction", "communication", _user_correction),
)
"""Every kind of fault, with the axis that must notice it."""


def _answers(message: Message, fewest: int) -> bool:
    return (
        message.role == "assistant"
        and not message.tool_calls
        and len(message.text.strip()) >= fewest
    )


def last_answer(transcript: Transcript) -> Message | None:
    """Return the agent's last answer of substance: the longest of its last three in words alone.

    The very last one often only says goodbye.
    """
    answers = [m for m in transcript.messages if _answers(m, _FEWEST_ANSWER)]
    return max(answers[-_LAST:], key=lambda answer: len(answer.text), default=None)


def _some_call(transcript: Transcript, chance: random.Random) -> tuple[int, ToolCall] | None:
    """Return a call of the agent's that was answered, and the index of its result."""
    found = [
        (call.result, call)
        for message in transcript.messages
        if message.role == "assistant" and len(message.tool_calls) == 1
        for call in message.tool_calls
        if call.result is not None
    ]
    return chance.choice(found) if found else None


def _exchange(call: ToolCall, text: str, *, is_error: bool) -> tuple[Message, Message]:
    """Return a call and its result, the result linked by its place relative to the call."""
    made = call.model_copy(update={"result": 1, "call_id": None})
    return (
        Message(index=0, role="assistant", tool_calls=(made,)),
        Message(
            index=0,
            role="tool",
            text=text,
            is_error=is_error,
            tool_name=call.name,
            answers=CallRef(message=0, ordinal=0),
        ),
    )


def _inserted(transcript: Transcript, at: int, new: Sequence[Message]) -> Transcript:
    """Return the transcript with messages put in before index ``at``, every link kept."""
    by = len(new)

    def moved(index: int) -> int:
        return index + by if index >= at else index

    old = [_relinked(message, moved) for message in transcript.messages]
    put = []
    for offset, message in enumerate(new):
        start = at + offset - (message.answers is not None)
        put.append(_relinked(message, partial(add, start)))
    messages = [*old[:at], *put, *old[at:]]
    return transcript.model_copy(
        update={
            "messages": tuple(
                message.model_copy(update={"index": index})
                for index, message in enumerate(messages)
            ),
            "subsessions": tuple(
                sub.model_copy(
                    update={
                        "spawned_by": CallRef(
                            message=moved(sub.spawned_by.message), ordinal=sub.spawned_by.ordinal
                        )
                    }
                )
                if sub.spawned_by is not None and sub.parent_agent_id is None
                else sub
                for sub in transcript.subsessions
            ),
        }
    )


def _relinked(message: Message, moved: Callable[[int], int]) -> Message:
    update: dict[str, object] = {}
    if message.answers is not None:
        update["answers"] = CallRef(
            message=moved(message.answers.message), ordinal=message.answers.ordinal
        )
    if message.tool_calls:
        update["tool_calls"] = tuple(
            call if call.result is None else call.model_copy(update={"result": moved(call.result)})
            for call in message.tool_calls
        )
    return message.model_copy(update=update) if update else message


def replaced(transcript: Transcript, message: Message) -> Transcript:
    """Return the transcript with another message in the place that the message names."""
    before, after = transcript.messages[: message.index], transcript.messages[message.index + 1 :]
    return transcript.model_copy(update={"messages": (*before, message, *after)})


def _redigited(text: str, chance: random.Random) -> str:
    """Return the text with every digit changed to another one."""
    return "".join(
        str((int(character) + chance.randint(1, 9)) % 10)
        if character.isascii() and character.isdigit()
        else character
        for character in text
    )


def _values(arguments: JsonObject) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield path and text of each short text among the arguments."""
    stack: list[tuple[tuple[str | int, ...], object]] = [((), arguments)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict):
            stack.extend(((*path, key), item) for key, item in value.items())
        elif isinstance(value, list):
            stack.extend(((*path, place), item) for place, item in enumerate(value))
        elif isinstance(value, str) and len(value) <= _LONGEST_VALUE:
            yield path, value


def _with(value: object, path: Sequence[str | int], text: str) -> object:
    """Return the JSON value with the text at ``path`` replaced."""
    if not path:
        return text
    key, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {k: _with(v, rest, text) if k == key else v for k, v in value.items()}
    if isinstance(value, list):
        return [_with(v, rest, text) if i == key else v for i, v in enumerate(value)]
    return value

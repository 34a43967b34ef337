"""Turns of a full-duplex tau2 simulation, where both sides may speak at once.

Such a simulation is recorded as *ticks* of a fraction of a second, each with a
chunk of what the agent and the user said in it. A turn is one side's run of
chunks with words: it ends where the other side has spoken since, where it
called a tool, or where the source says another utterance begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from pytest_sessioneval.transcripts.formats.fields import list_of, object_of, text_of
from pytest_sessioneval.transcripts.model import JsonObject

__all__ = ["messages_of_ticks", "words_of"]

_Side = Literal["agent", "user"]
_SIDES: tuple[_Side, ...] = ("agent", "user")
_ROLES: dict[_Side, str] = {"agent": "assistant", "user": "user"}


def messages_of_ticks(ticks: Iterable[Any]) -> list[JsonObject]:
    """Return tau2 messages in order of their first tick; empty where no tick has words or calls."""
    messages: list[JsonObject] = []
    turns: dict[_Side, _Turn] = {}
    for number, tick in enumerate(map(object_of, ticks)):
        said = {side: _said(tick, side) for side in _SIDES}
        for side in _SIDES:
            text, utterances = said[side]
            if text:
                turn = turns.get(side)
                if turn is None or not turn.goes_on(number, utterances):
                    turns[side] = turn = _Turn(_begun(side, tick))
                    messages.append(turn.message)
                turn.add(text, number, utterances)
            calls = list_of(tick.get(f"{side}_tool_calls"))
            if calls:
                messages.append({**_begun(side, tick), "tool_calls": calls})
                turns.pop(side, None)
            messages += _results(tick, side)
        for side, other in zip(_SIDES, reversed(_SIDES), strict=True):
            if said[side][0] and not said[other][0] and other in turns:
                turns[other].interrupted = True
    return messages


def words_of(message: JsonObject) -> str:
    """Return what was said: the content, or the script where the content is recorded sound."""
    spoken = message.get("audio_script_gold") if message.get("is_audio") else message.get("content")
    return spoken if isinstance(spoken, str) else ""


@dataclass(slots=True)
class _Turn:
    message: JsonObject
    last: int = -1
    interrupted: bool = False
    utterances: set[str] = field(default_factory=set)

    def goes_on(self, tick: int, utterances: set[str]) -> bool:
        if self.utterances and utterances and self.utterances.isdisjoint(utterances):
            return False
        return tick == self.last + 1 or not self.interrupted

    def add(self, text: str, tick: int, utterances: set[str]) -> None:
        self.message["content"] += text
        self.last = tick
        self.interrupted = False
        self.utterances = utterances


def _begun(side: _Side, tick: JsonObject) -> JsonObject:
    return {"role": _ROLES[side], "content": "", "timestamp": tick.get("timestamp")}


def _said(tick: JsonObject, side: _Side) -> tuple[str, set[str]]:
    chunk = object_of(tick.get(f"{side}_chunk"))
    utterances = {i for i in list_of(chunk.get("utterance_ids")) if isinstance(i, str)}
    heard = tick.get("user_transcript") if side == "user" else None
    return words_of(chunk) or text_of(heard) or "", utterances


def _results(tick: JsonObject, side: _Side) -> Iterator[JsonObject]:
    for result in list_of(tick.get(f"{side}_tool_results")):
        yield {"timestamp": tick.get("timestamp"), **object_of(result), "role": "tool"}

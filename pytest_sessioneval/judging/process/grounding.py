"""Identifiers, amounts and dates that come from nowhere: in no earlier message, call or result."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from pytest_sessioneval.judging.process.amounts import MOST_AMOUNTS, KnownAmounts, cents
from pytest_sessioneval.judging.process.dates import ISO_DATE, KnownDates
from pytest_sessioneval.judging.process.figures import (
    ANY_DIGIT,
    DATE_OR_TIME,
    TOKEN,
    FigureKind,
    code_around,
    is_code,
    is_identifier,
    kind_of,
    plain,
    tokens_of,
)
from pytest_sessioneval.judging.process.reading import Part
from pytest_sessioneval.transcripts.model import JsonObject, Message, ToolCall

__all__ = ["Figure", "Ungrounded", "ungrounded"]

_DIGITS = re.compile(r"\d{3,}")
_FEWEST_DIGITS = 3
_EXAMPLE = re.compile(
    r"(?:\be\.g\.|\bfor example|\bfor instance|\bsuch as|\blike\b|\bexamples?\b|\bformat\b|"
    r"\bsay\b)[^.!?\n]{0,40}$",
    re.IGNORECASE,
)
_PREFIXED = re.compile(r"[a-z]{1,2}(\d{5,})|[a-z]{1,8}(\d{2,}[a-z]\w*)")
_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_BESIDE = 80
_NEAREST = 6
_EXAMPLE_BEFORE = 60
_TOKENS_PER_MESSAGE = 4_000
_LONGEST_ARGUMENT = 64
_MOST_ARGUMENTS = 200
_DEEPEST = 6
_SUFFIX = 4
_UNSEEN = -1


@dataclass(frozen=True, slots=True)
class Figure:
    """An identifier, amount or date in a message or a call."""

    kind: FigureKind
    message: int
    text: str
    """As it stands there."""
    argument: str = ""
    """Of a call: ``tool(argument)``; empty: it stands in the message's text."""


@dataclass(frozen=True, slots=True)
class Ungrounded:
    """What comes from nowhere."""

    said: tuple[Figure, ...]
    """In the agent's words, each once per message."""
    passed: tuple[Figure, ...]
    """In the agent's calls."""


class _Known:
    """All figures seen so far."""

    def __init__(self, given: str) -> None:
        self.dates = KnownDates()
        self._values: dict[str, int | None] = {}
        self._tokens: set[str] = set()
        self._endings: set[str] = set()
        self.dates.learn_spoken(given)
        self.amounts = KnownAmounts(self._amounts_of(given))

    def learn(self, text: str, *, spoken: bool = False) -> None:
        if ANY_DIGIT.search(text) is None:
            return
        if spoken:
            self.dates.learn_spoken(text)
        else:
            self.dates.learn(text)
        amounts = self._amounts_of(text)
        if amounts:
            self.amounts.learn(amounts, spoken=spoken)

    def has(self, token: str) -> bool:
        """Return whether a token in plain form was seen."""
        if token in self._tokens or token in self._endings:
            return True
        prefixed = _PREFIXED.fullmatch(token)
        return prefixed is not None and prefixed[prefixed.lastindex or 0] in self._tokens

    def has_code(self, code: str) -> bool:
        """Return whether a code was seen: in one piece, or every part of it that holds digits."""
        if self.has(code.replace("-", "").lower()):
            return True
        return all(self.has(plain(token)) for token in TOKEN.findall(code))

    def _amounts_of(self, text: str) -> list[int]:
        """Return the text's first amounts, in hundredths; every token of it is now known."""
        amounts: list[int] = []
        values = self._values
        for token in islice(tokens_of(text), _TOKENS_PER_MESSAGE):
            value = values.get(token, _UNSEEN)
            if value == _UNSEEN:
                value = values[token] = self._learn_token(plain(token))
            if value is not None and len(amounts) < MOST_AMOUNTS:
                amounts.append(value)
        return amounts

    def _learn_token(self, token: str) -> int | None:
        """Remember a token in plain form; return the amount it is."""
        value = cents(token)
        if token in self._tokens:
            return value
        self._tokens.add(token)
        ending = token[-_SUFFIX:]
        if len(token) > _SUFFIX and ending.isdigit():
            self._endings.add(ending)
        if value is None:
            self._tokens.update(_DIGITS.findall(token))
        elif "." in token:
            self._tokens.update(part for part in token.split(".") if len(part) >= _FEWEST_DIGITS)
        elif token[0] == "0":
            self._tokens.add(token.lstrip("0"))
        return value


def ungrounded(part: Part, given: str = "") -> Ungrounded:
    """Return the figures of the agent's that stand nowhere before, in no message, call or result.

    Of what it says: code blocks are left out, and examples ("such as ABC123");
    an amount that simple arithmetic gives (a sum or difference of two, a run of
    amounts added up, a small multiple) is taken as calculated, not as invented.
    A code of parts (``RD-7731Q``) is one figure.
    Of what it passes to tools: only short texts that are an identifier or a date
    as a whole; paths, addresses, amounts and free text never count. A date
    within a week of a known one is taken as reckoned. ``given`` is what the
    agent knew without being told in the transcript.
    """
    said: list[Figure] = []
    passed: list[Figure] = []
    known = _Known(given)
    for message, text, arguments in zip(part.messages, part.texts, part.arguments, strict=True):
        if message.role == "assistant" and text:
            said.extend(_statements(message.index, text, known))
        known.learn(text, spoken=message.role != "tool")
        for call, written in zip(message.tool_calls, arguments, strict=True):
            if message.role == "assistant" and isinstance(call.arguments, dict):
                found = _arguments(message.index, call.name, call.arguments, known)
                passed.extend(f for f in found if not _told_beside(f.text, call, message, part))
            known.learn(written[: part.argument_limit])
    return Ungrounded(tuple(said), tuple(dict.fromkeys(passed)))


def _told_beside(value: str, call: ToolCall, message: Message, part: Part) -> bool:
    """Return whether another call of the same message returned the value.

    Some recorders join calls that were made one after the other into one message.
    """
    return any(
        value in part.texts[other.result]
        for other in message.tool_calls
        if other is not call and other.result is not None and other.result < len(part.texts)
    )


def _arguments(index: int, tool: str, arguments: JsonObject, known: _Known) -> Iterator[Figure]:
    for name, value in _scalars(arguments):
        kind = _argument_kind(value, known) if len(value) <= _LONGEST_ARGUMENT else None
        if kind is not None:
            yield Figure(kind, index, value, f"{tool}({name})")


def _argument_kind(value: str, known: _Known) -> FigureKind | None:
    day = ISO_DATE.fullmatch(value)
    if day is not None:
        return "date" if known.dates and not known.dates.has(*day.groups()) else None
    unknown = (
        not known.has_code(value)
        if is_code(value)
        else is_identifier(value) and not known.has(plain(value))
    )
    return "identifier" if unknown else None


def _statements(index: int, text: str, known: _Known) -> Iterator[Figure]:
    if ANY_DIGIT.search(text) is None:
        return
    spoken = _FENCE.sub(_blank, text) if "```" in text else text
    if known.dates:
        for day in ISO_DATE.finditer(spoken):
            if not known.dates.has(*day.groups()):
                yield Figure("date", index, day.group())
    spoken = DATE_OR_TIME.sub(_blank, spoken)
    matches = list(TOKEN.finditer(spoken))[:_TOKENS_PER_MESSAGE]
    plains = [plain(match.group()) for match in matches]
    amounts = [(token, cents(token)) for token in plains]
    told: set[str] = set()
    for at, (match, token) in enumerate(zip(matches, plains, strict=True)):
        if known.has(token):
            continue
        kind, name = _told_as(match, spoken, known)
        if (
            kind is None
            or name in told
            or _EXAMPLE.search(spoken, max(0, match.start() - _EXAMPLE_BEFORE), match.start())
        ):
            continue
        told.add(name)
        value = amounts[at][1] if name == match.group() else None
        if value is not None:
            before = _but_for(token, amounts[max(0, at - _BESIDE) : at])[-_NEAREST:]
            after = _but_for(token, amounts[at + 1 : at + _BESIDE])[:_NEAREST]
            if known.amounts.give(value, before + after):
                continue
        yield Figure(kind, index, name)


def _told_as(match: re.Match[str], spoken: str, known: _Known) -> tuple[FigureKind | None, str]:
    """Return what an unknown token is, and its name: the whole code, where it is part of one."""
    code = code_around(spoken, match.start(), match.end())
    if code:
        return (None if known.has_code(code) else "identifier"), code
    return kind_of(match.group(), spoken, match.start()), match.group()


def _but_for(token: str, amounts: Sequence[tuple[str, int | None]]) -> list[int]:
    """Return the amounts of the other tokens, in hundredths, where they are amounts."""
    return [value for other, value in amounts if value is not None and other != token]


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _scalars(arguments: JsonObject) -> Iterator[tuple[str, str]]:
    """Yield the name and text of each text argument, nested ones under their own key."""
    stack: list[tuple[str, object, int]] = [(k, v, 0) for k, v in reversed(arguments.items())]
    seen = 0
    while stack and seen < _MOST_ARGUMENTS:
        name, value, depth = stack.pop()
        seen += 1
        if isinstance(value, dict) and depth < _DEEPEST:
            stack.extend((str(k), v, depth + 1) for k, v in reversed(value.items()))
        elif isinstance(value, list) and depth < _DEEPEST:
            stack.extend((name, item, depth + 1) for item in reversed(value))
        elif isinstance(value, str):
            yield name, value.lstrip("#")

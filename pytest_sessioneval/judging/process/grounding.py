"""Identifiers, amounts and dates that come from nowhere: in no earlier message, call or result."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_sessioneval.judging.process.amounts import MOST_AMOUNTS, KnownAmounts, cents
from pytest_sessioneval.judging.process.dates import ISO_DATE, KnownDates
from pytest_sessioneval.judging.process.reading import Part
from pytest_sessioneval.transcripts.model import JsonObject, Message, ToolCall

__all__ = ["Figure", "Ungrounded", "ungrounded"]

FigureKind = Literal["identifier", "amount", "date"]

# The atomic group and the look-behind keep a long word without a digit linear.
_TOKEN = re.compile(r"(?<!\w)(?>[A-Za-z_]*)\d\w*(?:[.,]\d+)*", re.ASCII)
_DIGITS = re.compile(r"\d{3,}")
_DATE_OR_TIME = re.compile(
    r"\d{4}-\d\d-\d\d|\d\d?/\d\d?/\d{2,4}|(?<!\d)\d\d?:\d\d(?::\d\d)?(?!\d)", re.ASCII
)
_DECIMAL = re.compile(r"\d+\.\d+")
_ORDINAL_OR_UNIT = re.compile(r"\d+(?:\.\d+)?[a-z]{1,4}|[a-z]{1,2}\d{1,2}", re.IGNORECASE)
_EXAMPLE = re.compile(
    r"(?:\be\.g\.|\bfor example|\bfor instance|\bsuch as|\blike\b|\bexamples?\b|\bformat\b|"
    r"\bsay\b)[^.!?\n]{0,40}$",
    re.IGNORECASE,
)
_PREFIXED = re.compile(r"[a-z]{1,2}(\d{5,})")
_ANY_DIGIT = re.compile(r"\d", re.ASCII)
_DIGIT = frozenset("0123456789")
_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_YEARS = range(1900, 2101)
_BESIDE = 80
_NEAREST = 6
_TOKENS_PER_MESSAGE = 4_000
_FEWEST_ID_LENGTH = 5
_LONGEST_ARGUMENT = 64
_MOST_ARGUMENTS = 200
_DEEPEST = 6
_SUFFIX = 4


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
        self.amounts = KnownAmounts()
        self._values: dict[str, int | None] = {}
        self._tokens: set[str] = set()
        self._endings: set[str] = set()
        self.learn(given, spoken=True)

    def learn(self, text: str, *, spoken: bool = False) -> None:
        if _ANY_DIGIT.search(text) is None:
            return
        if spoken:
            self.dates.learn_spoken(text)
        else:
            self.dates.learn(text)
        amounts: list[int] = []
        for token in _TOKEN.findall(_DATE_OR_TIME.sub(" ", text))[:_TOKENS_PER_MESSAGE]:
            if token in self._values:
                value = self._values[token]
            else:
                plain = _plain(token)
                value = self._values[token] = cents(plain)
                if plain not in self._tokens:
                    self._learn_token(plain)
            if value is not None and len(amounts) < MOST_AMOUNTS:
                amounts.append(value)
        if amounts:
            self.amounts.learn(amounts, spoken=spoken)

    def _learn_token(self, plain: str) -> None:
        self._tokens.add(plain)
        ending = plain[-_SUFFIX:]
        if len(plain) > _SUFFIX and ending.isdigit():
            self._endings.add(ending)
        if not plain.isdigit():
            self._tokens.update(_DIGITS.findall(plain))
        elif plain[0] == "0":
            self._tokens.add(plain.lstrip("0"))

    def has(self, plain: str) -> bool:
        if plain in self._tokens or plain in self._endings:
            return True
        prefixed = _PREFIXED.fullmatch(plain)
        return prefixed is not None and prefixed.group(1) in self._tokens


def ungrounded(part: Part, given: str = "") -> Ungrounded:
    """Return the figures of the agent's that stand nowhere before, in no message, call or result.

    Of what it says: code blocks are left out, and examples ("such as ABC123");
    an amount that simple arithmetic gives (a sum or difference of two, a run of
    amounts added up, a small multiple) is taken as calculated, not as invented.
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
    if _identifier(value) and not known.has(_plain(value)):
        return "identifier"
    return None


def _statements(index: int, text: str, known: _Known) -> Iterator[Figure]:
    if _ANY_DIGIT.search(text) is None:
        return
    spoken = _FENCE.sub(_blank, text)
    if known.dates:
        for day in ISO_DATE.finditer(spoken):
            if not known.dates.has(*day.groups()):
                yield Figure("date", index, day.group())
    spoken = _DATE_OR_TIME.sub(_blank, spoken)
    matches = list(_TOKEN.finditer(spoken))[:_TOKENS_PER_MESSAGE]
    plains = [_plain(match.group()) for match in matches]
    told: set[str] = set()
    for at, (match, plain) in enumerate(zip(matches, plains, strict=True)):
        if plain in told or known.has(plain):
            continue
        start = match.start()
        kind = _kind(match.group(), plain, spoken[start - 1 : start], spoken[match.end() :][:1])
        if kind is None or _EXAMPLE.search(spoken[max(0, start - 60) : start]):
            continue
        told.add(plain)
        if kind == "amount":
            before = _amounts(plains[max(0, at - _BESIDE) : at], plain)[-_NEAREST:]
            after = _amounts(plains[at + 1 : at + _BESIDE], plain)[:_NEAREST]
            if known.amounts.give(cents(plain) or 0, before + after):
                continue
        yield Figure(kind, index, match.group())


def _amounts(plains: Sequence[str], without: str) -> list[int]:
    """Return the amounts among the tokens, in hundredths, but for one."""
    return [value for p in plains if p != without and (value := cents(p)) is not None]


def _kind(token: str, plain: str, before: str, after: str) -> FigureKind | None:
    if cents(plain) is None:
        return "identifier" if _identifier(token) else None
    if {before, after} & {":", "/", "{", "}"}:
        return None
    if not plain.isdigit():
        return "amount" if len(token.rpartition(".")[2]) == 2 else None  # noqa: PLR2004  (cents)
    priced = before in ("$", "€", "£")
    told = len(plain) > 2 and (priced or int(plain) not in _YEARS)  # noqa: PLR2004  (three digits)
    return "amount" if told else None


def _identifier(token: str) -> bool:
    """Return whether the token looks like the name of one thing: letters, digits, long enough."""
    if not _FEWEST_ID_LENGTH <= len(token) <= _LONGEST_ARGUMENT:
        return False
    if _TOKEN.fullmatch(token) is None or "." in token or "," in token:
        return False
    if _ORDINAL_OR_UNIT.fullmatch(token):
        return False
    digits = sum(character.isdigit() for character in token)
    if digits == len(token):
        return True
    letters = [character for character in token if character.isalpha()]
    if not letters:
        return False
    if all(character.isupper() for character in letters):
        return True
    return digits >= 3  # noqa: PLR2004  (base64 and python3 are words)


def _plain(token: str) -> str:
    if token.isdigit():
        return token
    token = token.lower()
    if token[0] in _DIGIT:
        token = token.replace(",", "")
        if _DECIMAL.fullmatch(token):
            token = token.rstrip("0").rstrip(".")
    return token.strip("_") or token


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

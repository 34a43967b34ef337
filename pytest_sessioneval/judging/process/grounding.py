"""Identifiers, amounts and dates that come from nowhere: in no earlier message, call or result."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

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
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_ORDINAL_OR_UNIT = re.compile(r"\d+(?:\.\d+)?[a-z]{1,4}|[a-z]{1,2}\d{1,2}", re.IGNORECASE)
_EXAMPLE = re.compile(
    r"(?:\be\.g\.|\bfor example|\bfor instance|\bsuch as|\blike\b|\bexamples?\b|\bformat\b|"
    r"\bsay\b)[^.!?\n]{0,40}$",
    re.IGNORECASE,
)
_PREFIXED = re.compile(r"[a-z]{1,2}(\d{5,})")
_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_YEARS = range(1900, 2101)
_RECENT = 8
_MOST_AMOUNTS = 48
_FEW_AMOUNTS = 12
_LONGEST_RUN = 8
_MOST_ADDENDS = 4
_MOST_DERIVATIONS = 400
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
        self._tokens: set[str] = set()
        self._endings: set[str] = set()
        self._derivations = 0
        self._amounts: deque[list[float]] = deque(maxlen=_RECENT)
        self._spoken: deque[list[float]] = deque(maxlen=_RECENT)
        self.learn(given, spoken=True)

    def learn(self, text: str, *, spoken: bool = False) -> None:
        if spoken:
            self.dates.learn_spoken(text)
        else:
            self.dates.learn(text)
        amounts: list[float] = []
        for token in _TOKEN.findall(_DATE_OR_TIME.sub(" ", text))[:_TOKENS_PER_MESSAGE]:
            plain = _plain(token)
            if len(amounts) < _MOST_AMOUNTS and _NUMBER.fullmatch(plain):
                amounts.append(float(plain))
            if plain in self._tokens:
                continue
            self._tokens.add(plain)
            if len(plain) > _SUFFIX and plain[-_SUFFIX:].isdigit():
                self._endings.add(plain[-_SUFFIX:])
            if not plain.isdigit():
                self._tokens.update(_DIGITS.findall(plain))
            elif plain[0] == "0":
                self._tokens.add(plain.lstrip("0"))
        if amounts:
            self._amounts.append(amounts)
        if amounts and spoken:
            self._spoken.append(amounts[:_FEW_AMOUNTS])

    def has(self, plain: str) -> bool:
        if plain in self._tokens:
            return True
        prefixed = _PREFIXED.fullmatch(plain)
        if prefixed is not None and prefixed.group(1) in self._tokens:
            return True
        return plain in self._endings

    def derives(self, value: float, nearby: Sequence[float]) -> bool:
        """Return whether simple arithmetic on amounts at hand gives the value.

        After 400 questions it says yes without looking: a message of thousands of
        numbers is a table, and no statement to be checked.
        """
        self._derivations += 1
        if self._derivations > _MOST_DERIVATIONS:
            return True
        if any(_derived(value, group) for group in (nearby, *self._amounts)):
            return True
        near = {round(amount, 2) for amount in nearby}
        if any(
            round(abs(value - amount), 2) in near or round(value + amount, 2) in near
            for group in self._spoken
            for amount in group
        ):
            return True
        return _has_cents(value) and _summed(value, [a for g in self._amounts for a in g])


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
    spoken = _FENCE.sub(_blank, text)
    if known.dates:
        for day in ISO_DATE.finditer(spoken):
            if not known.dates.has(*day.groups()):
                yield Figure("date", index, day.group())
    spoken = _DATE_OR_TIME.sub(_blank, spoken)
    matches = list(_TOKEN.finditer(spoken))[:_TOKENS_PER_MESSAGE]
    plains = [_plain(match.group()) for match in matches]
    amounts = [float(plain) for plain in plains if _NUMBER.fullmatch(plain)]
    told: set[str] = set()
    for match, plain in zip(matches, plains, strict=True):
        if plain in told or known.has(plain):
            continue
        start = match.start()
        kind = _kind(match.group(), plain, spoken[start - 1 : start], spoken[match.end() :][:1])
        if kind is None or _EXAMPLE.search(spoken[max(0, start - 60) : start]):
            continue
        told.add(plain)
        if kind == "amount":
            value = float(plain)
            if known.derives(value, [amount for amount in amounts if amount != value]):
                continue
        yield Figure(kind, index, match.group())


def _kind(token: str, plain: str, before: str, after: str) -> FigureKind | None:
    if not _NUMBER.fullmatch(plain):
        return "identifier" if _identifier(token) else None
    if {before, after} & {":", "/", "{", "}"}:
        return None
    if not plain.isdigit():
        return "amount" if len(plain.rpartition(".")[2]) == 2 else None  # noqa: PLR2004  (cents)
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
    token = token.lower()
    if token.isdigit():
        return token
    if token[:1].isdigit():
        token = token.replace(",", "")
        if _DECIMAL.fullmatch(token):
            token = token.rstrip("0").rstrip(".")
    return token.strip("_")


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


def _derived(value: float, amounts: Sequence[float]) -> bool:
    """Return whether arithmetic on the amounts of one message gives the value.

    A run of neighbours added up, or n × a for n ≤ 4; and where the amounts are
    few, or the value has cents, so that chance rarely hits it: a ± b, and n ≤ 9.
    """
    target = round(value, 2)
    for start in range(len(amounts)):
        total = 0.0
        for amount in amounts[start : start + _LONGEST_RUN]:
            total += amount
            if round(total, 2) == target:
                return True
    few = len(amounts) <= _FEW_AMOUNTS or _has_cents(value)
    multiples = range(2, 10 if few else 5)
    if any(amount > 1 and target / amount in multiples for amount in amounts):
        return True
    seen = {round(amount, 2) for amount in amounts} if few else set()
    return any(
        round(abs(target - amount), 2) in seen or round(target + amount, 2) in seen
        for amount in amounts
    )


def _summed(value: float, amounts: Sequence[float]) -> bool:
    """Return whether up to four of the latest amounts with cents add up to the value."""
    cents = [amount for amount in amounts if _has_cents(amount)][-_FEW_AMOUNTS:]
    return any(
        round(sum(chosen), 2) == round(value, 2)
        for size in range(3, _MOST_ADDENDS + 1)
        for chosen in combinations(cents, size)
    )


def _has_cents(value: float) -> bool:
    return round(value, 2) != round(value)

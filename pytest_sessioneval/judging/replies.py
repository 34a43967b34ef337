"""A judge's reply as values, or every reason why the protocol does not accept it.

Nothing is repaired, guessed or mapped to the nearest word: a verdict outside
the vocabulary, a second value for a key, ``NaN`` or a level between two levels
is an error that names itself, so that the judge can be asked once more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pytest_sessioneval.errors import ReplyError
from pytest_sessioneval.suites.model import Axis
from pytest_sessioneval.transcripts.model import JsonObject
from pytest_sessioneval.transcripts.strict_json import JsonError, parse_strict

__all__ = [
    "NO_FAILURE",
    "OTHER_FAILURE",
    "AxisReply",
    "Citation",
    "Finding",
    "Findings",
    "Reply",
    "extract_object",
    "message_label",
    "parse_findings",
    "parse_reply",
    "vocabulary_problem",
]

NO_FAILURE = "none"
"""The failure tag of an axis on which nothing went wrong."""

OTHER_FAILURE = "other"
"""The failure tag for what the rubric has no word for."""

_DEPTH = 32
_LONGEST = 1024 * 1024
_LONGEST_RATIONALE = 2_000
_MOST_CITATIONS = 50
_OPENING = re.compile(r"^[ \t]*```[ \t]*(?:json|JSON)?[ \t]*$", re.MULTILINE)
_CLOSING = re.compile(r"^[ \t]*```[ \t]*$", re.MULTILINE)
_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_LABEL = re.compile(r"((?:A[1-9]\d{0,5}\.)?M\d{1,9})(?:\.call\d{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Citation:
    """Words a judge cites, not checked yet."""

    message: str
    """The message's label: ``M12``, or ``A1.M3`` for a sub-agent's."""
    quote: str
    polarity: Literal["positive", "negative"] = "negative"


@dataclass(frozen=True, slots=True)
class AxisReply:
    """What a judge says of one axis; ``level`` None: the axis does not apply."""

    axis: str
    level: int | None
    rationale: str = ""
    evidence: tuple[Citation, ...] = ()
    failure_tag: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An accepted reply: every axis asked for, in the order asked."""

    axes: Mapping[str, AxisReply]
    instructions: tuple[Citation, ...] = ()
    """Passages of the transcript that address the judge, as it reports them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Words that a part's reader quotes, not checked yet, and the axis they bear on."""

    axis: str
    citation: Citation


@dataclass(frozen=True, slots=True)
class Findings:
    """An accepted reply on a part of a session: evidence, and no score."""

    evidence: tuple[Finding, ...]
    """The most telling first."""
    instructions: tuple[Citation, ...] = ()
    """See ``Reply``."""


def parse_findings(text: str, axes: Sequence[Axis], *, nonce: str) -> Findings:
    """Return what a part's reader quotes; raises ``ReplyError`` as ``parse_reply`` does."""
    reading = _Reading(axes, "levels")
    findings = reading.findings(extract_object(text), nonce)
    if reading.problems:
        raise ReplyError("; ".join(reading.problems))
    return findings


def parse_reply(
    text: str,
    axes: Sequence[Axis],
    *,
    nonce: str,
    score_mode: Literal["levels", "free"] = "levels",
) -> Reply:
    """Return the reply's axes, each of ``axes`` exactly once.

    Raises ``ReplyError`` listing everything that is wrong, in words that can be
    sent back to the judge.
    """
    value = extract_object(text)
    reading = _Reading(axes, score_mode)
    reply = reading.reply(value, nonce)
    if reading.problems:
        raise ReplyError("; ".join(reading.problems))
    return reply


def extract_object(text: str) -> JsonObject:
    """Return the one JSON object of a reply: bare, or in one fenced block.

    Text around the fence, and a ``<think>`` block before the answer, are left
    out; text around a bare object is an error, because it could hold another.
    Raises ``ReplyError`` for anything that is not one strict JSON object:
    duplicate keys, ``NaN``, two blocks, an object cut short.
    """
    if len(text) > _LONGEST:
        raise ReplyError(f"the reply has {len(text)} characters; accepted: at most {_LONGEST}")
    body = _THOUGHTS.sub("", text, count=1).strip()
    if not body:
        raise ReplyError("the reply is empty; accepted: one JSON object")
    opening = None if body.startswith("{") else _OPENING.search(body)
    if opening is not None:
        closings = [mark.start() for mark in _CLOSING.finditer(body, opening.end())]
        if not closings:
            raise ReplyError("the reply's ``` block is not closed; answer with the whole object")
        body = body[opening.end() : closings[-1]]
    try:
        value = parse_strict(body, depth=_DEPTH)
    except JsonError as fault:
        raise ReplyError(
            f"the reply is no JSON object: {fault}; accepted: one JSON object and nothing else"
        ) from None
    if not isinstance(value, dict):
        raise ReplyError(f"the reply is {_kind(value)}; accepted: one JSON object")
    return value


def vocabulary_problem(value: Any, allowed: Collection[str | int]) -> str:
    """Return why a word or number is not one of ``allowed``; empty when it is one.

    Exact: no case folding, no synonyms, no number in a string, no ``true`` for 1.
    """
    for word in allowed:
        if value == word and type(value) is type(word):
            return ""
    return f"{_shown(value)} is not accepted; accepted: {', '.join(map(str, allowed))}"


def message_label(value: Any) -> str | None:
    """Return the label of a message as a reply names it, or None where it is none.

    Accepts ``"M12"`` and ``"A1.M3"`` as the lines of the transcript begin, a
    call of a message (``"M12.call0"``), and a number for the main agent's messages.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return f"M{value}"
    match = _LABEL.fullmatch(value) if isinstance(value, str) else None
    return match.group(1) if match else None


class _Reading:
    """One reply being read; gathers problems instead of stopping at the first."""

    def __init__(self, axes: Sequence[Axis], score_mode: Literal["levels", "free"]) -> None:
        self.problems: list[str] = []
        self._axes = {axis.name: axis for axis in axes}
        self._score_mode = score_mode

    def reply(self, value: JsonObject, nonce: str) -> Reply:
        instructions = self._instructions(value, nonce, "axes")
        return Reply(self._axis_replies(value.get("axes", [])), instructions)

    def findings(self, value: JsonObject, nonce: str) -> Findings:
        instructions = self._instructions(value, nonce, "evidence")
        items = value.get("evidence", [])
        keys = ("axis", "message", "quote", "polarity")
        found: list[Finding] = []
        for citation, item in self._cited(items, "evidence", keys):
            problem = vocabulary_problem(item.get("axis"), tuple(self._axes))
            if problem:
                self.problems.append(f"evidence: axis: {problem}")
            else:
                found.append(Finding(str(item["axis"]), citation))
        return Findings(tuple(found), instructions)

    def _instructions(self, value: JsonObject, nonce: str, answer: str) -> tuple[Citation, ...]:
        """Check what every reply has beside its answer; return the passages that steer."""
        self._keys(value, ("nonce", "instructions_found_in_transcript", answer), "the reply")
        if "nonce" in value and value["nonce"] != nonce:
            self.problems.append(f"nonce must be {nonce}, found {_shown(value['nonce'])}")
        found = value.get("instructions_found_in_transcript", [])
        return self._citations(found, "instructions_found_in_transcript", ("message", "quote"))

    def _axis_replies(self, value: Any) -> dict[str, AxisReply]:
        replies: dict[str, AxisReply] = {}
        if not isinstance(value, list):
            self.problems.append(f"axes must be a list, found {_kind(value)}")
            return replies
        for position, item in enumerate(value):
            name = item.get("axis") if isinstance(item, dict) else None
            problem = vocabulary_problem(name, tuple(self._axes))
            if not isinstance(item, dict):
                self.problems.append(f"axes[{position}] must be an object, found {_kind(item)}")
            elif problem:
                self.problems.append(f"axes[{position}].axis: {problem}")
            elif name in replies:
                self.problems.append(f"{name} is answered twice; answer every axis exactly once")
            else:
                replies[str(name)] = self._axis_reply(self._axes[str(name)], item)
        missing = [name for name in self._axes if name not in replies]
        if missing:
            self.problems.append(f"no answer on {', '.join(missing)}; answer every axis")
        return {name: replies[name] for name in self._axes if name in replies}

    def _axis_reply(self, axis: Axis, item: JsonObject) -> AxisReply:
        keys = ("axis", "evidence", "rationale", "applicable", "level", "failure_tag")
        self._keys(item, keys, axis.name)
        rationale = item.get("rationale", "")
        if not isinstance(rationale, str):
            self.problems.append(f"{axis.name}.rationale must be text, found {_kind(rationale)}")
            rationale = ""
        tags = (*axis.failure_tags, OTHER_FAILURE, NO_FAILURE)
        tag = item.get("failure_tag", NO_FAILURE)
        problem = vocabulary_problem(tag, tags)
        if problem:
            self.problems.append(f"{axis.name}.failure_tag: {problem}")
        evidence = self._citations(
            item.get("evidence", []), f"{axis.name}.evidence", ("message", "quote", "polarity")
        )
        return AxisReply(
            axis=axis.name,
            level=self._level(axis, item),
            rationale=rationale[:_LONGEST_RATIONALE],
            evidence=evidence,
            failure_tag=None if problem or tag == NO_FAILURE else str(tag),
        )

    def _level(self, axis: Axis, item: JsonObject) -> int | None:
        if "level" not in item or "applicable" not in item:
            return None  # the missing key is a problem of its own
        level, applicable = item["level"], item["applicable"]
        name = f"{axis.name}.level"
        if not isinstance(applicable, bool):
            problem = f"{axis.name}.applicable must be true or false, found {_shown(applicable)}"
        elif applicable is (level is None):
            problem = (
                f"{axis.name}: applicable is {_shown(applicable)} and level is {_shown(level)}; "
                "level is null exactly when applicable is false"
            )
        elif level is None:
            problem = "" if axis.nullable else f"{name}: {axis.name} always applies; choose a level"
        elif self._score_mode == "free":
            whole = type(level) is int and 0 <= level <= 100  # noqa: PLR2004
            problem = "" if whole else f"{name}: {_shown(level)} is no whole number from 0 to 100"
        else:
            problem = vocabulary_problem(level, [anchored.score for anchored in axis.levels])
            problem = problem and f"{name}: {problem}"
        if problem:
            self.problems.append(problem)
            return None
        return None if level is None else int(level)

    def _citations(self, value: Any, where: str, keys: tuple[str, ...]) -> tuple[Citation, ...]:
        return tuple(citation for citation, _ in self._cited(value, where, keys))

    def _cited(
        self, value: Any, where: str, keys: tuple[str, ...]
    ) -> list[tuple[Citation, JsonObject]]:
        """Return the citations of a list that are well formed, each with its item."""
        if not isinstance(value, list):
            self.problems.append(f"{where} must be a list, found {_kind(value)}")
            return []
        if len(value) > _MOST_CITATIONS:
            self.problems.append(f"{where} has {len(value)} entries; at most {_MOST_CITATIONS}")
            return []
        found = (
            (self._citation(item, f"{where}[{position}]", keys), item)
            for position, item in enumerate(value)
        )
        return [(citation, item) for citation, item in found if citation is not None]

    def _citation(self, item: Any, where: str, keys: tuple[str, ...]) -> Citation | None:
        if not isinstance(item, dict):
            self.problems.append(f"{where} must be an object, found {_kind(item)}")
            return None
        before = len(self.problems)
        self._keys(item, keys, where)
        label = message_label(item.get("message"))
        if label is None and "message" in item:
            self.problems.append(
                f"{where}.message: {_shown(item['message'])} is no label such as M12 or A1.M3"
            )
        quote = item.get("quote", "")
        if not isinstance(quote, str):
            self.problems.append(f"{where}.quote must be text, found {_kind(quote)}")
        polarity = item.get("polarity", "negative")
        problem = vocabulary_problem(polarity, ("positive", "negative"))
        if problem:
            self.problems.append(f"{where}.polarity: {problem}")
        if label is None or len(self.problems) > before:
            return None
        return Citation(label, quote, "positive" if polarity == "positive" else "negative")

    def _keys(self, item: JsonObject, expected: tuple[str, ...], where: str) -> None:
        missing = [key for key in expected if key not in item]
        if not missing and len(item) == len(expected):
            return
        unknown = [key for key in item if key not in expected]
        if missing:
            self.problems.append(f"{where} lacks {', '.join(missing)}")
        if unknown:
            listed = ", ".join(_shown(key) for key in unknown[:5])
            self.problems.append(
                f"{where} has unknown keys {listed}; accepted: {', '.join(expected)}"
            )


def _kind(value: Any) -> str:
    """Return what a JSON value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    names = {str: "a string", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "an object")


def _shown(value: Any) -> str:
    """Return a value from the reply for a message: short, on one line, quoted if it is text."""
    if isinstance(value, list | dict):
        return _kind(value)
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"  # noqa: PLR2004

"""What a judge is asked, read back from the request, and a reply that would be accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pytest_sessioneval.judging.evidence import SHORTEST_QUOTE, normalise
from pytest_sessioneval.judging.extraction import READING
from pytest_sessioneval.testing.tables import filled_tables
from pytest_sessioneval.transcripts.model import JsonObject

__all__ = ["AskedAxis", "JudgeRequest", "faithful_reply"]

_NONCE = re.compile(r"Its code N is ([0-9a-f]{32})\.")
_HEADER = re.compile(r"((?:A\d+\.)?M\d+) (system|user|assistant|tool)\b")
_LINE = re.compile(r"((?:A\d+\.)?M\d+)(\.\w+)?\| (.*)")
_AXIS = re.compile(r"^## ([a-z][a-z0-9_]*)$", re.MULTILINE)
_LEVEL = re.compile(r"^(\d+) = ", re.MULTILINE)
_ROLES = re.compile(r"^Only quotes from these roles prove its level: (.*)\.$", re.MULTILINE)
_LONGEST_QUOTE = 300


@dataclass(frozen=True, slots=True)
class AskedAxis:
    """One axis of a request, as its text has it."""

    name: str
    levels: tuple[int, ...]
    roles: tuple[str, ...]
    """Roles whose words prove a level; empty: anybody's."""


@dataclass(frozen=True)
class JudgeRequest:
    """One request as the server received it; everything is read from what was sent."""

    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    content: bytes = field(repr=False)

    @cached_property
    def body(self) -> JsonObject:
        """The JSON body."""
        value = json.loads(self.content)
        return value if isinstance(value, dict) else {}

    @cached_property
    def text(self) -> str:
        """All that the messages say, system first, as one text."""
        turns = [{"content": self.body.get("system", "")}, *self.body.get("messages", [])]
        return "\n".join(_content_text(turn.get("content")) for turn in turns)

    @property
    def is_repair(self) -> bool:
        """Whether it asks for a corrected reply."""
        return any(turn.get("role") == "assistant" for turn in self.body.get("messages", []))

    @property
    def nonce(self) -> str:
        """The session's nonce; empty where the text has none."""
        found = _NONCE.search(self.text)
        return found.group(1) if found else ""

    @property
    def is_reading(self) -> bool:
        """Whether it asks to read a part of a long session for evidence, and for no score."""
        return f"\n# Your task\n{READING} " in self.text

    @property
    def is_embedding(self) -> bool:
        """Whether it asks for embeddings of texts, and for no reply."""
        return self.path.endswith("/embeddings")

    @cached_property
    def tables(self) -> Mapping[str, str]:
        """The tables asked for, in order: name -> what is said of it."""
        asked = self.text.rpartition("\n# Tables\n")[2] if "\n# Tables\n" in self.text else ""
        parts = _AXIS.split(asked.partition("\n# Before you answer\n")[0])
        return dict(zip(parts[1::2], parts[2::2], strict=True))

    @cached_property
    def ground_truth(self) -> str:
        """The ground truth as shown; empty where it is not."""
        fenced = self.text.partition(f"<<<DATA {self.nonce} ground_truth\n")[2]
        lines = fenced.partition(f"\n{self.nonce} DATA>>>")[0].split("\n")
        return "\n".join(line.removeprefix("G| ") for line in lines)

    @cached_property
    def axes(self) -> tuple[AskedAxis, ...]:
        """The axes asked for, in order."""
        asked = self.text.rpartition("\n# Axes\n")[2]
        parts = _AXIS.split(asked)
        return tuple(
            AskedAxis(
                name,
                tuple(int(level) for level in _LEVEL.findall(described)),
                tuple(", ".join(_ROLES.findall(described)).split(", "))
                if "roles" in described
                else (),
            )
            for name, described in zip(parts[1::2], parts[2::2], strict=True)
        )

    @cached_property
    def messages(self) -> Mapping[str, tuple[str, str]]:
        """The transcript as shown: label -> (role, text and quotes without calls and elisions)."""
        fenced = self.text.partition(f"<<<DATA {self.nonce} transcript\n")[2]
        roles: dict[str, str] = {}
        texts: dict[str, list[str]] = {}
        for line in fenced.partition(f"\n{self.nonce} DATA>>>")[0].split("\n"):
            said = _LINE.match(line)
            if said is None:
                header = _HEADER.match(line)
                if header is not None:
                    roles[header.group(1)] = header.group(2)
            elif said.group(2) in {None, ".quote"}:
                texts.setdefault(said.group(1), []).append(said.group(3))
        return {label: (role, "\n".join(texts.get(label, ()))) for label, role in roles.items()}


def faithful_reply(request: JudgeRequest, level: int = 80, polarity: str = "positive") -> str:
    """Return a reply the protocol accepts: every axis at ``level``, with quotes that verify.

    Each axis gets the highest of its levels that is at most ``level``, and one
    quote from the last message of each role that may prove it. A request to
    read a part gets those quotes, on the first axis; one for tables gets
    ``filled_tables``.
    """
    if request.tables:
        return filled_tables(request)
    quotes: dict[str, JsonObject] = {}
    for label, (role, text) in request.messages.items():
        quote = _quote(text)
        if quote:
            quotes[role] = {"message": label, "quote": quote, "polarity": polarity}
    if request.is_reading:
        on = request.axes[0].name
        return _reply(request, "evidence", [{"axis": on, **quote} for quote in quotes.values()])
    axes = [
        {
            "axis": axis.name,
            "evidence": [quote for role, quote in quotes.items() if role in (axis.roles or quotes)],
            "rationale": "as quoted",
            "applicable": True,
            "level": max((at for at in axis.levels if at <= level), default=level),
            "failure_tag": "none",
        }
        for axis in request.axes
    ]
    return _reply(request, "axes", axes)


def _reply(request: JudgeRequest, key: str, answer: list[JsonObject]) -> str:
    reply = {"nonce": request.nonce, "instructions_found_in_transcript": [], key: answer}
    return json.dumps(reply, ensure_ascii=False)


def _quote(text: str) -> str:
    """Return a line of the text that is long enough to be quoted, else all of it."""
    for line in text.split("\n"):
        if len(normalise(line)) >= SHORTEST_QUOTE:
            return line[:_LONGEST_QUOTE]
    return text if len(text) <= _LONGEST_QUOTE else ""


def _content_text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content)
    return str(content or "")

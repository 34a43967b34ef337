"""Which records of a Claude Code file make up its conversation.

A file is a tree of records joined by ``uuid`` and ``parentUuid``: it branches
where the user rewound and where tools ran in parallel, and links are missing
where a session was compacted, resumed or cut. The conversation is the path to
the last message, as Claude Code itself resumes it, plus what only looks like
another branch (parallel calls and their results). A link that leads nowhere is
bridged to the message written before it: a broken link never loses what was
said before it. What is left is a branch the user abandoned; it is counted.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_sessioneval.transcripts.model import JsonObject

__all__ = [
    "Conversation",
    "Entry",
    "blocks_of",
    "conversation",
    "distinct_entries",
    "split_sessions",
]

_MESSAGES = ("user", "assistant")


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a file; ``position`` orders the records of that file from 0."""

    position: int
    record: JsonObject

    @property
    def kind(self) -> str:
        """The record's type; empty where it has none."""
        return _text(self.record.get("type")) or ""

    @property
    def uuid(self) -> str | None:
        """The record's id."""
        return _text(self.record.get("uuid"))

    @property
    def parent(self) -> str | None:
        """The id of the record this one follows."""
        return _text(self.record.get("parentUuid"))

    @property
    def session_id(self) -> str | None:
        """The session the record says it belongs to."""
        return _text(self.record.get("sessionId"))

    @property
    def queued(self) -> JsonObject | None:
        """What was said while the agent was at work: an attachment, not a message record."""
        value = self.record.get("attachment")
        if self.kind != "attachment" or not isinstance(value, dict):
            return None
        return value if value.get("type") == "queued_command" and "prompt" in value else None

    @property
    def is_message(self) -> bool:
        """Whether the record is a message to or from the agent."""
        recorded = self.kind in _MESSAGES and isinstance(self.record.get("message"), dict)
        return recorded or self.queued is not None

    @property
    def is_sidechain(self) -> bool:
        """Whether the record was written by a sub-agent."""
        return self.record.get("isSidechain") is True

    @property
    def is_root(self) -> bool:
        """Whether the record says that it follows none (as opposed to not saying)."""
        return "parentUuid" in self.record and self.record["parentUuid"] is None

    @property
    def message(self) -> JsonObject:
        """The Anthropic message of a message record; empty for the others."""
        queued = self.queued
        if queued is not None:
            return {"role": "user", "content": queued["prompt"]}
        value = self.record.get("message")
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class Conversation:
    """The records of one conversation in order, and how many the user went back on."""

    entries: tuple[Entry, ...]
    abandoned: int


def blocks_of(entry: Entry, block_type: str) -> list[JsonObject]:
    """Return the message's content blocks of one type."""
    content = entry.message.get("content")
    if not isinstance(content, list):
        return []
    return [b for b in content if isinstance(b, dict) and b.get("type") == block_type]


def distinct_entries(records: Iterable[JsonObject]) -> list[Entry]:
    """Return the records in file order without those that repeat one: same id, same content."""
    kept: list[Entry] = []
    first: dict[str, Entry] = {}
    said: dict[str, set[tuple[str, str]]] = {}  # only of ids that come up again
    for record in records:
        entry = Entry(len(kept), record)
        if entry.uuid is not None and first.setdefault(entry.uuid, entry) is not entry:
            if entry.uuid not in said:
                said[entry.uuid] = {_mark(first[entry.uuid])}
            mark = _mark(entry)
            if mark in said[entry.uuid]:
                continue
            said[entry.uuid].add(mark)
        kept.append(entry)
    return kept


def split_sessions(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Return the entries of each session in the file, in order of first message.

    A file is one session unless it holds messages under several session ids with
    no link between them (files that were joined). A session that was resumed
    under another id is linked and stays one; so does an id under which the agent
    never answered.
    """
    main = [e for e in entries if e.is_message and not e.is_sidechain]
    ids = list(dict.fromkeys(e.session_id for e in main))
    groups = _Groups(len(ids))
    number = {session_id: position for position, session_id in enumerate(ids)}
    index = _index(entries)
    for entry in entries:
        before = index.get(entry.parent or "")
        if before is not None and {entry.session_id, before.session_id} <= number.keys():
            groups.join(number[entry.session_id], number[before.session_id])
    answered = {groups.of(number[e.session_id]) for e in main if e.kind == "assistant"}
    for position in range(len(ids)):
        if groups.of(position) not in answered:
            groups.join(position, position + 1 if position + 1 < len(ids) else position - 1)
    parts: dict[int, list[Entry]] = {}
    latest = 0
    for entry in entries:
        latest = number.get(entry.session_id, latest)
        parts.setdefault(groups.of(latest) if ids else 0, []).append(entry)
    return list(parts.values())


class _Groups:
    """Numbers from 0 joined into groups; a group is known by its lowest number."""

    def __init__(self, size: int) -> None:
        self._lower = list(range(size))

    def of(self, number: int) -> int:
        while self._lower[number] != number:
            self._lower[number] = self._lower[self._lower[number]]
            number = self._lower[number]
        return number

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.of(one), self.of(other)))
        self._lower[high] = low


def conversation(entries: Sequence[Entry]) -> Conversation:
    """Return the conversation that ends in the last message of the main agent.

    Entries of sub-agents are left out unless the path leads through them; of a
    file that holds nothing else (a sub-agent's own) they are the conversation.
    """
    main = [e for e in entries if e.is_message and not e.is_sidechain]
    if not main:
        main = [e for e in entries if e.is_message]
    if not main:
        return Conversation((), 0)
    path = _path(main, _index(entries))
    kept = _with_parallel_branches(path, main)
    chosen = {entry.position for entry in kept}
    return Conversation(tuple(kept), sum(1 for e in main if e.position not in chosen))


def _path(main: Sequence[Entry], index: Mapping[str, Entry]) -> list[Entry]:
    """Return the messages from the first to the last, following parents, bridging gaps."""
    path: list[Entry] = []
    seen: set[int] = set()
    slots = {entry.position: number for number, entry in enumerate(main, start=1)}
    free = _Groups(len(main) + 1)  # a taken slot joins the one below it; slot 0 is "none left"
    entry: Entry | None = main[-1]
    while entry is not None:
        seen.add(entry.position)
        if entry.position in slots:
            free.join(slots[entry.position], slots[entry.position] - 1)
        if entry.is_message:
            path.append(entry)
        before = index.get(entry.parent or "")
        if before is None or before.position in seen:
            slot = free.of(bisect_left(main, entry.position, key=_position))
            written_before = main[slot - 1] if slot else None
            before = None if _begins(entry, written_before) else written_before
        entry = before
    path.reverse()
    return path


def _begins(entry: Entry, written_before: Entry | None) -> bool:
    """Return whether the path ends here: with a message that says it follows none.

    Records of other kinds say so too, where a session was compacted or resumed;
    a message of another session id carries that session on.
    """
    if written_before is None:
        return True
    return entry.is_root and entry.is_message and entry.session_id == written_before.session_id


def _with_parallel_branches(path: Sequence[Entry], main: Sequence[Entry]) -> list[Entry]:
    """Put back what one response called in parallel, and the results of those calls.

    Each call of a response is a record of its own with the result hanging on it,
    so all but one of them are off the path.
    """
    kept = [(float(place), entry) for place, entry in enumerate(path)]
    responses = {
        response: place
        for place, entry in kept
        if entry.kind == "assistant" and (response := _text(entry.message.get("id")))
    }
    calls = {i: place for place, entry in kept for i in _ids(entry, "tool_use", "id")}
    answered = {i for entry in path for i in _ids(entry, "tool_result", "tool_use_id")}
    on_path = {entry.position for entry in path}
    off_path = [entry for entry in main if entry.position not in on_path]
    for entry in off_path:
        place = responses.get(_text(entry.message.get("id")) or "")
        new = [i for i in _ids(entry, "tool_use", "id") if i not in calls]
        if new and place is not None:
            kept.append((place, entry))
            calls.update(dict.fromkeys(new, place))
    for entry in off_path:
        answers = _ids(entry, "tool_result", "tool_use_id")
        new = [i for i in answers if i in calls and i not in answered]
        if new:
            kept.append((max(calls[i] for i in new) + 0.5, entry))
            answered.update(new)
    kept.sort(key=lambda item: (item[0], item[1].position))
    return [entry for _, entry in kept]


def _ids(entry: Entry, block_type: str, key: str) -> list[str]:
    """Return the ids that the message's blocks of a type have under ``key``."""
    ids = (_text(block.get(key)) for block in blocks_of(entry, block_type))
    return [i for i in ids if i is not None]


def _index(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return the entries by id; an id that several records share names none of them."""
    index: dict[str, Entry] = {}
    shared: set[str] = set()
    for entry in entries:
        if entry.uuid is None:
            continue
        if entry.uuid in index:
            shared.add(entry.uuid)
        index[entry.uuid] = entry
    return {uuid: entry for uuid, entry in index.items() if uuid not in shared}


def _position(entry: Entry) -> int:
    return entry.position


def _mark(entry: Entry) -> tuple[str, str]:
    """Return what two records of one id share when one repeats the other (text is one block)."""
    said = entry.message.get("content") if entry.is_message else entry.record
    blocks = [{"type": "text", "text": said}] if isinstance(said, str) else said
    return entry.kind, json.dumps(blocks, sort_keys=True)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None

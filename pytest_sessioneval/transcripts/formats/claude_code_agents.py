"""Sub-agents of a Claude Code session, in each of the three layouts they are recorded in.

A sub-agent's messages stand in a file of its own
(``<session>/subagents/**/agent-<id>.jsonl``, or ``agent-<id>.jsonl`` beside the
session in older versions), inline as ``isSidechain`` records, or nested in
``progress`` records. Newer versions write a file *and* progress records: per
agent the file is read, else the inline records, else the nested ones, so that
none is counted twice. An agent that is only named by its call has no messages.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.transcripts.formats.claude_code_messages import messages_of
from pytest_sessioneval.transcripts.formats.claude_code_tree import (
    Entry,
    blocks_of,
    distinct_entries,
)
from pytest_sessioneval.transcripts.formats.fields import object_of, text_of
from pytest_sessioneval.transcripts.loading import load_document
from pytest_sessioneval.transcripts.model import CallRef, JsonObject, Message, Subsession
from pytest_sessioneval.transcripts.reader import Limits, SkippedLine

__all__ = [
    "AgentRecords",
    "agent_files",
    "agents_in_files",
    "agents_in_progress",
    "agents_inline",
    "is_agent_file",
    "subsessions_of",
]

_FOLDERS = frozenset(("subagents", "tool-results"))
_SESSION_SUFFIX = ".jsonl"
_AGENT_FILE = re.compile(r"agent-.+\.jsonl")
_SIDECAR = ".meta.json"
_SESSION_ID = re.compile(rb'"sessionId"\s*:\s*"([A-Za-z0-9_-]{1,128})"')
_BEGINNING_BYTES = 64 * 1024
_SIDECAR_BYTES = 64 * 1024


@dataclass(slots=True)
class AgentRecords:
    """One sub-agent's records in order, and what its sidecar says of it."""

    agent_id: str
    entries: list[Entry] = field(default_factory=list)
    agent_type: str | None = None
    tool_use_id: str | None = None
    has_recorded_id: bool = True


def agent_files(session: Path) -> list[Path]:
    """Return the files of the session's sub-agents and their sidecars, sorted."""
    if session.suffix != _SESSION_SUFFIX:
        return []
    folder = session.with_suffix("") / "subagents"
    found = [p for p in folder.rglob("agent-*") if p.is_file()] if folder.is_dir() else []
    found += _agents_beside(session.parent).get(session.stem, [])
    return sorted(p for p in found if _AGENT_FILE.fullmatch(p.name) or p.name.endswith(_SIDECAR))


def is_agent_file(path: Path) -> bool:
    """Return whether the file belongs to a session whose own file stands where it should."""
    if not _FOLDERS.isdisjoint(path.parts):
        for folder in path.parents:
            session = Path(f"{folder.parent}{_SESSION_SUFFIX}")
            if folder.name in _FOLDERS and session.is_file():
                return True
    name = path.name.removesuffix(_SIDECAR)
    owner = path if name == path.name else path.with_name(f"{name}.jsonl")
    if not _AGENT_FILE.fullmatch(owner.name):
        return False
    return any(owner in files for files in _agents_beside(path.parent).values())


def agents_in_files(
    files: Iterable[Path], limits: Limits
) -> tuple[list[AgentRecords], list[SkippedLine]]:
    """Return the sub-agents recorded in files of their own, and what of them was left out.

    A file that cannot be read is left out and reported; the session is sound
    without it.
    """
    agents: list[AgentRecords] = []
    skipped: list[SkippedLine] = []
    for path in files:
        if path.name.endswith(_SIDECAR):
            continue
        try:
            document = load_document(path, limits)
        except TranscriptError as error:
            reason = f"sub-agent left out: {error.reason}"
            skipped.append(SkippedLine(str(path), error.place.line or 1, reason))
            continue
        skipped += document.skipped
        entries = distinct_entries(r.value for r in document.records if isinstance(r.value, dict))
        named = (text_of(entry.record.get("agentId")) for entry in entries)
        agent_id = next((i for i in named if i), path.stem.removeprefix("agent-"))
        sidecar = _sidecar(path)
        agents.append(
            AgentRecords(
                agent_id,
                entries,
                text_of(sidecar.get("agentType")),
                text_of(sidecar.get("toolUseId")),
            )
        )
    return agents, skipped


def agents_inline(entries: Sequence[Entry], main: Iterable[Entry]) -> list[AgentRecords]:
    """Return the sub-agents recorded inline: by agent id, else by the record they start from."""
    taken = {entry.position for entry in main}
    roots: dict[str, str] = {}
    agents: dict[str, AgentRecords] = {}
    for entry in entries:
        if not entry.is_sidechain or entry.position in taken:
            continue
        root = roots.get(entry.parent or "") or entry.uuid or str(entry.position)
        if entry.uuid is not None:
            roots[entry.uuid] = root
        if entry.is_message:
            recorded = text_of(entry.record.get("agentId"))
            agent = AgentRecords(recorded or root, has_recorded_id=recorded is not None)
            agents.setdefault(agent.agent_id, agent).entries.append(entry)
    anonymous = [agent for agent in agents.values() if not agent.has_recorded_id]
    for number, agent in enumerate(anonymous, start=1):
        agent.agent_id = f"sidechain-{number}"
    return list(agents.values())


def agents_in_progress(entries: Iterable[Entry]) -> list[AgentRecords]:
    """Return the sub-agents whose messages are nested in the progress records of their call."""
    nested: dict[str, list[JsonObject]] = {}
    calls: dict[str, str | None] = {}
    for entry in entries:
        data = object_of(entry.record.get("data"))
        agent_id = text_of(data.get("agentId"))
        message = object_of(data.get("message"))
        if entry.kind != "progress" or agent_id is None or not message:
            continue
        nested.setdefault(agent_id, []).append(message)
        calls.setdefault(agent_id, text_of(entry.record.get("parentToolUseID")))
    return [
        AgentRecords(agent_id, distinct_entries(records), tool_use_id=calls[agent_id])
        for agent_id, records in nested.items()
    ]


def subsessions_of(
    main: Sequence[Entry],
    messages: Sequence[Message],
    agents: Iterable[AgentRecords],
    unknown: Counter[str],
) -> tuple[Subsession, ...]:
    """Return the sub-agents in order of start, each with the call that started it.

    ``agents`` come in order of preference: of several with one id the first
    is kept. Agents that are named by a call's result and recorded nowhere
    are there without messages.
    """
    kept = _each_once(agents)
    spoken = {None: messages} | {i: messages_of(a.entries, unknown) for i, a in kept.items()}
    spawns = _Spawns()
    spawns.add(None, main, messages)
    for agent_id, agent in kept.items():
        spawns.add(agent_id, agent.entries, spoken[agent_id])
    for agent_id in spawns.named:
        if agent_id not in kept:
            kept[agent_id] = AgentRecords(agent_id)
            spoken[agent_id] = ()
    found = [_subsession(agent, spoken[agent.agent_id], spawns, spoken) for agent in kept.values()]
    latest = datetime.max.replace(tzinfo=UTC)
    started = {sub.agent_id: _started(sub, spoken) or latest for sub in found}
    return tuple(sorted(found, key=lambda sub: started[sub.agent_id]))


def _each_once(agents: Iterable[AgentRecords]) -> dict[str, AgentRecords]:
    """Return the agents by id; one without a recorded id whose responses others hold is dropped."""
    kept: dict[str, AgentRecords] = {}
    held: set[str] = set()
    for agent in sorted(agents, key=lambda agent: not agent.has_recorded_id):
        responses = {i for e in agent.entries if (i := text_of(e.message.get("id")))}
        if not agent.has_recorded_id and responses & held:
            continue
        known = kept.setdefault(agent.agent_id, agent)
        known.tool_use_id = known.tool_use_id or agent.tool_use_id
        held |= responses
    return kept


@dataclass(slots=True)
class _Spawns:
    """Who called whom: the calls of all agents, and the agents their results name."""

    named: dict[str, str] = field(default_factory=dict)
    by_call_id: dict[str, tuple[str | None, CallRef]] = field(default_factory=dict)
    by_prompt: dict[str, list[tuple[str | None, CallRef]]] = field(default_factory=dict)

    def add(
        self, agent_id: str | None, entries: Iterable[Entry], messages: Sequence[Message]
    ) -> None:
        for message in messages:
            for ordinal, call in enumerate(message.tool_calls):
                place = (agent_id, CallRef(message=message.index, ordinal=ordinal))
                if call.call_id is not None:
                    self.by_call_id.setdefault(call.call_id, place)
                prompt = object_of(call.arguments).get("prompt")
                if isinstance(prompt, str):
                    self.by_prompt.setdefault(prompt.strip(), []).append(place)
        for entry in entries:
            spawned = text_of(object_of(entry.record.get("toolUseResult")).get("agentId"))
            for block in blocks_of(entry, "tool_result"):
                call_id = text_of(block.get("tool_use_id"))
                if spawned is not None and spawned != agent_id and call_id is not None:
                    self.named.setdefault(spawned, call_id)

    def find(
        self, agent: AgentRecords, messages: Sequence[Message]
    ) -> tuple[str | None, CallRef] | None:
        """Return the agent and the call that started this one, by id, else by its prompt."""
        for call_id in (self.named.get(agent.agent_id), agent.tool_use_id):
            if call_id is not None and call_id in self.by_call_id:
                return self.by_call_id[call_id]
        prompt = messages[0].text.strip() if messages else ""
        places = [p for p in self.by_prompt.get(prompt, []) if p[0] != agent.agent_id]
        return places.pop(0) if len(places) == 1 else None


def _subsession(
    agent: AgentRecords,
    messages: Sequence[Message],
    spawns: _Spawns,
    spoken: Mapping[str | None, Sequence[Message]],
) -> Subsession:
    parent, call = spawns.find(agent, messages) or (None, None)
    name = agent.agent_type
    if name is None and call is not None:
        made = spoken[parent][call.message].tool_calls[call.ordinal]
        name = text_of(object_of(made.arguments).get("subagent_type"))
    return Subsession(
        agent_id=agent.agent_id,
        name=name,
        spawned_by=call,
        parent_agent_id=parent,
        messages=tuple(messages),
    )


def _started(sub: Subsession, spoken: Mapping[str | None, Sequence[Message]]) -> datetime | None:
    own = next((message.at for message in sub.messages if message.at is not None), None)
    if own is None and sub.spawned_by is not None:
        return spoken[sub.parent_agent_id][sub.spawned_by.message].at
    return own


def _sidecar(path: Path) -> JsonObject:
    """Return what the sidecar of an agent's file says; nothing where it cannot be read."""
    sidecar = path.with_name(f"{path.stem}{_SIDECAR}")
    try:
        with sidecar.open("rb") as stream:
            return object_of(json.loads(stream.read(_SIDECAR_BYTES)))
    except (OSError, ValueError, RecursionError):
        return {}


def _agents_beside(folder: Path) -> Mapping[str, list[Path]]:
    """Return the agent files that stand beside the session they belong to, by its name."""
    try:
        changed = folder.stat().st_mtime_ns
    except OSError:
        return {}
    return _agents_in_folder(str(folder), changed)


@lru_cache(maxsize=256)
def _agents_in_folder(folder: str, _changed_ns: int) -> Mapping[str, list[Path]]:
    """Return agent files by session; a folder is read once, not once per session in it."""
    found: dict[str, list[Path]] = {}
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
    except OSError:
        return found
    present = set(names)
    for name in filter(_AGENT_FILE.fullmatch, names):
        path = Path(folder) / name
        session = _session_named_in(path)
        if session is not None and f"{session}.jsonl" in present - {name}:
            found.setdefault(session, []).append(path)
    return found


def _session_named_in(path: Path) -> str | None:
    """Return the session id that a file begins with, where it can name a file beside it."""
    try:
        with path.open("rb") as stream:
            named = _SESSION_ID.search(stream.read(_BEGINNING_BYTES))
    except OSError:
        return None
    return None if named is None else named.group(1).decode("ascii")

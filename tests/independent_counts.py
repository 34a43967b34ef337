"""Counts what the real transcripts hold, straight from the raw files, without our readers.

    python tests/independent_counts.py ../shared/data > tests/golden/real_sessions.json

Written from the documented rules of each format with plain ``json`` and sets,
sharing no code and no approach with ``pytest_sessioneval.transcripts``: where
the two disagree, one of them is wrong and has to be understood. The result
holds numbers and relative paths only, no text of any session.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]
FOLDERS = ("claude-code", "tau-bench", "tau2-bench")
CLAUDE_BOOKKEEPING = {
    *("user", "assistant", "system", "attachment", "progress", "summary", "tag", "mode"),
    *("permission-mode", "file-history-snapshot", "queue-operation", "pr-link", "last-prompt"),
    *("agent-name", "ai-title", "custom-title", "worktree-state"),
}
CLAUDE_BLOCKS = {"text", "thinking", "tool_use", "tool_result", "image", "document"}


def count_everything(data: Path) -> dict[str, Json]:
    """Return the counts of every file of the three folders by its path relative to ``data``."""
    counts = {}
    for folder in FOLDERS:
        for path in sorted((data / folder).rglob("*")):
            name = path.relative_to(data).as_posix()
            if path.is_file() and "/." not in name:
                counts[name] = tidy(COUNTERS[folder](path))
    return counts


def tidy(counts: Json) -> Json:
    """Return the counts without zeros and empty parts."""
    parts = {k: dict(+v) if isinstance(v, Counter) else v for k, v in counts.items()}
    return {key: value for key, value in parts.items() if value}


def blank(reader: str) -> Json:
    """Return the counts of a file in which nothing was found."""
    numbers = (
        "sessions tool_calls unpaired_calls unpaired_results tool_errors media output_tokens"
        " abandoned subagents subagent_tool_calls subagent_unpaired_calls"
    )
    parts = ("messages", "subagent_messages", "skipped", "unknown")
    return {"reader": reader, **dict.fromkeys(numbers.split(), 0), **{p: Counter() for p in parts}}


def unpaired(calls: Counter[Any], results: Counter[Any]) -> tuple[int, int]:
    """Return how many calls no result names, and how many results name no call."""
    return (calls - results).total(), (results - calls).total()


# tau-bench: a list of runs; the chat is in ``traj``


def count_tau(path: Path) -> Json:
    """Count a tau-bench result file."""
    counts = blank("tau-bench")
    for run in json.loads(path.read_text(encoding="utf-8")):
        counts["sessions"] += 1
        calls = Counter(c["id"] for m in run["traj"] for c in m.get("tool_calls") or ())
        results = Counter(m["tool_call_id"] for m in run["traj"] if m["role"] == "tool")
        lost_calls, lost_results = unpaired(calls, results)
        counts["messages"].update(m["role"] for m in run["traj"])
        counts["tool_calls"] += calls.total()
        counts["unpaired_calls"] += lost_calls
        counts["unpaired_results"] += lost_results
        said = " \0".join(m["content"] or "" for m in run["traj"] if m["role"] == "tool")
        counts["tool_errors"] += len(re.findall(r"(?:^|\0)(?:Error: |Unknown action )", said))
    return counts


# tau2-bench: the policy of the run is one more message of every session


def count_tau2(path: Path) -> Json:
    """Count a tau2-bench file; a run's ``results.json`` beside simulations is no session."""
    value = json.loads(path.read_text(encoding="utf-8"))
    if "simulations" not in value and "ticks" not in value:
        return {"owned": True}
    simulations = value.get("simulations", [value])
    info = value.get("info") or json.loads((path.parents[1] / "results.json").read_text())["info"]
    counts = blank("tau2-bench")
    for simulation in simulations:
        spoken = simulation.get("messages") or []
        ticks = simulation.get("ticks") or []
        chunks = [tick[side] for tick in ticks for side in ("agent_chunk", "user_chunk")]
        if not spoken and not any(c.get("content") or c.get("audio_script_gold") for c in chunks):
            return {"error": "no words", "ticks": len(ticks)}
        counts["sessions"] += 1
        counts["messages"].update(m["role"] for m in spoken)
        counts["messages"]["system"] += bool(info["environment_info"]["policy"])
        calls = Counter(c["id"] for m in spoken for c in m.get("tool_calls") or ())
        results = Counter(m["id"] for m in spoken if m["role"] == "tool")
        lost_calls, lost_results = unpaired(calls, results)
        counts["tool_calls"] += calls.total()
        counts["unpaired_calls"] += lost_calls
        counts["unpaired_results"] += lost_results
        counts["tool_errors"] += sum(m.get("error") is True for m in spoken)
        agent = [m for m in spoken if m["role"] == "assistant"]
        used = (m["usage"]["completion_tokens"] for m in agent if m.get("usage"))
        counts["output_tokens"] += sum(used)
    return counts


# Claude Code: a tree of records, one file per session


def count_claude(path: Path) -> Json:
    """Count a Claude Code file with its sub-agents; the files of those are no sessions."""
    if "subagents" in path.parts or path.name == "metadata.json":
        return {"owned": True}
    counts = blank("claude-code")
    records = list(read_lines(path, counts["skipped"]))
    for record in records:
        if record["type"] not in CLAUDE_BOOKKEEPING:
            counts["unknown"][record["type"]] += 1
    for part in sessions_in(records):
        kept = conversation_in(part)
        main = [r for r in part if speaks(r) and not r.get("isSidechain")]
        counts["sessions"] += 1
        counts["abandoned"] += sum(id(r) not in {id(k) for k in kept} for r in main)
        add_claude(counts, kept, "")
        agents = agents_of(path, part, kept)
        counts["subagents"] += len(agents)
        for agent in agents.values():
            add_claude(counts, agent, "subagent_")
    return counts


def read_lines(path: Path, skipped: Counter[str]) -> Iterator[Json]:
    """Yield the objects of a file, also two of a line, without repeats of one."""
    decoder = json.JSONDecoder()
    seen = set()
    for line in path.read_text(encoding="utf-8").split("\n"):
        rest = line.strip()
        if rest.startswith("//"):
            skipped["comment"] += 1
            continue
        while rest:
            record, end = decoder.raw_decode(rest)
            rest = rest[end:].strip()
            said = blocks(record) if speaks(record) else record
            mark = (record["type"], record.get("uuid"), json.dumps(said, sort_keys=True))
            if record.get("uuid") is None or mark not in seen:
                seen.add(mark)
                yield record


def speaks(record: Json) -> bool:
    """Return whether a record holds something said to or by an agent."""
    if record["type"] == "attachment":
        return bool(record["attachment"].get("type") == "queued_command")
    return record["type"] in {"user", "assistant"}


def sessions_in(records: list[Json]) -> list[list[Json]]:
    """Return the records by session id, ids that are linked by a parent taken together."""
    talk = [r for r in records if speaks(r) and not r.get("isSidechain")]
    names = {r["sessionId"] for r in talk}
    by_uuid = unique_ids(records)
    links = {
        frozenset((r["sessionId"], by_uuid[r["parentUuid"]]["sessionId"]))
        for r in records
        if r.get("parentUuid") in by_uuid and "sessionId" in r
    }
    groups = [{name} for name in sorted(names, key=[r["sessionId"] for r in talk].index)]
    for link in links:
        joined = [g for g in groups if g & link]
        if len(joined) > 1 and link <= names:
            groups = [g for g in groups if not g & link] + [set().union(*joined)]
    if len(groups) == 1:
        return [records]
    return [[r for r in records if r.get("sessionId") in group] for group in groups]


def unique_ids(records: Iterable[Json]) -> dict[str, Json]:
    """Return the records whose id no other record has."""
    named = [r for r in records if isinstance(r.get("uuid"), str)]
    times = Counter(r["uuid"] for r in named)
    return {r["uuid"]: r for r in named if times[r["uuid"]] == 1}


def conversation_in(records: list[Json]) -> list[Json]:
    """Return what leads to the last message, and the parallel calls and results beside it."""
    talk = [r for r in records if speaks(r) and not r.get("isSidechain")]
    order = {id(r): n for n, r in enumerate(records)}
    by_uuid = unique_ids(records)
    spine: dict[int, Json] = {}
    at: Json | None = talk[-1]
    while at is not None and id(at) not in spine:
        spine[id(at)] = at
        parent = at.get("parentUuid")
        before = by_uuid.get(parent) if parent else None
        if before is None or id(before) in spine:
            earlier = [r for r in talk if order[id(r)] < order[id(at)] and id(r) not in spine]
            starts = speaks(at) and "parentUuid" in at and parent is None
            starts = starts and all(r["sessionId"] == at["sessionId"] for r in earlier)
            before = None if starts or not earlier else earlier[-1]
        at = before
    kept = [r for r in records if id(r) in spine and speaks(r)]
    ids = {r["message"].get("id") for r in kept if r["type"] == "assistant"} - {None}
    called = {b.get("id") for r in kept for b in blocks(r, "tool_use")}
    twins = [r for r in talk if id(r) not in spine and r.get("message", {}).get("id") in ids]
    kept += [r for r in twins if {b["id"] for b in blocks(r, "tool_use")} - called]
    called |= {b.get("id") for r in kept for b in blocks(r, "tool_use")}
    answered = {b.get("tool_use_id") for r in kept for b in blocks(r, "tool_result")}
    missing = called - answered - {None}
    here = {id(r) for r in kept}
    kept += [
        r
        for r in talk
        if id(r) not in here and {b.get("tool_use_id") for b in blocks(r, "tool_result")} & missing
    ]
    return sorted(kept, key=lambda r: order[id(r)])


def blocks(record: Json, kind: str | None = None) -> list[Json]:
    """Return a message's content blocks, a string being one; of one kind or all."""
    held = (
        record["attachment"]["prompt"] if "attachment" in record else record["message"]["content"]
    )
    listed = [{"type": "text", "text": held}] if isinstance(held, str) else held
    return [b for b in listed if kind is None or b["type"] == kind]


def add_claude(counts: Json, kept: list[Json], prefix: str) -> None:
    """Add the messages and calls of one agent's records to the counts."""
    replies: dict[Any, list[Json]] = {}
    for number, record in enumerate(kept):
        if record["type"] == "assistant":
            reply = record["message"].get("id"), record["message"].get("model")
            replies.setdefault(reply if reply[0] else number, []).append(record)
    roles = counts[f"{prefix}messages"]
    for parts in replies.values():
        if any(shows(b) for r in parts for b in blocks(r)):
            synthetic = parts[0]["message"].get("model") == "<synthetic>"
            roles["system" if synthetic else "assistant"] += 1
            used = [r["message"]["usage"] for r in parts if r["message"].get("usage")]
            if used and not prefix:
                counts["output_tokens"] += used[-1]["output_tokens"]
    inputs = [r for r in kept if r["type"] != "assistant"]
    results = [b for r in inputs for b in blocks(r, "tool_result")]
    beside = [[b for b in blocks(r) if b["type"] != "tool_result"] for r in inputs]
    roles["user"] += sum(any(shows(b) for b in said) for said in beside)
    roles["tool"] += len(results)
    uses = [(b.get("id"), n) for n, r in enumerate(kept) for b in blocks(r, "tool_use")]
    distinct = Counter({i for i, _ in uses if i}) + Counter(i for i, _ in uses if not i)
    lost_calls, lost_results = unpaired(distinct, Counter(b.get("tool_use_id") for b in results))
    counts[f"{prefix}tool_calls"] += distinct.total()
    counts[f"{prefix}unpaired_calls"] += lost_calls
    inner = [c for b in results if isinstance(b.get("content"), list) for c in b["content"]]
    every = [b for r in kept for b in blocks(r)]
    counts["unknown"].update(f"block:{b['type']}" for b in every if b["type"] not in CLAUDE_BLOCKS)
    if not prefix:
        counts["unpaired_results"] += lost_results
        counts["tool_errors"] += sum(b.get("is_error") is True for b in results)
        counts["media"] += sum(b["type"] in {"image", "document"} for b in every + inner)


def shows(block: Json) -> bool:
    """Return whether a block holds anything (blank text and bare signatures do not)."""
    if block["type"] in {"text", "thinking"}:
        return bool(block[block["type"]].strip())
    return block["type"] in CLAUDE_BLOCKS


def agents_of(path: Path, records: list[Json], kept: list[Json]) -> dict[Any, list[Json]]:
    """Return each sub-agent's records, from the best of the places it is recorded in."""
    agents: dict[Any, list[Json]] = {}
    for file in sorted(path.with_suffix("").glob("subagents/**/agent-*.jsonl")):
        own = list(read_lines(file, Counter()))
        agents[own[0]["agentId"]] = [r for r in own if speaks(r)]
    inline: dict[Any, list[Json]] = {}
    main = {id(r) for r in kept}
    side = [r for r in records if r.get("isSidechain") and speaks(r) and id(r) not in main]
    roots: dict[Any, Any] = {}
    for record in side:
        parent = record.get("parentUuid")
        roots[record["uuid"]] = roots.get(parent) or ("from", parent or record["uuid"])
        key = record.get("agentId") or roots[record["uuid"]]
        inline.setdefault(key, []).append(record)
    nested: dict[Any, list[Json]] = {}
    for record in records:
        data = record.get("data") or {}
        if record["type"] == "progress" and data.get("type") == "agent_progress":
            nested.setdefault(data["agentId"], []).append(data["message"])
    named = [r["toolUseResult"].get("agentId") for r in kept if is_object(r.get("toolUseResult"))]
    bare: dict[Any, list[Json]] = {agent_id: [] for agent_id in named if agent_id}
    return {**bare, **nested, **inline, **agents}


def is_object(value: Any) -> bool:
    """Return whether a value is a JSON object: ``toolUseResult`` may be text or a list."""
    return isinstance(value, dict)


COUNTERS: dict[str, Callable[[Path], Json]] = {
    "claude-code": count_claude,
    "tau-bench": count_tau,
    "tau2-bench": count_tau2,
}


if __name__ == "__main__":
    counted = count_everything(Path(sys.argv[1]))
    sys.stdout.write(json.dumps(counted, indent=1, sort_keys=True) + "\n")

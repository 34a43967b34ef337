"""tau2-bench simulations: in a results file, in a list, or one per file of a folder.

Shapes: ``Results`` and ``SimulationRun`` of tau2-bench
(``src/tau2/data_model/simulation.py``, 2025-06 to 2026-07). A results file
holds ``{info, tasks, simulations}``; as a folder it is ``results.json``
without simulations beside ``simulations/<id>.json``. The policy that the agent
was given stands in ``info`` (or in the simulation), never among the messages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_sessioneval.errors import Place, TranscriptError
from pytest_sessioneval.transcripts.content import arguments_of, locators_of
from pytest_sessioneval.transcripts.formats.fields import (
    count_of,
    list_of,
    number_of,
    object_of,
    one_line,
    text_of,
    time_of,
)
from pytest_sessioneval.transcripts.formats.tau2_ticks import messages_of_ticks, words_of
from pytest_sessioneval.transcripts.loading import load_document
from pytest_sessioneval.transcripts.model import (
    JsonObject,
    Message,
    Outcome,
    Role,
    ToolCall,
    Transcript,
    Usage,
)
from pytest_sessioneval.transcripts.pairing import pair_results
from pytest_sessioneval.transcripts.reader import (
    BrokenSession,
    Document,
    FileReading,
    FoundSession,
    Limits,
    SkippedLine,
)

__all__ = ["READER", "Tau2BenchReader"]

_FOLDER = "simulations"
_RESULTS = "results.json"
_WRAPPERS = ("simulations", "simulation")
_MARKS = {"termination_reason", "reward_info", "ticks"}
_ROLES: dict[str, Role] = {
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


class Tau2BenchReader:
    """Reads tau2 simulations, one session each."""

    name = "tau2-bench"
    version = 1

    def detects(self, document: Document) -> bool:
        """Return whether the first record is a simulation, or holds or lists some."""
        return next(_simulations(document.value, {}, Counter()), None) is not None

    def read(self, document: Document, limits: Limits) -> FileReading:
        """Return one session per simulation; one without words or calls is broken."""
        info, skipped = _info_beside(document.path, limits)
        unknown: Counter[str] = Counter()
        found = [
            (simulation, own, record.line)
            for record in document.records
            for simulation, own in _simulations(record.value, info, unknown)
        ]
        ids = [_session_id(simulation) for simulation, _, _ in found]
        locators = locators_of(ids)
        sessions: list[FoundSession] = []
        broken: list[BrokenSession] = []
        for ordinal, (simulation, own, line) in enumerate(found):
            locator = locators[ordinal]
            name = ids[ordinal] or locator or document.path.stem
            place = Place(str(document.path), line)
            try:
                transcript = _transcript(simulation, own, name, place, unknown)
            except TranscriptError as error:
                if locator is None:
                    raise
                broken.append(BrokenSession(locator, error))
            else:
                sessions.append(FoundSession(transcript, locator))
        if not sessions:
            raise broken[0].error
        return FileReading(
            self.name,
            self.version,
            tuple(sessions),
            broken=tuple(broken),
            skipped=skipped,
            unknown=dict(+unknown),
        )

    def companions(self, path: Path) -> tuple[Path, ...]:
        """Return the ``results.json`` of the folder a simulation's file is in."""
        if path.parts[-2:-1] != (_FOLDER,):
            return ()
        results = path.parent.parent / _RESULTS
        return (results,) if results.is_file() else ()

    def owns(self, path: Path) -> bool:
        """Return whether it is a ``results.json`` whose simulations stand in files beside it."""
        if path.name != _RESULTS or not any((path.parent / _FOLDER).glob("*.json")):
            return False
        try:
            value = load_document(path).value
        except TranscriptError:
            return False
        return isinstance(value, dict) and "info" in value and not value.get(_FOLDER)


READER = Tau2BenchReader()


def _simulations(
    value: Any, info: JsonObject, unknown: Counter[str]
) -> Iterator[tuple[JsonObject, JsonObject]]:
    """Yield every simulation with the run's ``info``, through lists and the known wrappers.

    An element of a list that is no simulation and holds none is counted.
    """
    if isinstance(value, list):
        for element in value:
            held = list(_simulations(element, info, unknown))
            unknown["element without a simulation"] += not held
            yield from held
    elif _is_simulation(value):
        yield value, info
    elif isinstance(value, dict):
        info = object_of(value.get("info")) or info
        for key in _WRAPPERS:
            if key in value:
                yield from _simulations(_unwrapped(value[key]), info, unknown)


def _unwrapped(held: Any) -> Any:
    """Return an object of simulations by id as their list, anything else as it is."""
    by_id = isinstance(held, dict) and any(_is_simulation(value) for value in held.values())
    return [v for v in held.values() if _is_simulation(v)] if by_id else held


def _is_simulation(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and "task_id" in value
        and bool(value.keys() & {"messages", "ticks"})
        and bool(value.keys() & _MARKS)
    )


def _info_beside(path: Path, limits: Limits) -> tuple[JsonObject, tuple[SkippedLine, ...]]:
    """Return the ``info`` of the folder's ``results.json``; what is wrong with it is reported."""
    for results in READER.companions(path):
        try:
            return object_of(object_of(load_document(results, limits).value).get("info")), ()
        except TranscriptError as error:
            reason = f"the run's policy and models left out: {error.reason}"
            return {}, (SkippedLine(str(results), error.place.line or 1, reason),)
    return {}, ()


def _session_id(simulation: JsonObject) -> str | None:
    recorded = simulation.get("id")
    return str(recorded) if type(recorded) is int else text_of(recorded)


def _transcript(
    simulation: JsonObject, info: JsonObject, name: str, place: Place, unknown: Counter[str]
) -> Transcript:
    ticks = list_of(simulation.get("ticks"))
    recorded = list_of(simulation.get("messages")) or messages_of_ticks(ticks)
    ended = text_of(simulation.get("termination_reason"))
    environment = object_of(info.get("environment_info"))
    policy = text_of(simulation.get("policy")) or text_of(environment.get("policy"))
    messages = _messages(recorded, policy, unknown)
    if all(message.role == "system" for message in messages):
        what = f"none of its {len(ticks):,} ticks holds words or calls" if ticks else "no message"
        raise TranscriptError(
            f"simulation {one_line(name)}: {what}, so there is nothing to judge "
            f"(it ended with {one_line(ended)})",
            place=place,
        )
    task_id, trial = simulation.get("task_id"), simulation.get("trial")
    return Transcript(
        session_id=name,
        source=READER.name,
        messages=messages,
        task_id=None if task_id is None else str(task_id),
        trial=trial if type(trial) is int else None,
        agent_model=text_of(object_of(info.get("agent_info")).get("llm")),
        created_at=time_of(simulation.get("start_time")),
        last_active=time_of(simulation.get("end_time")),
        outcome=_outcome(simulation, ended),
        metadata=_metadata(simulation, info, ended),
    )


def _messages(
    recorded: Sequence[Any], policy: str | None, unknown: Counter[str]
) -> tuple[Message, ...]:
    """Return the policy as an instruction and the messages after it, results paired with calls."""
    messages: list[Message] = []
    result_ids: dict[int, str | None] = {}
    flat = [m for element in map(object_of, recorded) for m in _each_result(element)]
    if policy is not None and not (flat and words_of(flat[0]) == policy):
        messages.append(Message(index=0, role="system", kind="instruction", text=policy))
    for message in flat:
        role = _ROLES.get(str(message.get("role")))
        if role is None:
            unknown[f"role {str(message.get('role'))[:40]}"] += 1
            continue
        if role == "tool":
            result_ids[len(messages)] = text_of(message.get("id"))
        messages.append(_message(message, role))
    return pair_results(messages, result_ids)


def _each_result(message: JsonObject) -> list[JsonObject]:
    """Return the results of a message that holds several (parallel calls), else the message."""
    several = message.get("tool_messages")
    return [object_of(one) for one in several] if isinstance(several, list) else [message]


def _message(recorded: JsonObject, role: Role) -> Message:
    raw = object_of(recorded.get("raw_data"))
    return Message(
        index=0,
        role=role,
        text=words_of(recorded),
        reasoning=(text_of(recorded.get("reasoning")) or "") if role == "assistant" else "",
        tool_calls=tuple(_tool_call(object_of(c)) for c in list_of(recorded.get("tool_calls"))),
        is_error=recorded.get("error") is True,
        model=text_of(raw.get("model")),
        usage=_usage(recorded) if role == "assistant" else None,
        at=time_of(recorded.get("timestamp")),
    )


def _tool_call(recorded: JsonObject) -> ToolCall:
    return ToolCall(
        name=text_of(recorded.get("name")) or "(no name)",
        arguments=arguments_of(recorded.get("arguments")),
        call_id=text_of(recorded.get("id")),
    )


def _usage(recorded: JsonObject) -> Usage | None:
    tokens = object_of(recorded.get("usage"))
    usage = Usage(
        input_tokens=count_of(tokens.get("prompt_tokens")),
        output_tokens=count_of(tokens.get("completion_tokens")),
        cost_usd=number_of(recorded.get("cost")),
    )
    return None if usage == Usage() else usage


def _outcome(simulation: JsonObject, ended: str | None) -> Outcome | None:
    """Return the reward; null, with how the run ended, where none was given."""
    reward = number_of(object_of(simulation.get("reward_info")).get("reward"))
    if reward is None and ended is None:
        return None
    return Outcome(kind="reward", value=reward, detail=ended)


def _metadata(
    simulation: JsonObject, info: JsonObject, ended: str | None
) -> dict[str, str | int | float | bool | None]:
    found = {
        "domain": text_of(object_of(info.get("environment_info")).get("domain_name")),
        "termination_reason": ended,
        "user_model": text_of(object_of(info.get("user_info")).get("llm")),
        "mode": text_of(simulation.get("mode")),
        "agent_cost_usd": number_of(simulation.get("agent_cost")),
        "user_cost_usd": number_of(simulation.get("user_cost")),
    }
    return {key: value for key, value in found.items() if value is not None}

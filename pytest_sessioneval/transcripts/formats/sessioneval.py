"""Our own format, ``sessioneval`` JSON Lines: easy to write by hand and by a harness.

The first line describes the session, each further line is one message; the
next description begins the next session of the file::

    {"sessioneval": 1, "session_id": "s1", "task_id": "refund", "profile_id": "airline"}
    {"role": "user", "text": "Cancel my order W12."}
    {"role": "assistant", "tool_calls": [{"name": "cancel", "arguments": {"order": "W12"}}]}
    {"role": "tool", "text": "cancelled"}
    {"role": "assistant", "text": "Done."}

``{"agent": {"agent_id": "a1", "name": "Explore"}}`` introduces a sub-agent; messages
with ``"agent": "a1"`` are its own. Results find their calls by order, and by
``call_id`` where both carry one; ``answers`` says it outright where that would
not do. ``docs/transcripts.md`` has every field.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from pytest_sessioneval.errors import Place, TranscriptError
from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.transcripts.content import locators_of
from pytest_sessioneval.transcripts.loading import COMMENT
from pytest_sessioneval.transcripts.model import (
    CallRef,
    JsonObject,
    Media,
    Message,
    MessageKind,
    Outcome,
    Reference,
    Role,
    Subsession,
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
    Record,
)

__all__ = ["READER", "SessionevalReader", "to_lines"]

_FORMAT: Literal[1] = 1
_Model = TypeVar("_Model", bound=Frozen)


class _Header(Frozen):
    """The line that begins a session."""

    sessioneval: Literal[1]
    session_id: str | None = None
    task_id: str | None = None
    trial: int | None = None
    agent_model: str | None = None
    profile_id: str | None = None
    name: str | None = None
    created_at: datetime | None = None
    last_active: datetime | None = None
    outcome: Outcome | None = None
    retrieved_ids: tuple[str, ...] | None = None
    reference: Reference | None = None
    metadata: dict[str, str | int | float | bool | None] = {}


class _Agent(Frozen):
    """What introduces a sub-agent."""

    agent_id: str
    name: str | None = None
    spawned_by: CallRef | None = None
    parent_agent_id: str | None = None


class _AgentLine(Frozen):
    agent: _Agent


class _Call(Frozen):
    name: str
    arguments: JsonObject | str = {}
    call_id: str | None = None


class _MessageLine(Frozen):
    """The line of one message."""

    role: Role
    text: str = ""
    kind: MessageKind = "plain"
    reasoning: str = ""
    tool_calls: tuple[_Call, ...] = ()
    call_id: str | None = None
    answers: CallRef | None = None
    tool_name: str | None = None
    is_error: bool = False
    media: tuple[Media, ...] = ()
    model: str | None = None
    usage: Usage | None = None
    at: datetime | None = None
    agent: str | None = None


class SessionevalReader:
    """Reads sessioneval JSON Lines, one or more sessions per file."""

    name = "sessioneval"
    version = 1

    def detects(self, document: Document) -> bool:
        """Return whether the first record is an object with the key ``sessioneval``."""
        return isinstance(document.value, dict) and "sessioneval" in document.value

    def read(self, document: Document, limits: Limits) -> FileReading:  # noqa: ARG002
        """Return the file's sessions; the first line that does not fit breaks its session.

        In a file of several sessions so does a line that was left out before
        the session's last: it may have begun another session.
        """
        groups = _sessions(document.records)
        lost = [skip.line for skip in document.skipped if skip.reason != COMMENT]
        ids = [group[0].value.get("session_id") for group in groups]
        locators = locators_of([own if isinstance(own, str) else None for own in ids])
        sessions: list[FoundSession] = []
        broken: list[BrokenSession] = []
        for ordinal, (group, locator) in enumerate(zip(groups, locators, strict=True), start=1):
            stem = document.path.stem
            fallback = stem if locator is None else f"{stem}#{ordinal}"
            try:
                if locator is not None:
                    _require_whole(group, lost, document.path)
                sessions.append(FoundSession(_transcript(group, document.path, fallback), locator))
            except TranscriptError as error:
                if locator is None:
                    raise
                broken.append(BrokenSession(locator, error))
        if not sessions:
            raise broken[0].error
        return FileReading(self.name, self.version, tuple(sessions), broken=tuple(broken))

    def companions(self, path: Path) -> tuple[Path, ...]:  # noqa: ARG002
        """Return nothing: a session stands in one file."""
        return ()

    def owns(self, path: Path) -> bool:  # noqa: ARG002
        """Return false: no file is part of another's session."""
        return False


READER = SessionevalReader()


def to_lines(transcript: Transcript) -> Iterator[str]:
    """Return the transcript as lines of JSON, without line ends; reading them gives it back.

    ``source`` becomes ``sessioneval``. Holds for what a reader produces: linked
    both ways, and with a tool's name on every result that answers a call.
    """
    header = _Header(sessioneval=_FORMAT, **_shared(transcript, _Header))
    yield _line(header)
    yield from _message_lines(transcript.messages, None)
    for part in transcript.subsessions:
        yield _line(_AgentLine(agent=_Agent(**_shared(part, _Agent))))
        yield from _message_lines(part.messages, part.agent_id)


def _message_lines(messages: Sequence[Message], agent: str | None) -> Iterator[str]:
    """Return the messages' lines; ``answers`` is stated only where reading would not find it."""
    result_ids = {
        message.index: _answered(messages, message.answers).call_id
        for message in messages
        if message.answers is not None
    }
    found = pair_results(messages, result_ids)
    for message in messages:
        fields = _shared(message, _MessageLine)
        fields["tool_calls"] = tuple(_Call(**_shared(call, _Call)) for call in message.tool_calls)
        if found[message.index].answers == message.answers:
            del fields["answers"]
        line = _MessageLine(**fields, agent=agent, call_id=result_ids.get(message.index))
        yield _line(line, also={"answers"} & fields.keys())


def _answered(messages: Sequence[Message], reference: CallRef) -> ToolCall:
    return messages[reference.message].tool_calls[reference.ordinal]


def _line(model: Frozen, also: Collection[str] = ()) -> str:
    """Return the fields that differ from their defaults, and those of ``also``, as JSON."""
    fields = model.model_dump(mode="json", exclude_defaults=True)
    fields.update({name: None for name in also if name not in fields})
    return json.dumps(fields, ensure_ascii=False)


def _shared(source: Frozen, target: type[Frozen]) -> dict[str, Any]:
    """Return the source's values of the fields that the target has as well."""
    names = type(source).model_fields.keys() & target.model_fields.keys()
    return {name: getattr(source, name) for name in names}


@dataclass(slots=True)
class _Strand:
    """One agent's messages while a session is read."""

    place: Place
    messages: list[Message] = field(default_factory=list)
    result_ids: dict[int, str | None] = field(default_factory=dict)
    stated: dict[int, CallRef | None] = field(default_factory=dict)

    def add(self, line: _MessageLine) -> None:
        position = len(self.messages)
        if line.role == "tool":
            self.result_ids[position] = line.call_id
        if "answers" in line.model_fields_set:
            self.stated[position] = line.answers
        calls = tuple(ToolCall(**_shared(call, _Call)) for call in line.tool_calls)
        shared = _shared(line, Message)
        self.messages.append(Message(**{**shared, "index": position, "tool_calls": calls}))

    def paired(self) -> tuple[Message, ...]:
        """Return the messages linked by order, except where the file says it outright."""
        paired = pair_results(self.messages, self.result_ids)
        if not self.stated:
            return paired
        answers = {message.index: message.answers for message in paired} | self.stated
        results: dict[tuple[int, int], int] = {}
        for position, reference in answers.items():
            if reference is not None:
                self._require_call(position, reference)
                results.setdefault((reference.message, reference.ordinal), position)
        return tuple(
            self._linked(message, answers[message.index], results) for message in self.messages
        )

    def _require_call(self, position: int, reference: CallRef) -> None:
        if 0 <= reference.message < len(self.messages):
            calls = self.messages[reference.message].tool_calls
            if 0 <= reference.ordinal < len(calls):
                return
        raise TranscriptError(
            f"message {position} answers call {reference.ordinal} of message {reference.message}, "
            "and there is no such call",
            place=self.place,
        )

    def _linked(
        self, message: Message, answers: CallRef | None, results: Mapping[tuple[int, int], int]
    ) -> Message:
        calls = tuple(
            call.model_copy(update={"result": results.get((message.index, ordinal))})
            for ordinal, call in enumerate(message.tool_calls)
        )
        name = message.tool_name
        if name is None and answers is not None:
            name = _answered(self.messages, answers).name
        return message.model_copy(
            update={"answers": answers, "tool_calls": calls, "tool_name": name}
        )


def _sessions(records: Sequence[Record]) -> list[list[Record]]:
    groups: list[list[Record]] = []
    for record in records:
        if isinstance(record.value, dict) and "sessioneval" in record.value:
            groups.append([])
        groups[-1].append(record)
    return groups


def _require_whole(records: Sequence[Record], lost: Sequence[int], path: Path) -> None:
    for line in lost:
        if records[0].line < line < records[-1].line:
            raise TranscriptError(
                "the line was left out, and may have begun another session: what follows it "
                "cannot be told apart",
                place=Place(str(path), line),
            )


def _transcript(records: Sequence[Record], path: Path, fallback: str) -> Transcript:
    place = Place(str(path), records[0].line)
    header = _parsed(_Header, records[0], path)
    main = _Strand(place)
    agents: dict[str, _Agent] = {}
    strands: dict[str, _Strand] = {}
    for record in records[1:]:
        if isinstance(record.value, dict) and isinstance(record.value.get("agent"), dict):
            agent = _parsed(_AgentLine, record, path).agent
            agents[agent.agent_id] = agent
            strands.setdefault(agent.agent_id, _Strand(place))
            continue
        line = _parsed(_MessageLine, record, path)
        strand = main if line.agent is None else strands.setdefault(line.agent, _Strand(place))
        try:
            strand.add(line)
        except ValidationError as error:
            raise _refused(error, _MessageLine, Place(str(path), record.line)) from error
    if not main.messages and not strands:
        raise TranscriptError("a session without messages", place=place)
    shared = _shared(header, Transcript)
    times = [message.at for message in main.messages if message.at is not None]
    return Transcript(
        **{
            **shared,
            "session_id": header.session_id or fallback,
            "source": READER.name,
            "created_at": header.created_at or min(times, default=None),
            "last_active": header.last_active or max(times, default=None),
            "messages": main.paired(),
            "subsessions": tuple(
                Subsession(
                    **_shared(agents.get(agent_id, _Agent(agent_id=agent_id)), _Agent),
                    messages=strand.paired(),
                )
                for agent_id, strand in strands.items()
            ),
        }
    )


def _parsed(model: type[_Model], record: Record, path: Path) -> _Model:
    try:
        return model.model_validate(record.value)
    except ValidationError as error:
        raise _refused(error, model, Place(str(path), record.line)) from error


def _refused(error: ValidationError, line: type[Frozen], place: Place) -> TranscriptError:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the line"
    match first["type"]:
        case "model_type":
            said = "an object is expected"
        case "missing":
            said = "this key is needed"
        case "extra_forbidden":
            said = "there is no such key"
            if len(first["loc"]) == 1:
                close = get_close_matches(where, line.model_fields, n=1)
                hint = f" (did you mean {close[0]!r}?)" if close else ""
                said += f"{hint}; accepted: {', '.join(line.model_fields)}"
        case _:
            said = first["msg"].replace("Input should be", "not accepted; accepted is", 1)
    more = error.error_count() - 1
    also = f" (and {more} more)" if more else ""
    return TranscriptError(f"{where}: {said}{also}", place=place)

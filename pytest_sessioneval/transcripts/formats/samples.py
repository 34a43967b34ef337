"""Samples of retrieval-augmented answering: JSON Lines, a JSON list, or a table (CSV).

A record with a question and an answer, in the words of ragas (``user_input``,
``response``, ``retrieved_contexts``, ``reference``) or in plain ones (``question``,
``answer``, ``contexts``, ``ground_truth``)::

    {"question": "Where is Paris?", "answer": "In France.", "contexts": ["Paris is in France."],
     "ground_truth": "France"}

Each becomes a session (``transcripts.samples``). The samples of several turns
that ragas has, whose ``user_input`` is a list of messages, do so as well.
``docs/rag.md`` has every field.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pytest_sessioneval.errors import Place, TranscriptError
from pytest_sessioneval.transcripts.content import arguments_of, locators_of
from pytest_sessioneval.transcripts.formats.fields import object_of, text_of, time_of
from pytest_sessioneval.transcripts.model import (
    JsonObject,
    Message,
    Role,
    ToolCall,
    Transcript,
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
from pytest_sessioneval.transcripts.sample_columns import ANSWER_KEYS, QUESTION_KEYS
from pytest_sessioneval.transcripts.samples import SEPARATOR, Sample, session_of
from pytest_sessioneval.transcripts.strict_json import JsonError, parse_strict

__all__ = ["READER", "SamplesReader"]

_CONTEXTS = ("contexts", "retrieved_contexts")
_GROUND_TRUTH = ("ground_truth", "reference")
_RETRIEVED_IDS = ("retrieved_ids", "retrieved_context_ids")
_REFERENCE_IDS = ("reference_ids", "reference_context_ids")
_CALLS = ("tool_calls",)
_REFERENCE_CALLS = ("reference_tool_calls",)
_IDS = ("session_id", "sample_id", "id")
_KNOWN = frozenset(
    (
        *(*QUESTION_KEYS, *ANSWER_KEYS, *_CONTEXTS, *_GROUND_TRUTH, *_RETRIEVED_IDS),
        *(*_REFERENCE_IDS, *_CALLS, *_REFERENCE_CALLS, *_IDS),
        *("task_id", "agent_model", "model", "profile_id", "name", "created_at", "metadata"),
    )
)
_ROLES: dict[str, Role] = {"human": "user", "ai": "assistant", "tool": "tool", "system": "system"}
"""Who speaks, by the ``type`` of a turn."""
_IN_TURNS = (*ANSWER_KEYS, *_CONTEXTS, *_CALLS)
"""What stands in the turns, where there are several."""
_SCALARS = (str, int, float, bool)
_LONGEST_FACT = 200


class SamplesReader:
    """Reads records with a question and an answer, one session each."""

    name = "samples"
    version = 1

    def detects(self, document: Document) -> bool:
        """Return whether the first record has a question and an answer, or turns of both."""
        records = _records(document)
        first = object_of(records[0].value) if records else {}
        if _has_turns(first):
            return "messages" not in first
        asked = [first[key] for key in QUESTION_KEYS if key in first]
        answered = [first[key] for key in ANSWER_KEYS if key in first]
        said = [value for value in answered if value is None or isinstance(value, str)]
        return bool(asked and said) and isinstance(asked[0], str) and "messages" not in first

    def read(self, document: Document, limits: Limits) -> FileReading:
        """Return one session per record; a record that does not fit is a broken session."""
        records = _records(document)
        path = document.path
        locators = locators_of([_own_id(record.value) for record in records])
        sessions: list[FoundSession] = []
        broken: list[BrokenSession] = []
        unknown: Counter[str] = Counter()
        for ordinal, (record, locator) in enumerate(zip(records, locators, strict=True), start=1):
            fallback = path.stem if locator is None else f"{path.stem}#{ordinal}"
            try:
                found = _Fields(record, Place(str(path), record.line), limits)
                sessions.append(FoundSession(found.session(fallback), locator))
                unknown.update(found.left_out())
            except TranscriptError as error:
                if locator is None:
                    raise
                broken.append(BrokenSession(locator, error))
        if not sessions:
            raise broken[0].error
        return FileReading(
            self.name, self.version, tuple(sessions), broken=tuple(broken), unknown=dict(unknown)
        )

    def companions(self, path: Path) -> tuple[Path, ...]:  # noqa: ARG002
        """Return nothing: a sample stands in one file."""
        return ()

    def owns(self, path: Path) -> bool:  # noqa: ARG002
        """Return false: no file is part of another's sample."""
        return False


READER = SamplesReader()


def _records(document: Document) -> Sequence[Record]:
    """Return the records, or the elements of the list that is the whole document."""
    if document.kind == "json" and isinstance(document.value, list):
        return [Record(value, document.records[0].line) for value in document.value]
    return document.records


def _has_turns(fields: JsonObject) -> bool:
    """Return whether the question is a list of turns."""
    turns = fields.get("user_input")
    first = object_of(turns[0]) if isinstance(turns, list) and turns else {}
    return first.get("type") in _ROLES and isinstance(first.get("content"), str)


def _own_id(value: Any) -> str | None:
    fields = object_of(value)
    for key in _IDS:
        own = fields.get(key)
        if type(own) is int or text_of(own):
            return str(own)
    return None


class _Fields:
    """One record being read."""

    def __init__(self, record: Record, place: Place, limits: Limits) -> None:
        if not isinstance(record.value, dict):
            kind = type(record.value).__name__
            raise TranscriptError(f"an object is expected, found {kind}", place=place)
        self._fields: JsonObject = record.value
        self._place = place
        self._limits = limits

    def session(self, fallback: str) -> Transcript:
        """Return the record's session; raises ``TranscriptError``."""
        session_id = _own_id(self._fields) or fallback
        several = _has_turns(self._fields)
        session = self._of_turns(session_id) if several else self._of_one(session_id)
        fields = self._fields
        task = fields.get("task_id")
        facts = {
            "task_id": str(task) if text_of(task) or type(task) is int else None,
            "agent_model": text_of(fields.get("agent_model")) or text_of(fields.get("model")),
            "profile_id": text_of(fields.get("profile_id")),
            "name": text_of(fields.get("name")),
            "created_at": time_of(fields.get("created_at")),
            "metadata": self._facts(),
        }
        return session.model_copy(update=facts)

    def _of_one(self, session_id: str) -> Transcript:
        sample = Sample(
            question=self._text(QUESTION_KEYS, required=True) or "",
            answer=self._text(ANSWER_KEYS, required=True) or "",
            contexts=self._texts(_CONTEXTS) or (),
            ground_truth=self._text(_GROUND_TRUTH),
            retrieved_ids=self._texts(_RETRIEVED_IDS),
            reference_ids=self._texts(_REFERENCE_IDS),
            calls=self._calls(_CALLS) or (),
            reference_calls=self._calls(_REFERENCE_CALLS),
        )
        return session_of(sample, session_id)

    def _of_turns(self, session_id: str) -> Transcript:
        held = [key for key in _IN_TURNS if self._fields.get(key) is not None]
        if held:
            raise self._error(f"user_input holds the turns, and {held[0]} stands beside it")
        turns = self._fields["user_input"]
        messages = pair_results([self._turn(at, turn) for at, turn in enumerate(turns)])
        reference = session_of(
            Sample(
                question="",
                answer="",
                ground_truth=self._text(_GROUND_TRUTH),
                retrieved_ids=self._texts(_RETRIEVED_IDS),
                reference_ids=self._texts(_REFERENCE_IDS),
                reference_calls=self._calls(_REFERENCE_CALLS),
            ),
            session_id,
        )
        return reference.model_copy(update={"messages": messages})

    def _turn(self, at: int, value: Any) -> Message:
        fields = object_of(value)
        role, text = _ROLES.get(str(fields.get("type"))), fields.get("content")
        if role is None or not isinstance(text, str):
            accepted = ", ".join(_ROLES)
            raise self._error(
                f"user_input[{at}] is no turn; accepted: an object with type ({accepted}) and "
                "content, a string"
            )
        made = fields.get("tool_calls") or []
        if not isinstance(made, list):
            raise self._error(f"user_input[{at}].tool_calls is {_kind(made)}; a list is accepted")
        calls = tuple(
            self._call(f"user_input[{at}].tool_calls[{number}]", call)
            for number, call in enumerate(made)
        )
        return Message(index=at, role=role, text=text, tool_calls=calls)

    def left_out(self) -> Iterable[str]:
        """Return the fields that nobody knows, as kinds of records are counted."""
        kept = self._facts()
        return [
            f"field {key[:40]}" for key in self._fields if key not in _KNOWN and key not in kept
        ]

    def _facts(self) -> dict[str, str | int | float | bool | None]:
        beside = {key: held for key, held in self._fields.items() if key not in _KNOWN}
        facts = {**beside, **object_of(self._fields.get("metadata"))}
        return {
            key: held
            for key, held in facts.items()
            if isinstance(held, _SCALARS) and len(str(held)) <= _LONGEST_FACT
        }

    def _value(self, keys: Sequence[str]) -> tuple[str, Any]:
        """Return the first of the keys that holds something, and what it holds."""
        there = [key for key in keys if key in self._fields]
        held = next((key for key in there if self._fields[key] is not None), None)
        key = held or (there[0] if there else keys[0])
        return key, self._fields.get(key)

    def _text(self, keys: Sequence[str], *, required: bool = False) -> str | None:
        key, value = self._value(keys)
        if key not in self._fields and required:
            raise self._error(f"the sample has no {' or '.join(keys)}")
        if value is None or isinstance(value, str):
            return value
        raise self._error(f"{key} is {_kind(value)}; a string is accepted")

    def _texts(self, keys: Sequence[str]) -> tuple[str, ...] | None:
        """Return a list of texts, as a list or written as one string; None: there is none."""
        key, value = self._value(keys)
        if value is None or value == "":
            return None
        items = self._listed(key, value) if isinstance(value, str) else value
        if not isinstance(items, list):
            raise self._error(
                f"{key} is {_kind(value)}; a list of strings is accepted, or one string split at "
                f"{SEPARATOR!r}"
            )
        for number, item in enumerate(items):
            if not (isinstance(item, str) or type(item) is int):
                raise self._error(f"{key}[{number}] is {_kind(item)}; a string is accepted")
        return tuple(map(str, items))

    def _listed(self, key: str, text: str) -> list[Any]:
        """Return the list that a string is: JSON, or texts with a separator between them."""
        written = text.strip()
        if written.startswith("[") and written.endswith("]"):
            try:
                value = parse_strict(written, depth=self._limits.depth)
            except JsonError as fault:
                if written.startswith(("['", '["', "[{")):
                    raise self._error(
                        f"{key} looks like a list and is no JSON ({fault}); write it with "
                        f"json.dumps, or its texts with {SEPARATOR!r} between them"
                    ) from None
            else:
                return value if isinstance(value, list) else [text]
        return text.split(SEPARATOR)

    def _calls(self, keys: Sequence[str]) -> tuple[ToolCall, ...] | None:
        key, value = self._value(keys)
        if value is None or value == "":
            return None
        items = self._listed(key, value) if isinstance(value, str) else value
        if not isinstance(items, list):
            raise self._error(f"{key} is {_kind(value)}; a list of calls is accepted")
        return tuple(self._call(f"{key}[{number}]", item) for number, item in enumerate(items))

    def _call(self, where: str, value: Any) -> ToolCall:
        fields = object_of(object_of(value).get("function")) or object_of(value)
        name = text_of(fields.get("name"))
        if name is None:
            raise self._error(f'{where} has no name; accepted: {{"name": "…", "args": {{…}}}}')
        held = fields["args"] if "args" in fields else fields.get("arguments", {})
        return ToolCall(name=name, arguments=arguments_of(held, depth=self._limits.depth))

    def _error(self, reason: str) -> TranscriptError:
        return TranscriptError(reason, place=self._place)


def _kind(value: Any) -> str:
    kinds = {bool: "true or false", dict: "an object", list: "a list", str: "a string"}
    return "null" if value is None else kinds.get(type(value), "a number")

"""A session's tool calls: how each ended, which repeat others, which run in circles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pytest_sessioneval.judging.process.reading import Part
from pytest_sessioneval.judging.process.results import (
    FAILED,
    Status,
    is_polling,
    result_status,
    writes,
)
from pytest_sessioneval.transcripts.model import JsonObject

__all__ = ["Call", "Cycle", "Repeats", "calls_of", "cycles_of", "repeats_of"]

_LONGEST_CYCLE = 4
_FEWEST_ROUNDS = 3
_PATIENCE = 3
_MISSING: Status = "missing"
_ROUNDS = FAILED | {"ok", "reported"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call the agent (or a sub-agent) made, and how it ended."""

    message: int
    """Index of the message that made it."""
    ordinal: int
    name: str
    arguments: JsonObject | str
    key: tuple[str, str]
    """Name and canonical arguments: equal for identical calls."""
    result: int | None
    """Index of the message that holds the result."""
    text: str
    """The whole result."""
    status: Status

    @property
    def failed(self) -> bool:
        """Return whether the call ended in a way that speaks against it."""
        return self.status in FAILED


@dataclass(frozen=True, slots=True)
class Repeats:
    """Identical calls that brought nothing new."""

    name: str
    calls: tuple[Call, ...]
    """The first, and those that repeat it; at least two."""
    failing: bool
    """They failed, each like the one before."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """The same few calls with the same results, round and round."""

    calls: tuple[Call, ...]
    """All calls of it, in order."""
    period: int
    """Calls per round."""


@dataclass(slots=True)
class _Group:
    calls: list[Call]
    others_wrote: int
    own: int = 0
    runs: list[Repeats] = field(default_factory=list)


def calls_of(part: Part) -> tuple[Call, ...]:
    """Return the calls the agent made in one part, in order; a simulated user's are left out."""
    found: list[Call] = []
    for message, keys in zip(part.messages, part.arguments, strict=True):
        if message.role != "assistant":
            continue
        for ordinal, (call, key) in enumerate(zip(message.tool_calls, keys, strict=True)):
            text, status = "", _MISSING
            if call.result is not None and call.result < len(part.messages):
                result = part.messages[call.result]
                text = result.text
                status = result_status(call.name, text, is_error=result.is_error)
            found.append(
                Call(
                    message=message.index,
                    ordinal=ordinal,
                    name=call.name,
                    arguments=call.arguments,
                    key=(call.name, key),
                    result=call.result,
                    text=text,
                    status=status,
                )
            )
    return tuple(found)


def repeats_of(calls: Sequence[Call], foreign_writes: Sequence[int] = ()) -> tuple[Repeats, ...]:
    """Return the runs of identical calls that brought nothing new, by their first call.

    A call repeats an earlier identical one when its result is the same, too, and
    nothing happened in between that could have changed it: no other call that may
    write, and no call of a simulated user (``foreign_writes``: the indexes of the
    messages that made them). Calls that wait for something never repeat, and
    a tool that is out of order may be tried three more times.
    """
    groups: dict[tuple[str, str], _Group] = {}
    wrote = 0
    foreign = sorted(foreign_writes)
    passed = 0
    for call in calls:
        while passed < len(foreign) and foreign[passed] < call.message:
            passed += 1
            wrote += 1
        may_write = writes(call.name, call.arguments)
        if not is_polling(call.name) and call.status not in ("missing", "denied"):
            _add(groups, call, wrote, may_write=may_write)
        wrote += may_write
    runs = [run for group in groups.values() for run in (*group.runs, *_run(group))]
    return tuple(sorted(runs, key=lambda run: (run.calls[0].message, run.calls[0].ordinal)))


def cycles_of(calls: Sequence[Call]) -> tuple[Cycle, ...]:
    """Return the stretches where one to four calls come round at least three times in a row.

    A call comes round when name, arguments and result are the same.
    """
    steps = [call for call in calls if not is_polling(call.name) and call.status in _ROUNDS]
    marks = [(call.key, call.text) for call in steps]
    found: list[Cycle] = []
    start = 0
    while start < len(marks):
        length, period = _longest_cycle(marks, start)
        if period:
            found.append(Cycle(calls=tuple(steps[start : start + length]), period=period))
            start += length
        else:
            start += 1
    return tuple(found)


def _add(groups: dict[tuple[str, str], _Group], call: Call, wrote: int, *, may_write: bool) -> None:
    group = groups.get(call.key)
    if group is None:
        groups[call.key] = _Group([call], wrote, int(may_write))
        return
    others = wrote - group.own
    last = group.calls[-1]
    same = last.text == call.text and (last.status == call.status)
    if same and others == group.others_wrote:
        group.calls.append(call)
    else:
        group.runs.extend(_run(group))
        group.calls = [call]
        group.others_wrote = others
    group.own += may_write


def _run(group: _Group) -> tuple[Repeats, ...]:
    calls = group.calls
    if len(calls) < 2:  # noqa: PLR2004  (two calls make a repetition)
        return ()
    first = calls[0]
    if first.status == "outage" and len(calls) <= 1 + _PATIENCE:
        return ()
    return (Repeats(name=first.name, calls=tuple(calls), failing=first.status != "ok"),)


def _longest_cycle(marks: Sequence[tuple[tuple[str, str], str]], start: int) -> tuple[int, int]:
    """Return length and period of the cycle that starts here; 0, 0 for none."""
    best = (0, 0)
    for period in range(1, _LONGEST_CYCLE + 1):
        end = start + period
        while end < len(marks) and marks[end] == marks[end - period]:
            end += 1
        length = (end - start) // period * period
        if length >= period * _FEWEST_ROUNDS and length > best[0]:
            best = (length, period)
    return best

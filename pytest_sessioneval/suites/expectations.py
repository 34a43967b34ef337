"""Checks what a suite says must have happened against a transcript: pure, no judge asked.

What counts, on purpose:

- Calls of the agent and of its sub-agents count, for ``must_call`` and for
  ``must_not_call`` alike: what was delegated was done. Calls that a simulated
  user made do not.
- ``must_call`` needs a call whose result is not marked as an error. A call
  without a recorded result counts: many sources record none for the last call.
- ``must_not_call`` forbids the attempt: a failed call violates it too.
- Arguments are compared as values: ``5`` equals ``5.0``, ``true`` is no number,
  ``"5"`` is no number either. Those not mentioned are free. Arguments that the
  source recorded as text, being no JSON object, match only a bare tool name.
- The agent's last answer is its last message that holds text: what a user says
  afterwards, and calls without text, do not replace it. There may be none, which
  ``final_matches`` does not accept and ``final_not_matches`` does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pytest_sessioneval.suites.model import Expectation, ExpectedCall, Suite
from pytest_sessioneval.transcripts.model import Message, ToolCall, Transcript

__all__ = [
    "Check",
    "CheckKind",
    "check",
    "expectations_for",
    "last_words",
    "unmatched_expectations",
]

CheckKind = Literal[
    "must_call", "must_not_call", "final_matches", "final_not_matches", "max_messages"
]

_LONGEST_QUOTE = 80


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of an expectation, and whether the session held it."""

    kind: CheckKind
    """The key of the suite file that asked for it."""
    expected: str
    """What was expected, in one line: ``refund(order="W12") is called``."""
    held: bool
    """Whether the session did as expected."""
    found: str
    """What was found instead, or what shows that it held, in one line."""
    message: int | None = None
    """Index of the message that this rests on; null: it rests on something's absence."""
    agent_id: str | None = None
    """The sub-agent whose message it is; null: the main agent's transcript."""


def expectations_for(suite: Suite, key: str) -> tuple[Expectation, ...]:
    """Return what is expected of the session with this key, in the file's order."""
    return tuple(
        expectation
        for expectation in suite.settings.expect
        if expectation.session is None or expectation.session == key
    )


def unmatched_expectations(suite: Suite, keys: Iterable[str]) -> tuple[Expectation, ...]:
    """Return the expectations that name a session which is none of these keys.

    Nobody would notice otherwise that they are never checked.
    """
    known = frozenset(keys)
    return tuple(
        expectation
        for expectation in suite.settings.expect
        if expectation.session is not None and expectation.session not in known
    )


def check(expectation: Expectation, transcript: Transcript) -> tuple[Check, ...]:
    """Return one Check per condition of the expectation, in the order of its keys.

    What is checked is in the module's docstring. ``expectation.session`` is not
    looked at: ``expectations_for`` has chosen already.
    """
    calls = tuple(_agent_calls(transcript))
    checks = [_must_call(expected, calls) for expected in expectation.must_call]
    checks += [_must_not_call(expected, calls) for expected in expectation.must_not_call]
    if expectation.final_matches is not None:
        checks.append(_final(expectation.final_matches, transcript, wanted=True))
    if expectation.final_not_matches is not None:
        checks.append(_final(expectation.final_not_matches, transcript, wanted=False))
    if expectation.max_messages is not None:
        checks.append(_max_messages(expectation.max_messages, transcript))
    return tuple(checks)


@dataclass(frozen=True, slots=True)
class _Made:
    """A call that was made, where, and whether its result is marked as an error."""

    call: ToolCall
    message: int
    agent_id: str | None
    failed: bool


def _agent_calls(transcript: Transcript) -> Iterator[_Made]:
    """Yield the agent's calls in order, then its sub-agents'."""
    parts: list[tuple[str | None, tuple[Message, ...]]] = [(None, transcript.messages)]
    parts += [(sub.agent_id, sub.messages) for sub in transcript.subsessions]
    for agent_id, messages in parts:
        for message in messages:
            if message.role != "assistant":
                continue
            for call in message.tool_calls:
                result = call.result
                answered = result is not None and 0 <= result < len(messages)
                failed = answered and messages[result or 0].is_error
                yield _Made(call, message.index, agent_id, failed)


def _must_call(expected: ExpectedCall, calls: tuple[_Made, ...]) -> Check:
    named = [made for made in calls if made.call.name == expected.tool]
    fitting = [made for made in named if _fits(expected, made.call)]
    done = next((made for made in fitting if not made.failed), None)
    text = f"{_call_text(expected)} is called"
    if done is not None:
        return Check("must_call", text, True, "it was called", done.message, done.agent_id)
    if fitting:
        last = fitting[-1]
        found = "it was called, and every such call ended in an error"
        return Check("must_call", text, False, found, last.message, last.agent_id)
    if named:
        last = named[-1]
        found = f"{expected.tool} was called {_times(len(named))}, never with these arguments"
        return Check("must_call", text, False, found, last.message, last.agent_id)
    return Check("must_call", text, False, f"{expected.tool} was never called")


def _must_not_call(expected: ExpectedCall, calls: tuple[_Made, ...]) -> Check:
    text = f"{_call_text(expected)} is not called"
    made = next(
        (m for m in calls if m.call.name == expected.tool and _fits(expected, m.call)), None
    )
    if made is None:
        return Check("must_not_call", text, True, "it was not called")
    found = "it was called, and failed" if made.failed else "it was called"
    return Check("must_not_call", text, False, found, made.message, made.agent_id)


def _final(pattern: str, transcript: Transcript, *, wanted: bool) -> Check:
    kind: CheckKind = "final_matches" if wanted else "final_not_matches"
    text = f"the last answer {'matches' if wanted else 'does not match'} /{pattern}/"
    answer = last_words(transcript)
    if answer is None:
        return Check(kind, text, not wanted, "the agent never answered in words")
    match = re.search(pattern, answer.text)
    found = "nothing in it matches" if match is None else f"it says {_quoted(match.group())}"
    return Check(kind, text, (match is not None) == wanted, found, answer.index)


def _max_messages(most: int, transcript: Transcript) -> Check:
    count = len(transcript.messages)
    held = count <= most
    return Check(
        "max_messages",
        f"the session takes at most {most} messages",
        held,
        f"it took {count}",
        None if held else transcript.messages[most].index,
    )


def last_words(transcript: Transcript) -> Message | None:
    """Return the last message in which the agent says anything; None: it never did."""
    spoken = (m for m in reversed(transcript.messages) if m.role == "assistant" and m.text.strip())
    return next(spoken, None)


def _fits(expected: ExpectedCall, call: ToolCall) -> bool:
    if not expected.args:
        return True
    arguments = call.arguments
    return isinstance(arguments, dict) and all(
        key in arguments and _equal(value, arguments[key]) for key, value in expected.args.items()
    )


def _equal(left: object, right: object) -> bool:
    """Return whether two JSON values are equal; numbers by value, and a truth is no number."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(_equal(*pair) for pair in pairs)
    return left == right


def _call_text(expected: ExpectedCall) -> str:
    arguments = ", ".join(
        f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in expected.args.items()
    )
    return f"{expected.tool}({arguments})" if arguments else expected.tool


def _quoted(text: str) -> str:
    one_line = " ".join(text.split())
    if len(one_line) > _LONGEST_QUOTE:
        one_line = one_line[: _LONGEST_QUOTE - 1] + "…"
    return json.dumps(one_line, ensure_ascii=False)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"

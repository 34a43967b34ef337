"""Sessions of four megabytes and two thousand messages, judged by a judge of 32k tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from plugin_runs import Runs, Sessions, good_messages

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.testing import JudgeServer
from pytest_sessioneval.transcripts.model import Message
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

CONTEXT = 32_000
SUITE = f"""[judge]
model = "openai:small"
context_tokens = {CONTEXT}
"""
MESSAGES, CHARS, LEAST = 2_000, 4_000_000, 500


@pytest.fixture
def small_judge(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    """Return a judge that refuses requests of more than 32k tokens, as it counts them."""
    with JudgeServer(context_tokens=CONTEXT) as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        yield server


def _messages(shared_data: Path) -> Iterator[Message]:
    """Yield the messages of real sessions of two kinds, one after the other, again and again."""
    registry = Registry(builtin_readers())
    files = [
        path
        for kind in ("tau-bench", "claude-code")
        for path in sorted((shared_data / kind).rglob("*.json*"))
    ]
    read = [
        message
        for path in files[:40]
        if not registry.owns(path)
        for session in _sessions(registry, path)
        for message in session
        if message.role == "user" or len(message.text) > LEAST
    ]
    yield from cycle(read)


def _sessions(registry: Registry, path: Path) -> list[tuple[Message, ...]]:
    try:
        return [found.transcript.messages for found in registry.read(path).sessions]
    except TranscriptError:  # a file that is no session, or broken on purpose
        return []


def _joined(shared_data: Path, part: float = 1.0) -> str:
    """Return real messages, the longer ones, joined to one session in OpenAI's form.

    ``part`` of the messages and characters that the longest session has.
    """
    said: list[dict[str, Any]] = []
    chars = calls = 0
    for message in _messages(shared_data):
        if len(said) >= part * MESSAGES and chars >= part * CHARS:
            break
        text = message.text
        chars += len(text)
        if message.role == "tool":
            calls += 1
            function = {"name": message.tool_name or "tool", "arguments": "{}"}
            call = {"id": f"c{calls}", "type": "function", "function": function}
            said.append({"role": "assistant", "content": None, "tool_calls": [call]})
            said.append({"role": "tool", "tool_call_id": f"c{calls}", "content": text})
        elif text:
            said.append({"role": message.role, "content": text})
    return json.dumps({"messages": said})


def test_a_session_of_four_megabytes_is_judged_within_32k_tokens(
    pytester: pytest.Pytester,
    sessions: Sessions,
    runs: Runs,
    small_judge: JudgeServer,
    shared_data: Path,
) -> None:
    """No request is refused, every axis is scored, and the report says what was not seen."""
    sessions.suite(SUITE)
    path = sessions.text("long.json", _joined(shared_data))
    assert path.stat().st_size > CHARS
    result = pytester.runpytest(str(pytester.path))
    assert pytest.ExitCode.OK == result.ret
    assert 0 < small_judge.longest_request <= CONTEXT

    (session,) = runs.suite["sessions"]
    assert session["messages"] >= MESSAGES
    opinions = session["verdict"]["opinions"]
    parts = opinions[0]["view"]["parts"]
    assert parts > 20
    assert parts + len(opinions) == small_judge.calls
    assert [parts] * len(opinions) == [opinion["view"]["parts"] for opinion in opinions]
    assert {"scored"} == {axis["kind"] for axis in opinions[0]["axes"].values()}
    assert 0.5 < opinions[0]["coverage"] <= 1
    assert "1 of 1 sessions were too long and were read in parts" in runs.suite["notes"][0]
    result.stdout.fnmatch_lines(["*too long and were read in parts*"])


def test_it_is_judged_the_same_by_workers(
    pytester: pytest.Pytester,
    sessions: Sessions,
    runs: Runs,
    small_judge: JudgeServer,
    shared_data: Path,
) -> None:
    """Under -n2 the parts are read once too, and no request is longer."""
    sessions.suite(SUITE)
    sessions.text("long.json", _joined(shared_data, 0.1))
    result = pytester.runpytest(str(pytester.path), "-n2")
    assert pytest.ExitCode.OK == result.ret
    (session,) = runs.suite["sessions"]
    opinions = session["verdict"]["opinions"]
    assert opinions[0]["view"]["parts"] > 2
    assert opinions[0]["view"]["parts"] + len(opinions) == small_judge.calls
    assert small_judge.longest_request <= CONTEXT


def _coverage(runs: Runs) -> float:
    (session,) = runs.suite["sessions"]
    return float(min(opinion["coverage"] for opinion in session["verdict"]["opinions"]))


@pytest.mark.parametrize("workers", [(), ("-n1",)], ids=["alone", "worker"])
def test_what_was_typed_comes_before_environment_and_suite_file(
    pytester: pytest.Pytester,
    runs: Runs,
    small_judge: JudgeServer,
    monkeypatch: pytest.MonkeyPatch,
    workers: tuple[str, ...],
) -> None:
    """The context of a judge: command line, environment, suite file; each asks anew."""
    sessions = Sessions(pytester.path)
    said = [{"role": "user", "content": f"Look at this: {'word ' * 6_000}"}]
    sessions.suite(SUITE)
    sessions.text("a.json", json.dumps({"messages": [*said, *good_messages("a")]}))
    pytester.runpytest(*workers)
    by_file = _coverage(runs)
    monkeypatch.setenv("SESSIONEVAL_CONTEXT_TOKENS", "20000")
    pytester.runpytest(*workers)
    by_environment = _coverage(runs)
    pytester.runpytest("--sessioneval-context-tokens=14000", *workers)
    assert 1.0 == by_file > by_environment > _coverage(runs)
    assert 9 == small_judge.calls


def test_a_context_without_room_is_told_with_what_it_takes(
    pytester: pytest.Pytester, sessions: Sessions, small_judge: JudgeServer
) -> None:
    """Nobody is asked, and the message names the setting and a number that does."""
    sessions.suite(SUITE)
    sessions.good("a.json")
    result = pytester.runpytest("--sessioneval-context-tokens=4000")
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    result.stdout.fnmatch_lines(["*not scored: failed: a context of 4,000 tokens has no room*"])
    assert 0 == small_judge.calls

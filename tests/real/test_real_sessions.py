"""Every file of the three folders, against numbers counted without our readers."""

from __future__ import annotations

import json
import runpy
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.transcripts.model import Message
from pytest_sessioneval.transcripts.reader import FileReading
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

_TESTS = Path(__file__).resolve().parents[1]
_EXPECTED: dict[str, dict[str, Any]] = json.loads(
    (_TESTS / "golden" / "real_sessions.json").read_text(encoding="utf-8")
)
_REGISTRY = Registry(builtin_readers())
_OURS = ("claude-code", "tau-bench", "tau2-bench")


@pytest.mark.parametrize("path", _EXPECTED)
def test_the_readers_find_what_an_independent_count_found(shared_data: Path, path: str) -> None:
    """Sessions, messages by role, calls, unpaired calls and sub-agents are as counted."""
    assert _EXPECTED[path] == _counts(shared_data / path)


def test_the_checked_in_numbers_are_what_the_independent_count_gives(shared_data: Path) -> None:
    """The expectation was not adjusted by hand."""
    counted = runpy.run_path(str(_TESTS / "independent_counts.py"))["count_everything"]
    assert counted(shared_data) == _EXPECTED


def test_every_file_of_the_three_folders_is_counted(shared_data: Path) -> None:
    """No file is left out of the expectation."""
    present = {name for name in _names(shared_data) if name.split("/")[0] in _OURS}
    assert present == _EXPECTED.keys()


def test_no_file_of_another_source_is_taken_for_one_of_these(shared_data: Path) -> None:
    """Detection goes by content: Qwen and Gemini files in particular look much like ours."""
    taken = [
        name
        for name in _names(shared_data)
        if name.split("/")[0] not in _OURS
        and (_REGISTRY.owns(shared_data / name) or _reader_of(shared_data / name) in _OURS)
    ]
    assert [] == taken


def test_the_only_file_in_error_is_the_recording_without_words(shared_data: Path) -> None:
    """One session of the three folders cannot be judged: its speech was recorded without text."""
    in_error = [path for path, counts in _EXPECTED.items() if "error" in counts]
    assert 1 == len(in_error)
    with pytest.raises(TranscriptError, match="none of its 973 ticks holds words or calls"):
        _REGISTRY.read(shared_data / in_error[0])


def _names(folder: Path) -> list[str]:
    """Return the folder's files, without what tools left there (hidden files and folders)."""
    names = [p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*")) if p.is_file()]
    return [name for name in names if not any(part[0] == "." for part in name.split("/"))]


def _reader_of(path: Path) -> str | None:
    try:
        return _REGISTRY.read(path).reader
    except TranscriptError:
        return None


def _counts(path: Path) -> dict[str, Any]:
    if _REGISTRY.owns(path):
        return {"owned": True}
    try:
        reading = _REGISTRY.read(path)
    except TranscriptError as error:
        ticks = error.reason.split(" ticks")[0].split()[-1]
        return {"error": "no words", "ticks": int(ticks)}
    return {key: value for key, value in _numbers(reading).items() if value}


def _numbers(reading: FileReading) -> dict[str, Any]:
    transcripts = [found.transcript for found in reading.sessions]
    assert not reading.broken
    agents = [part for transcript in transcripts for part in transcript.subsessions]
    main = [message for transcript in transcripts for message in transcript.messages]
    beside = [message for part in agents for message in part.messages]
    return {
        "reader": reading.reader,
        "sessions": len(transcripts),
        "messages": dict(Counter(message.role for message in main)),
        "tool_calls": _calls(main),
        "unpaired_calls": _open_calls(main),
        "unpaired_results": sum(m.role == "tool" and m.answers is None for m in main),
        "tool_errors": sum(message.is_error for message in main),
        "media": sum(len(message.media) for message in main),
        "output_tokens": sum(m.usage.output_tokens or 0 for m in main if m.usage),
        "abandoned": sum(int(t.metadata.get("abandoned_records") or 0) for t in transcripts),
        "subagents": len(agents),
        "subagent_messages": dict(Counter(message.role for message in beside)),
        "subagent_tool_calls": _calls(beside),
        "subagent_unpaired_calls": _open_calls(beside),
        "skipped": dict(Counter(skipped.reason for skipped in reading.skipped)),
        "unknown": reading.unknown,
    }


def _calls(messages: Iterable[Message]) -> int:
    return sum(len(message.tool_calls) for message in messages)


def _open_calls(messages: Iterable[Message]) -> int:
    return sum(call.result is None for message in messages for call in message.tool_calls)


def test_no_file_of_another_kind_is_taken_for_samples(shared_data: Path) -> None:
    """Nothing there has a question and an answer in the words of samples."""
    taken = [
        name
        for name in _names(shared_data)
        if not _REGISTRY.owns(shared_data / name) and _reader_of(shared_data / name) == "samples"
    ]
    assert [] == taken

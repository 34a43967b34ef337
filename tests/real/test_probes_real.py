"""Probes of real sessions, in every format: what they change is a whole session again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.judging.probes import attacked, silenced, variants
from pytest_sessioneval.transcripts.digest import digest
from pytest_sessioneval.transcripts.model import Message, Transcript
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

_FORMATS = ("claude-code", "tau-bench", "tau2-bench")
_MOST = 40


@pytest.fixture(scope="module")
def sessions(shared_data: Path) -> list[Transcript]:
    """Return real sessions, at most forty of each format."""
    registry = Registry(builtin_readers())
    return [
        transcript
        for name in _FORMATS
        for transcript, _ in zip(_read(registry, shared_data / name), range(_MOST), strict=False)
    ]


def _read(registry: Registry, folder: Path) -> Iterator[Transcript]:
    for path in sorted(folder.rglob("*.json*")):
        if registry.owns(path):
            continue
        try:
            found = registry.read(path).sessions
        except TranscriptError:
            continue
        for session in found:
            yield session.transcript


def check(messages: tuple[Message, ...]) -> None:
    """Fail where a number or a link is not what a reader would make it."""
    assert [*range(len(messages))] == [message.index for message in messages]
    for message in messages:
        for ordinal, call in enumerate(message.tool_calls):
            if call.result is not None:
                answers = messages[call.result].answers
                assert answers is not None
                assert (message.index, ordinal) == (answers.message, answers.ordinal)


def test_every_variant_is_a_whole_session(sessions: list[Transcript]) -> None:
    """Numbered from 0, calls linked with their results, and not what it was."""
    assert len(sessions) > 2 * _MOST
    seen: set[str] = set()
    for at, session in enumerate(sessions):
        for one in variants(session, sessions[at - 1]):
            seen.add(one.probe)
            check(one.transcript.messages)
            assert digest(session) != digest(one.transcript)
    assert {"filler", "markup", "self_praise", "swapped", "truncated"} == seen


def test_every_silenced_and_attacked_session_is_whole(sessions: list[Transcript]) -> None:
    """Whichever session's turn it is."""
    for _, one in (*silenced(sessions), *attacked(sessions, ["goal_completion"])):
        check(one.transcript.messages)

"""Which files are taken for those of a Claude Code session."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_sessioneval.transcripts.formats.claude_code import READER
from pytest_sessioneval.transcripts.loading import load_document
from pytest_sessioneval.transcripts.reader import Limits


def test_a_metadata_file_of_something_else_is_not_owned(shared_data: Path) -> None:
    """OpenHands keeps a ``metadata.json`` as well."""
    folder = shared_data / "openhands/sessions/63b4315947a049e2b7a51249b3d4fcc3"
    assert not READER.owns(folder / "metadata.json")


def test_one_gemini_object_in_a_file_named_jsonl_is_not_detected(shared_data: Path) -> None:
    """The name says nothing."""
    document = load_document(shared_data / "gemini-cli/entire-51_3fab7adf0b_0_full.jsonl")
    assert not READER.detects(document)


def test_qwen_files_are_not_detected(shared_data: Path) -> None:
    """They have the same record fields but ``parts`` in place of ``content``."""
    qwen = shared_data / "other-cli-agents/agent-sessions-stage0/qwen"
    assert [] == [p.name for p in qwen.glob("*.jsonl") if READER.detects(load_document(p))]


def test_one_damaged_record_does_not_hide_a_session(tmp_path: Path) -> None:
    """Detection looks at more than the first message."""
    damaged = {"type": "user", "sessionId": "s", "message": None}
    message = {"role": "user", "content": "Hello"}
    path = tmp_path / "s.jsonl"
    records = [damaged, {"type": "user", "uuid": "a", "sessionId": "s", "message": message}]
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    document = load_document(path)
    assert READER.detects(document)
    assert 1 == len(READER.read(document, Limits()).sessions[0].transcript.messages)

"""What docs/transcripts.md shows works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pytest_sessioneval.transcripts.loading import DEFAULT_LIMITS
from pytest_sessioneval.transcripts.model import CallRef
from pytest_sessioneval.transcripts.registry import BUILTIN_READERS, Registry, builtin_readers

_PAGE = Path(__file__).resolve().parents[3] / "docs" / "transcripts.md"


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_session_in_our_own_format_is_read(tmp_path: Path) -> None:
    """The example is one session with a sub-agent and every call answered."""
    path = tmp_path / "example.jsonl"
    path.write_text(_block("jsonl"), encoding="utf-8")

    (found,) = Registry(builtin_readers()).read(path).sessions

    transcript = found.transcript
    assert ("s1", "refund", {"team": "blue"}) == (
        transcript.session_id,
        transcript.task_id,
        transcript.metadata,
    )
    assert [3, 4] == [call.result for call in transcript.messages[2].tool_calls]
    assert [("a1", "accountant", CallRef(message=2, ordinal=1), 2)] == [
        (part.agent_id, part.name, part.spawned_by, len(part.messages))
        for part in transcript.subsessions
    ]


def test_the_reader_of_ones_own_reads(tmp_path: Path) -> None:
    """The example's hook gives a reader that the registry takes and asks first."""
    namespace: dict[str, Any] = {}
    exec(compile(_block("python"), str(_PAGE), "exec"), namespace)  # noqa: S102
    path = tmp_path / "run.json"
    path.write_text(
        '{"run": "r1", "acme_steps": [{"who": "user", "said": "hi"},'
        ' {"tool": "ls", "input": {}, "output": "a b"}]}'
    )

    readers = (*namespace["pytest_sessioneval_readers"](), *builtin_readers())
    reading = Registry(readers).read(path)

    assert ("acme-steps", ["hi", "", "a b"]) == (
        reading.reader,
        [message.text for message in reading.sessions[0].transcript.messages],
    )
    assert "ls" == reading.sessions[0].transcript.messages[2].tool_name


def test_every_built_in_format_is_listed_in_order() -> None:
    """The table has the formats that are asked, as they are asked."""
    listed = re.findall(r"^\| `([\w-]+)` \|", _PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert [module.replace("_", "-") for module in BUILTIN_READERS] == listed


def test_the_limits_are_those_that_hold() -> None:
    """The page's numbers are the code's."""
    limits = DEFAULT_LIMITS
    mebibyte = 1024 * 1024

    assert (
        f"{limits.file_bytes // mebibyte} MiB per file, {limits.line_bytes // mebibyte} MiB per "
        f"line, {limits.depth} levels of nesting, {limits.messages:,} messages per session"
    ) in _PAGE.read_text(encoding="utf-8")

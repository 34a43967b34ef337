"""Sessions as collection finds them, and suites of files, for the tests of evaluation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from pytest_sessioneval.evaluation.membership import FoundSummary, Member
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.transcripts.model import SessionSummary

__all__ = ["chat", "found", "member", "prefixes", "said", "summary", "write"]

ROOT = Path("/suites/small")


def prefixes(messages: str) -> str:
    """Return the rolling digests of a session whose messages are these letters."""
    grown = (messages[: at + 1] for at in range(len(messages)))
    return "".join(sha256(part.encode()).hexdigest()[:16] for part in grown)


def summary(messages: str = "ab", **fields: Any) -> SessionSummary:
    """Return what is kept of a session; equal letters mean equal messages."""
    given = {
        "session_id": f"id-{messages}",
        "source": "testing",
        "digest": sha256(messages.encode()).hexdigest(),
        "message_count": len(messages),
        "prefix_digests": prefixes(messages),
        **fields,
    }
    return SessionSummary(**given)


def found(name: str = "a.json", messages: str = "ab", **fields: Any) -> FoundSummary:
    """Return a session as its file gave it."""
    return FoundSummary(ROOT / name, name, summary(messages, **fields))


def member(name: str = "a.json", messages: str = "ab", **fields: Any) -> Member:
    """Return a session of a suite, whose key is its path."""
    item = found(name, messages, **fields)
    session = SuiteSession(suite="small", key=item.id, path=item.relative, summary=item.summary)
    return Member(id=item.id, path=item.path, session=session)


def said(subject: str, turns: int = 1) -> list[dict[str, Any]]:
    """Return that many questions about a subject, each with its answer."""
    return [
        {"role": role, "content": f"{words} {subject}, {turn}."}
        for turn in range(turns)
        for role, words in (("user", "What about"), ("assistant", "All is well with"))
    ]


def chat(messages: Sequence[Mapping[str, Any]], **fields: Any) -> str:
    """Return a file of one session."""
    return json.dumps({"messages": messages, **fields})


def write(root: Path, **files: str | bytes) -> None:
    """Write files; ``__`` in a name is a slash, and a name without a suffix gets ``.json``."""
    for name, content in files.items():
        relative = name.replace("__", "/")
        path = root / (relative if "." in relative else f"{relative}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

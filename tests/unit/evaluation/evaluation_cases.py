"""Sessions as collection finds them, and suites of files, for the tests of evaluation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from pytest_sessioneval.evaluation.membership import FoundSummary, Member
from pytest_sessioneval.suites.model import (
    Axis,
    Expert,
    JudgeSettings,
    Level,
    Rubric,
    Suite,
    SuiteFile,
)
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.transcripts.model import SessionSummary
from pytest_sessioneval.transcripts.reader import Document, FileReading, Limits

ROOT = Path("/suites/small")
MODEL = "hook:script"
AXES = ("goal", "tone")


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


LEVELS = tuple(Level(score=score, anchor=f"looks like {score}") for score in (0, 50, 100))
RUBRIC = Rubric(
    name="small",
    version=1,
    axes=tuple(Axis(name=name, question=f"How is its {name}?", levels=LEVELS) for name in AXES),
)
ONE = Expert(id="one", instruction="Look.", axes=AXES)


def small_suite(*experts: Expert, root: Path = ROOT, name: str = "small", **sections: Any) -> Suite:
    """Return a suite with two axes; ``sections`` are fields of its file."""
    judge = JudgeSettings(model=MODEL, experts=experts or (ONE,))
    return Suite(
        root=root,
        name=name,
        file=None,
        settings=SuiteFile(**{"judge": judge, **sections}),
        rubric=RUBRIC,
    )


class CountingReader:
    """A reader in front of the built-in ones that counts the documents it is shown."""

    name = "counting"

    def __init__(self, version: int = 1) -> None:
        self.version = version
        self.seen: list[str] = []

    def detects(self, document: Document) -> bool:
        """Return that it is not this reader's."""
        self.seen.append(document.path.name)
        return False

    def read(self, document: Document, limits: Limits) -> FileReading:
        """Never called."""
        raise NotImplementedError

    def companions(self, path: Path) -> list[Path]:  # noqa: ARG002
        """Return no other file."""
        return []

    def owns(self, path: Path) -> bool:  # noqa: ARG002
        """Return that the file stands for itself."""
        return False

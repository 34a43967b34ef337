"""Sessions posted to a service: read like a file, without secrets, each kept as a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.naming import file_name
from pytest_sessioneval.reports.writing import prepare_folder, replace_file
from pytest_sessioneval.suites.discovery import SUITE_FILE
from pytest_sessioneval.transcripts.formats.sessioneval import to_lines
from pytest_sessioneval.transcripts.loading import parse_data
from pytest_sessioneval.transcripts.model import SessionSummary, Transcript
from pytest_sessioneval.transcripts.reader import FileReading
from pytest_sessioneval.transcripts.registry import Registry

__all__ = [
    "POSTED",
    "Posted",
    "Posting",
    "keep_transcript",
    "posted_folder",
    "read_posted",
    "same_session",
]

POSTED = "posted"
"""The suite of posted sessions, and its folder below the output folder."""

_SUITE = f"""\
# Sessions that were posted to `sessioneval serve`: a suite like any other.
# Rubric, judge and panel are set here; the service reads this file when it changes.
[suite]
name = "{POSTED}"
key = "session_id"
"""


@dataclass(frozen=True, slots=True)
class Posted:
    """One session of what was posted."""

    session_id: str
    state: Literal["new", "known", "replaced"]
    """``known``: it was there already, under this id; ``replaced``: another content was."""


@dataclass(frozen=True, slots=True)
class Posting:
    """What came of posting a transcript."""

    sessions: tuple[Posted, ...]
    """In the order of the body."""
    problems: tuple[str, ...] = ()
    """Sessions of it that could not be read, a line each."""
    skipped: int = 0
    """Lines that were left out."""


def posted_folder(out: Path) -> Path:
    """Return the folder of posted sessions, made where it is missing; raises ``StoreError``."""
    prepare_folder(out)
    folder = out / POSTED
    try:
        folder.mkdir(exist_ok=True)
        inside = folder.resolve().is_relative_to(out.resolve())
        if inside and not (folder / SUITE_FILE).exists():
            replace_file(folder / SUITE_FILE, [_SUITE])
    except OSError as error:
        raise StoreError(f"{folder}: no folder can be made here: {error.strerror}") from error
    if not inside:
        raise StoreError(f"{folder}: leads out of {out} by a link; nothing is kept there")
    return folder


def read_posted(data: bytes, *, table: bool, registry: Registry) -> FileReading:
    """Return the sessions that ``data`` holds, as those of a file named after its content.

    Raises ``TranscriptError``, also where no session in it can be read.
    """
    suffix = ".csv" if table else ".json"
    name = Path(f"{POSTED}-{sha256(data).hexdigest()[:12]}{suffix}")
    reading = registry.read_document(parse_data(data, name))
    if not reading.sessions and reading.broken:
        raise reading.broken[0].error
    return reading


def same_session(
    recorded: SessionSummary, kept: SessionSummary, members: Iterable[tuple[Member, bool]]
) -> str | None:
    """Return the id of the session that this one is, or begins like; None: it is a new one.

    Sessions are told apart as in a suite's folder: by messages, task and trial.
    ``recorded`` is the session with its secrets, ``kept`` without; ``members``
    come with whether theirs were taken out before they were kept.
    """
    for member, is_posted in members:
        other, own = member.session.summary, kept if is_posted else recorded
        same = (own.digest, own.task_id, own.trial) == (other.digest, other.task_id, other.trial)
        begins = own.session_id == other.session_id and other.prefix_digests.startswith(
            own.prefix_digests
        )
        shorter = begins and len(own.prefix_digests) < len(other.prefix_digests)
        if same or shorter:
            return other.session_id
    return None


def keep_transcript(transcript: Transcript, folder: Path) -> Path:
    """Put the transcript, without secrets already, into its file, and return that.

    The file of an id is replaced as a whole. Raises ``StoreError``.
    """
    file = folder / f"{file_name(transcript.session_id)}.jsonl"
    try:
        replace_file(file, (f"{line}\n" for line in to_lines(transcript)))
    except OSError as error:
        raise StoreError(f"{file}: cannot be written: {error.strerror}") from error
    return file

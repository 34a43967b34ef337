"""The sessions that a service serves: those of its folders, and those posted to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_sessioneval.errors import SettingError, SuiteError
from pytest_sessioneval.evaluation.direct import suite_in
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.posted import (
    POSTED,
    Posted,
    Posting,
    keep_transcript,
    posted_folder,
    read_posted,
    same_session,
)
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.evaluation.watched_folder import ServedSuite, WatchedFolder
from pytest_sessioneval.stores.listings import CurrentVersions
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.stores.rows import instant
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.digest import summarise
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.redaction import redact
from pytest_sessioneval.transcripts.redaction_policy import RedactionPolicy
from pytest_sessioneval.transcripts.registry import Registry

__all__ = ["ServedSuite", "SessionSource"]

_REST = 4
"""How many times as long as it took to look nobody looks again."""


class SessionSource:
    """Knows what the folders hold, from any thread.

    They are walked at most once in ``interval_s`` seconds, large ones less often:
    looking takes at most a fifth of the time. A folder is read again when a file
    in it came, went or changed. What is found is kept in the store. Posted
    sessions are files below ``out``, a folder like the others. Raises
    ``SettingError`` for a folder that is none and ``SuiteError`` for its file.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        out: Path,
        judge: str | None,
        registry: Registry,
        store: Store,
        versions_of: Callable[[Suite], CurrentVersions],
        interval_s: float = 1.0,
    ) -> None:
        self._out = out
        self._judge = judge
        self._registry = registry
        self._transcripts = TranscriptSource(registry)
        self._shown: tuple[tuple[Member, RedactionPolicy], Transcript] | None = None
        self._store = store
        self._versions_of = versions_of
        self._interval_s = interval_s
        self._lock = threading.RLock()
        self._has_looked = False
        self._next_look_at = 0.0
        self._watched: dict[Path, WatchedFolder] = {}
        for folder in dict.fromkeys(folder.absolute() for folder in folders):
            if not folder.is_dir():
                raise SettingError(f"{folder} is no folder; name folders of recorded sessions")
            self._watch(folder, self._suite_of(folder))
        if (out / POSTED).is_dir():
            self._posted()

    def now(self) -> tuple[ServedSuite, ...]:
        """Return every folder's sessions, in the order of folders; raises ``StoreError``.

        While one caller reads what changed, others get what was known before.
        """
        if self._lock.acquire(blocking=not self._has_looked):
            try:
                if time.monotonic() >= self._next_look_at:
                    self._look()
            finally:
                self._lock.release()
        return tuple(watched.served for watched in list(self._watched.values()))

    def find(self, session_id: str) -> tuple[ServedSuite, Member] | None:
        """Return the session of that id and its suite; of several the one that listings show."""
        found = [
            (served, member)
            for served in self.now()
            for member in served.members
            if member.session.session_id == session_id
        ]
        found.sort(key=lambda pair: (pair[1].session.suite, pair[1].session.key))
        return max(found, key=lambda pair: _rank(pair[1]), default=None)

    def transcript(self, served: ServedSuite, member: Member) -> Transcript:
        """Return a session's transcript as its judge may see it: redacted as its suite says.

        The last one is remembered: a long session is looked at page by page. Raises
        ``TranscriptError`` when it cannot be read any more, or changed meanwhile.
        """
        wanted = (member, served.suite.redaction)
        kept = self._shown
        if kept is None or kept[0] != wanted:
            kept = self._shown = (wanted, self._transcripts.peek(*wanted))
        return kept[1]

    def post(self, data: bytes, *, table: bool = False) -> Posting:
        """Keep the sessions that a body holds, without their secrets, and return their ids.

        A session that is there already, here or in a folder, is known by its id.
        One whose id was posted with other content replaces it. ``table`` says
        that the body is CSV. Raises ``TranscriptError`` and ``StoreError``.
        """
        reading = read_posted(data, table=table, registry=self._registry)
        with self._lock:
            self.now()
            posted = self._posted()
            sessions = tuple(self._keep(found.transcript, posted) for found in reading.sessions)
        return Posting(
            sessions=sessions,
            problems=tuple(f"{one.locator}: {one.error.reason}" for one in reading.broken),
            skipped=len(reading.skipped),
        )

    def _keep(self, transcript: Transcript, posted: WatchedFolder) -> Posted:
        redacted = redact(transcript, posted.served.suite.redaction).transcript
        known = same_session(
            summarise(transcript),
            summarise(redacted),
            (
                (member, watched is posted)
                for watched in self._watched.values()
                for member in watched.served.members
            ),
        )
        if known is not None:
            return Posted(known, "known")
        session_id = redacted.session_id
        there = {member.session.session_id for member in posted.served.members}
        posted.added(keep_transcript(redacted, posted.folder))
        return Posted(session_id, "replaced" if session_id in there else "new")

    def _posted(self) -> WatchedFolder:
        """Return the folder of posted sessions, made and watched from now on."""
        folder = posted_folder(self._out).absolute()
        if folder not in self._watched:
            self._watch(folder, self._suite_of(folder))
            self._watched[folder].look()
        return self._watched[folder]

    def _look(self) -> None:
        began = time.monotonic()
        for watched in list(self._watched.values()):
            watched.look()
        ended = time.monotonic()
        if self._interval_s:
            self._next_look_at = ended + max(self._interval_s, _REST * (ended - began))
        self._has_looked = True

    def _watch(self, folder: Path, read_suite: Callable[[], Suite]) -> None:
        self._watched[folder] = WatchedFolder(
            folder,
            read_suite=read_suite,
            registry=self._registry,
            store=self._store,
            versions_of=self._versions_of,
        )

    def _suite_of(self, folder: Path) -> Callable[[], Suite]:
        def read() -> Suite:
            suite = suite_in(folder, self._judge)
            others = {
                watched.served.suite.name
                for root, watched in self._watched.items()
                if root != folder
            }
            if suite.name in others:
                suite = suite.model_copy(update={"name": folder.as_posix()})
            if suite.name in others:
                raise SuiteError(f"{folder}: two suites are named {suite.name}; rename one")
            return suite

        return read


def _rank(member: Member) -> tuple[bool, str]:
    """Return what listings order sessions by."""
    summary = member.session.summary
    last = summary.last_active
    return summary.metadata.get("pinned") is True, "" if last is None else instant(last)

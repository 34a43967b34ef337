"""The sessions that a service serves: those of its folders, read again when something changes."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_sessioneval.errors import SettingError, SuiteError, UsageError
from pytest_sessioneval.evaluation.direct import suite_in
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.evaluation.scanning import scan
from pytest_sessioneval.evaluation.walking import left_out_by_default, passed_over
from pytest_sessioneval.stores.listings import CurrentVersions
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.stores.rows import instant
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.registry import Registry
from pytest_sessioneval.verdicts.run import Sources

__all__ = ["ServedSuite", "SessionSource"]

_NOTHING = Sources()


@dataclass(frozen=True, slots=True)
class ServedSuite:
    """One folder's sessions as they are now."""

    suite: Suite
    members: tuple[Member, ...] = ()
    """Its sessions, in file order."""
    sources: Sources = _NOTHING
    """What its folder holds beside them: what could not be read, copies, other files."""
    versions: CurrentVersions | None = None
    """Under what its sessions count as evaluated; None: its judge cannot be opened here."""
    problem: str = ""
    """Why its folder, suite file or judge cannot be used as it stands; empty: it can."""


class SessionSource:
    """Knows what the folders hold, from any thread.

    A folder is walked at most once in ``interval_s`` seconds, and read again
    when a file in it came, went or changed. What is found is kept in the store.
    A suite file that stops being accepted is a ``problem`` of its folder: the
    last one that was accepted counts until it is mended; at the start it is a
    ``SuiteError``, and a folder that is none a ``SettingError``.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        judge: str | None,
        registry: Registry,
        store: Store,
        versions_of: Callable[[Suite], CurrentVersions],
        interval_s: float = 1.0,
    ) -> None:
        self._judge = judge
        self._registry = registry
        self._transcripts = TranscriptSource(registry)
        self._store = store
        self._versions_of = versions_of
        self._interval_s = interval_s
        self._lock = threading.RLock()
        self._looked_at: float | None = None
        self._states: dict[Path, str] = {}
        self._served: dict[Path, ServedSuite] = {}
        for folder in dict.fromkeys(folder.absolute() for folder in folders):
            self.add_folder(folder)

    def add_folder(self, folder: Path, name: str | None = None) -> None:
        """Serve one more folder, as a suite of that name; raises as the constructor does."""
        if not folder.is_dir():
            raise SettingError(f"{folder} is no folder; name folders of recorded sessions")
        with self._lock:
            suite = self._read_suite(folder, name)
            self._served[folder] = ServedSuite(suite)
            self._looked_at = None

    def now(self) -> tuple[ServedSuite, ...]:
        """Return every folder's sessions, in the order of folders; raises ``StoreError``.

        While one caller reads what changed, others get what was known before.
        """
        first = self._looked_at is None
        if self._lock.acquire(blocking=first):
            try:
                if self._looked_at is None or self._due():
                    self._look()
            finally:
                self._lock.release()
        return tuple(self._served.values())

    def look_again(self) -> None:
        """Read what changed up to now, whenever that was done last; raises ``StoreError``."""
        with self._lock:
            self._look()

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

        Raises ``TranscriptError`` when it cannot be read any more, or changed meanwhile.
        """
        return self._transcripts.peek(member, served.suite.redaction)

    def _due(self) -> bool:
        return self._looked_at is None or time.monotonic() - self._looked_at >= self._interval_s

    def _look(self) -> None:
        for folder, served in list(self._served.items()):
            state = _state_of(folder)
            if self._states.get(folder) != state:
                self._served[folder] = self._read_again(folder, served)
                self._states[folder] = state
        self._looked_at = time.monotonic()

    def _read_again(self, folder: Path, served: ServedSuite) -> ServedSuite:
        suite = served.suite
        try:
            if folder in self._states:
                suite = self._read_suite(folder, suite.name)
            found = scan(suite, registry=self._registry, store=self._store, ignored=passed_over)
        except UsageError as error:
            return replace(served, problem=str(error))
        self._store.put_sessions([member.session for member in found.members])
        versions, problem = served.versions, ""
        if versions is None or suite != served.suite:
            try:
                versions = self._versions_of(suite)
            except UsageError as error:
                versions, problem = None, str(error)
        return ServedSuite(suite, found.members, found.sources, versions, problem)

    def _read_suite(self, folder: Path, name: str | None) -> Suite:
        suite = suite_in(folder, self._judge)
        others = {s.suite.name for root, s in self._served.items() if root != folder}
        if name is not None:
            suite = suite.model_copy(update={"name": name})
        if suite.name in others:
            suite = suite.model_copy(update={"name": folder.as_posix()})
        if suite.name in others:
            raise SuiteError(f"{folder}: two suites are named {suite.name}; rename one")
        return suite


def _rank(member: Member) -> tuple[bool, str]:
    """Return what listings order sessions by."""
    summary = member.session.summary
    last = summary.last_active
    return summary.metadata.get("pinned") is True, "" if last is None else instant(last)


def _state_of(folder: Path) -> str:
    """Return what differs once any file below the folder came, went or was written to."""
    running = hashlib.sha256()
    for line in _entries(folder):
        running.update(line.encode("utf-8", "surrogateescape") + b"\0")
    return running.hexdigest()


def _entries(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        yield f"{folder} {error.errno}"
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if not left_out_by_default(Path(entry.path)):
                yield from _entries(Path(entry.path))
            continue
        try:
            status = entry.stat()
        except OSError as error:
            yield f"{entry.path} {error.errno}"
            continue
        times = f"{status.st_mtime_ns} {status.st_ctime_ns}"
        yield f"{entry.path} {status.st_ino} {status.st_size} {times}"

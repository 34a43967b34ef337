"""One folder of a service: its suite and sessions, read again when a file in it changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_sessioneval.errors import UsageError
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.scanning import scan
from pytest_sessioneval.evaluation.walking import left_out_by_default, passed_over
from pytest_sessioneval.stores.listings import CurrentVersions
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.registry import Registry
from pytest_sessioneval.verdicts.run import Sources

__all__ = ["ServedSuite", "WatchedFolder"]

_NOTHING = Sources()
_State = dict[str, tuple[int, ...]]
"""Of every file what differs once it was written to: inode, size and times."""


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


class WatchedFolder:
    """Knows what one folder holds; its user sees to it that one thread at a time asks.

    A suite file that stops being accepted is a ``problem``: the last one that
    was accepted counts until it is mended. At the start it is a ``UsageError``.
    """

    def __init__(
        self,
        folder: Path,
        *,
        read_suite: Callable[[], Suite],
        registry: Registry,
        store: Store,
        versions_of: Callable[[Suite], CurrentVersions],
    ) -> None:
        self.folder = folder
        self._read_suite = read_suite
        self._registry = registry
        self._store = store
        self._versions_of = versions_of
        self._state: _State | None = None
        self.served = ServedSuite(read_suite())
        """What was found when it was last looked at."""

    def look(self) -> None:
        """Read the folder again if a file in it came, went or changed; raises ``StoreError``."""
        state = dict(_entries(self.folder))
        if state != self._state:
            self.served = self._read_again()
            self._state = state

    def added(self, file: Path) -> None:
        """Know the sessions of a file that was just put here, without reading the others.

        Raises ``StoreError``.
        """
        store, registry = self._store, self._registry
        try:
            found = scan(
                self.served.suite, registry=registry, store=store, named=[file], only_named=True
            )
        except UsageError:  # such as an expectation of a session in another file
            self.look()
            return
        store.put_sessions([member.session for member in found.members])
        others = (one for one in self.served.members if one.path != file)
        listed = tuple(sorted((*others, *found.members), key=lambda one: one.id))
        counts = {"files_read": len({one.path for one in listed}), "sessions": len(listed)}
        sources = self.served.sources.model_copy(update=counts)
        self.served = replace(self.served, members=listed, sources=sources)
        if self._state is not None:
            self._state.update(_entry(file))

    def _read_again(self) -> ServedSuite:
        before = self.served
        try:
            suite = before.suite if self._state is None else self._read_suite()
            found = scan(suite, registry=self._registry, store=self._store, ignored=passed_over)
        except UsageError as error:
            return replace(before, problem=str(error))
        self._store.put_sessions([member.session for member in found.members])
        versions, problem = before.versions, ""
        if versions is None or suite != before.suite:
            try:
                versions = self._versions_of(suite)
            except UsageError as error:
                versions, problem = None, str(error)
        return ServedSuite(suite, found.members, found.sources, versions, problem)


def _entries(folder: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the state of everything below the folder that may count; hidden names do not."""
    try:
        with os.scandir(folder) as listing:
            entries = list(listing)
    except OSError as error:
        yield str(folder), (error.errno or 0,)
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if not entry.is_dir(follow_symlinks=False):
            yield from _entry(entry)
        elif not left_out_by_default(Path(entry.path)):
            yield from _entries(Path(entry.path))


def _entry(file: os.DirEntry[str] | Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    place = os.fspath(file)
    try:
        status = file.stat()
    except OSError as error:  # such as a link to nothing
        yield place, (error.errno or 0,)
        return
    yield place, (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

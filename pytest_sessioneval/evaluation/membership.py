"""Which sessions a suite has, and what each is called: keys, clusters, copies.

All of it is decided on the whole suite, never on a selection of it, so that
``-k`` or a path on the command line cannot give a session another key.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.suites.model import SuiteSettings
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.transcripts.model import SessionSummary

__all__ = ["FoundSummary", "Member", "Membership", "members"]

_SUMMARY_KEYS = ("session_id", "task_id", "trial", "agent_model", "profile_id", "name")


@dataclass(frozen=True, slots=True)
class FoundSummary:
    """A session as its file gave it."""

    path: Path
    relative: str
    summary: SessionSummary

    @property
    def id(self) -> str:
        """What names it in its suite: its file, with its locator where there are several."""
        locator = self.summary.locator
        return self.relative if locator is None else f"{self.relative}::{locator}"


class Member(Frozen):
    """One session of a suite, and the file it is read from."""

    id: str
    """What names it in its suite: its relative path, with ``::locator`` in a file of several."""
    path: Path
    """Its file."""
    session: SuiteSession
    """The session, without its text."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A suite's sessions, in file order, and what was left out as a copy of one of them."""

    members: tuple[Member, ...]
    duplicates: tuple[tuple[str, str], ...]
    repeated_keys: tuple[str, ...]


def members(suite: str, settings: SuiteSettings, found: Sequence[FoundSummary]) -> Membership:
    """Return the suite's sessions.

    Copies and growing prefixes of one session count once: the longest. Keys are
    as configured, else the task id (and trial) where every session has one and
    no two share it, else the session's place. Sessions that would share a
    configured key are told apart by their place and listed in ``repeated_keys``.
    Raises ``SuiteError`` when a session lacks the configured key.
    """
    kept, duplicates = _without_copies(found)
    keys = _keys(settings, kept)
    counts = Counter(keys)
    clusters = _clusters(settings, kept)
    listed = tuple(
        Member(
            id=item.id,
            path=item.path,
            session=SuiteSession(
                suite=suite,
                key=key if counts[key] == 1 else f"{key} ({item.id})",
                cluster=cluster,
                path=item.relative,
                summary=item.summary,
            ),
        )
        for item, key, cluster in zip(kept, keys, clusters, strict=True)
    )
    repeated = tuple(sorted(key for key, count in counts.items() if count > 1))
    return Membership(listed, duplicates, repeated)


def _without_copies(
    found: Sequence[FoundSummary],
) -> tuple[list[FoundSummary], tuple[tuple[str, str], ...]]:
    groups: dict[tuple[object, ...], list[FoundSummary]] = defaultdict(list)
    for item in found:
        groups["id", item.summary.session_id].append(item)
        groups["digest", item.summary.digest, item.summary.task_id, item.summary.trial].append(item)
    kept_for: dict[str, str] = {}
    for group in groups.values():
        for item, longer in _copies(group):
            kept_for.setdefault(item.id, longer.id)
    duplicates = []
    for item in found:
        if item.id in kept_for:
            final = kept_for[item.id]
            while final in kept_for:
                final = kept_for[final]
            duplicates.append((item.id, final))
    return [item for item in found if item.id not in kept_for], tuple(duplicates)


def _copies(group: Sequence[FoundSummary]) -> Iterable[tuple[FoundSummary, FoundSummary]]:
    """Yield (copy, the one kept): what another session of the group begins with."""
    if len(group) == 1:
        return
    longest_first = sorted(group, key=lambda item: -len(item.summary.prefix_digests))
    kept: list[FoundSummary] = []
    for item in longest_first:
        own = item.summary.prefix_digests
        longer = next((k for k in kept if k.summary.prefix_digests.startswith(own)), None)
        if longer is None:
            kept.append(item)
        else:
            yield item, longer


def _keys(settings: SuiteSettings, kept: Sequence[FoundSummary]) -> list[str]:
    if settings.key == "path":
        return [item.id for item in kept]
    if settings.key is not None:
        return [_configured(settings.key, "key", item) for item in kept]
    by_task = [_task_key(item.summary) for item in kept]
    if all(by_task) and len(set(by_task)) == len(by_task):
        return [str(key) for key in by_task]
    return [item.id for item in kept]


def _task_key(summary: SessionSummary) -> str | None:
    if summary.task_id is None or summary.trial is None:
        return summary.task_id
    return f"{summary.task_id}#{summary.trial}"


def _clusters(settings: SuiteSettings, kept: Sequence[FoundSummary]) -> list[str | None]:
    if settings.cluster is not None:
        return [_configured(settings.cluster, "cluster", item) for item in kept]
    tasks = Counter(item.summary.task_id for item in kept)
    repeats = any(count > 1 for task, count in tasks.items() if task is not None)
    return [item.summary.task_id if repeats else None for item in kept]


def _configured(name: str, setting: str, item: FoundSummary) -> str:
    summary = item.summary
    value = summary.metadata.get(name)
    if value is None and name in _SUMMARY_KEYS:
        value = getattr(summary, name)
    if value is None:
        known = {key for key, held in summary.metadata.items() if held is not None}
        known |= {key for key in _SUMMARY_KEYS if getattr(summary, key) is not None}
        if setting == "key":
            known.add("path")
        raise SuiteError(
            f'[suite] {setting} = "{name}": session {item.id} has no {name}; '
            f"it has {', '.join(sorted(known))}"
        )
    return str(value)

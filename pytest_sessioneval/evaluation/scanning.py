"""What a suite's folder holds: files read, or looked up by their bytes, and what went wrong."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_sessioneval.errors import SuiteError, TranscriptError, UnrecognisedError
from pytest_sessioneval.evaluation.membership import FoundSummary, Member, members
from pytest_sessioneval.evaluation.reading import Readings, redacted_summary
from pytest_sessioneval.evaluation.walking import Candidate, Ignored, walk
from pytest_sessioneval.garbage import paused
from pytest_sessioneval.gate.drift import FEWEST_CANARIES
from pytest_sessioneval.gate.model import anchor_name
from pytest_sessioneval.stores.protocol import IndexedFile, Store
from pytest_sessioneval.suites.expectations import unmatched_expectations
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.model import SessionSummary
from pytest_sessioneval.transcripts.reader import FileReading, Limits
from pytest_sessioneval.transcripts.redaction_policy import RedactionPolicy
from pytest_sessioneval.transcripts.registry import Registry, content_fingerprint
from pytest_sessioneval.verdicts.run import FileProblem, Sources

__all__ = ["Scan", "nothing_found", "scan"]


@dataclass(frozen=True, slots=True)
class Scan:
    """All that a suite's folder holds.

    ``problems`` pairs each file, or session of a file, that cannot be read with
    its path and what names it.
    """

    suite: Suite
    members: tuple[Member, ...]
    problems: tuple[tuple[Path, FileProblem], ...]
    sources: Sources
    canaries: tuple[Member, ...] = ()
    """The frozen sessions that ``[gate] canaries`` names; not among ``members``."""
    repeated_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _File:
    """One candidate, read or looked up."""

    candidate: Candidate
    sessions: tuple[SessionSummary, ...] = ()
    problems: tuple[FileProblem, ...] = ()
    skipped: tuple[tuple[str, int], ...] = ()
    unknown: tuple[tuple[str, int], ...] = ()


def scan(
    suite: Suite,
    *,
    registry: Registry,
    store: Store | None,
    ignored: Ignored = lambda _path, _is_folder: False,
    named: Collection[Path] = (),
    only_named: bool = False,
    limits: Limits | None = None,
    readings: Readings | None = None,
) -> Scan:
    """Return what the suite's folder holds; reads only files whose bytes the store does not know.

    Without a store every file is read, and nothing is kept.
    ``named`` are files the user named: not holding a session is then an error;
    ``only_named``: the suite is these files and nothing else. ``readings``
    keeps what had to be read, for whoever judges it.
    Raises ``SuiteError`` when keys cannot be made, when two sessions share one
    in a suite with a gate, when something is expected of a session that is not
    there, or when there are too few canaries.
    """
    limits = limits or Limits()
    frozen = _canary_files(suite, ignored)
    own = {suite.file, *_files_of(suite), *(candidate.path for candidate in frozen)}
    candidates = [
        candidate
        for candidate in walk(
            suite.root,
            globs=suite.settings.suite.sessions,
            ignored=ignored,
            named=named,
            only_named=only_named,
        )
        if candidate.path not in own and not registry.owns(candidate.path)
    ]
    how = _How(registry, limits, suite.redaction, readings)
    with paused(len(candidates)):
        files = _read(candidates, how, store)
        return _scanned(suite, files, _read(frozen, how, store), named)


def _scanned(
    suite: Suite, files: Sequence[_File], frozen_files: Sequence[_File], named: Collection[Path]
) -> Scan:
    membership = members(suite.name, suite.settings.suite, _found(files))
    canaries = _canaries(suite, frozen_files)
    if membership.repeated_keys and suite.settings.gate is not None:
        raise SuiteError(
            f"suite {suite.name}: {len(membership.repeated_keys)} keys name more than one session "
            f"({', '.join(membership.repeated_keys[:3])}); a gate pairs sessions by key: "
            'set [suite] key = "path", or a metadata key that is unique'
        )
    _check_expectations(suite, membership.members)
    problems = tuple(
        (file.candidate.path, problem)
        for file in (*files, *frozen_files)
        for problem in (*file.problems, *_no_session(file, named))
    )
    return Scan(
        suite=suite,
        members=membership.members,
        problems=problems,
        canaries=canaries,
        repeated_keys=membership.repeated_keys,
        sources=Sources(
            files_read=sum(1 for file in files if file.sessions),
            sessions=len(membership.members),
            not_sessions=tuple(
                file.candidate.relative
                for file in files
                if not file.sessions and not file.problems and file.candidate.path not in named
            ),
            duplicates=membership.duplicates,
            skipped_lines=_total(file.skipped for file in files),
            unknown_records=_total(file.unknown for file in files),
            problems=tuple(problem for _, problem in problems),
        ),
    )


def _found(files: Iterable[_File]) -> list[FoundSummary]:
    return [
        FoundSummary(file.candidate.path, file.candidate.relative, summary)
        for file in files
        for summary in file.sessions
    ]


def _canary_files(suite: Suite, ignored: Ignored) -> list[Candidate]:
    gate = suite.settings.gate
    if gate is None or not gate.canaries:
        return []
    return list(walk(suite.root, globs=gate.canaries, ignored=ignored))


def _canaries(suite: Suite, files: Sequence[_File]) -> tuple[Member, ...]:
    """Return the canaries, named by their place; raises ``SuiteError`` when they are too few."""
    gate = suite.settings.gate
    if gate is None or not gate.canaries:
        return ()
    by_place = suite.settings.suite.model_copy(update={"key": "path", "cluster": None})
    found = members(suite.name, by_place, _found(files)).members
    broken = any(file.problems for file in files)
    if len(found) < FEWEST_CANARIES and not broken:
        raise SuiteError(
            f"suite {suite.name}: [gate] canaries = {list(gate.canaries)} names {len(found)} "
            f"sessions; {FEWEST_CANARIES} to 20 can tell a judge that moved from an agent that "
            "did: copy some of the suite's sessions there, or remove the key"
        )
    return found


def nothing_found(suite: Suite, others: int, named: Collection[Path] = ()) -> str:
    """Return what to say of a suite without a session; ``others`` files hold something else.

    ``named`` are the only files that were looked at; empty: all of the suite's.
    """
    if named:
        files = ", ".join(map(str, sorted(named)))
        return (
            f"no session in {files}: no reader recognises what is in there. "
            "The formats that are read are listed in docs/transcripts.md"
        )
    globs = suite.settings.suite.sessions
    looked = f"[suite] sessions = {list(globs)}" if globs else "every file a reader recognises"
    held = "1 JSON file holds" if others == 1 else f"{others:,} JSON files hold"
    seen = f"; {held} no session that a reader recognises" if others else ""
    return (
        f"suite {suite.name}: no session in {suite.root} ({looked}){seen}. "
        "The formats that are read are listed in docs/transcripts.md"
    )


def _check_expectations(suite: Suite, listed: Sequence[Member]) -> None:
    keys = [member.session.key for member in listed]
    unmatched = unmatched_expectations(suite, keys)
    if unmatched:
        names = ", ".join(sorted({str(item.session) for item in unmatched}))
        raise SuiteError(
            f"suite {suite.name}: [[expect]] names sessions that are not there: {names}; "
            f"the keys are {', '.join(keys[:5])}{' …' if len(keys) > 5 else ''}"  # noqa: PLR2004
        )


def _files_of(suite: Suite) -> set[Path]:
    """Return the files the suite itself is made of: never sessions."""
    settings = suite.settings
    named = [*settings.profiles.values()]
    if settings.gate is not None:
        named += [settings.gate.baseline, anchor_name(settings.gate.baseline)]
    if settings.judge.card is not None:
        named.append(settings.judge.card)
    if settings.suite.rubric.endswith(".toml"):
        named.append(settings.suite.rubric)
    if settings.judge.calibration is not None:
        named.append(settings.judge.calibration)
    files = {suite.root / name for name in named}
    for glob in settings.suite.feedback:
        files.update(suite.root.glob(glob))
    return files


@dataclass(frozen=True, slots=True)
class _How:
    """How files are read."""

    registry: Registry
    limits: Limits
    policy: RedactionPolicy
    readings: Readings | None

    @property
    def fingerprint(self) -> str:
        """What a kept summary depends on: who read it, and what counts as a secret in it."""
        return f"{self.registry.fingerprint}-{self.policy.fingerprint}"

    def read(self, candidate: Candidate) -> FileReading:
        """Return what the file holds, kept where it stands alone; raises ``TranscriptError``."""
        path, readings = candidate.path, self.readings
        # A session that stands in other files too may change without its own.
        if readings is None or self.registry.companions(path) or not path.exists():
            return self.registry.read(path, self.limits)
        status = path.stat()
        reading = self.registry.read(path, self.limits)
        readings.keep(path, reading, status)
        return reading


def _read(candidates: Sequence[Candidate], how: _How, store: Store | None) -> list[_File]:
    found = [_content_or_problem(candidate, how) for candidate in candidates]
    contents = [content for content in found if isinstance(content, str)]
    known = {} if store is None else store.indexed_files(contents, how.fingerprint)
    files: list[_File] = []
    fresh: list[IndexedFile] = []
    for candidate, content in zip(candidates, found, strict=True):
        if isinstance(content, _File):
            files.append(content)
        elif content in known:
            files.append(_looked_up(candidate, known[content]))
        else:
            file, indexed = _parse(candidate, content, how)
            files.append(file)
            if indexed is not None:
                fresh.append(indexed)
    if fresh and store is not None:
        store.index_files(fresh)
    return files


def _content_or_problem(candidate: Candidate, how: _How) -> str | _File:
    """Return what the file's content is known by; or the file, where it cannot be opened."""
    if candidate.problem:
        return _broken(candidate, candidate.problem)
    try:
        return _fingerprint(candidate, how)
    except TranscriptError as error:
        return _broken(candidate, error.reason)
    except OSError as error:
        return _broken(candidate, f"cannot be read: {error.strerror}")


def _fingerprint(candidate: Candidate, how: _How) -> str:
    size = os.stat(candidate.path).st_size  # noqa: PTH116  one call for 10,000 files
    if size > how.limits.file_bytes:
        # Reading it would only find the same limit, after reading it.
        how.read(candidate)
    return content_fingerprint(candidate.path, how.registry.companions(candidate.path))


def _parse(candidate: Candidate, content: str, how: _How) -> tuple[_File, IndexedFile | None]:
    try:
        reading = how.read(candidate)
    except UnrecognisedError as error:
        if error.parsed:
            nothing = IndexedFile(content, how.fingerprint, None, (), {}, {})
            return _File(candidate), nothing
        if not candidate.expected:
            return _File(candidate), None
        return _broken(candidate, error.reason, error.place.line), None
    except TranscriptError as error:
        if not candidate.expected:
            return _File(candidate), None
        return _broken(candidate, error.reason, error.place.line), None
    summaries = tuple(
        redacted_summary(found.transcript, found.locator, how.policy) for found in reading.sessions
    )
    skipped = Counter(line.reason for line in reading.skipped)
    file = _File(
        candidate,
        summaries,
        _session_problems(candidate, reading),
        tuple(sorted(skipped.items())),
        tuple(sorted(reading.unknown.items())),
    )
    if reading.broken:
        return file, None
    indexed = IndexedFile(
        content=content,
        readers=how.fingerprint,
        reader=reading.reader,
        sessions=summaries,
        skipped=dict(skipped),
        unknown=dict(reading.unknown),
    )
    return file, indexed


def _session_problems(candidate: Candidate, reading: FileReading) -> tuple[FileProblem, ...]:
    return tuple(
        FileProblem(
            path=f"{candidate.relative}::{broken.locator}",
            line=broken.error.place.line,
            reason=broken.error.reason,
        )
        for broken in reading.broken
    )


def _looked_up(candidate: Candidate, known: IndexedFile) -> _File:
    return _File(
        candidate,
        known.sessions,
        (),
        tuple(sorted(known.skipped.items())),
        tuple(sorted(known.unknown.items())),
    )


def _broken(candidate: Candidate, reason: str, line: int | None = None) -> _File:
    problem = FileProblem(path=candidate.relative, line=line, reason=reason)
    return _File(candidate, problems=(problem,))


def _no_session(file: _File, named: Collection[Path]) -> tuple[FileProblem, ...]:
    if file.candidate.path not in named or file.sessions or file.problems:
        return ()
    reason = "holds no session that a reader recognises; see docs/transcripts.md for the formats"
    return (FileProblem(path=file.candidate.relative, reason=reason),)


def _total(counts: Iterable[tuple[tuple[str, int], ...]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for pairs in counts:
        for name, count in pairs:
            total[name] += count
    return dict(sorted(total.items()))

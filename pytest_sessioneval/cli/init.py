"""Makes a folder of sessions a suite: looks, says what it recognised, writes the suite file."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_sessioneval.errors import SettingError, SuiteError, TranscriptError
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.evaluation.scanning import Scan, scan
from pytest_sessioneval.evaluation.suggesting import example_of, suite_text
from pytest_sessioneval.evaluation.walking import Ignored, left_out_by_default
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.wording import count_list, counted
from pytest_sessioneval.suites.discovery import SUITE_FILE, find_suite_file
from pytest_sessioneval.suites.loading import default_suite
from pytest_sessioneval.transcripts.model import SessionSummary, Transcript
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers
from pytest_sessioneval.verdicts.run import FileProblem

__all__ = ["make_suite"]

_SAMPLED = 20
_NAMED = 5


def make_suite(path: str, *, force: bool) -> Iterator[str]:
    """Write a suite file into the folder; yield what was recognised, what was written, what next.

    Raises ``SettingError`` where the path is no folder, ``SuiteError`` where it
    holds no session, where there is a suite file already (unless ``force``) and
    where none can be written; nothing is written then.
    """
    folder = _folder(path)
    file = folder / SUITE_FILE
    if os.path.lexists(file) and not force:
        raise _is_there(file)
    inner: list[Path] = []
    registry = Registry(builtin_readers())
    # The suite file, there already or not, is none of the files that may hold sessions.
    suite = default_suite(folder)
    suite = suite.model_copy(update={"file": suite.root / SUITE_FILE})
    found = scan(suite, registry=registry, store=None, ignored=_ignored(inner))
    if not found.members:
        raise _nothing(folder, found, inner)
    text = suite_text(found, example_of(_sample(found.members, registry)))
    _write(file, text, replace=force)
    yield from _recognised(path, found)
    yield from _neighbours(suite.root, inner)
    yield f"wrote {one_line(str(file))}"
    yield f"to judge the sessions: pytest {one_line(shlex.quote(_as_argument(path)))}"


# -- looking -------------------------------------------------------------------------


def _folder(path: str) -> Path:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - Path.exists() raises for some paths only
    except OSError as error:
        raise SettingError(f"{path}: {error.strerror}; name a folder of sessions") from None
    if not stat.S_ISDIR(mode):
        above = shlex.quote(str(Path(path).parent))
        raise SettingError(f"{path} is no folder; name the one it is in: sessioneval init {above}")
    return Path(path)


def _ignored(inner: list[Path]) -> Ignored:
    """Return what pytest leaves out by default, and suites of their own, noted in ``inner``."""

    def ignored(path: Path, is_folder: bool) -> bool:  # noqa: FBT001 - the shape of Ignored
        if not is_folder:
            return False
        if left_out_by_default(path):
            return True
        if find_suite_file(path) is not None:
            inner.append(path)
            return True
        return False

    return ignored


def _sample(members: Sequence[Member], registry: Registry) -> list[tuple[str, Transcript]]:
    """Return keys and transcripts of some sessions that call tools, from all over the suite."""
    calling = [member for member in members if member.session.summary.tool_call_count]
    source = TranscriptSource(registry)
    sample = []
    for member in calling[:: -(-len(calling) // _SAMPLED) or 1]:
        with contextlib.suppress(TranscriptError):  # it changed since the scan
            sample.append((member.session.key, source.load(member)))
    return sample


# -- saying --------------------------------------------------------------------------


def _recognised(path: str, found: Scan) -> Iterator[str]:
    summaries = [member.session.summary for member in found.members]
    formats = Counter(summary.source for summary in summaries)
    yield (
        f"{one_line(path)}: {counted(len(summaries), 'session')} in "
        f"{counted(found.sources.files_read, 'file')} ({count_list(formats)})"
    )
    sizes = (
        (sum(summary.message_count for summary in summaries), "message"),
        (sum(summary.tool_call_count for summary in summaries), "tool call"),
        (sum(summary.subsession_count for summary in summaries), "sub-agent"),
    )
    yield f"  {', '.join(counted(number, noun) for number, noun in sizes if number)}"
    yield from _tasks(summaries)
    yield from _outcomes(summaries)
    yield from _not_taken(found)


def _tasks(summaries: Sequence[SessionSummary]) -> Iterator[str]:
    tasks = Counter(summary.task_id for summary in summaries if summary.task_id is not None)
    if tasks:
        repeated = sum(1 for count in tasks.values() if count > 1)
        more = f", {repeated:,} of them attempted more than once" if repeated else ""
        yield f"  {counted(len(tasks), 'task')}{more}"


def _outcomes(summaries: Sequence[SessionSummary]) -> Iterator[str]:
    outcomes = [summary.outcome for summary in summaries if summary.outcome is not None]
    if outcomes:
        kinds = ", ".join(sorted({one_line(outcome.kind, 40) for outcome in outcomes}))
        words = Counter(_in_words(outcome.value) for outcome in outcomes)
        yield f"  recorded outcomes ({kinds}): {count_list(words)}"


def _in_words(value: float | None) -> str:
    if value is None:
        return "without a number"
    return {0.0: "failed", 1.0: "succeeded"}.get(round(value, 6), "partial")


def _not_taken(found: Scan) -> Iterator[str]:
    """Yield what is in the folder and is no session of the suite."""
    sources = found.sources
    if sources.duplicates:
        yield f"  {counted(len(sources.duplicates), 'copy', 'copies')} of sessions left out"
    if sources.not_sessions:
        yield (
            f"  {counted(len(sources.not_sessions), 'file')} without a session: "
            f"{_some(sources.not_sessions)}"
        )
    if sources.skipped_lines:
        total = sum(sources.skipped_lines.values())
        yield f"  {counted(total, 'line')} skipped: {count_list(sources.skipped_lines, _NAMED)}"
    if sources.unknown_records:
        total = sum(sources.unknown_records.values())
        listed = count_list(sources.unknown_records, _NAMED)
        yield f"  {counted(total, 'record')} of unknown kinds left out: {listed}"
    if sources.problems:
        errors = "an error" if len(sources.problems) == 1 else "errors"
        yield f"  {len(sources.problems):,} cannot be read and will be {errors}:"
        for problem in sources.problems[:_NAMED]:
            yield f"    {_problem_text(problem)}"
        if len(sources.problems) > _NAMED:
            yield f"    and {len(sources.problems) - _NAMED:,} more"


def _neighbours(folder: Path, inner: Sequence[Path]) -> Iterator[str]:
    if inner:
        names = _some([path.relative_to(folder).as_posix() for path in inner])
        yield f"  {counted(len(inner), 'suite')} inside, left alone: {names}"
    outer = next((above for above in folder.parents if find_suite_file(above)), None)
    if outer is not None:
        yield f"  no longer part of the suite in {one_line(str(outer))}"


def _some(names: Sequence[str]) -> str:
    shown = [one_line(name, 80) for name in names[:_NAMED]]
    return ", ".join([*shown, "…"] if len(names) > _NAMED else shown)


def _problem_text(problem: FileProblem) -> str:
    line = "" if problem.line is None else f":{problem.line}"
    return one_line(f"{problem.path}{line}: {problem.reason}", 200)


def _as_argument(path: str) -> str:
    return f"./{path}" if path.startswith("-") else path


def _nothing(folder: Path, found: Scan, inner: Sequence[Path]) -> SuiteError:
    root, sources = found.suite.root, found.sources
    seen = []
    if sources.not_sessions:
        others = counted(len(sources.not_sessions), "JSON file")
        seen.append(f"{others} without one ({_some(sources.not_sessions)})")
    if sources.problems:
        unreadable = counted(len(sources.problems), "error")
        seen.append(f"{unreadable}, the first {_problem_text(sources.problems[0])}")
    if inner:
        names = _some([path.relative_to(root).as_posix() for path in inner])
        seen.append(f"{counted(len(inner), 'suite')} inside ({names})")
    what = "; ".join(seen) or "no JSON file at all"
    return SuiteError(
        f"{folder}: no session of a known format; found: {what}. The formats that are read are "
        "listed in docs/transcripts.md; nothing was written"
    )


# -- writing -------------------------------------------------------------------------


def _write(file: Path, text: str, *, replace: bool) -> None:
    """Write a whole file or none; a link in its place is replaced, never followed."""
    written = file.with_name(f".{file.name}.{secrets.token_hex(8)}.tmp") if replace else file
    try:
        with written.open("x", encoding="utf-8", newline="\n") as opened:
            try:
                opened.write(text)
                opened.flush()
                if replace:
                    written.replace(file)
            except BaseException:
                with contextlib.suppress(OSError):
                    written.unlink()
                raise
    except FileExistsError:
        raise _is_there(file) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SuiteError(f"{file}: cannot be written: {reason}; nothing was written") from None


def _is_there(file: Path) -> SuiteError:
    return SuiteError(
        f"{file} is there already: edit it, or have it replaced with --force, which forgets what "
        "it says"
    )

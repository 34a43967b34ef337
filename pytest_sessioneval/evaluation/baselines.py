"""Baseline files: where they lie, read as they are, written as a whole or not at all.

Beside ``baseline.json`` may lie ``baseline.anchor.json``, the pinned one that a
run must hold against as well, so that small drops cannot add up. Only
``pin_anchor`` writes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_sessioneval.errors import BaselineError
from pytest_sessioneval.gate.baseline import (
    baseline_of,
    baseline_text,
    parse_baseline,
)
from pytest_sessioneval.gate.canaries import check_canaries
from pytest_sessioneval.gate.model import Baseline, anchor_name
from pytest_sessioneval.gate.moves import BaselineMove, move_lines, moved
from pytest_sessioneval.reports.writing import replace_file
from pytest_sessioneval.suites.model import GateSettings, Suite
from pytest_sessioneval.verdicts.run import SuiteRun

__all__ = [
    "BaselineWritten",
    "baseline_path",
    "pin_anchor",
    "read_baseline",
    "reader_versions",
    "update_baseline",
    "write_baseline",
]

_WRITE = "--sessioneval-update-baseline"


@dataclass(frozen=True, slots=True)
class BaselineWritten:
    """What writing a baseline changed."""

    path: Path
    """The file."""
    changed: bool
    """Whether it was written; else it held the same already."""
    move: BaselineMove
    """What moved."""
    notes: tuple[str, ...] = ()
    """What to do next, a sentence each."""

    def lines(self, shown: str = "") -> tuple[str, ...]:
        """Return all of it in words, the file first: by the name ``shown``, else its path.

        Keys stand as recorded; whoever prints them neutralises them.
        """
        name = shown or str(self.path)
        if not self.changed:
            return (f"{name} holds these scores already", *self.notes)
        moves = (f"  {line}" for line in move_lines(self.move))
        return (f"wrote {name}", *moves, *self.notes)


def baseline_path(suite: Suite, given: Path | None = None) -> Path:
    """Return the suite's baseline file; ``given`` is --sessioneval-baseline, absolute."""
    settings = suite.settings.gate or GateSettings()
    return given if given is not None else suite.root / settings.baseline


def read_baseline(path: Path) -> Baseline | None:
    """Return the baseline of a file; None where there is no file.

    Raises ``BaselineError`` when it is empty, corrupt or from a newer format,
    and when it cannot be read: a file that is there is never passed over.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if path.is_symlink():
            raise BaselineError(f"{path}: the baseline is a link to a file that is gone") from None
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise BaselineError(
            f"{path}: the baseline cannot be read: {why}; restore it from version control, or "
            f"write it again with {_WRITE}"
        ) from None
    return parse_baseline(text, place=str(path))


def reader_versions(run: SuiteRun) -> dict[str, str]:
    """Return the versions of the readers as the gate names them."""
    return {name: str(version) for name, version in run.readers.items()}


def update_baseline(
    run: SuiteRun, *, suite: Suite, partial: str = "", given: Path | None = None
) -> BaselineWritten:
    """Write the run as the suite's baseline, and return what moved.

    Raises ``BaselineError`` and writes nothing unless the run is complete and
    free of errors (``partial``: why it is not all of the suite). A baseline that
    is there and cannot be read is replaced. The anchor is never touched.
    """
    fresh = baseline_of(
        run, scoring=run.scoring_version, readers=reader_versions(run), partial=partial
    )
    _check_canaries_judged(run, suite)
    path = baseline_path(suite, given)
    notes: list[str] = []
    try:
        old = read_baseline(path)
    except BaselineError as error:
        old = None
        notes.append(f"replaced what could not be read: {error}")
    fresh = _of_one_judge(fresh, old, run, path)
    changed = old is None or baseline_text(old) != baseline_text(fresh)
    if changed:
        write_baseline(path, fresh)
    notes.extend(_next_steps(path, fresh, suite))
    return BaselineWritten(path=path, changed=changed, move=moved(old, fresh), notes=tuple(notes))


def _check_canaries_judged(run: SuiteRun, suite: Suite) -> None:
    gate = suite.settings.gate
    if gate is not None and gate.canaries and not run.canaries:
        raise BaselineError(
            f"the baseline of suite {run.suite!r} is not written: its canaries were not judged; "
            "run without --sessioneval-offline"
        )


def _of_one_judge(fresh: Baseline, old: Baseline | None, run: SuiteRun, path: Path) -> Baseline:
    """Return the baseline whose canaries were scored by the judge that scored its sessions.

    Sessions that score as before were judged when the old canaries were. Raises
    ``BaselineError`` where the judge moved since and some scores are from before.
    """
    if old is None or old.versions != fresh.versions:
        return fresh
    check = check_canaries("baseline", old.canaries, fresh.canaries, fresh.axes)
    if check.moved and run.from_store:
        raise BaselineError(
            f"{path}: the baseline is not written: the judge moved since the last one (its "
            f"canaries' scores of {', '.join(check.moved)} shifted), and {run.from_store} of "
            f"{len(run.results)} sessions' scores in the store are from before. Judge all of them "
            "as it is now: `sessioneval baseline rejudge --fresh`, another store with "
            "--sessioneval-store, or a dated version of the judge's model"
        )
    frozen = {session.key: session.digest for session in old.canaries}
    same = frozen == {session.key: session.digest for session in fresh.canaries}
    if same and not check.moved and old.sessions == fresh.sessions:
        return fresh.model_copy(update={"canaries": old.canaries})
    return fresh


def pin_anchor(suite: Suite, given: Path | None = None) -> BaselineWritten:
    """Make the suite's baseline its anchor, and return what moved.

    Raises ``BaselineError`` when there is no baseline, or it cannot be read.
    """
    path = baseline_path(suite, given)
    baseline = read_baseline(path)
    if baseline is None:
        raise BaselineError(
            f"{path}: there is no baseline to pin; write one with pytest {suite.root} {_WRITE}"
        )
    anchor = path.with_name(anchor_name(path.name))
    notes: tuple[str, ...] = ()
    try:
        old = read_baseline(anchor)
    except BaselineError as error:
        old = None
        notes = (f"replaced what could not be read: {error}",)
    changed = old != baseline
    if changed:
        write_baseline(anchor, baseline)
    return BaselineWritten(path=anchor, changed=changed, move=moved(old, baseline), notes=notes)


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Write the file as a whole or not at all; raises ``BaselineError``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, [baseline_text(baseline)])
    except OSError as error:
        raise BaselineError(
            f"{path}: the baseline cannot be written: {error.strerror or error}; nothing was "
            "changed"
        ) from error


def _next_steps(path: Path, fresh: Baseline, suite: Suite) -> list[str]:
    anchor = path.with_name(anchor_name(path.name))
    try:
        pinned = read_baseline(anchor)
    except BaselineError as error:
        return [f"the anchor cannot be read: {error}"]
    if pinned is None or pinned.versions == fresh.versions:
        return []
    return [
        (
            f"{anchor} was made with other versions and is not comparable any more: score it again "
            f"with `sessioneval baseline rejudge --anchor {suite.root}`, or pin this baseline with "
            f"`sessioneval baseline anchor {suite.root}`"
        )
    ]

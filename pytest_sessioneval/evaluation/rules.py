"""By whose rules a suite is judged: the working tree's, or those of a git revision.

Held against a revision, a suite takes from there what could make its own
sessions look better: rubric, judge (with its calibration, and what is replaced
before it sees a session), thresholds, gate, and what names, groups and reads
sessions (``key``, ``cluster``, ``use_outcome``). Sessions, what is expected of
each, and what the agent was told to be are what a change is about: they come
from the working tree.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.evaluation.baselines import baseline_path
from pytest_sessioneval.evaluation.revisions import Revision
from pytest_sessioneval.gate.model import anchor_name
from pytest_sessioneval.gate.outcome import Rule
from pytest_sessioneval.suites.crosschecks import path_problems
from pytest_sessioneval.suites.discovery import SUITE_FILE
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.suites.model import Rubric, Suite, SuiteFile
from pytest_sessioneval.suites.rubric import builtin_rubrics
from pytest_sessioneval.suites.tomlfile import read_toml

__all__ = ["Ruled", "baseline_name", "suite_at", "suite_ruled_by"]

_TAKEN = ("key", "cluster", "rubric", "use_outcome")
"""What is taken from the revision's ``[suite]``."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """A suite as it is to be judged, and what the working tree would have changed."""

    suite: Suite
    """The working tree's sessions under the revision's rules."""
    overruled: tuple[Rule, ...]
    """What the working tree changes, and what the revision's version is used of."""
    followed: tuple[Rule, ...]
    """What the working tree changes, and what its own version is used of."""
    new: bool
    """The revision does not have the suite: its own rules count."""


def suite_at(
    suite: Suite,
    revision: Revision,
    *,
    judge: str | None = None,
    repeats: int | None = None,
    rubric: Rubric | None = None,
) -> Suite | None:
    """Return the suite as it is in a revision; None where that has no such suite file.

    Its ``root`` is a folder that is gone: only its values count. ``judge``,
    ``repeats`` and ``rubric`` as for ``load_suite``. Raises ``SuiteError`` naming
    commit and file.
    """
    name = SUITE_FILE if suite.file is None else _relative(suite.file, suite.root)
    text = revision.text(name)
    if text is None:
        return None
    with tempfile.TemporaryDirectory(prefix="sessioneval-") as made:
        folder = Path(made).resolve()
        file = _export(folder, name, text)
        try:
            settings = read_toml(file, what="suite file").read_as(SuiteFile)
            for other in _files_of(settings):
                # What leads elsewhere is for load_suite to refuse, with its line.
                inside = Path(os.path.normpath(folder / other)).is_relative_to(folder)
                inner = revision.text(other) if inside else None
                if inner is not None:
                    _export(folder, other, inner)
            return load_suite(folder, file, judge=judge, repeats=repeats, rubric=rubric)
        except SuiteError as error:
            message = str(error).replace(f"{folder}/", f"{revision.place('.')}/")
            raise SuiteError(message) from None


def suite_ruled_by(
    suite: Suite, theirs: Suite | None, revision: Revision, *, given: Path | None = None
) -> Ruled:
    """Return the suite under a revision's rules; ``theirs`` is the suite there.

    ``given`` is --sessioneval-baseline. Raises ``SuiteError`` when the rules name
    a path that leads out of the suite's folder here, and ``SettingError``.
    """
    if theirs is None:
        return Ruled(suite=suite, overruled=(), followed=(), new=True)
    ours, there = suite.settings, theirs.settings
    taken = {name: getattr(there.suite, name) for name in _TAKEN}
    settings = ours.model_copy(
        update={
            "suite": ours.suite.model_copy(update=taken),
            "judge": there.judge,
            "redact": there.redact,
            "thresholds": there.thresholds,
            "gate": there.gate or ours.gate,
        }
    )
    for problem in path_problems(settings, suite.root):
        raise SuiteError(f"{revision.place(SUITE_FILE)}: {problem.message}")
    ruled = suite.model_copy(
        update={
            "settings": settings,
            "rubric": theirs.rubric,
            "redaction": theirs.redaction,
            "calibration": theirs.calibration,
        }
    )
    return Ruled(
        suite=ruled,
        overruled=(*_moved_files(ruled, revision, given), *_overruled(suite, theirs)),
        followed=_followed(suite, theirs),
        new=False,
    )


def baseline_name(suite: Suite, given: Path | None = None) -> str:
    """Return the baseline's path relative to the suite's folder, with forward slashes."""
    return _relative(baseline_path(suite, given), suite.root)


def _files_of(settings: SuiteFile) -> list[str]:
    """Return the files a suite file names that ``load_suite`` wants to see."""
    named = list(settings.profiles.values())
    if settings.suite.rubric not in builtin_rubrics():
        named.append(settings.suite.rubric)
    if settings.judge.calibration is not None:
        named.append(settings.judge.calibration)
    named += [name for name in settings.suite.feedback if not any(c in name for c in "*?[")]
    return named


def _export(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path


def _moved_files(ruled: Suite, revision: Revision, given: Path | None) -> list[Rule]:
    """Return which of baseline and anchor the working tree changes."""
    changed: list[Rule] = []
    name = baseline_name(ruled, given)
    rules: tuple[tuple[Rule, str], ...] = (("baseline", name), ("anchor", anchor_name(name)))
    for rule, place in rules:
        try:
            here: str | None = (ruled.root / place).read_text(encoding="utf-8")
        except FileNotFoundError:
            here = None
        except (OSError, UnicodeDecodeError):
            here = ""  # whatever it is now, it is another one
        there = revision.text(place)
        if here != (None if there is None else there.replace("\r\n", "\n")):
            changed.append(rule)
    return changed


def _overruled(suite: Suite, theirs: Suite) -> list[Rule]:
    ours, there = suite.settings, theirs.settings
    keys = [name for name in _TAKEN if name != "rubric"]
    pairs: tuple[tuple[Rule, object, object], ...] = (
        ("rubric", suite.rubric, theirs.rubric),
        (
            "judge settings",
            (ours.judge, ours.redact, suite.calibration),
            (there.judge, there.redact, theirs.calibration),
        ),
        ("thresholds", ours.thresholds, there.thresholds),
        ("gate settings", ours.gate, there.gate or ours.gate),
        (
            "keys",
            [getattr(ours.suite, name) for name in keys],
            [getattr(there.suite, name) for name in keys],
        ),
    )
    return [rule for rule, here, before in pairs if here != before]


def _followed(suite: Suite, theirs: Suite) -> tuple[Rule, ...]:
    pairs: tuple[tuple[Rule, object, object], ...] = (
        ("expectations", suite.settings.expect, theirs.settings.expect),
        ("profiles", suite.profiles, theirs.profiles),
    )
    return tuple(rule for rule, here, before in pairs if here != before)


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()

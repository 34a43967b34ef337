"""Reads a suite: its file and all that the file points to, checked before money is spent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.suites.calibration import Calibration, read_calibration
from pytest_sessioneval.suites.confinement import OutsideError, glob_inside
from pytest_sessioneval.suites.crosschecks import (
    EMBEDDED,
    judge_problems,
    path_problems,
    suite_problems,
)
from pytest_sessioneval.suites.discovery import SUITE_FILE, find_suite_file
from pytest_sessioneval.suites.feedback import latest, read_feedback
from pytest_sessioneval.suites.model import FeedbackEntry, Rubric, Suite, SuiteFile
from pytest_sessioneval.suites.rubric import load_rubric
from pytest_sessioneval.suites.tomlfile import Problem, TomlFile, read_text, read_toml
from pytest_sessioneval.transcripts.redaction_policy import RedactionPolicy

__all__ = ["default_suite", "find_suite_file", "load_suite"]


def load_suite(
    folder: Path,
    file: Path | None = None,
    *,
    judge: str | None = None,
    repeats: int | None = None,
    rubric: Rubric | None = None,
    calibrated: bool = True,
) -> Suite:
    """Return the suite of a folder, read and checked as a whole.

    ``file`` is the suite file, by default the folder's own; what it names is
    relative to the folder and must lie inside it. ``judge``, ``repeats`` and
    ``rubric`` are what command line, environment or ini say instead of the
    file: the suite holds them, and the checks are made on the result. Without
    ``calibrated`` the calibration is not read: it is about to be written.

    Raises ``SuiteError`` naming file and line of everything that is wrong.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would lose the typed path
    path = file or find_suite_file(folder)
    if path is None:
        raise SuiteError(
            f"there is no {SUITE_FILE} in {folder}: write one with `sessioneval init {folder}`, or"
            f" judge the folder without one with `pytest --sessioneval {folder}`"
        )
    document = read_toml(path, what="suite file")
    settings = document.read_as(SuiteFile)
    document.check(path_problems(settings, folder))
    settings = _overridden(settings, judge=judge, repeats=repeats)
    chosen = rubric or _rubric(document, settings, folder)
    document.check([*suite_problems(settings, chosen), *judge_problems(settings.judge)])
    return Suite(
        root=folder,
        name=settings.suite.name or _folder_name(folder),
        file=path,
        settings=settings,
        rubric=chosen,
        profiles=_profiles(document, settings, folder),
        feedback=_feedback(document, settings, folder),
        redaction=RedactionPolicy(what=settings.redact.what, own=settings.redact.patterns),
        calibration=_calibration(document, settings, folder) if calibrated else None,
    )


def default_suite(
    folder: Path,
    *,
    judge: str | None = None,
    repeats: int | None = None,
    rubric: Rubric | None = None,
) -> Suite:
    """Return the suite of a folder without a suite file: every default, and its own name.

    ``judge``, ``repeats`` and ``rubric`` as for ``load_suite``. Raises
    ``SuiteError`` when the judge cannot do what they ask.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would lose the typed path
    settings = _overridden(SuiteFile(), judge=judge, repeats=repeats)
    for problem in judge_problems(settings.judge):
        raise SuiteError(problem.message)
    return Suite(
        root=folder,
        name=_folder_name(folder),
        file=None,
        settings=settings,
        rubric=rubric or load_rubric(settings.suite.rubric, base=folder),
    )


def _overridden(settings: SuiteFile, *, judge: str | None, repeats: int | None) -> SuiteFile:
    """Return the settings with what the user said elsewhere in place of what the file says."""
    update: dict[str, str | int | None] = {}
    if judge is not None:
        update["model"] = judge
        if judge != EMBEDDED:  # the file's calibration is for the judge it was written for
            update["calibration"] = None
    if repeats is not None:
        update["repeats"] = repeats
    if not update:
        return settings
    return settings.model_copy(update={"judge": settings.judge.model_copy(update=update)})


def _folder_name(folder: Path) -> str:
    return folder.name or folder.resolve().name or "sessions"


def _rubric(document: TomlFile, settings: SuiteFile, folder: Path) -> Rubric:
    try:
        return load_rubric(settings.suite.rubric, base=folder)
    except SuiteError as error:
        if error.place is not None:  # what is wrong is in the rubric's own file
            raise
        raise document.error([Problem(("suite", "rubric"), str(error))]) from None


def _profiles(document: TomlFile, settings: SuiteFile, folder: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    problems = []
    for profile_id, name in settings.profiles.items():
        try:
            texts[profile_id] = read_text(folder / name, what="profile")
        except SuiteError as error:
            problems.append(Problem(("profiles", profile_id), str(error)))
    document.check(problems)
    return texts


def _calibration(document: TomlFile, settings: SuiteFile, folder: Path) -> Calibration | None:
    name = settings.judge.calibration
    if name is None:
        return None
    if not os.path.lexists(folder / name):
        reason = f"there is no file {name!r}: write it with `sessioneval calibrate`"
        raise document.error([Problem(("judge", "calibration"), reason)])
    try:
        return read_calibration(folder / name)
    except SuiteError as error:
        raise document.error([Problem(("judge", "calibration"), str(error))]) from None


def _feedback(document: TomlFile, settings: SuiteFile, folder: Path) -> tuple[FeedbackEntry, ...]:
    return latest(_every_entry(document, settings.suite.feedback, folder))


def _every_entry(
    document: TomlFile, patterns: tuple[str, ...], folder: Path
) -> Iterator[FeedbackEntry]:
    done: set[Path] = set()
    for index, pattern in enumerate(patterns):
        try:
            files = glob_inside(folder, pattern)
        except OutsideError as error:
            raise document.error(
                [Problem(("suite", "feedback", index), f"suite.feedback: {pattern!r} {error}")]
            ) from None
        if not files and not any(char in pattern for char in "*?["):
            raise document.error(
                [Problem(("suite", "feedback", index), f"there is no feedback file {pattern!r}")]
            )
        for file in files:
            if file not in done:
                done.add(file)
                yield from read_feedback(file)

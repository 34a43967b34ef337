"""What a suite file says that its single values cannot show to be wrong."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_sessioneval.suites.confinement import OutsideError, check_glob, path_inside
from pytest_sessioneval.suites.model import (
    Expectation,
    Expert,
    JudgeSettings,
    Rubric,
    SuiteFile,
)
from pytest_sessioneval.suites.positions import KeyPath
from pytest_sessioneval.suites.rubric import expert_problems, no_such_axis
from pytest_sessioneval.suites.tomlfile import Problem
from pytest_sessioneval.suites.wording import dotted

__all__ = ["EMBEDDED", "judge_problems", "path_problems", "suite_problems"]

EMBEDDED = "evidence"
"""The embedded judge, which has one seat and always answers the same."""


def suite_problems(file: SuiteFile, rubric: Rubric) -> Iterator[Problem]:
    """Yield what is wrong between the file's sections, and between it and its rubric."""
    answered = _answered(file.judge.experts, rubric)
    for section, thresholds in (
        ("session", file.thresholds.session),
        ("mean", file.thresholds.mean),
    ):
        for axis in thresholds:
            path = ("thresholds", section, axis)
            yield from _axis_problems(axis, rubric, answered, path, "have a threshold")
    if file.gate is not None:
        yield from _gate_problems(file.gate.axes, file.gate.margins, rubric, answered)
    yield from expert_problems(file.judge.experts, rubric, at=("judge", "experts"))
    for index, expectation in enumerate(file.expect):
        yield from _expectation_problems(expectation, ("expect", index))


def judge_problems(judge: JudgeSettings) -> Iterator[Problem]:
    """Yield what the embedded judge cannot do, such as be a panel, and what only it can."""
    if judge.calibration is not None and (judge.model != EMBEDDED or judge.experts):
        yield Problem(
            ("judge", "calibration"),
            "calibration is for the embedded judge, and this suite asks others: set model = "
            f'"{EMBEDDED}" under [judge], or remove calibration',
        )
    for index, expert in enumerate(judge.experts):
        if (expert.model or judge.model) == EMBEDDED:
            yield Problem(
                ("judge", "experts", index, "model" if expert.model else "id"),
                f"expert {expert.id!r} would be the embedded judge, which takes no experts:"
                " name a model under [judge] or for this expert, or remove [[judge.experts]]",
            )
    if judge.model == EMBEDDED and not judge.experts:
        for key in ("repeats", "baseline_repeats"):
            if key in judge.model_fields_set and getattr(judge, key) > 1:
                yield Problem(
                    ("judge", key),
                    f"{key} is {getattr(judge, key)}, and the embedded judge always answers the"
                    f" same: name a model under [judge], or remove {key}",
                )


def path_problems(file: SuiteFile, root: Path) -> Iterator[Problem]:
    """Yield the paths and globs that lead out of the suite's folder."""
    paths: list[tuple[KeyPath, str]] = [
        (("profiles", name), text) for name, text in file.profiles.items()
    ]
    if file.gate is not None:
        paths.append((("gate", "baseline"), file.gate.baseline))
    if file.judge.calibration is not None:
        paths.append((("judge", "calibration"), file.judge.calibration))
    if file.judge.card is not None:
        paths.append((("judge", "card"), file.judge.card))
    models: list[tuple[KeyPath, str | None]] = [(("judge", "model"), file.judge.model)]
    models += [
        (("judge", "experts", index, "model"), expert.model)
        for index, expert in enumerate(file.judge.experts)
    ]
    paths += [
        (path, model.removeprefix("recorded:"))
        for path, model in models
        if model is not None and model.startswith("recorded:")
    ]
    for path, text in paths:
        try:
            path_inside(root, text)
        except OutsideError as error:
            yield Problem(path, f"{dotted(path)}: {text!r} {error}")
    globs = [("suite", key, getattr(file.suite, key)) for key in ("sessions", "feedback")]
    if file.gate is not None:
        globs.append(("gate", "canaries", file.gate.canaries))
    for section, key, patterns in globs:
        for index, pattern in enumerate(patterns):
            try:
                check_glob(pattern)
            except OutsideError as error:
                yield Problem((section, key, index), f"{section}.{key}: {pattern!r} {error}")


def _answered(experts: tuple[Expert, ...], rubric: Rubric) -> frozenset[str]:
    """Return the axes that somebody is asked about."""
    if not experts:
        return frozenset(rubric.axis_names)
    return frozenset(axis for expert in experts for axis in expert.axes)


def _gate_problems(
    axes: tuple[str, ...], margins: Mapping[str, float], rubric: Rubric, answered: frozenset[str]
) -> Iterator[Problem]:
    gateable = [axis.name for axis in rubric.axes if axis.gated]
    if not axes:
        yield Problem(
            ("gate", "axes"),
            f"[gate] needs axes to decide on; accepted: {', '.join(gateable)}",
        )
    for index, axis in enumerate(axes):
        path: KeyPath = ("gate", "axes", index)
        if axis in axes[:index]:
            yield Problem(path, f"gate.axes has {axis!r} twice")
        else:
            yield from _axis_problems(axis, rubric, answered, path, "be gated")
    for axis in margins:
        path = ("gate", "margins", axis)
        if axis == "default":
            continue
        if axis not in rubric.axis_names:
            yield Problem(path, no_such_axis(axis, rubric))
        elif axis not in axes:
            yield Problem(
                path, f"{axis!r} has a margin and is not gated: add it to gate.axes, or remove it"
            )


def _axis_problems(
    axis: str, rubric: Rubric, answered: frozenset[str], path: KeyPath, verb: str
) -> Iterator[Problem]:
    if axis not in rubric.axis_names:
        yield Problem(path, no_such_axis(axis, rubric))
    elif not rubric.axis(axis).gated:
        yield Problem(path, f"{axis!r} describes a session and is not good or bad: cannot {verb}")
    elif axis not in answered:
        yield Problem(path, f"{axis!r} cannot {verb}: none of [[judge.experts]] answers it")


def _expectation_problems(expectation: Expectation, path: KeyPath) -> Iterator[Problem]:
    asks = expectation.model_dump(exclude={"session"}, exclude_defaults=True)
    if not asks:
        conditions = [name for name in Expectation.model_fields if name != "session"]
        yield Problem(path, f"[[expect]] expects nothing; accepted: {', '.join(conditions)}")
    for key in ("must_call", "must_not_call"):
        for index, call in enumerate(getattr(expectation, key)):
            if not call.tool.strip():
                yield Problem((*path, key, index), f"{key} names no tool")
    for key in ("final_matches", "final_not_matches"):
        pattern = getattr(expectation, key)
        reason = None if pattern is None else _pattern_problem(pattern)
        if reason is not None:
            yield Problem(
                (*path, key),
                f"{key} is no regular expression: {reason} (in TOML, write it in 'single quotes')",
            )


def _pattern_problem(pattern: str) -> str | None:
    with warnings.catch_warnings():
        # A pattern that Python warns about means something else in a later version.
        warnings.simplefilter("error")
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError, Warning) as error:
            return str(error) or type(error).__name__
    return None

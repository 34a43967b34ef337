"""Reads rubrics, and names the version of what their scores mean."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.suites.confinement import OutsideError, path_inside
from pytest_sessioneval.suites.model import Axis, Expert, Rubric
from pytest_sessioneval.suites.positions import KeyPath
from pytest_sessioneval.suites.tomlfile import Problem, TomlFile, parse_toml, read_toml
from pytest_sessioneval.suites.wording import nearest

__all__ = [
    "builtin_rubrics",
    "expert_problems",
    "load_rubric",
    "rubric_source",
    "rubric_version",
]

RESERVED_TAGS = frozenset({"none", "other"})
"""What every expert may answer besides a rubric's own failure tags."""
RESERVED_AXES = frozenset({"default"})
"""What ``[gate.margins]`` uses as a key of its own."""


def builtin_rubrics() -> tuple[str, ...]:
    """Return the names of the rubrics that come with the package, sorted."""
    folder = resources.files(__package__) / "rubrics"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def rubric_source(name: str) -> str:
    """Return the TOML text of a built-in rubric, to be copied; raises ``SuiteError``."""
    if name not in builtin_rubrics():
        raise SuiteError(_no_such(name))
    return (resources.files(__package__) / "rubrics" / f"{name}.toml").read_text("utf-8")


def load_rubric(name_or_path: str, *, base: Path, confined: bool = True) -> Rubric:
    """Return the built-in rubric of that name, else the one in the file of that path.

    A path is relative to ``base`` and, when ``confined``, must stay inside it:
    only a path that the user typed may lie elsewhere. Raises ``SuiteError``
    when there is no such rubric or the file is not accepted.
    """
    if name_or_path in builtin_rubrics():
        return _builtin(name_or_path)
    try:
        path = path_inside(base, name_or_path) if confined else base / name_or_path
    except OutsideError as error:
        raise SuiteError(f"the rubric's path {name_or_path!r} {error}") from None
    if not path.exists():
        raise SuiteError(_no_such(name_or_path))
    return _checked(read_toml(path, what="rubric"))


@cache
def _builtin(name: str) -> Rubric:
    return _checked(parse_toml(rubric_source(name), name=f"{name}.toml"))


def rubric_version(rubric: Rubric) -> str:
    """Return ``name@n#digest``: what has to be equal for two scores to mean the same.

    The digest (8 hex digits of SHA-256) covers axes, questions, levels, failure
    tags, evidence roles, when an axis may be null, and the score mode. It leaves
    out the experts, which are part of the judge's version, and whether an axis
    may be gated, which moves no score.
    """
    meaning = {
        "score_mode": rubric.score_mode,
        "axes": [
            # Defaults stay out, so that a key added later leaves older digests as they are.
            axis.model_dump(mode="json", exclude={"gated"}, exclude_defaults=True)
            for axis in rubric.axes
        ],
    }
    text = json.dumps(meaning, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{rubric.name}@{rubric.version}#{digest[:8]}"


def expert_problems(experts: Sequence[Expert], rubric: Rubric, *, at: KeyPath) -> Iterator[Problem]:
    """Yield what is wrong with a panel: seats named twice, without axes, or of unknown axes."""
    seen: set[str] = set()
    for index, expert in enumerate(experts):
        place = (*at, index)
        if expert.id in seen:
            yield Problem((*place, "id"), f"expert {expert.id!r} is there twice")
        seen.add(expert.id)
        if not expert.instruction:
            yield Problem((*place, "instruction"), f"expert {expert.id!r} has no instruction")
        if not expert.axes:
            yield Problem(
                (*place, "axes"),
                f"expert {expert.id!r} answers no axis; accepted: {', '.join(rubric.axis_names)}",
            )
        for number, axis in enumerate(expert.axes):
            where = (*place, "axes", number)
            if axis not in rubric.axis_names:
                yield Problem(where, f"expert {expert.id!r}: {no_such_axis(axis, rubric)}")
            elif axis in expert.axes[:number]:
                yield Problem(where, f"expert {expert.id!r} has {axis!r} twice")
        yield from _mixed_problems(expert, rubric, (*place, "axes"))


def _mixed_problems(expert: Expert, rubric: Rubric, place: KeyPath) -> Iterator[Problem]:
    """Yield that an expert is asked at once for what has to be asked apart."""
    metrics = {axis.name: axis.metric for axis in rubric.axes if axis.name in expert.axes}
    computed = [name for name, metric in metrics.items() if metric is not None]
    if computed and len(computed) < len(metrics):
        yield Problem(
            place,
            f"expert {expert.id!r} answers metrics ({', '.join(computed)}) and axes with levels: "
            "give each kind an expert of its own",
        )
    if "answer_relevancy" in metrics.values() and len(metrics) > 1:
        yield Problem(
            place,
            f"expert {expert.id!r} answers answer_relevancy and others: give it an expert of its "
            "own, who makes questions out of the answer and must not see the one that was asked",
        )


def no_such_axis(name: str, rubric: Rubric) -> str:
    """Return the sentence for an axis that the rubric lacks."""
    return (
        f"{name!r} is no axis of rubric {rubric.name}{nearest(name, rubric.axis_names)}"
        f"; accepted: {', '.join(rubric.axis_names)}"
    )


def _checked(file: TomlFile) -> Rubric:
    rubric = file.read_as(Rubric)
    file.check(_rubric_problems(rubric))
    return rubric


def _rubric_problems(rubric: Rubric) -> Iterator[Problem]:
    if not rubric.axes:
        yield Problem(("axes",), "a rubric needs at least one axis, written as [[axes]]")
    seen: set[str] = set()
    for index, axis in enumerate(rubric.axes):
        place = ("axes", index)
        if axis.name in seen:
            yield Problem((*place, "name"), f"axis {axis.name!r} is there twice")
        if axis.name in RESERVED_AXES:
            yield Problem(
                (*place, "name"),
                f"{axis.name!r} cannot name an axis: [gate.margins] has a key of that name",
            )
        seen.add(axis.name)
        yield from _axis_problems(axis, place)
    yield from expert_problems(rubric.experts, rubric, at=("experts",))
    if rubric.experts:
        answered = {name for expert in rubric.experts for name in expert.axes}
        for index, axis in enumerate(rubric.axes):
            if axis.name not in answered:
                yield Problem(
                    ("axes", index, "name"),
                    f"axis {axis.name!r} is answered by no expert; add it to the axes of one",
                )


def _axis_problems(axis: Axis, place: KeyPath) -> Iterator[Problem]:
    if not axis.question:
        yield Problem((*place, "question"), f"axis {axis.name!r} asks nothing")
    yield from _level_problems(axis, place)
    for number, tag in enumerate(axis.failure_tags):
        where = (*place, "failure_tags", number)
        if tag in RESERVED_TAGS or not tag.strip():
            yield Problem(where, f"failure tag {tag!r} of {axis.name!r} is taken or empty")
        elif tag in axis.failure_tags[:number]:
            yield Problem(where, f"failure tag {tag!r} of {axis.name!r} is there twice")
    if axis.nullable and not axis.null_when:
        yield Problem(
            (*place, "nullable"), f"axis {axis.name!r} may be null: say when, in null_when"
        )
    if not axis.nullable and (axis.null_when or axis.applies_if != "always"):
        key = "null_when" if axis.null_when else "applies_if"
        yield Problem((*place, key), f"{key} of {axis.name!r} needs nullable = true")


def _level_problems(axis: Axis, place: KeyPath) -> Iterator[Problem]:
    scores = [level.score for level in axis.levels]
    if len(scores) < 2:  # noqa: PLR2004 - one level cannot tell sessions apart
        yield Problem((*place, "levels"), f"axis {axis.name!r} needs at least two levels")
    if any(later <= earlier for earlier, later in pairwise(scores)):
        listed = ", ".join(str(score) for score in scores)
        yield Problem(
            (*place, "levels"), f"levels of {axis.name!r} must rise from line to line: {listed}"
        )
    for level in axis.levels:
        if not level.anchor:
            yield Problem(
                (*place, "levels", str(level.score)),
                f"level {level.score} of {axis.name!r} describes nothing",
            )


def _no_such(name: str) -> str:
    known = builtin_rubrics()
    return (
        f"there is no rubric {name!r}, neither built in nor as a file{nearest(name, known)}"
        f"; built in: {', '.join(known)}"
    )

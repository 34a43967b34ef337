"""The gate around a run: what the run is held against, read first; the decision, made last."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.baselines import (
    baseline_path,
    reader_versions,
)
from pytest_sessioneval.evaluation.revisions import find_revision
from pytest_sessioneval.evaluation.rules import baseline_name, suite_at, suite_ruled_by
from pytest_sessioneval.evaluation.sources import (
    GitSource,
    Source,
    baselines_at,
    baselines_beside,
    file_baselines,
)
from pytest_sessioneval.gate.baseline import candidate_of, check_baseline
from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.model import Baseline, Candidate, Versions
from pytest_sessioneval.gate.outcome import Against, Decision
from pytest_sessioneval.gate.people import People
from pytest_sessioneval.gate.rules import check_gate
from pytest_sessioneval.gate.sequential import ReachedLook, decide_at
from pytest_sessioneval.gate.shortcuts import (
    FailDrop,
    FailUnder,
    ShortcutResult,
    drop_results,
    under_results,
)
from pytest_sessioneval.judging.panel import SCORING_VERSION
from pytest_sessioneval.suites.model import Rubric, Suite
from pytest_sessioneval.verdicts.run import SuiteRun

__all__ = [
    "Reference",
    "candidate_side",
    "check_reference",
    "gate_suite",
    "reference_of",
    "suite_shortcuts",
]


@dataclass(frozen=True, slots=True)
class Reference:
    """By whose rules a suite is judged, and what it is held against."""

    suite: Suite
    """The suite to be judged: the working tree's sessions, by the rules that count."""
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    """The baseline and, after it, the anchor, by name; empty: there is none."""
    against: Against | None = None
    """What it was chosen to be; null: the suite's own baseline."""


def reference_of(
    suite: Suite,
    source: Source | None = None,
    *,
    given: Path | None = None,
    needed: bool = False,
    judge: str | None = None,
    repeats: int | None = None,
    rubric: Rubric | None = None,
) -> Reference:
    """Return what a suite is judged by and held against; reads files, judges nothing.

    ``source`` is --sessioneval-compare, ``given`` --sessioneval-baseline; the
    last three are what ``load_suite`` was told besides the suite file. Without a
    source, a suite without a ``[gate]`` is held against nothing, unless
    ``needed`` (there is a --sessioneval-fail-drop) or a baseline was given.
    Raises ``SettingError``, ``SuiteError`` and ``BaselineError``.
    """
    if isinstance(source, GitSource):
        revision = find_revision(suite.root, source.revision, origin=source.origin)
        theirs = suite_at(suite, revision, judge=judge, repeats=repeats, rubric=rubric)
        ruled = suite_ruled_by(suite, theirs, revision, given=given)
        against = Against(
            source=source.text,
            commit=revision.commit,
            overruled=ruled.overruled,
            followed=ruled.followed,
            new_suite=ruled.new,
        )
        found = baselines_at(revision, baseline_name(ruled.suite, given))
        return Reference(suite=ruled.suite, baselines=found, against=against)
    if source is not None:
        found = file_baselines(source, suite=suite.name)
        return Reference(suite=suite, baselines=found, against=Against(source=source.text))
    gate = suite.settings.gate
    if gate is None and not needed and given is None:
        return Reference(suite=suite)
    may_be_missing = gate is not None and gate.on_missing_baseline == "pass"
    if given is not None and not (may_be_missing or os.path.lexists(given)):
        raise SettingError(
            f"--sessioneval-baseline: there is no file {given}; name a baseline that is there, "
            "or write this one with --sessioneval-update-baseline"
        )
    return Reference(suite=suite, baselines=baselines_beside(baseline_path(suite, given)))


def check_reference(reference: Reference, *, rubric_version: str, judge_version: str) -> None:
    """Raise ``SuiteError`` or ``BaselineError`` where the gate could never decide.

    Called when the panel is open and before anything is judged: the versions are
    its own. A suite without a gate is not checked.
    """
    settings = reference.suite.settings.gate
    if settings is None:
        return
    check_gate(settings, reference.suite.rubric.axis_names)
    versions = Versions(rubric=rubric_version, judge=judge_version, scoring=SCORING_VERSION)
    for name, baseline in reference.baselines.items():
        check_baseline(baseline, settings.axes, versions, place=_place(reference, name))


def candidate_side(
    run: SuiteRun, *, left_out: Collection[str] | None = frozenset(), partial: str = ""
) -> Candidate:
    """Return a suite's run as the side to decide on.

    ``left_out`` holds the keys of the suite's sessions that were not selected;
    null: not known which. ``partial`` says why there are any. Raises
    ``SuiteError`` when two sessions have one key.
    """
    return candidate_of(
        run,
        scoring=run.scoring_version,
        readers=reader_versions(run),
        left_out=left_out,
        partial=partial,
    )


def gate_suite(
    candidate: Candidate,
    reference: Reference,
    *,
    required: bool = False,
    reached: ReachedLook | None = None,
    people: People | None = None,
) -> Decision | None:
    """Return what the gate says of a run; None for a suite without a gate.

    ``required`` is --sessioneval-require-gate: a gate that could not run, or had
    no baseline, then stops the merge. ``reached`` is the look that decided, where
    the suite was judged look by look. ``people`` holds labels, which are not looked
    at where judging stops early. Raises as ``gate.decision.decide`` does.
    """
    settings = reference.suite.settings.gate
    if settings is None:
        return None
    baselines = reference.baselines
    if reached is None:
        decision = decide(candidate, baselines, settings, required=required, people=people)
    else:
        plan, look = reached.plan, reached.look
        decision = decide_at(plan, look, candidate, baselines, settings, required=required)
    return decision.model_copy(update={"against": reference.against})


def suite_shortcuts(
    candidate: Candidate,
    reference: Reference,
    *,
    under: Sequence[FailUnder] = (),
    drop: Sequence[FailDrop] = (),
) -> tuple[ShortcutResult, ...]:
    """Return what the shortcuts say of a run, with or without a gate."""
    baseline = reference.baselines.get("baseline")
    return (*under_results(under, candidate), *drop_results(drop, candidate, baseline))


def _place(reference: Reference, name: str) -> str:
    return (
        f"the {name}" if reference.against is None else f"the {name} of {reference.against.source}"
    )

"""A run, put together from what its sessions gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import fmean

from pytest_sessioneval.evaluation.plan import SuitePlan
from pytest_sessioneval.judging.panel import SCORING_VERSION, Panel
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.suites.thresholds import below_mean
from pytest_sessioneval.verdicts.means import AxisMean, axis_means
from pytest_sessioneval.verdicts.model import NOT_ANSWERED, CallCount, Opinion, Verdict
from pytest_sessioneval.verdicts.run import (
    Provenance,
    Run,
    SessionResult,
    SuiteRun,
)

__all__ = ["SuiteTally", "assemble_run", "assemble_suite"]

_UNDECIDED = {"not_scored", "not_run"}


@dataclass(frozen=True, slots=True)
class SuiteTally:
    """What one suite's part of a run came to, before it is put into words."""

    plan: SuitePlan
    panel: Panel
    results: tuple[SessionResult, ...]
    spent: CallCount
    """What was asked about its sessions, those that did not report included."""
    redacted: dict[str, int]
    readers: Mapping[str, int]
    """Every reader's version by its name."""
    canaries: tuple[SessionResult, ...] = ()
    """The frozen sessions judged beside its sessions; no part of what they came to."""


def assemble_run(
    *,
    run_id: str,
    started_at: datetime,
    finished_at: datetime,
    provenance: Provenance,
    root: Path,
    tallies: Sequence[SuiteTally],
    partial: str,
    interrupted: bool,
) -> Run:
    """Return the run: per suite its results, means that are too low, and what judging took.

    Suites inside ``root`` are named relative to it.
    """
    return Run(
        run_id=run_id,
        started_at=started_at,
        finished_at=finished_at,
        provenance=provenance,
        suites=tuple(assemble_suite(tally, root=root) for tally in tallies),
        partial=partial,
        interrupted=interrupted,
    )


def assemble_suite(tally: SuiteTally, *, root: Path) -> SuiteRun:
    """Return one suite's part of a run, also while it is under way."""
    suite, panel = tally.plan.suite, tally.panel
    verdicts = [result.verdict for result in tally.results]
    judged = [verdict for verdict in verdicts if verdict is not None]
    asked = {*suite.settings.thresholds.session, *suite.settings.thresholds.mean}
    means = axis_means([axis for axis in suite.rubric.axis_names if axis in asked], verdicts)
    identity = panel.identity()
    low = below_mean(
        suite.settings.thresholds, {mean.axis: mean.mean for mean in means if mean.mean is not None}
    )
    return SuiteRun(
        suite=suite.name,
        root=_relative(suite.root, root),
        rubric_version=panel.rubric_version,
        axes=suite.rubric.axis_names,
        judge=identity,
        scoring_version=SCORING_VERSION,
        readers=_readers(tally),
        thresholds=suite.settings.thresholds,
        sources=tally.plan.sources,
        results=tally.results,
        canaries=tally.canaries,
        mean_shortfalls=low,
        never_scored=_never_scored(tally, means),
        judged=sum(1 for verdict in judged if _was_answered(verdict)),
        from_store=sum(1 for verdict in judged if verdict.from_store),
        spent=tally.spent,
        redacted=tally.redacted,
        notes=(
            *_not_shown(judged),
            *_notes(suite, [op for verdict in judged for op in verdict.opinions]),
        ),
    )


def _readers(tally: SuiteTally) -> dict[str, int]:
    """Return the versions of the readers that read the sessions, canaries included."""
    used = {result.session.summary.source for result in (*tally.results, *tally.canaries)}
    return {name: version for name, version in tally.readers.items() if name in used}


def _never_scored(tally: SuiteTally, means: Sequence[AxisMean]) -> tuple[str, ...]:
    """Return the axes with a threshold that nobody was held to.

    Only where the whole suite ran and every session was judged: what a
    selection leaves out says nothing of the suite, and a session that was not
    judged fails by itself, with its own reason.
    """
    whole = not tally.plan.sources.deselected
    if not whole or any(result.state in _UNDECIDED for result in tally.results):
        return ()
    return tuple(mean.axis for mean in means if mean.sessions and not mean.scored)


def _was_answered(verdict: Verdict) -> bool:
    """Whether somebody was asked for the verdict in this run, and answered."""
    return not verdict.from_store and any(map(_is_answer, verdict.opinions))


def _is_answer(opinion: Opinion) -> bool:
    """Whether a model said anything: where it did not, its name is only what was asked for."""
    axes = opinion.axes.values()
    return any(axis.kind == "scored" or axis.reason not in NOT_ANSWERED for axis in axes)


def _relative(folder: Path, root: Path) -> str:
    return folder.relative_to(root).as_posix() if folder.is_relative_to(root) else str(folder)


def _not_shown(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """Return what of the sessions judges were not shown, as one sentence, where that is so."""
    parted = sum(any(op.view and op.view.parts for op in one.opinions) for one in verdicts)
    shortened = sum(verdict.coverage < 1 for verdict in verdicts)
    said = []
    if parted:
        said.append(f"{parted} of {len(verdicts)} sessions were too long and were read in parts")
    if shortened:
        mean = fmean(verdict.coverage for verdict in verdicts)
        said.append(
            f"{shortened} of {len(verdicts)} sessions were not shown in full: on average "
            f"{mean:.0%} of a session's text was seen"
        )
    return ("; ".join(said),) if said else ()


def _notes(suite: Suite, judged_opinions: Sequence[Opinion]) -> Iterator[str]:
    if suite.redaction.what == "off":
        yield (
            "nothing was replaced in these sessions (--sessioneval-redact off): judge, store and "
            "reports had them as they are, secrets included"
        )
    models: dict[str, Counter[str]] = {}
    for opinion in filter(_is_answer, judged_opinions):
        models.setdefault(opinion.expert_id, Counter())[opinion.judge_model] += 1
    yield from (
        f"expert {expert} was answered by more than one model: "
        + ", ".join(f"{model} ({count})" for model, count in counts.most_common())
        for expert, counts in models.items()
        if len(counts) > 1
    )

"""What the gates of a run's suites decide, once every selected session had its turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pytest_sessioneval.evaluation.baselines import BaselineWritten, update_baseline
from pytest_sessioneval.evaluation.gating import gate_suite, suite_shortcuts
from pytest_sessioneval.evaluation.plan import Plan
from pytest_sessioneval.gate.people import People
from pytest_sessioneval.gate.result import GateResult
from pytest_sessioneval.gate.sequential import ReachedLook
from pytest_sessioneval.gate.shortcuts import FailDrop, FailUnder
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.verdicts.run import Run, SuiteRun

__all__ = ["decide_run", "labels_of", "write_baselines"]


def decide_run(
    run: Run,
    plan: Plan,
    *,
    people: People | None = None,
    looks: Mapping[str, ReachedLook] | None = None,
    require: bool = False,
    under: Sequence[FailUnder] = (),
    drop: Sequence[FailDrop] = (),
    noise: Callable[[SuiteRun], Mapping[str, float]] = lambda _suite: {},
) -> Mapping[str, GateResult]:
    """Return what is decided, by suite; suites without a gate and without a shortcut are absent.

    ``people`` holds labels of the sessions. ``looks`` holds, by suite, how far
    those went that may stop early.
    ``require`` is --sessioneval-require-gate; ``noise`` gives the judge's own
    spread by axis, where it was measured. Raises ``SuiteError`` and
    ``BaselineError`` as the gate does.
    """
    decided: dict[str, GateResult] = {}
    for suite_run, suite_plan in zip(run.suites, plan.suites, strict=True):
        reference = suite_plan.reference
        if reference.suite.settings.gate is None and not (under or drop):
            continue
        candidate = suite_plan.candidate(suite_run, partial=run.partial)
        candidate = candidate.model_copy(update={"judge_sd": dict(noise(suite_run))})
        reached = (looks or {}).get(suite_run.suite)
        result = GateResult(
            decision=gate_suite(
                candidate, reference, required=require, reached=reached, people=people
            ),
            shortcuts=suite_shortcuts(candidate, reference, under=under, drop=drop),
        )
        if result.decision is not None or result.shortcuts:
            decided[suite_run.suite] = result
    return decided


def labels_of(plan: Plan, store: Store) -> People:
    """Return people's labels of the gated sessions and of what they are held against."""
    gated = [suite for suite in plan.suites if suite.suite.settings.gate is not None]
    queues = store.label_queues() if gated else ()
    if not queues:
        return People()
    digests = [one.member.session.summary.digest for suite in gated for one in suite.sessions]
    for suite in gated:
        for baseline in suite.baselines.values():
            digests += [session.digest for session in baseline.sessions]
    return People(labels=store.labels(digests), queues=queues)


def write_baselines(run: Run, plan: Plan, *, given: Path | None) -> tuple[BaselineWritten, ...]:
    """Write every suite's scores as its baseline, and return what moved.

    Raises ``BaselineError``, before anything is written for that suite, unless
    the run is complete and free of errors.
    """
    return tuple(
        update_baseline(
            suite_run,
            suite=suite_plan.suite,
            partial=run.partial if suite_plan.left_out else "",
            given=given,
        )
        for suite_run, suite_plan in zip(run.suites, plan.suites, strict=True)
    )

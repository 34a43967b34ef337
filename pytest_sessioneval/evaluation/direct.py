"""A suite judged outside of pytest: its sessions found, asked about, and kept like any other's."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pytest_sessioneval.evaluation.evaluation import Evaluation
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.panels import JudgeOpener
from pytest_sessioneval.evaluation.plan import Plan, PlannedSession, SuitePlan
from pytest_sessioneval.evaluation.provenance import new_run_id, provenance
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.evaluation.scanning import Scan, scan
from pytest_sessioneval.evaluation.settings import (
    EvaluationSettings,
    PlannedCalls,
    settings_in,
)
from pytest_sessioneval.evaluation.walking import passed_over
from pytest_sessioneval.judging.backends.opening import open_judge
from pytest_sessioneval.judging.budget import CallBudget
from pytest_sessioneval.judging.model import Judge
from pytest_sessioneval.stores.opening import open_store
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.discovery import find_suite_file
from pytest_sessioneval.suites.loading import default_suite, load_suite
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers
from pytest_sessioneval.verdicts.run import Run, SuiteRun

__all__ = [
    "Announce",
    "DirectRun",
    "Terms",
    "direct_run",
    "judge_opener",
    "suite_in",
]

Announce = Callable[[PlannedCalls], None]
"""Hears what is about to be asked, before the first call."""

_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Terms:
    """How to go about judging; only what ``environ`` says of a judge's context can move a score."""

    environ: Mapping[str, str]
    """Where judges' addresses and keys come from, their context and their prices."""
    store: str
    """The store's URL."""
    home: Path
    """What a relative store lies beneath."""
    max_calls: int | None = None
    """Most requests to judges; None: without end."""
    offline: bool = False
    """Ask nobody: what the store does not know is not scored."""
    run_id: str | None = None
    """The id to give the run; None: a new one."""

    def evaluation(self) -> EvaluationSettings:
        """Return the same for an evaluation.

        Raises ``SettingError`` where the environment names no such number or table.
        """
        return replace(settings_in(self.environ), max_calls=self.max_calls, offline=self.offline)


def suite_in(folder: Path, judge: str | None) -> Suite:
    """Return the folder's suite, or that of a folder without a suite file; ``judge`` overrides.

    Readers and judges that a ``conftest.py`` adds are pytest's alone. Raises
    ``SuiteError``.
    """
    read = default_suite if find_suite_file(folder) is None else load_suite
    return read(folder, judge=judge)


def judge_opener(environ: Mapping[str, str], connections: int) -> JudgeOpener:
    """Return what opens judges by their names; addresses, keys and prices are ``environ``'s."""
    models = settings_in(environ).models

    def opened(model: str, suite: Suite, *, budget: CallBudget, stop: threading.Event) -> Judge:
        return open_judge(
            model,
            settings=suite.settings.judge,
            environ=environ,
            timeout_s=_TIMEOUT_S,
            connections=connections,
            stop=stop,
            base=suite.root,
            reserve=budget.reserve,
            models=models,
            cost=budget.cost,
            calibration=suite.calibration,
        )

    return opened


class DirectRun:
    """One run outside of pytest, of one suite; made by ``direct_run``."""

    def __init__(self, evaluation: Evaluation, store: Store, registry: Registry) -> None:
        self._registry = registry
        self.readers: Mapping[str, int] = registry.versions
        """Every reader's version by its name."""
        self.evaluation = evaluation
        self.store = store
        """The store; closed with the run."""

    def scan(
        self,
        suite: Suite,
        named: Collection[Path] = (),
        left_out: Collection[Path] = frozenset(),
    ) -> Scan:
        """Return what the suite's folder holds, without what pytest leaves out by default.

        ``named`` are files the user named: of a folder without a suite file they
        are then the suite. Files ``left_out`` are passed over.
        """

        def ignored(path: Path, is_folder: bool) -> bool:  # noqa: FBT001 - the shape of Ignored
            return path in left_out or passed_over(path, is_folder)

        return scan(
            suite,
            registry=self._registry,
            store=self.store,
            ignored=ignored,
            named=named,
            only_named=bool(named) and suite.file is None,
        )

    def judge(
        self, found: Scan, chosen: Sequence[Member], *, suite: Suite, announce: Announce
    ) -> SuiteRun:
        """Return the suite's run of the chosen sessions, kept; waits for every verdict."""
        ids = {member.id for member in chosen}
        left_out = [member.session.key for member in found.members if member.id not in ids]
        plan = SuitePlan(
            suite=suite,
            sessions=tuple(PlannedSession(member=member) for member in chosen),
            sources=found.sources.model_copy(update={"deselected": len(left_out)}),
            left_out=tuple(left_out),
            canaries=found.canaries,
        )
        partial = f"{len(left_out)} sessions were left out" if left_out else ""
        return self.evaluate(Plan(suites=(plan,), partial=partial), announce).suites[0]

    def evaluate(self, plan: Plan, announce: Announce) -> Run:
        """Return the run of a plan, kept; waits for every verdict."""
        self.evaluation.start(plan, announce)
        for suite_plan in plan.suites:
            for planned in suite_plan.sessions:
                self.evaluation.result(suite_plan.suite.name, planned.member.id)
                self.evaluation.consumed(suite_plan.suite.name, planned.member.id)
        root = plan.suites[0].suite.root
        run = self.evaluation.finish(
            provenance=provenance(root), reported=lambda _suite, _member: True
        )
        self.evaluation.keep(run)
        return run


@contextmanager
def direct_run(
    terms: Terms, *, for_baseline: bool = False, fresh: bool = False
) -> Iterator[DirectRun]:
    """Return a run to be made; judges and store are released when the block ends.

    ``fresh`` asks about everything again, whatever the store has. Raises
    ``SettingError`` and ``StoreError`` when the store cannot be used.
    """
    registry = Registry(builtin_readers())
    settings = replace(terms.evaluation(), for_baseline=for_baseline, fresh=fresh)
    store = open_store(terms.store, root=terms.home)

    evaluation = Evaluation(
        settings=settings,
        store=store,
        source=TranscriptSource(registry),
        open_judge=judge_opener(terms.environ, settings.concurrency),
        run_id=terms.run_id or new_run_id(datetime.now(UTC)),
        root=terms.home,
        clock=lambda: datetime.now(UTC),
        secret=secrets.token_bytes(16),
    )
    try:
        yield DirectRun(evaluation, store, registry)
    finally:
        evaluation.close()

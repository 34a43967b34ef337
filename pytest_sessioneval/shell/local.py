"""Results from an evaluation in this process: a run without workers, or the controller of one."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.early_stopping import check_early_stopping
from pytest_sessioneval.evaluation.evaluation import Evaluation
from pytest_sessioneval.evaluation.gating import check_reference
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.plan import Plan
from pytest_sessioneval.evaluation.provenance import new_run_id
from pytest_sessioneval.evaluation.reading import Readings, TranscriptSource
from pytest_sessioneval.evaluation.selection import select
from pytest_sessioneval.evaluation.settings import EvaluationSettings, PlannedCalls
from pytest_sessioneval.evaluation.sharing import (
    Part,
    SharedEnd,
    check_part,
    end_part,
    whole_plan,
)
from pytest_sessioneval.gate.shortcuts import check_shortcuts
from pytest_sessioneval.judging.backends.opening import open_judge
from pytest_sessioneval.judging.budget import CallBudget
from pytest_sessioneval.judging.model import Judge
from pytest_sessioneval.shell.announcing import announcement, estimate_lines, samples_hint
from pytest_sessioneval.shell.hook_values import given_judges
from pytest_sessioneval.shell.settings import RunSettings
from pytest_sessioneval.shell.sources import Tick
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.registry import Registry
from pytest_sessioneval.verdicts.run import Run, SessionResult

__all__ = ["LocalSource"]


class LocalSource:
    """Asks the evaluation of this process."""

    def __init__(
        self,
        config: pytest.Config,
        settings: RunSettings,
        *,
        store: Store,
        registry: Registry,
        readings: Readings,
        root: Path,
    ) -> None:
        self._config = config
        self._settings = settings
        self._lock = threading.Lock()
        self._selected: dict[str, frozenset[str]] = {}
        self._members: dict[str, tuple[Member, ...]] = {}
        self.store = store
        self._source = TranscriptSource(registry, readings=readings)
        self._root = root
        self._run_id = settings.run_id or new_run_id(datetime.now(UTC))
        self._whole: Evaluation | None = None
        self.evaluation = self._evaluation(settings.evaluation)

    def _evaluation(self, settings: EvaluationSettings) -> Evaluation:
        return Evaluation(
            settings=settings,
            store=self.store,
            source=self._source,
            open_judge=self._open_judge,
            run_id=self._run_id,
            root=self._root,
            clock=lambda: datetime.now(UTC),
            secret=secrets.token_bytes(16),
        )

    def select(self, suite: Suite, members: Sequence[Member]) -> frozenset[str]:
        """Return the ids of the members that stay; the first answer for a suite is the answer.

        Workers ask while the controller may be judging already: asking the
        store again could give them different items.
        """
        with self._lock:
            if suite.name not in self._selected:
                selection = self._settings.selection
                evaluated: frozenset[str] = frozenset()
                if selection.scope == "unevaluated":
                    evaluated = self.evaluation.evaluated(suite, members)
                chosen = select(members, selection, evaluated=evaluated)
                self._members[suite.name] = tuple(members)
                self._selected[suite.name] = frozenset(member.id for member in chosen)
            return self._selected[suite.name]

    def check(self, plan: Plan) -> None:
        """Open every suite's judges and hold its baseline against them; raises ``UsageError``."""
        gate = self._settings.gate
        axes = [axis for suite in plan.suites for axis in suite.suite.rubric.axis_names]
        check_shortcuts(gate.under, gate.drop, axes)
        if len(plan.suites) > 1 and gate.baseline is not None:
            names = ", ".join(suite.suite.name for suite in plan.suites)
            raise SettingError(
                f"--sessioneval-baseline {gate.baseline}: a baseline holds one suite, and there "
                f"are {len(plan.suites)} ({names}); run them one at a time, or leave the option "
                "out: each suite has a baseline of its own"
            )
        if self._settings.part is not None:
            check_part(self._settings.part, plan, self.store)
        for suite_plan in plan.suites:
            panel = self.evaluation.panel(suite_plan.suite)
            if not gate.update:
                shortcuts = bool(gate.under or gate.drop)
                check_early_stopping(suite_plan.suite, shortcuts=shortcuts)
                check_reference(
                    suite_plan.reference,
                    rubric_version=panel.rubric_version,
                    judge_version=panel.version,
                )

    def start(self, plan: Plan) -> None:
        """Begin to judge, saying beforehand what will be asked."""
        self._say(samples_hint(plan))
        self.evaluation.start(plan, self._announce)

    def estimate(self, plan: Plan) -> None:
        """Say what judging the plan would take; nobody is asked."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        planned = self.evaluation.estimate(plan)
        if reporter is not None:
            for line in estimate_lines(planned):
                reporter.write_line(line)

    def _announce(self, planned: PlannedCalls) -> None:
        self._say(announcement(planned, os.environ))

    def _say(self, lines: Iterable[str]) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and self._config.get_verbosity() >= 0:
            for line in lines:
                reporter.write_line(line)

    def result(self, suite: str, member_id: str, tick: Tick | None = None) -> SessionResult:
        """Return how a planned session ended, waiting for it."""
        return self.evaluation.result(suite, member_id, tick)

    def judge(self, suite: Suite, member: Member, transcript: Transcript) -> SessionResult:
        """Return how a session that is in no file ended."""
        return self.evaluation.judge(suite, member, transcript)

    def end_part(self, part: Part, run: Run, *, finished: bool) -> SharedEnd:
        """Note that this part of a shared run has ended; return how far the run is."""
        return end_part(
            part,
            self.evaluation.plan,
            run.suites,
            shard=self._selected,
            finished=finished,
            store=self.store,
            now=datetime.now(UTC),
        )

    def whole(self) -> Evaluation:
        """Return an evaluation of all parts of the run, every verdict from the store."""
        plan = whole_plan(self.evaluation.plan, self._members)
        self._whole = self._evaluation(replace(self._settings.evaluation, offline=True))
        self._whole.start(plan)
        for suite in plan.suites:
            for planned in suite.sessions:
                self._whole.result(suite.suite.name, planned.member.id)
        return self._whole

    def close(self) -> None:
        """Release judges and store."""
        if self._whole is not None:
            self._whole.close()
        self.evaluation.close()

    def _open_judge(
        self, model: str, suite: Suite, *, budget: CallBudget, stop: threading.Event
    ) -> Judge:
        return open_judge(
            model,
            settings=suite.settings.judge,
            environ=os.environ,
            timeout_s=self._settings.timeout_s,
            connections=self._settings.evaluation.concurrency,
            stop=stop,
            base=suite.root,
            hooks=given_judges(self._config),
            reserve=budget.reserve,
            models=self._settings.evaluation.models,
            cost=budget.cost,
            calibration=suite.calibration,
        )

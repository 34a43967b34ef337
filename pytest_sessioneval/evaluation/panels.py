"""The panels of a run's suites: their judges opened once, before anything is asked."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Protocol

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.judging.budget import CallBudget
from pytest_sessioneval.judging.model import Judge
from pytest_sessioneval.judging.models import ModelTable
from pytest_sessioneval.judging.panel import EMBEDDED, Panel, panel_experts
from pytest_sessioneval.suites.model import Suite

__all__ = ["JudgeOpener", "Panels"]


class JudgeOpener(Protocol):
    """Opens the judge a model string names, for a suite."""

    def __call__(
        self, model: str, suite: Suite, *, budget: CallBudget, stop: threading.Event
    ) -> Judge:
        """Return the judge; raises ``SettingError`` when it cannot be opened."""
        ...


class Panels:
    """Opens suites' judges on first use, from any thread; suites with equal settings share them.

    All judges of a run draw on one budget and stop at one event.
    """

    def __init__(
        self,
        open_judge: JudgeOpener,
        budget: CallBudget,
        stop: threading.Event,
        *,
        for_baseline: bool = False,
        context_tokens: int | None = None,
        embedding_model: str | None = None,
        models: ModelTable | None = None,
    ) -> None:
        self._open_judge = open_judge
        self._for_baseline = for_baseline
        named: dict[str, int | str | None] = {
            "context_tokens": context_tokens,
            "embedding_model": embedding_model,
        }
        self._told = {name: value for name, value in named.items() if value is not None}
        self._models = models
        self._budget = budget
        self._stop = stop
        self._lock = threading.Lock()
        self._judges: dict[tuple[str, str], Judge] = {}
        self._panels: dict[str, Panel] = {}

    @property
    def are_embedded(self) -> bool:
        """Whether the embedded judge is the only one: judging computes, and waits for nobody."""
        return all(judge.name == EMBEDDED for judge in self._judges.values())

    @property
    def run_others_code(self) -> bool:
        """Whether a judge is a Python function of somebody else's, which may print and log."""
        return any(judge.name.startswith("hook:") for judge in self._judges.values())

    def of(self, suite: Suite) -> Panel:
        """Return the suite's panel, its judges opened.

        Raises ``SettingError`` when a judge cannot be opened and ``SuiteError``
        when a threshold or the gate names an axis nobody can score.
        """
        with self._lock:
            known = self._panels.get(suite.name)
            if known is not None:
                return known
            suite = self._as_told(suite)
            models = {expert.model or suite.settings.judge.model for expert in panel_experts(suite)}
            judges = {model: self._judge(model, suite) for model in sorted(models)}
            panel = Panel.of(suite, judges, repeats=self._repeats(suite), models=self._models)
            _check_supported(suite, panel.unsupported())
            self._panels[suite.name] = panel
            return panel

    def close(self) -> None:
        """Release every judge; nothing may be asked any more."""
        for judge in self._judges.values():
            judge.close()

    def _as_told(self, suite: Suite) -> Suite:
        """Return the suite with what was said of its judge elsewhere."""
        if not self._told:
            return suite
        judge = suite.settings.judge.model_copy(update=self._told)
        settings = suite.settings.model_copy(update={"judge": judge})
        return suite.model_copy(update={"settings": settings})

    def _repeats(self, suite: Suite) -> int:
        settings = suite.settings.judge
        if not self._for_baseline or settings.model == EMBEDDED:
            return settings.repeats
        return max(settings.repeats, settings.baseline_repeats)

    def _judge(self, model: str, suite: Suite) -> Judge:
        # Parameters are the suite's own, so two suites may share a model and not a judge.
        # A recording's path is relative to its suite, and a calibration's.
        local = model.startswith("recorded:") or suite.calibration is not None
        where = str(suite.root) if local else ""
        key = (model, suite.settings.judge.model_dump_json() + where)
        if key not in self._judges:
            self._judges[key] = self._open_judge(model, suite, budget=self._budget, stop=self._stop)
        return self._judges[key]


def _check_supported(suite: Suite, unsupported: Mapping[str, str]) -> None:
    thresholds = suite.settings.thresholds
    gated = suite.settings.gate.axes if suite.settings.gate is not None else ()
    for where, axes in (
        ("[thresholds.session]", thresholds.session),
        ("[thresholds.mean]", thresholds.mean),
        ("[gate] axes", gated),
    ):
        for axis in axes:
            if axis in unsupported:
                raise SuiteError(
                    f"suite {suite.name}: {where} names {axis}, which "
                    f"{suite.settings.judge.model} cannot score here: {unsupported[axis]}"
                )

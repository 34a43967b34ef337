"""Under which versions sessions count as evaluated: by the settings, not by the last run."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from pytest_sessioneval.evaluation.direct import judge_opener
from pytest_sessioneval.evaluation.panels import Panels
from pytest_sessioneval.evaluation.settings import EvaluationSettings
from pytest_sessioneval.judging.budget import CallBudget
from pytest_sessioneval.stores.listings import CurrentVersions
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.stores.summary import current_versions
from pytest_sessioneval.suites.model import Suite

__all__ = ["LastVersions", "configured_versions"]

_RUNS_LOOKED_AT = 500


def configured_versions(
    suite: Suite, environ: Mapping[str, str], settings: EvaluationSettings
) -> CurrentVersions:
    """Return the suite's versions as it is judged now, on these terms; nobody is asked.

    Raises ``SettingError`` when a judge cannot be opened and ``SuiteError`` when
    a threshold or the gate names an axis nobody can score.
    """
    panels = Panels(
        judge_opener(environ, 1),
        CallBudget(None),
        threading.Event(),
        context_tokens=settings.context_tokens,
        embedding_model=settings.embedding_model,
        models=settings.models,
    )
    try:
        panel = panels.of(suite)
        return CurrentVersions(
            suite=suite.name,
            rubric_version=panel.rubric_version,
            judge_version=panel.version,
            experts=tuple(seat.expert.id for seat in panel.seats),
            axes=suite.rubric.axis_names,
        )
    finally:
        panels.close()


class LastVersions:
    """The versions of each suite's last run, looked up at most once in ``interval_s`` seconds."""

    def __init__(self, store: Store, interval_s: float) -> None:
        self._store = store
        self._interval_s = interval_s
        self._known: tuple[float, dict[str, CurrentVersions]] | None = None

    def now(self) -> dict[str, CurrentVersions]:
        """Return them by suite; raises ``StoreError``."""
        known = self._known
        if known is None or time.monotonic() - known[0] >= self._interval_s:
            at = time.monotonic()
            runs = (row.summary for row in self._store.suite_runs(_RUNS_LOOKED_AT))
            known = at, {versions.suite: versions for versions in current_versions(runs)}
            self._known = known
        return known[1]

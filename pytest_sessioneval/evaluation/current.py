"""Under which versions sessions count as evaluated: by the settings, not by the last run."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from pytest_sessioneval.evaluation.direct import judge_opener
from pytest_sessioneval.evaluation.panels import Panels
from pytest_sessioneval.judging.budget import CallBudget
from pytest_sessioneval.stores.listings import CurrentVersions
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.stores.summary import current_versions
from pytest_sessioneval.suites.model import Suite

__all__ = ["configured_versions", "last_versions"]

_RUNS_LOOKED_AT = 500


def configured_versions(suite: Suite, environ: Mapping[str, str]) -> CurrentVersions:
    """Return the suite's versions as its settings are now; nobody is asked.

    Raises ``SettingError`` when a judge cannot be opened and ``SuiteError`` when
    a threshold or the gate names an axis nobody can score.
    """
    panels = Panels(judge_opener(environ, 1), CallBudget(None), threading.Event())
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


def last_versions(store: Store) -> dict[str, CurrentVersions]:
    """Return the versions of each suite's last run, by suite; raises ``StoreError``."""
    known = current_versions(row.summary for row in store.runs(_RUNS_LOOKED_AT))
    return {versions.suite: versions for versions in known}

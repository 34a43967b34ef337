"""What commands that ask judges have in common: on what terms, and what is said beforehand."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import click

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.direct import Terms, suite_in
from pytest_sessioneval.evaluation.settings import PlannedCalls, typed_judge
from pytest_sessioneval.judging.panel import panel_experts
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.wording import counted
from pytest_sessioneval.stores.opening import DEFAULT_STORE
from pytest_sessioneval.suites.model import Suite

__all__ = ["asked_suite", "named_judge", "terms", "waiting_for"]


def terms(*, store: str | None, max_calls: int | None, home: Path) -> Terms:
    """Return how to go about judging: what was typed, else the environment, else the defaults."""
    return Terms(
        environ=os.environ,
        store=store or os.environ.get("SESSIONEVAL_STORE") or DEFAULT_STORE,
        home=home,
        max_calls=max_calls,
    )


def named_judge(judge: str | None) -> str | None:
    """Return who is asked instead of the suite's judge: ``--judge``, else the environment's."""
    named = judge or os.environ.get("SESSIONEVAL_JUDGE")
    return typed_judge(named, Path.cwd()) if named else None


def asked_suite(folder: str, judge: str | None) -> Suite:
    """Return the suite in the folder; ``judge`` is --judge, before the environment's.

    Raises ``SettingError`` where there is no such folder and for a judge that
    only pytest knows, and ``SuiteError``.
    """
    path = Path(folder)
    if not path.is_dir():
        raise SettingError(f"{folder} is no folder; name the folder of a suite")
    suite = suite_in(path, named_judge(judge))
    for expert in panel_experts(suite):
        model = expert.model or suite.settings.judge.model
        if model.startswith("hook:"):
            raise SettingError(
                f"judge {model!r} comes from a conftest.py or a plugin, which pytest alone reads: "
                "this command cannot ask it; name another with --judge"
            )
    return suite


def waiting_for(what: str) -> Callable[[PlannedCalls], None]:
    """Return what says on standard error how much is about to be asked, before the first call."""

    def announce(planned: PlannedCalls) -> None:
        if planned.calls:
            judges = one_line(", ".join(planned.judges))
            click.echo(f"{what}: {counted(planned.calls, 'call')} to {judges}", err=True)

    return announce

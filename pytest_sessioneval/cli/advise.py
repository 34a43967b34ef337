"""The advice on a suite of a report, with a model's guesses where one is to be asked."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

import click

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.advisor import AdvisorTerms, suggested
from pytest_sessioneval.evaluation.reported import reported_suite, thumbs_on
from pytest_sessioneval.judging.backends.opening import MODELS, names_model
from pytest_sessioneval.reports.advice.build import Background, advise
from pytest_sessioneval.reports.advice.markdown import render_advice
from pytest_sessioneval.reports.writing import links_under
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.discovery import find_suite_file
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.suites.model import JudgeSettings
from pytest_sessioneval.transcripts.redaction_policy import RedactionPolicy
from pytest_sessioneval.verdicts.model import CallCount

__all__ = ["advice_on"]


def advice_on(
    report: str,
    *,
    suite: str | None,
    terms: AdvisorTerms | None,
    links: str | None,
    out: Path,
    store: Store,
    now: datetime,
) -> str:
    """Return the advice on a suite as Markdown: the report's own, or made where it has none.

    ``report`` is a report.json, the id of a run or a suite's folder, ``terms``
    whom to ask; None: nobody. Raises ``SettingError`` and ``StoreError``.
    """
    if terms is not None and not names_model(terms.model):
        raise SettingError(f"--model: {terms.model!r} is not accepted; give {MODELS}")
    found = reported_suite(report, suite=suite, option="advise", out=out, store=store)
    background = Background(thumbs=thumbs_on(found, report, store))
    if found.advice is None:
        found = found.model_copy(update={"advice": advise(found, background)})
    if terms is not None:
        settings, redaction = JudgeSettings(), RedactionPolicy()
        folder = Path(report)
        if folder.is_dir() and find_suite_file(folder) is not None:
            whole = load_suite(folder)
            settings, redaction = whole.settings.judge, whole.redaction
        found = suggested(
            found,
            background,
            store,
            terms,
            settings=settings,
            redaction=redaction,
            budget=terms.budget(CallCount()),
            now=now,
            announce=partial(click.echo, err=True),
        )
    return render_advice([found], links_under(links))

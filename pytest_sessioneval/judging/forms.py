"""What a case's judge is asked: levels of axes, or tables of metrics. Nobody is asked for both."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_sessioneval.judging.metrics.tables import asks_tables, tables_prompt
from pytest_sessioneval.judging.model import Case, Prompt
from pytest_sessioneval.judging.prompts import build_prompt
from pytest_sessioneval.transcripts.excerpt import Excerpt

__all__ = ["prompt_for"]


def prompt_for(case: Case, shown: Excerpt, *, beside: Sequence[str] = ()) -> Prompt:
    """Return the request for one case; raises as ``build_prompt`` does."""
    if asks_tables(case.axes):
        return tables_prompt(case, shown)
    return build_prompt(case, shown, beside=beside)

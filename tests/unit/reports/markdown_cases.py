"""Reports in Markdown, of the runs that the tests share."""

from __future__ import annotations

from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.markdown import render_markdown
from pytest_sessioneval.verdicts.run import Run

__all__ = ["markdown_of"]


def markdown_of(run: Run) -> str:
    """Return a run's report.md."""
    return render_markdown(build_report(run))

"""The body of a pull-request comment from a run's report."""

from __future__ import annotations

from pathlib import Path

from pytest_sessioneval.evaluation.commenting import pull_request_comment
from pytest_sessioneval.evaluation.sources import named_report
from pytest_sessioneval.reports.markdown import render_markdown
from pytest_sessioneval.reports.writing import links_under

__all__ = ["comment_body"]


def comment_body(report: str, *, links: str | None, name: str, out: Path) -> str:
    """Return the comment's body: a hidden marker, then the report as Markdown.

    ``report`` is a run's id or a report.json, ``links`` the URL under which
    transcripts are linked, ``name`` what tells several comments on one pull
    request apart. Raises ``SettingError``.
    """
    _, found = named_report(report, option="comment", out=out)
    return pull_request_comment(render_markdown(found, links_under(links)), name=name)

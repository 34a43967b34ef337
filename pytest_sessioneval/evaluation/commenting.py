"""A pull-request comment that a workflow finds again and updates in place."""

from __future__ import annotations

import re

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.reports.writing import fitted

__all__ = ["COMMENT_BYTES", "comment_marker", "pull_request_comment"]

COMMENT_BYTES = 65_536
"""What GitHub takes in one comment (it counts characters, so that bytes are on the safe side)."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_CUT = "**Cut here: a comment holds no more. report.md has the rest.**"


def comment_marker(name: str = "report") -> str:
    """Return the first line of every comment of that name: an HTML comment that nobody sees.

    A workflow looks for the comment whose body begins with it. Raises
    ``SettingError`` for a name of other than up to 64 letters, digits, ``._-``.
    """
    if not _NAME.fullmatch(name):
        raise SettingError(
            f"{name!r} cannot name a comment; accepted are up to 64 letters, digits, '.', '_' and "
            "'-', a letter or digit first"
        )
    return f"<!-- pytest-sessioneval: {name} -->"


def pull_request_comment(report_markdown: str, *, name: str = "report") -> str:
    """Return the comment's body: the marker, then the report, cut to what GitHub takes.

    ``name`` tells the comments of several jobs apart.
    """
    head = f"{comment_marker(name)}\n"
    body, _ = fitted(report_markdown, COMMENT_BYTES - len(head.encode()), note=_CUT)
    return head + body

"""Sessions as pytest items: one that waits for its verdict, one that could not be read."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_sessioneval.evaluation.walking import as_text
from pytest_sessioneval.reports.failure import failure_text, skip_reason
from pytest_sessioneval.shell.longrepr import FailureText
from pytest_sessioneval.verdicts.model import PanelScore
from pytest_sessioneval.verdicts.run import FileProblem, SessionResult

if TYPE_CHECKING:
    from pytest_sessioneval.evaluation.membership import Member
    from pytest_sessioneval.shell.run import RunPlugin

__all__ = ["ProblemItem", "SessionItem"]


class SessionItem(pytest.Item):
    """One recorded session: passes when it is judged and no threshold is missed."""

    def __init__(self, *, run: RunPlugin, suite: str, member: Member, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run = run
        self.suite = suite
        self.member = member
        _mark(self)
        self.extra_keyword_matches.add(member.session.key)

    @property
    def ihook(self) -> Any:
        """The parent's hooks: a file that is no module has no conftest of its own.

        Asking pytest for each file's would look for one 10,000 times.
        """
        parent = self.parent
        return super().ihook if parent is None else parent.ihook

    def runtest(self) -> None:
        """Wait for the verdict; fail with text, never with a traceback, unless it passed."""
        result = self.run.result(self.suite, self.member.id)
        self.user_properties.extend(_properties(result))
        if result.state == "skipped":
            pytest.skip(skip_reason(result))
        if result.state != "passed":
            width = self.config.get_terminal_writer().fullwidth
            pytest.fail(failure_text(result, width=width), pytrace=False)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None
    ) -> str | Any:
        """Return a failure as the text it is, without the place in our code that raised it."""
        if isinstance(excinfo.value, pytest.fail.Exception) and not excinfo.value.pytrace:
            return FailureText(str(excinfo.value))
        return super().repr_failure(excinfo, style)

    @property
    def is_marked(self) -> bool:
        """Whether somebody else marked the session: to be skipped, or to fail."""
        return any(mark.name != "sessioneval" for mark in self.own_markers)

    @property
    def location(self) -> tuple[str, None, str]:
        """Return where the session lies, as its node id says it, and its title.

        pytest would work the same path out anew, which takes long for 10,000.
        """
        return self.nodeid.partition("::")[0], None, f"session {self.name}"

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the session lies, and its title.

        The title must not be the end of the node id: ``-v`` would then take it
        for a Python name and print ``a::json``. A line must be there: pytest
        asserts it when a mark skips the item.
        """
        return self.path, 0, f"session {self.name}"


class ProblemItem(pytest.Item):
    """A file, or one session of a file, that cannot be read: an error, never a skip."""

    def __init__(self, *, problem: FileProblem, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.problem = problem
        _mark(self)

    def setup(self) -> None:
        """Fail in one line: in setup, so that pytest counts an error and not a failure."""
        line = "" if self.problem.line is None else f":{self.problem.line}"
        root = self.config.rootpath
        shown = self.path.relative_to(root) if self.path.is_relative_to(root) else self.path
        pytest.fail(f"{as_text(str(shown))}{line}: {self.problem.reason}", pytrace=False)

    def runtest(self) -> None:
        """Never reached: setup fails."""

    @property
    def location(self) -> tuple[str, None, str]:
        """Return where the file lies, as its node id says it, and its title."""
        return self.nodeid.partition("::")[0], None, f"session {self.name}"

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the file lies, and its title; see ``SessionItem``."""
        return self.path, 0, f"session {self.name}"


@cache
def _marker() -> pytest.MarkDecorator:
    return pytest.mark.sessioneval


def _mark(item: pytest.Item) -> None:
    """Mark the item for ``-m sessioneval``; one mark serves them all."""
    marker = _marker()
    item.own_markers.append(marker.mark)
    item.keywords["sessioneval"] = marker


def _properties(result: SessionResult) -> list[tuple[str, object]]:
    """Return what JUnit XML and other plugins see of a verdict."""
    properties: list[tuple[str, object]] = [
        ("sessioneval_suite", result.session.suite),
        ("sessioneval_key", result.session.key),
        ("sessioneval_state", result.state),
    ]
    if result.verdict is not None:
        for name, axis in result.verdict.axes.items():
            shown = round(axis.score, 1) if isinstance(axis, PanelScore) else axis.reason
            properties.append((name, shown))
    return properties

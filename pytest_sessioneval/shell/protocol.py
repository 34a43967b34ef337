"""How a session's item is run: pytest's own way, or a shorter one where nobody can tell.

A session has no fixtures and no setup, and thousands of them wait for verdicts
that are there already: pytest's protocol then costs more than the rest of the
run. The shorter way makes the same reports (setup, call, teardown) in the same
order through the same hook, and leaves out what only other plugins could see.
So it is taken only when there are none: docs/decisions/0007-short-protocol.md.
"""

from __future__ import annotations

import time
from typing import Any, Literal

import pytest

from pytest_sessioneval.garbage import keep_what_is_there
from pytest_sessioneval.shell.items import SessionItem

__all__ = ["ShortProtocol", "foreign"]

_HOOKS = (
    "pytest_runtest_protocol",
    "pytest_runtest_setup",
    "pytest_runtest_call",
    "pytest_runtest_teardown",
    "pytest_runtest_makereport",
    "pytest_exception_interact",
)
_ENDS_THE_RUN = (pytest.exit.Exception, KeyboardInterrupt)
_ROW = 1_000
_OPTIONS = ("usepdb", "trace", "setupshow", "setuponly", "setupplan")


def foreign(hook: Any) -> bool:
    """Return whether a plugin that is neither pytest's nor ours implements the hook.

    ``hook`` is the plugin manager's: ``config.hook`` wraps some in pytest 8.
    """
    known = ("_pytest.", "pytest_sessioneval.", "xdist.")
    return any(
        not getattr(impl.function, "__module__", "").startswith(known)
        for impl in hook.get_hookimpls()
    )


class ShortProtocol:
    """Runs session items the short way where that makes no difference."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._usable: bool | None = None
        self._plain: tuple[pytest.Collector, bool] | None = None
        self._reported = 0

    def run(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run the item and return True; return None to leave it to pytest.

        The last of a row of sessions is always left to pytest, which sets up
        and tears down the folders they lie in.
        """
        if not isinstance(item, SessionItem) or not isinstance(nextitem, SessionItem):
            return None
        folder = item.parent
        if folder is None or folder is not nextitem.parent or not self._is_usable():
            return None
        if item.is_marked or not self._is_plain(folder):
            return None
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        report = hook.pytest_runtest_logreport
        report(report=_nothing_done(item, "setup"))
        call = pytest.CallInfo.from_call(item.runtest, when="call", reraise=_ENDS_THE_RUN)
        report(report=pytest.TestReport.from_item_and_call(item, call))
        report(report=_nothing_done(item, "teardown"))
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        self._reported += 1
        if self._reported % _ROW == 0:
            keep_what_is_there(_ROW)  # pytest keeps every report to the end
        return True

    def _is_usable(self) -> bool:
        if self._usable is None:
            options = any(self._config.getoption(name, False) for name in _OPTIONS)
            hooks = any(foreign(getattr(self._config.pluginmanager.hook, name)) for name in _HOOKS)
            self._usable = not (options or hooks)
        return self._usable

    def _is_plain(self, folder: pytest.Collector) -> bool:
        """Whether nothing in or above the folder is marked, or has a set-up that could fail."""
        if self._plain is None or self._plain[0] is not folder:
            nodes = folder.listchain()
            plain = not any(node.own_markers or _sets_up(node) for node in nodes)
            self._plain = folder, plain
        return self._plain[1]


def _sets_up(node: object) -> bool:
    """Whether the node does something when the first of its items runs, as packages do."""
    return getattr(type(node), "setup", None) is not pytest.Item.setup


def _nothing_done(item: SessionItem, when: Literal["setup", "teardown"]) -> pytest.TestReport:
    """Return the report of a phase that a session does not have, as pytest would make it."""
    now = time.time()
    return pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords=dict.fromkeys(item.keywords, 1),
        outcome="passed",
        longrepr=None,
        when=when,
        start=now,
        stop=now,
        user_properties=item.user_properties,
    )

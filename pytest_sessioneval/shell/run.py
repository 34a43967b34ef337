"""The plugin that does the work once a suite is in play: collects, judges, reports."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_sessioneval.errors import StoreError, UsageError
from pytest_sessioneval.evaluation.evaluation import Evaluation
from pytest_sessioneval.evaluation.plan import Plan, PlannedSession, SuitePlan, plan_suite
from pytest_sessioneval.evaluation.reading import Readings
from pytest_sessioneval.garbage import keep_what_is_there, paused, seldom
from pytest_sessioneval.shell.collecting import (
    SuiteDirectory,
    SuitePackage,
    SuiteSessionFile,
    SuiteTree,
)
from pytest_sessioneval.shell.hook_values import given_registry
from pytest_sessioneval.shell.items import SessionItem
from pytest_sessioneval.shell.local import LocalSource
from pytest_sessioneval.shell.outcome import Outcome, conclude, report_no_gate
from pytest_sessioneval.shell.progress import ProgressLine
from pytest_sessioneval.shell.protocol import ShortProtocol
from pytest_sessioneval.shell.settings import run_settings
from pytest_sessioneval.shell.sources import ResultSource
from pytest_sessioneval.shell.suites import SuiteBook
from pytest_sessioneval.shell.workers import ControllerDesk, RemoteSource
from pytest_sessioneval.stores.opening import open_store
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.transcripts.registry import Registry
from pytest_sessioneval.verdicts.run import SessionResult

if TYPE_CHECKING:
    from pytest_sessioneval.shell.fixture import SessionJudge

__all__ = ["RunPlugin"]

_BROKEN_EXIT = int(pytest.ExitCode.INTERNAL_ERROR)


class RunPlugin:
    """One pytest run with suites in it, in whichever process: alone, controller or worker."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.home = _home(config)
        self.settings = run_settings(config, os.environ, home=self.home)
        self._invitation: dict[str, Any] | None = getattr(config, "workerinput", {}).get(
            "sessioneval"
        )
        self._progress = ProgressLine(config)
        self._protocol = ShortProtocol(config)
        self._session: pytest.Session | None = None
        self._nodes: dict[str, tuple[str, str]] = {}
        self._reported: set[tuple[str, str]] = set()
        self._outcome: Outcome | None = None
        self._readings = Readings()
        self._desk = ControllerDesk(lambda: self.source, begin=self._begin, consumed=self._consumed)

    @property
    def is_worker(self) -> bool:
        """Whether an xdist controller runs the show."""
        return self._invitation is not None

    # -- parts, made on first use --------------------------------------------------

    @cached_property
    def registry(self) -> Registry:
        """The readers: those of hooks first."""
        return given_registry(self.config)

    @cached_property
    def store(self) -> Store:
        """The store."""
        return open_store(self.settings.store, root=self.home)

    @cached_property
    def book(self) -> SuiteBook:
        """The suites in play."""
        # A worker judges nothing: what it reads, the controller reads again.
        readings = None if self.is_worker else self._readings
        return SuiteBook(self.config, self.settings, lambda: self.registry, readings)

    @cached_property
    def source(self) -> ResultSource:
        """Where results come from."""
        if self._invitation is not None:
            address = (self._invitation["host"], self._invitation["port"])
            return RemoteSource(address, self._invitation["token"])
        return LocalSource(
            self.config,
            self.settings,
            store=self.store,
            registry=self.registry,
            readings=self._readings,
            root=self.config.rootpath,
        )

    def session_judge(self) -> SessionJudge:
        """Return what the ``sessioneval`` fixture gives a test."""
        from pytest_sessioneval.shell.fixture import SessionJudge

        return SessionJudge(self.source, self.book.suite(self.config.rootpath), self.registry)

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> list[str] | None:
        """Explain a failed comparison with an axis that the fixture scored."""
        from pytest_sessioneval.shell.fixture import comparison_lines

        return comparison_lines(op, left, right)

    # -- collection ----------------------------------------------------------------

    def collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Return the node of a folder that belongs to a suite; None for every other folder."""
        self._session = parent.session
        root = path if self.book.is_root(path) else None
        if root is None and isinstance(parent, SuiteDirectory):
            tree = self.tree(parent.root)
            if tree is not None and path in tree.folders:
                root = parent.root
        if root is None:
            return None
        kind = SuitePackage if (path / "__init__.py").is_file() else SuiteDirectory
        return kind.from_parent(parent, path=path, run=self, root=root)

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        """Collect a file named on the command line that no folder of ours leads to."""
        root = self.book.named_root_of(file_path)
        if root is None or isinstance(parent, SuiteDirectory):
            return None
        self._session = parent.session
        tree = self.tree(root)
        if tree is None or file_path not in tree.files:
            return None
        return SuiteSessionFile.from_parent(parent, path=file_path, run=self, tree=tree)

    def tree(self, root: Path) -> SuiteTree | None:
        """Return what a suite holds; None when something is wrong with it."""
        if self._session is None:
            raise RuntimeError("a suite is scanned while pytest collects")
        return self.book.tree(root, self._session, lambda: self.store)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what scope, since, limit and shard leave out."""
        if self.settings.selection.is_whole or self.book.errors:
            return
        stays: dict[str, frozenset[str]] = {}
        for tree in self.book.trees:
            name = tree.scan.suite.name
            select = partial(self.source.select, tree.scan.suite, tree.scan.members)
            stays[name] = self._guarded(select, default=frozenset())
        left_out = [
            item
            for item in items
            if isinstance(item, SessionItem) and item.member.id not in stays[item.suite]
        ]
        if left_out:
            self.config.hook.pytest_deselected(items=left_out)
            gone = set(left_out)
            items[:] = [item for item in items if item not in gone]

    def collected(self, session: pytest.Session) -> None:
        """Refuse a run that cannot be made; called when collection is over, before any item runs.

        Raises ``pytest.UsageError``, which ends pytest with exit 4.
        """
        if not self.book.errors:
            suites = Plan(
                suites=tuple(plan_suite(tree.scan, tree.reference, ()) for tree in self.book.trees)
            )
            self._guarded(lambda: self.source.check(suites), default=None)
        if self.book.errors:
            message = "\n".join(dict.fromkeys(map(str, self.book.errors)))
            if self.is_worker and isinstance(self.source, RemoteSource):
                self.source.refuse(message)
                session.items.clear()
            else:
                raise pytest.UsageError(message)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell the controller what this worker will ask for, once its selection is final."""
        if self.is_worker and _runs_items(session.config):
            self.collected(session)
            plan = self._plan(session)
            if plan.suites and not self.book.errors:
                self._guarded(lambda: self.source.start(plan), default=None)

    # -- the run -------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Any:
        """Begin to judge when the items begin to run, never where none of them will.

        Nobody is asked under ``--co``, ``--setup-only`` and ``--setup-plan``, nor
        under ``--sessioneval-estimate``, which runs no item at all.
        """
        self._session = session
        if _runs_items(session.config) and not self.is_worker:
            count = sum(isinstance(item, SessionItem) for item in session.items)
            with paused(count, keep=True):
                plan = self._plan(session)
                if plan.suites and self.settings.estimate:
                    self._estimate(plan, session)
                elif plan.suites:
                    self._begin(plan)
        with seldom(len(self._nodes)):
            outcome = yield
        if self._evaluation is not None:
            try:  # here and not at the end of the session, so that Ctrl-C is still pytest's
                self._evaluation.wait_for_canaries(self._progress.show)
            finally:
                self._progress.clear()
        return outcome

    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Run a session the short way where that makes no difference."""
        if self._evaluation is not None and self._evaluation.runs_others_code:
            return None  # what a Python judge prints meanwhile is pytest's to capture
        return self._protocol.run(item, nextitem)

    def result(self, suite: str, member_id: str) -> SessionResult:
        """Return how a session ended; a broken store ends the whole run."""
        try:
            return self.source.result(suite, member_id, self._progress.show)
        except StoreError as error:
            pytest.exit(f"the store is broken: {error}", returncode=_BROKEN_EXIT)
        finally:
            self._progress.clear()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Move the window on; after ``-x`` ask nobody any more."""
        if self._session is None:  # the controller of workers collects nothing
            self._session = self.config.pluginmanager.get_plugin("session")
        session = self._session
        if session is not None and (session.shouldfail or session.shouldstop):
            self._stop("the run was stopped before its turn")
        if report.when == "call":
            planned = self._nodes.get(report.nodeid)
            if planned is not None:
                self._reported.add(planned)
                self._consumed(*planned)

    def pytest_keyboard_interrupt(self) -> None:
        """Ask nobody any more."""
        self._stop("the run was interrupted before its turn")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Assemble the run, write the reports, let what they say decide the exit."""
        source = self.__dict__.get("source")
        if isinstance(source, LocalSource) and source.evaluation.running:
            with paused(len(self._nodes), keep=True):
                self._outcome = conclude(
                    source,
                    self.settings,
                    session,
                    exitstatus=int(exitstatus),
                    reported=self._reported,
                )
        asked = session.config.option.sessioneval_require_gate and _runs_items(session.config)
        if asked and self._outcome is None and not self.is_worker:
            report_no_gate(session, int(exitstatus))

    @pytest.hookimpl(tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print what the reports say."""
        if self._outcome is not None:
            self._outcome.show(terminalreporter)

    def pytest_unconfigure(self) -> None:
        """Release judges, store and sockets."""
        keep_what_is_there(len(self._nodes))
        for part in ("source", "store"):
            if part in self.__dict__:
                self.__dict__[part].close()

    # -- the controller of workers -------------------------------------------------

    def serve(self, connection: socket.socket, token: str) -> None:
        """Answer one worker's questions until it hangs up."""
        self._desk.serve(connection, token)

    def loop_over(self) -> None:
        """Raise ``pytest.UsageError`` when a worker found that the run cannot be made."""
        if self._desk.refused:
            raise pytest.UsageError("\n".join(self._desk.refused))

    # -- inside --------------------------------------------------------------------

    def _guarded(self, ask: Callable[[], Any], *, default: Any) -> Any:
        """Return what ``ask`` returns; keep what is wrong for ``collected`` to raise."""
        try:
            return ask()
        except (UsageError, StoreError) as error:
            self.book.errors.append(error)
            return default

    @property
    def _evaluation(self) -> Evaluation | None:
        """The evaluation of this process, if it has begun to make one."""
        source = self.__dict__.get("source")
        return source.evaluation if isinstance(source, LocalSource) else None

    def _begin(self, plan: Plan) -> None:
        self._nodes = {
            planned.nodeid: (suite_plan.suite.name, planned.member.id)
            for suite_plan in plan.suites
            for planned in suite_plan.sessions
        }
        self.source.start(plan)

    def _estimate(self, plan: Plan, session: pytest.Session) -> None:
        """Say what judging would take, and run no item; what is wrong ends pytest with exit 4."""
        if isinstance(self.source, LocalSource):
            self.source.estimate(plan)
        session.items.clear()

    def _consumed(self, suite: str, member_id: str) -> None:
        if self._evaluation is not None:
            self._evaluation.consumed(suite, member_id)

    def _stop(self, reason: str) -> None:
        if self._evaluation is not None:
            self._evaluation.stop(reason)

    def _plan(self, session: pytest.Session) -> Plan:
        """Return what the selected items are about, suite by suite, in their order."""
        sessions: dict[str, list[PlannedSession]] = {}
        for item in session.items:
            if isinstance(item, SessionItem):
                planned = PlannedSession(member=item.member, nodeid=item.nodeid)
                sessions.setdefault(item.suite, []).append(planned)
        plans = tuple(
            plan_suite(tree.scan, tree.reference, sessions.get(tree.scan.suite.name, ()))
            for tree in self.book.trees
        )
        return Plan(suites=plans, partial=_partial(self.config, plans))


def _runs_items(config: pytest.Config) -> bool:
    option = config.option
    return not (option.collectonly or option.setuponly or option.setupplan)


def _partial(config: pytest.Config, plans: Sequence[SuitePlan]) -> str:
    """Return why the selection is not all of the suites; empty when it is."""
    left_out = sum(plan.sources.deselected for plan in plans)
    if not left_out:
        return ""
    options = {
        "-k": config.option.keyword,
        "-m": config.option.markexpr,
        "--lf": getattr(config.option, "lf", False),
        "--deselect": config.option.deselect,
        "--sessioneval-scope": config.option.sessioneval_scope,
        "--sessioneval-since": config.option.sessioneval_since,
        "--sessioneval-limit": config.option.sessioneval_limit,
        "--sessioneval-shard": config.option.sessioneval_shard,
    }
    given = " ".join(name for name, value in options.items() if value) or "paths"
    return f"{left_out} sessions were left out ({given})"


def _home(config: pytest.Config) -> Path:
    """Return where ``.sessioneval`` lies: the root, or where pytest was called from.

    The latter when folders outside of the root were named: nothing is written
    where the user did not invite it.
    """
    where = config.invocation_params.dir
    if config.option.sessioneval:
        for argument in config.args:
            path = Path(os.path.abspath(where / argument.partition("::")[0]))  # noqa: PTH100
            if not path.is_relative_to(config.rootpath) or config.inipath is None:
                return where
    return config.rootpath

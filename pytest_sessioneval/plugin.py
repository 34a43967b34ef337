"""The pytest plugin's entry point: options and hook specifications, nothing heavy.

The rest is imported when a suite is in play: ``--sessioneval`` is given, a
collected directory holds a ``sessioneval.toml``, or a test asks for the
``sessioneval`` fixture.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_sessioneval.shell import hookspecs
from pytest_sessioneval.shell.options import add_options, any_option_given

if TYPE_CHECKING:
    from pytest_sessioneval.shell.fixture import SessionJudge
    from pytest_sessioneval.shell.run import RunPlugin

_SUITE_FILE = "sessioneval.toml"
_RUN_PLUGIN = "sessioneval-run"
_WORK = "pytest_sessioneval.shell.run"
# Where no suite is in play they must fail, and not be passed over.
_NEEDS_SUITE = ("sessioneval_require_gate", "sessioneval_fail_under", "sessioneval_fail_drop")
_CONTROLLER = "dsession"  # as xdist names what runs the tests in its workers
_IMPORTED = 20_000  # objects, at least, that the imports make: all of them stay
_MEETING = pytest.StashKey[Any]()
_REFUSED = pytest.StashKey[str]()
_registering = threading.Lock()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and their ini twins."""
    add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the hooks that other plugins can implement."""
    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Count in one process what xdist's workers would each count a part of."""
    if config.option.sessioneval_estimate:
        for name, value in (("numprocesses", 0), ("dist", "no"), ("tx", [])):
            if hasattr(config.option, name):
                setattr(config.option, name, value)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; switch the run on when the command line asks for it."""
    config.addinivalue_line("markers", "sessioneval: a recorded agent session, judged by a panel")
    if config.option.sessioneval or any(config.getoption(name) for name in _NEEDS_SUITE):
        _run_plugin(config)


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a folder that belongs to a suite; leave every other folder alone."""
    run = _registered(parent.config)
    if run is None:
        if _REFUSED in parent.config.stash or not (path / _SUITE_FILE).is_file():
            return None
        try:
            run = _run_plugin(parent.config)
        except pytest.UsageError as error:  # in collection it would be a traceback and exit 2
            parent.config.stash[_REFUSED] = str(error)
            return None
    return run.collect_directory(path, parent)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Any:
    """Refuse a run that cannot be made, before anything is judged."""
    result = yield
    if _REFUSED in session.config.stash:
        raise pytest.UsageError(session.config.stash[_REFUSED])
    run = _registered(session.config)
    if run is not None and not run.is_worker and not _has_workers(session.config):
        run.collected(session)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Any:
    """Raise in the controller what its workers found wrong."""
    result = yield
    run = _registered(session.config)
    if run is not None:
        run.loop_over()
    return result


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker where to ask for verdicts."""
    config: pytest.Config = node.config
    if _MEETING not in config.stash:
        if any_option_given(config):
            _run_plugin(config)  # refuses a bad value here, once, and not in every worker
        from pytest_sessioneval.shell.meeting import Meeting

        config.stash[_MEETING] = Meeting(lambda link, token: _run_plugin(config).serve(link, token))
    node.workerinput["sessioneval"] = config.stash[_MEETING].invitation


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Say how to judge a folder of sessions that a plain ``pytest`` found no test in."""
    if exitstatus != pytest.ExitCode.NO_TESTS_COLLECTED or _registered(config) is not None:
        return
    if terminalreporter.stats.get("deselected"):
        return
    from pytest_sessioneval.shell.hint import hint_lines

    for line in hint_lines(config):
        terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take no more calls from workers."""
    if _MEETING in config.stash:
        config.stash[_MEETING].close()


@pytest.fixture(scope="session")
def sessioneval(request: pytest.FixtureRequest) -> SessionJudge:
    """Judge a session the test just produced: ``sessioneval.judge(messages)``."""
    from pytest_sessioneval.errors import SessionEvalError

    try:
        return _run_plugin(request.config).session_judge()
    except (pytest.UsageError, SessionEvalError) as error:
        pytest.fail(str(error), pytrace=False)


def _has_workers(config: pytest.Config) -> bool:
    """Whether xdist's workers collect, and this process does not."""
    return config.pluginmanager.has_plugin(_CONTROLLER)


def _registered(config: pytest.Config) -> RunPlugin | None:
    run: Any = config.pluginmanager.get_plugin(_RUN_PLUGIN)
    found: RunPlugin | None = run
    return found


def _run_plugin(config: pytest.Config) -> RunPlugin:
    """Return the plugin that does the work, registered on first use, from any thread.

    Raises ``pytest.UsageError`` when an option has a value that is not accepted.
    """
    with _registering:
        run = _registered(config)
        if run is None:
            from pytest_sessioneval.errors import UsageError
            from pytest_sessioneval.garbage import paused

            # Asking whether anything is frozen walks it: not again for each run of a process.
            with paused(0 if _WORK in sys.modules else _IMPORTED):
                from pytest_sessioneval.shell.run import RunPlugin

            try:
                run = RunPlugin(config)
            except UsageError as error:
                raise pytest.UsageError(str(error)) from None
            config.pluginmanager.register(run, _RUN_PLUGIN)
        return run

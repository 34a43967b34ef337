"""The pytest plugin's entry point: options and hook specifications, nothing heavy.

The rest is imported when a suite is in play: ``--sessioneval`` is given, a
collected directory holds a ``sessioneval.toml``, or a test asks for the
``sessioneval`` fixture.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_sessioneval.shell import hookspecs
from pytest_sessioneval.shell.options import add_options

if TYPE_CHECKING:
    from pytest_sessioneval.shell.fixture import SessionJudge
    from pytest_sessioneval.shell.run import RunPlugin

SUITE_FILE = "sessioneval.toml"
_RUN_PLUGIN = "sessioneval-run"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and their ini twins."""
    add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the hooks that other plugins can implement."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; switch the run on when the command line asks for it."""
    config.addinivalue_line("markers", "sessioneval: a recorded agent session, judged by a panel")
    if config.option.sessioneval:
        _run_plugin(config)


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a folder that belongs to a suite; leave every other folder alone."""
    run: Any = parent.config.pluginmanager.get_plugin(_RUN_PLUGIN)
    if run is None:
        if not (path / SUITE_FILE).is_file():
            return None
        run = _run_plugin(parent.config)
    collector: pytest.Collector | None = run.collect_directory(path, parent)
    return collector


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Say how to judge a folder of sessions that a plain ``pytest`` found no test in."""
    if exitstatus != pytest.ExitCode.NO_TESTS_COLLECTED:
        return
    if config.pluginmanager.get_plugin(_RUN_PLUGIN) is not None:
        return
    from pytest_sessioneval.shell.hint import hint_lines

    for line in hint_lines(config):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def sessioneval(request: pytest.FixtureRequest) -> SessionJudge:
    """Judge a session the test just produced: ``sessioneval.judge(messages)["efficiency"] >= 70``."""
    return _run_plugin(request.config).session_judge()


def _run_plugin(config: pytest.Config) -> RunPlugin:
    """Return the plugin that does the work, registered on first use."""
    run: Any = config.pluginmanager.get_plugin(_RUN_PLUGIN)
    if run is None:
        from pytest_sessioneval.shell.run import RunPlugin

        run = RunPlugin(config)
        config.pluginmanager.register(run, _RUN_PLUGIN)
    plugin: RunPlugin = run
    return plugin

"""What runs of pytest within a test start from: no word of this machine, warnings as errors."""

from __future__ import annotations

import importlib
import os
import pkgutil

import pytest

__all__ = ["LEAN", "PLUGINS", "WARNINGS", "clear_surroundings", "import_everything"]

_OURS = ("SESSIONEVAL_", "OPENAI_", "ANTHROPIC_", "OLLAMA_", "GITHUB_", "PYTEST_XDIST_")
_HEAVY = (
    "pandas",
    "psycopg",
    "pandas.io.formats.csvs",
    "httpx",
    "scipy.special",
    "httpcore",  # which httpx imports when it is first needed, and whose errors it knows by class
    "pytest_sessioneval.judging.evidence_judge",
    "pytest_sessioneval.judging.process.opinions",
    "pytest_sessioneval.shell.run",
    "pytest_sessioneval.shell.fixture",
    "pytest_sessioneval.shell.hint",
)
LEAN = "-p no:hypothesispytest -p no:anyio -p no:schemathesis"
"""Leaves out plugins that happen to be installed for the tests: every run in a process of its own,
and each worker, would import them anew, for one to two seconds."""

WARNINGS = "-W error -W ignore::pytest.PytestAssertRewriteWarning"
"""Warnings are errors, but for that of pytest 8.4 about a plugin that is named and imported."""

PLUGINS = "-p pytest_sessioneval.plugin -p xdist.plugin"
"""The plugins of inner runs, by name: to look for installed ones takes a quarter of each run."""


def import_everything() -> None:
    """Import what runs in this process need, once: pytester takes out what each imported."""
    for name in _HEAVY:
        importlib.import_module(name)
    for name in ("judging.backends", "transcripts.formats"):
        package = importlib.import_module(f"pytest_sessioneval.{name}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


def clear_surroundings(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, *options: str
) -> None:
    """Take away what this machine's environment says, and give inner runs their options.

    ``pytester`` must be there already: it takes ``PYTEST_ADDOPTS`` away.
    """
    for name in [name for name in os.environ if name.startswith(_OURS)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(pytester.path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join((WARNINGS, PLUGINS, *options)))

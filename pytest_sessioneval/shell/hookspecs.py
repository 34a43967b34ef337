"""Hooks that conftest files and other plugins can implement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_sessioneval.judging.model import Case
    from pytest_sessioneval.transcripts.reader import Reader
    from pytest_sessioneval.verdicts.run import Run


@pytest.hookspec
def pytest_sessioneval_readers() -> Sequence[Reader]:
    """Return readers of further transcript formats, asked before the built-in ones.

    A reader is any object with the attributes of
    ``pytest_sessioneval.transcripts.reader.Reader``::

        def pytest_sessioneval_readers():
            return [MyFormatReader()]
    """
    raise NotImplementedError


@pytest.hookspec
def pytest_sessioneval_judges() -> Mapping[str, Callable[[Case], Mapping[str, Any]]]:
    """Return Python judges by name; ``--sessioneval-judge hook:NAME`` chooses one.

    A judge is called with a case and returns, per axis asked for, an integer
    0–100, ``None`` where the axis may be null, or a mapping with ``score``,
    ``comment`` and ``evidence``::

        def polite(case):
            said = " ".join(m.text for m in case.transcript.messages if m.role == "assistant")
            return {axis.name: 100 if "please" in said else 40 for axis in case.axes}

        def pytest_sessioneval_judges():
            return {"polite": polite}
    """
    raise NotImplementedError


@pytest.hookspec
def pytest_sessioneval_redaction_patterns() -> Mapping[str, str]:
    r"""Return kinds of secrets that only you know of, each with a regular expression.

    What matches, or its group ``secret`` where it has one, is replaced by
    ``[REDACTED:<kind>:<number>]`` before a judge, a report or the store sees it,
    beside what ``[redact] patterns`` of the suite file says::

        def pytest_sessioneval_redaction_patterns():
            return {"customer-id": r"\bCU-[0-9]{8}\b"}
    """
    raise NotImplementedError


@pytest.hookspec
def pytest_sessioneval_run_finished(run: Run) -> None:
    """See the run, after its reports are written.

    For example::

    def pytest_sessioneval_run_finished(run):
        notify(run.run_id, len(run.suites))
    """

"""Runs of the same sessions both ways: the short one, and pytest's own."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
from inner_runs import PLUGINS, WARNINGS
from plugin_runs import Sessions, failing_messages, good_messages

__all__ = ["ALONE", "FORCING", "HOOKS", "SPY", "Twice", "record"]

ALONE = f"{WARNINGS} {PLUGINS}"
"""Options that load no plugin that happens to be installed.

Each may make pytest run every item itself.
"""

SPY = """
import json, os
from pathlib import Path

_LOG = Path(__file__).parent / "log.jsonl"

def _log(**what):
    with _LOG.open("a") as file:
        file.write(json.dumps(what, default=str) + "\\n")

def pytest_runtest_logstart(nodeid, location):
    _log(start=nodeid, location=location)

def pytest_runtest_logfinish(nodeid, location):
    _log(finish=nodeid, location=location)

def pytest_runtest_logreport(report):
    own = os.environ.get("PYTEST_CURRENT_TEST", "").startswith(report.nodeid)
    _log(
        report=[report.nodeid, report.when, report.outcome, report.location],
        keywords=sorted(report.keywords),
        properties=report.user_properties,
        text=report.longreprtext,
        sections=report.sections,
        wasxfail=getattr(report, "wasxfail", None),
        own_way=own,
    )
"""
"""A conftest that notes each report, and whether pytest itself ran the item.

pytest names the item under way in the environment; the short way does not.
"""

HOOKS = {
    "setup": "def pytest_runtest_setup(item):\n    pass\n",
    "call": "def pytest_runtest_call(item):\n    pass\n",
    "teardown": "def pytest_runtest_teardown(item):\n    pass\n",
    "makereport": "def pytest_runtest_makereport(item, call):\n    pass\n",
    "protocol": "def pytest_runtest_protocol(item, nextitem):\n    return None\n",
    "interact": "def pytest_exception_interact(node, call, report):\n    pass\n",
}
FORCING = HOOKS["setup"]
"""A hook that makes pytest run every item itself."""

_TIMES = re.compile(r"\b\d+\.\d\ds\b|\bin \d+\.\d+ seconds|=+(?= )|(?<= )=+|runs/\S+?(?=/)")


def record(sessions: Sessions) -> None:
    """Write rows of sessions, good and bad, an unreadable one, a file of several, and tests."""
    sessions.suite(
        "[thresholds.session]\ntool_usage_quality = 60\n"
        "[thresholds.mean]\ntool_usage_quality = 10\n",
        "recorded",
    )
    sessions.good("recorded/a.json", "recorded/b.json", "recorded/d.json", "recorded/g.json")
    sessions.bad("recorded/c.json")
    sessions.text("recorded/h.json", '{"messages": [')
    sessions.good("recorded/deep/a.json", "recorded/deep/b.json")
    sessions.bad("recorded/deep/c.json")
    lines = [good_messages("x"), failing_messages("y"), good_messages("z")]
    content = "\n".join(json.dumps({"messages": said}) for said in lines)
    sessions.text("recorded/many.jsonl", content + "\n")
    test = "def test_passes():\n    print('printed')\n\ndef test_fails():\n    assert 1 == 2\n"
    for name in ("test_above.py", "recorded/test_between.py", "recorded/deep/test_below.py"):
        sessions.text(name, test)


_KNOWN: dict[str, bytes] = {}
"""The store with the verdicts on those sessions, and which of them failed, once they were run."""


class Twice:
    """Runs a selection both ways and keeps what each logged."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.results: list[pytest.RunResult] = []
        self.logs: list[list[dict[str, Any]]] = []
        pytester.makeconftest("")
        if not _KNOWN:  # once for all: from then on, verdicts are in the store
            pytester.runpytest("-q")
            for name in (".sessioneval/store.db", ".pytest_cache/v/cache/lastfailed"):
                _KNOWN[name] = (pytester.path / name).read_bytes()
        for name, content in _KNOWN.items():
            path = pytester.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def __call__(self, *arguments: str, conftest: str = "") -> Twice:
        """Run the short way, then pytest's own."""
        for forcing in ("", FORCING):
            self.pytester.makeconftest(SPY + conftest + forcing)
            log = self.pytester.path / "log.jsonl"
            log.unlink(missing_ok=True)
            self.results.append(self.pytester.runpytest(*arguments))
            lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
            self.logs.append([json.loads(line) for line in lines])
        return self

    def ways(self, place: int) -> Counter[bool]:
        """Return how many sessions were run by pytest itself (True) and the short way (False)."""
        return Counter(
            line["own_way"]
            for line in self.logs[place]
            if "report" in line
            and line["report"][1] == "call"
            and "sessioneval" in line["keywords"]
            and "::thresholds" not in line["report"][0]
        )

    def reports(self, place: int) -> list[dict[str, Any]]:
        """Return what was logged, without the way it was run.

        Nor with the text of an expected failure: pytest 8 shows its own
        traceback there, with every hook that is registered.
        """
        return [
            {
                name: value
                for name, value in line.items()
                if name != "own_way" and not (name == "text" and line.get("wasxfail") is not None)
            }
            for line in self.logs[place]
        ]

    def shown(self, place: int) -> list[str]:
        """Return the output without what differs between any two runs."""
        return [_TIMES.sub("", line) for line in self.results[place].outlines]

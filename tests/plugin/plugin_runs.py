"""Recorded sessions as a test writes them, and runs as it reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_sessioneval.testing import JudgeRequest, faithful_reply

__all__ = [
    "MARKING_CONFTEST",
    "Runs",
    "Sessions",
    "failing_messages",
    "good_messages",
    "marking_reply",
    "outcomes",
    "refusal",
]

MARKING_CONFTEST = '''
def marks(case):
    """Give every axis the mark that the session's first message ends with."""
    level = int(case.transcript.messages[0].text.rpartition("mark ")[2])
    return {axis.name: level for axis in case.axes}

def pytest_sessioneval_judges():
    return {"marks": marks}
'''
"""A conftest with a judge that gives the mark a session was written with."""


def good_messages(subject: str) -> list[dict[str, Any]]:
    """Return a short session about ``subject``: a question, a look-up, an answer."""
    return [
        {"role": "user", "content": f"Where is my order? It is the one about {subject}"},
        _call("call_1", "find_order", {"about": subject}),
        {"role": "tool", "tool_call_id": "call_1", "content": '{"status": "shipped on Monday"}'},
        {"role": "assistant", "content": "Your order was shipped on Monday."},
    ]


def failing_messages(subject: str) -> list[dict[str, Any]]:
    """Return a session whose only tool fails again and again, and an answer from nowhere."""
    said: list[dict[str, Any]] = [{"role": "user", "content": f"Refund the order about {subject}"}]
    for n in range(6):
        said.append(_call(f"call_{n}", "refund", {"order": "W99"}))
        result = {"role": "tool", "tool_call_id": f"call_{n}", "content": "Error: no such order"}
        said.append(result)
    return [*said, {"role": "assistant", "content": "I refunded 314.15 EUR, reference R-7781."}]


def _call(call_id: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"id": call_id, "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


@dataclass(frozen=True)
class Sessions:
    """Writes recorded sessions below a folder, as OpenAI chat messages; no two are alike."""

    root: Path

    def good(self, *names: str) -> Path:
        """Write sessions in which nothing goes wrong; return the last one's path."""
        for name in names:
            path = self._write(name, good_messages(name))
        return path

    def bad(self, name: str) -> Path:
        """Write a session with one failing call made over and over."""
        return self._write(name, failing_messages(name))

    def marked(self, name: str, mark: int) -> Path:
        """Write a session that the marking judges give this mark on every axis."""
        return self._write(name, good_messages(f"{name}, mark {mark}"))

    def several(self, name: str, count: int) -> Path:
        """Write one file of several sessions, a line each."""
        lines = [json.dumps({"messages": good_messages(f"{name} {n}")}) for n in range(count)]
        return self.text(name, "\n".join(lines) + "\n")

    def suite(self, content: str = "", folder: str = ".") -> Path:
        """Write a suite file."""
        return self.text(f"{folder}/sessioneval.toml", content)

    def text(self, name: str, content: str | bytes) -> Path:
        """Write a file as it is."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def _write(self, name: str, said: list[dict[str, Any]]) -> Path:
        return self.text(name, json.dumps({"messages": said}))


@dataclass(frozen=True)
class Runs:
    """The runs whose reports lie below a folder."""

    root: Path

    @property
    def folders(self) -> list[Path]:
        """Every run's folder, oldest first."""
        found = self.root.glob(".sessioneval/runs/*")
        return sorted(found, key=lambda folder: folder.stat().st_mtime_ns)

    @property
    def last(self) -> dict[str, Any]:
        """The last run's JSON report."""
        text = (self.folders[-1] / "report.json").read_text(encoding="utf-8")
        report: dict[str, Any] = json.loads(text)
        return report

    @property
    def suite(self) -> dict[str, Any]:
        """The only suite of the last run."""
        (suite,) = self.last["suites"]
        return dict(suite)

    def mean(self, axis: str) -> dict[str, Any]:
        """One axis's averages in the only suite of the last run."""
        (row,) = (row for row in self.suite["means"] if row["axis"] == axis)
        return dict(row)


def marking_reply(request: JudgeRequest) -> str:
    """Return the reply of a judge that gives marked sessions their mark, others 80."""
    said = next((text for role, text in request.messages.values() if role == "user"), "")
    mark = said.rpartition("mark ")[2].strip()
    return faithful_reply(request, int(mark) if mark.isdigit() else 80)


def outcomes(result: pytest.RunResult) -> dict[str, int]:
    """Return pytest's last line as counts, such as ``{"passed": 2}``."""
    return result.parseoutcomes()


def refusal(result: pytest.RunResult) -> str:
    """Return the one line with which a run was refused: exit 4, nothing run, no traceback."""
    said = result.stdout.str() + result.stderr.str()
    assert "Traceback" not in said
    assert "INTERNALERROR" not in said
    errors = [line for line in result.errlines if line.strip()]
    assert 1 == len(errors), errors
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    return errors[0].removeprefix("ERROR: ")

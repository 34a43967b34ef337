"""``sessioneval advise``: what to look at first, of a run that is over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pytest_sessioneval.cli import program
from pytest_sessioneval.testing import JudgeRequest, JudgeServer


def run(*arguments: str | Path) -> Result:
    """Return how a command ends in this process."""
    return CliRunner().invoke(program, [*map(str, arguments)])


def _failing(name: str) -> str:
    said: list[dict[str, object]] = [{"role": "user", "content": f"Refund order {name}"}]
    for place in range(3):
        function = {"name": "refund", "arguments": json.dumps({"order": name})}
        call = {"id": f"c{place}", "type": "function", "function": function}
        said.append({"role": "assistant", "content": None, "tool_calls": [call]})
        said.append({"role": "tool", "tool_call_id": f"c{place}", "content": "Error: no order"})
    return json.dumps({"messages": [*said, {"role": "assistant", "content": "I could not."}]})


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the report of two sessions with a failing tool, and stand where it was made."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "orders"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.json").write_text(_failing(name), "utf-8")
    assert 0 == run("score", folder).exit_code
    (found,) = (tmp_path / ".sessioneval" / "runs").iterdir()
    return found / "report.json"


def test_it_prints_what_the_run_wrote(report: Path) -> None:
    """By file, by id and by folder; links aside, the same as advice.md."""
    shown = [run("advise", one) for one in (report, report.parent.name, "orders")]
    assert [0, 0, 0] == [one.exit_code for one in shown]
    assert 1 == len({one.stdout for one in shown})
    written = (report.parent / "advice.md").read_text("utf-8")
    assert written.splitlines()[:8] == shown[0].stdout.splitlines()[:8]
    linked = run("advise", report, "--links", "https://example.org/c").stdout
    assert "](https://example.org/c/orders/a.json)" in linked


def test_a_report_without_advice_gets_it_now(report: Path) -> None:
    """Reports of older versions can be advised on."""
    value = json.loads(report.read_text("utf-8"))
    (suite,) = value["suites"]
    suite["advice"] = None
    older = report.with_name("older.json")
    older.write_text(json.dumps(value), "utf-8")
    assert run("advise", report).stdout == run("advise", older).stdout


def _advice(request: JudgeRequest) -> str:
    return json.dumps(
        {
            "nonce": request.nonce,
            "hypothesis": "The order is never looked up.",
            "suggested_change": "Look it up first.",
            "target": "prompt",
            "expected_axis": "tool_usage_quality",
            "evidence": ["F1", "F2"],
            "test": "Count refused calls.",
        }
    )


@pytest.fixture
def advisor(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    """Return a server that advises, named by the environment."""
    with JudgeServer(_advice) as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        yield server


def test_a_model_is_asked_once_about_the_same_facts(report: Path, advisor: JudgeServer) -> None:
    """The second time its answers come from the store."""
    first = run("advise", report, "--model", "openai:small")
    calls = advisor.calls
    assert (1, "advisor: 1 call to openai:small\n") == (calls, first.stderr)
    again = run("advise", report, "--model", "openai:small")
    assert (0, first.stdout, calls) == (again.exit_code, again.stdout, advisor.calls)
    assert calls == first.stdout.count("The order is never looked up.") > 0


def test_calls_can_be_capped(report: Path, advisor: JudgeServer) -> None:
    """What is beyond the cap is said, and no failure."""
    done = run("advise", report, "--model", "openai:small", "--max-calls", "0")
    assert (0, 0) == (done.exit_code, advisor.calls)
    assert "the budget of 0 judge calls is spent" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing-here",), "nothing-here"),
        (("orders", "--model", "evidence"), "--model: 'evidence' is not accepted; give openai:"),
        (("orders", "--suite", "airline"), "holds suite 'orders'"),
    ],
)
@pytest.mark.usefixtures("report")
def test_what_cannot_be_done_is_told(arguments: tuple[str, ...], said: str) -> None:
    """In one line, without a traceback."""
    done = run("advise", *arguments)
    assert 2 == done.exit_code
    assert said in done.stderr
    assert "Traceback" not in done.stderr

"""What the environment says of a judge counts for commands as it does for pytest."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from gating_cases import STEADY, write_sessions

from pytest_sessioneval.cli import program
from pytest_sessioneval.testing import JudgeServer

SUITE = '[judge]\nmodel = "openai:loopback"\n'
PRICES = '[[model]]\nname = "openai:loopback"\n[model.prices]\ninput = 1.0\noutput = 10.0\n'
COMMANDS = (
    ("score", "desk"),
    ("judge-noise", "desk"),
    ("judge-check", "desk", "--no-probes"),
)


@pytest.fixture(autouse=True)
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    """Have a suite here judged by a server that counts; nothing else is set."""
    for name in [name for name in os.environ if name.startswith(("SESSIONEVAL_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    write_sessions(tmp_path / "desk", STEADY)
    (tmp_path / "desk" / "sessioneval.toml").write_text(SUITE, "utf-8")
    with JudgeServer() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        yield server


def run(*arguments: str) -> Result:
    """Return how a command ends in this process."""
    return CliRunner().invoke(program, arguments)


def scored(*arguments: str) -> dict[str, Any]:
    """Return the suite's part of the report that ``score`` prints."""
    done = run("score", "desk", "--json", *arguments)
    assert 0 == done.exit_code, done.output
    (suite,) = json.loads(done.stdout)["suites"]
    found: dict[str, Any] = suite
    return found


def test_the_context_is_part_of_the_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command measures is the judge that pytest asks with the same environment."""
    as_written = scored()["judge"]["version"]
    monkeypatch.setenv("SESSIONEVAL_CONTEXT_TOKENS", "20000")
    from_environment = scored()["judge"]["version"]
    assert as_written != from_environment
    monkeypatch.delenv("SESSIONEVAL_CONTEXT_TOKENS")
    Path("desk/sessioneval.toml").write_text(SUITE + "context_tokens = 20000\n", "utf-8")
    assert from_environment == scored()["judge"]["version"]


def test_prices_are_those_of_the_table_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that would have no price have one."""
    Path("prices.toml").write_text(PRICES, "utf-8")
    monkeypatch.setenv("SESSIONEVAL_PRICES", "prices.toml")
    spent = scored()["spent"]
    by_hand = (spent["input_tokens"] * 1.0 + spent["output_tokens"] * 10.0) / 1e6
    assert by_hand == pytest.approx(spent["cost_usd"], abs=1e-7)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SESSIONEVAL_CONTEXT_TOKENS", "many"),
        ("SESSIONEVAL_CONTEXT_TOKENS", "1999"),
        ("SESSIONEVAL_PRICES", "nowhere.toml"),
    ],
)
def test_what_is_not_accepted_is_told_before_anybody_is_asked(
    server: JudgeServer,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    name: str,
    value: str,
) -> None:
    """Exit 2, with the variable and what it says."""
    monkeypatch.setenv(name, value)
    done = run(*command)
    assert 2 == done.exit_code
    assert name in done.stderr
    assert value in done.stderr
    assert 0 == server.calls


def test_a_recording_that_is_typed_is_looked_for_here_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``SESSIONEVAL_RECORD`` writes here, and ``--judge recorded:`` finds it."""
    monkeypatch.setenv("SESSIONEVAL_RECORD", "replies.jsonl")
    recorded = scored()
    monkeypatch.delenv("SESSIONEVAL_RECORD")
    replayed = scored("--judge", "recorded:replies.jsonl", "--store", "sqlite:///other.db")
    assert recorded["judge"]["version"] == replayed["judge"]["version"]
    assert recorded["means"] == replayed["means"]

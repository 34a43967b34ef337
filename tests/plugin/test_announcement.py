"""What is said before anybody is asked: how many calls, to whom, and a key nobody uses."""

from __future__ import annotations

import pytest
from plugin_runs import Sessions

_ANY = "judging *session*"


@pytest.fixture
def _two(sessions: Sessions) -> None:
    """Write a suite of two sessions."""
    sessions.suite(folder="recorded")
    sessions.good("recorded/a.json", "recorded/b.json")


pytestmark = pytest.mark.usefixtures("_two")


@pytest.mark.usefixtures("judge_server")
def test_the_calls_are_counted_beforehand(pytester: pytest.Pytester) -> None:
    """Before the first item, the number of calls and whom they go to."""
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(
        [
            "collected 2 items",
            "judging 2 sessions: 6 calls to openai:loopback (0 from store)",
            "recorded/a.json .*",
        ]
    )


@pytest.mark.usefixtures("judge_server")
def test_what_the_store_has_is_not_counted(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """The second run announces what is left, and nothing once nothing is left."""
    pytester.runpytest()
    pytester.runpytest().stdout.no_fnmatch_line(_ANY)
    sessions.good("recorded/c.json")
    pytester.runpytest().stdout.fnmatch_lines(
        ["judging 1 session: 3 calls to openai:loopback (2 from store)"]
    )


@pytest.mark.usefixtures("judge_server")
@pytest.mark.parametrize("options", [("--sessioneval-offline",), ("--co",)])
def test_a_run_without_calls_announces_none(
    pytester: pytest.Pytester, options: tuple[str, ...]
) -> None:
    """Where nobody will be asked, nothing is announced."""
    pytester.runpytest(*options).stdout.no_fnmatch_line(_ANY)


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"])
def test_a_key_that_nobody_uses_is_mentioned_once(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whoever has a key set is told that the embedded judge runs, and how to ask a model."""
    monkeypatch.setenv(name, "some-secret-key")
    shown = pytester.runpytest().stdout.str()
    assert 1 == shown.count(name)
    assert "--sessioneval-judge" in shown
    assert "some-secret-key" not in shown


@pytest.mark.usefixtures("judge_server")
def test_a_key_that_is_used_is_not_mentioned(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a judge that asks a model there is nothing to mention."""
    monkeypatch.setenv("OPENAI_API_KEY", "some-secret-key")
    assert "OPENAI_API_KEY" not in pytester.runpytest().stdout.str()

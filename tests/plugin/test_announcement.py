"""What a run says before the first call."""

from __future__ import annotations

import pytest
from plugin_runs import Sessions

from pytest_sessioneval.testing import JudgeServer


def test_the_number_of_calls_is_said_before_the_first(
    pytester: pytest.Pytester, sessions: Sessions, judge_server: JudgeServer
) -> None:
    """Three experts and two sessions are six calls; the second run makes none and says none."""
    sessions.good("one.json")
    sessions.good("two.json")

    first = pytester.runpytest("--sessioneval")
    second = pytester.runpytest("--sessioneval")

    first.stdout.fnmatch_lines(["judging 2 sessions: 6 calls to openai:loopback (0 from store)"])
    second.stdout.no_fnmatch_line("judging*")
    assert 6 == judge_server.calls


def test_a_key_nobody_uses_is_mentioned_once(
    pytester: pytest.Pytester, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a key in the environment and the embedded judge, one line says how to use it."""
    monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
    sessions.good("one.json")
    sessions.good("two.json")

    result = pytester.runpytest("--sessioneval")

    lines = [line for line in result.outlines if "OPENAI_API_KEY" in line]
    assert 1 == len(lines)
    assert "--sessioneval-judge openai:MODEL" in lines[0]


def test_quiet_runs_announce_nothing(
    pytester: pytest.Pytester, sessions: Sessions, judge_server: JudgeServer
) -> None:
    """Under ``-q`` the line is left out; the calls are made all the same."""
    sessions.good("one.json")

    result = pytester.runpytest("--sessioneval", "-q")

    result.stdout.no_fnmatch_line("judging*")
    assert 3 == judge_server.calls

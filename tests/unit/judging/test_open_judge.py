"""A judge from its name."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from judging_cases import case

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.judging.backends import open_judge
from pytest_sessioneval.judging.model import Judge
from pytest_sessioneval.suites.model import JudgeSettings


def _open(model: str, environ: dict[str, str] | None = None, **changes: Any) -> Judge:
    given: dict[str, Any] = {
        "settings": JudgeSettings(),
        "environ": environ or {},
        "timeout_s": 30.0,
        "connections": 2,
        "stop": threading.Event(),
    }
    return open_judge(model, **{**given, **changes})


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("gpt-5-mini", "'gpt-5-mini' is no judge; accepted: evidence, openai:MODEL"),
        ("mistral:large", "is no judge"),
        ("Evidence", "is no judge"),
        ("openai:", "names nothing after the colon"),
        ("recorded", "names nothing after the colon"),
        ("openai:gpt-5-mini", "set OPENAI_API_KEY"),
        ("hook:mine", "no Python judge is named 'mine'"),
        ("recorded:nowhere.jsonl", "cannot be read"),
    ],
)
def test_what_cannot_be_opened_says_what_to_do(model: str, said: str) -> None:
    """Each mistake is a setting error that names what is accepted."""
    with pytest.raises(SettingError) as caught:
        _open(model)
    assert said in str(caught.value)


@pytest.mark.parametrize("model", ["openai:a/b:c", "anthropic:claude", "ollama:llama3.2:1b"])
def test_a_judge_is_named_as_asked_for(model: str) -> None:
    """Model names may hold colons and slashes."""
    judge = _open(model, {"SESSIONEVAL_API_KEY": "k"})
    assert model == judge.name
    judge.close()


def test_address_and_key_move_no_version() -> None:
    """The same model elsewhere is the same judge."""
    one = _open("openai:m", {"OPENAI_API_KEY": "a"})
    two = _open("openai:m", {"SESSIONEVAL_BASE_URL": "http://127.0.0.1:1", "X": "b"})
    assert one.identity == two.identity


@pytest.mark.parametrize(
    "settings", [{"temperature": 0.5}, {"seed": 1}, {"max_output_tokens": 100}]
)
def test_parameters_move_the_version(settings: dict[str, Any]) -> None:
    """What is sent to a model is part of who judges."""
    environ = {"OPENAI_API_KEY": "k"}
    plain = _open("openai:m", environ)
    changed = _open("openai:m", environ, settings=JudgeSettings(**settings))
    assert plain.identity != changed.identity


def test_a_hook_is_opened_by_name() -> None:
    """Python judges come in a mapping."""
    judge = _open("hook:all", hooks={"all": lambda _: {"goal": 7, "tone": 7}})
    assert 2 == len(judge.judge(case()).axes)


def test_a_recording_is_looked_for_beside_the_suite(tmp_path: Path) -> None:
    """A relative path is relative to ``base``."""
    (tmp_path / "replies.jsonl").write_text('{"session_id": "s", "expert": "e", "reply": "r"}\n')
    assert "recorded" == _open("recorded:replies.jsonl", base=tmp_path).name

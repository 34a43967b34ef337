"""What a run in the background is asked to do, and which judge its words name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.run_request import RunRequest, judge_named


def test_every_field_has_its_default() -> None:
    """What is unevaluated, all of it, by the server's judge."""
    assert {
        "scope": "unevaluated",
        "session_id": None,
        "since": None,
        "limit": None,
        "model": None,
        "backend": None,
    } == RunRequest().model_dump()


def test_a_session_is_needed_for_the_scope_session_alone() -> None:
    """Elsewhere it is left out of account."""
    RunRequest(scope="all", session_id="s")
    with pytest.raises(ValidationError, match="scope session needs the session_id"):
        RunRequest(scope="session")


def test_a_time_without_a_zone_is_utc() -> None:
    """Python could not compare it with others."""
    request = RunRequest.model_validate({"since": "2026-01-02T03:04:05"})
    assert datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC) == request.since


@pytest.mark.parametrize(
    ("request_", "default", "judge"),
    [
        ({}, "openai:gpt-5", "openai:gpt-5"),
        ({}, "hook:mine", "hook:mine"),
        ({"model": "gpt-6"}, "openai:gpt-5", "openai:gpt-6"),
        ({"model": "llama3:8b"}, "ollama:qwen", "ollama:llama3:8b"),
        ({"model": "anthropic:claude"}, "openai:gpt-5", "anthropic:claude"),
        ({"model": "evidence"}, "openai:gpt-5", "evidence"),
        ({"model": "recorded:a.json"}, "recorded:a.json", "recorded:a.json"),
        ({"model": "openai:gpt-5"}, "openai:gpt-5", "openai:gpt-5"),
        ({"backend": "evidence"}, "openai:gpt-5", "evidence"),
        ({"backend": "evidence", "model": "evidence"}, "openai:gpt-5", "evidence"),
        ({"backend": "openai"}, "openai:gpt-5", "openai:gpt-5"),
        ({"backend": "anthropic", "model": "claude"}, "evidence", "anthropic:claude"),
        ({"backend": "openai", "model": "openai:gpt-6"}, "evidence", "openai:gpt-6"),
        ({"backend": "hook", "model": "mine"}, "hook:mine", "hook:mine"),
    ],
)
def test_model_and_backend_name_a_judge(request_: dict[str, Any], default: str, judge: str) -> None:
    """Each alone or both, before the server's."""
    assert judge == judge_named(RunRequest(**request_), default)


@pytest.mark.parametrize(
    ("request_", "default"),
    [
        ({"model": "gpt-6"}, "evidence"),
        ({"model": "recorded:/etc/passwd"}, "evidence"),
        ({"model": "hook:other"}, "hook:mine"),
        ({"backend": "recorded", "model": "/etc/passwd"}, "openai:gpt-5"),
        ({"backend": "openai"}, "anthropic:claude"),
        ({"backend": "evidence", "model": "gpt-6"}, "openai:gpt-5"),
        ({"backend": "cohere", "model": "m"}, "openai:gpt-5"),
    ],
)
def test_what_names_no_judge_is_refused(request_: dict[str, Any], default: str) -> None:
    """Nor does a caller choose a file of the server's, or code to run."""
    with pytest.raises(SettingError):
        judge_named(RunRequest(**request_), default)

"""Helpers for testing with judges: a real loopback server, a scripted backend, transcripts.

::

    with JudgeServer() as server:
        server.fail(2, status=503)
        judge = open_judge("openai:any", environ=server.environ, ...)
        ...
    assert server.calls == 3
"""

from __future__ import annotations

from pytest_sessioneval.testing.backend import ScriptedBackend
from pytest_sessioneval.testing.requests import AskedAxis, JudgeRequest, faithful_reply
from pytest_sessioneval.testing.server import JudgeServer
from pytest_sessioneval.testing.tokens import count_tokens
from pytest_sessioneval.testing.transcripts import ToolTurn, tool, transcript

__all__ = [
    "AskedAxis",
    "JudgeRequest",
    "JudgeServer",
    "ScriptedBackend",
    "ToolTurn",
    "count_tokens",
    "faithful_reply",
    "tool",
    "transcript",
]

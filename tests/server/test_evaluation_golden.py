"""Every answer of the evaluation API, as clients see it: checked in under tests/golden/service.

After a change that is meant, write them anew and look at the difference:

    SESSIONEVAL_REGENERATE=1 python -m pytest tests/server/test_evaluation_golden.py
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from served import NOW, Caller, asked, evaluated, golden, record

from pytest_sessioneval import __version__
from pytest_sessioneval.server.service import Service
from pytest_sessioneval.stores.listings import CurrentVersions

Call = Callable[..., Caller]

POSTED = {"messages": [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hi."}]}


@pytest.fixture
def shop(open_service: Callable[..., Service], tmp_path: Path) -> Service:
    """Return a service whose sessions have every status and every optional field."""
    full = asked(
        "evaluated/1",
        profile_id="desk",
        name="Where is order 1?",
        created_at=NOW - timedelta(days=2),
        last_active=NOW - timedelta(days=2, minutes=-4),
        metadata={"pinned": True},
    )
    folder = record(tmp_path / "shop", full, asked("pending"), asked("stale"))
    (folder / "broken.json").write_text('{"messages": [\n{"role": "user",]}', encoding="utf-8")
    service = open_service(folder)
    (now,) = service.current()
    scores = {"task_complexity": 40, "goal_completion": None, "efficiency": 73}
    evaluated(service, "evaluated/1", scores, days_ago=1)
    other = CurrentVersions(now.suite, now.rubric_version, "panel@1#0123abcd")
    evaluated(service, "stale", scores, expert="tools", days_ago=10, versions=other)
    return service


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("healthz", "/healthz"),
        ("sessions", "/eval/sessions"),
        ("session", "/eval/sessions/evaluated%2F1"),
        ("session-not-found", "/eval/sessions/nobody"),
        ("sessions-refused", "/eval/sessions?limit=501&status=done"),
        ("feedback-of-session", "/eval/feedback/evaluated%2F1"),
        ("stats", "/eval/stats"),
        ("stats-by-bucket", "/eval/stats?by_complexity_bucket=true"),
        ("sources", "/eval/sources"),
        ("no-such-address", "/eval/nothing"),
    ],
)
def test_the_answer_to_a_get_is_as_before(shop: Service, call: Call, name: str, path: str) -> None:
    """Field names, order, nulls and times."""
    client = call(shop)
    thumb = {"session_id": "evaluated/1", "message_index": 3, "rating": 1, "comment": "Right."}
    client.post("/eval/feedback", json=thumb)
    golden(name, client.get(path).json(), same=_without_what_moves(shop))


@pytest.mark.parametrize(
    ("name", "path", "body"),
    [
        ("feedback", "/eval/feedback", {"session_id": "s", "message_index": 0, "rating": -1}),
        ("feedback-refused", "/eval/feedback", {"message_index": -1, "rating": 0}),
        ("posted", "/eval/sessions", POSTED),
        ("posted-refused", "/eval/sessions", {"role": "user"}),
    ],
)
def test_the_answer_to_a_post_is_as_before(
    shop: Service, call: Call, name: str, path: str, body: object
) -> None:
    """Field names, order, nulls and times."""
    golden(name, call(shop).post(path, json=body).json(), same=_without_what_moves(shop))


def _without_what_moves(service: Service) -> Callable[[str], str]:
    """Return what takes out digests of versions, our own version and where the test ran."""

    def same(text: str) -> str:
        text = re.sub(r"(@\d+#)[0-9a-f]+", r"\g<1>…", text)
        text = text.replace(f'"version": "{__version__}"', '"version": "…"')
        return text.replace(str(service.settings.home), "…")

    return same

"""The evaluation API, sentence by sentence, on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from served import NOW, Caller, asked, record

from pytest_sessioneval.server.service import Service

OpenService = Callable[..., Service]
Call = Callable[..., Caller]
JSON = "application/json"

# feedback


def test_feedback_answers_the_stored_row(service: Service, call: Call) -> None:
    """What was sent, with when it was; no comment is an empty one."""
    sent = {"session_id": "s1", "message_index": 3, "rating": -1}
    answer = call(service).post("/eval/feedback", json=sent)
    expected = {**sent, "comment": "", "at": "2026-11-22T12:00:00Z"}
    assert (200, expected) == (answer.status_code, answer.json())


def test_a_second_rating_of_the_same_message_replaces_the_first(
    service: Service, call: Call
) -> None:
    """Of two thumbs on a message the later one stays; those on others are not touched."""
    client = call(service)
    for index, rating, comment in ((0, 1, None), (4, 1, "good"), (0, -1, "wrong")):
        sent = {"session_id": "s1", "message_index": index, "rating": rating, "comment": comment}
        client.post("/eval/feedback", json=sent)
    found = client.get("/eval/feedback/s1").json()["feedback"]
    assert [(0, -1, "wrong"), (4, 1, "good")] == [
        (one["message_index"], one["rating"], one["comment"]) for one in found
    ]


def test_feedback_of_a_session_nobody_rated_is_empty(service: Service, call: Call) -> None:
    """It is no error to ask for it."""
    answer = call(service).get("/eval/feedback/nobody")
    assert (200, {"feedback": []}) == (answer.status_code, answer.json())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("message_index", -1),
        ("message_index", 1.0),
        ("message_index", 2**31),
        ("message_index", None),
        ("rating", 0),
        ("rating", 2),
        ("rating", True),
        ("rating", 1.0),
        ("rating", "1"),
        ("session_id", ""),
        ("session_id", 7),
        ("comment", ["no text"]),
    ],
)
def test_feedback_that_is_not_accepted_names_the_field(
    service: Service, call: Call, field: str, value: object
) -> None:
    """Validation errors are 422, name the field, and nothing is kept."""
    client = call(service)
    sent = {"session_id": "s1", "message_index": 0, "rating": 1} | {field: value}
    answer = client.post("/eval/feedback", json=sent)
    assert (422, ["body", field]) == (answer.status_code, answer.json()["detail"][0]["loc"])
    assert {"feedback": []} == client.get("/eval/feedback/s1").json()


def test_secrets_in_a_comment_are_not_kept(service: Service, call: Call) -> None:
    """A key that somebody pasted into a comment is replaced before it is stored."""
    secret = "ghp_" + "a1B2" * 9
    sent = {"session_id": "s1", "message_index": 0, "rating": 1, "comment": f"key {secret}"}
    answer = call(service).post("/eval/feedback", json=sent)
    assert "key [REDACTED:github-token:1]" == answer.json()["comment"]


@pytest.mark.parametrize(
    "session_id", ["a/b", "a/b/", "%2F", "../x", "ü ö", "?q=1#f", "a\nb\n", "\ud800", "nul\0"]
)
def test_ids_in_paths_may_hold_any_character(service: Service, call: Call, session_id: str) -> None:
    """An id that was posted is found again by its percent-encoded path; a slash is %2F."""
    client = call(service)
    sent = {"session_id": session_id, "message_index": 0, "rating": 1}
    body = json.dumps(sent).encode()
    answer = client.post("/eval/feedback", content=body, headers={"Content-Type": JSON})
    kept = answer.json()["session_id"]
    found = client.get(f"/eval/feedback/{quote(kept, safe='')}").json()["feedback"]
    assert [kept] == [one["session_id"] for one in found]
    detail = client.get(f"/eval/sessions/{quote(kept, safe='')}")
    assert (404, f"session not found: {kept}") == (detail.status_code, detail.json()["detail"])


# sessions


def test_sessions_are_listed_pinned_first_then_the_last_active(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """Newest first among both; without a time they come last."""
    folder = record(
        tmp_path / "shop",
        asked("old", last_active=NOW - timedelta(hours=2)),
        asked("new", last_active=NOW),
        asked("timeless"),
        asked("pinned", last_active=NOW - timedelta(days=9), metadata={"pinned": True}),
    )
    answer = call(open_service(folder)).get("/eval/sessions").json()
    assert ["pinned", "new", "old", "timeless"] == [one["session_id"] for one in answer]
    assert [True, False, False, False] == [one["pinned"] for one in answer]


def test_limit_and_offset_cut_a_page(open_service: OpenService, call: Call, tmp_path: Path) -> None:
    """50 from the first unless asked otherwise; beyond the last there are none."""
    names = [f"s{number:03}" for number in range(60)]
    client = call(open_service(record(tmp_path / "shop", *map(asked, names))))

    def listed(query: str) -> list[str]:
        return [one["session_id"] for one in client.get(f"/eval/sessions{query}").json()]

    assert names[:50] == listed("")
    assert names[10:13] == listed("?limit=3&offset=10")
    assert names == listed("?limit=500")
    assert [] == listed("?offset=60")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("offset=-1", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("status=done", "status"),
    ],
)
def test_a_listing_refuses_what_it_does_not_know(
    service: Service, call: Call, query: str, field: str
) -> None:
    """The answer names the parameter."""
    answer = call(service).get(f"/eval/sessions?{query}")
    assert (422, ["query", field]) == (answer.status_code, answer.json()["detail"][0]["loc"])


def test_a_profile_leaves_out_the_others(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """Sessions of another profile, or of none, are not listed."""
    folder = record(tmp_path / "shop", asked("a", profile_id="desk"), asked("b"))
    answer = call(open_service(folder)).get("/eval/sessions?profile=desk").json()
    assert [("a", "desk")] == [(one["session_id"], one["profile_id"]) for one in answer]

"""Thumbs given on the pages: kept with their comment, or refused."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from pages_site import Page, page
from served import NOW, TOKEN, Caller

from pytest_sessioneval.server.service import Service

Call = Callable[..., Caller]
Open = Callable[[str], Page]


def test_a_thumb_is_kept_and_leads_back_to_its_message(served: Service, call: Call) -> None:
    """A plain form, without a script; the page shows which thumb it is."""
    client = call(served)
    form = {"session_id": "refund-1", "message_index": "1", "rating": "1", "comment": " good "}
    answer = client.post("/session/feedback", data=form)
    assert (303, "/session?id=refund-1#m1") == (answer.status_code, answer.headers["location"])
    kept = {one.message_index: one for one in served.store.feedback(["refund-1"])}
    assert (1, "good", NOW) == (kept[1].rating, kept[1].comment, kept[1].at)
    found = page(client, "/session?id=refund-1")
    pressed = [
        given["aria-label"] for _, given, _ in found.elements if given.get("aria-pressed") == "true"
    ]
    assert ["Thumb up on M1", "Thumb down on M6"] == pressed


def test_a_secret_in_a_comment_is_not_kept(served: Service, call: Call) -> None:
    """It is replaced as in a comment that comes by the API."""
    comment = "key ghp_" + "a1B2" * 9
    form = {"session_id": "refund-1", "message_index": "0", "rating": "-1", "comment": comment}
    call(served).post("/session/feedback", data=form)
    kept = {one.message_index: one.comment for one in served.store.feedback(["refund-1"])}
    assert "key [REDACTED:github-token:1]" == kept[0]


def test_a_comment_stays_with_the_next_thumb(show: Open) -> None:
    """The form holds what was written before, so that pressing the other thumb keeps it."""
    found = show("/session?id=refund-1")
    assert re.search(r"<textarea[^>]*>too late</textarea>", found.html)


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"session_id": "nobody", "message_index": "0", "rating": "1"}, 404),
        ({"session_id": "refund-1", "message_index": "-1", "rating": "1"}, 422),
        ({"session_id": "refund-1", "message_index": "9" * 30, "rating": "1"}, 422),
        ({"session_id": "refund-1", "message_index": "x", "rating": "1"}, 422),
        ({"session_id": "refund-1", "message_index": "0", "rating": "5"}, 422),
        ({"session_id": "refund-1", "message_index": "99", "rating": "1"}, 422),
        ({"session_id": "refund-1"}, 422),
        ({}, 404),
    ],
)
def test_a_thumb_that_cannot_be_is_refused(
    served: Service, call: Call, form: dict[str, str], status: int
) -> None:
    """A message or session that there is not, or a form that somebody made up."""
    before = served.store.feedback()
    answer = call(served).post("/session/feedback", data=form, headers={"Accept": "text/html"})
    assert (status, "text/html; charset=utf-8") == (
        answer.status_code,
        answer.headers["content-type"],
    )
    assert before == served.store.feedback()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("token", [TOKEN, None])
def test_a_form_of_another_site_rates_nothing(
    served: Service, call: Call, token: str | None, headers: dict[str, str]
) -> None:
    """Also where nobody needs a token: the browser says who sends."""
    before = served.store.feedback()
    form = {"session_id": "refund-1", "message_index": "1", "rating": "1"}
    answer = call(served, token=token).post("/session/feedback", data=form, headers=headers)
    assert (403, before) == (answer.status_code, served.store.feedback())

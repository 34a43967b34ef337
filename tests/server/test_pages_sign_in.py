"""Signing in to the pages: who is asked for the token, and where it leads."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pages_site import page
from served import TOKEN, Caller

from pytest_sessioneval.server.service import Service

Call = Callable[..., Caller]


def test_who_has_no_token_is_asked_for_it(served: Service, call: Call) -> None:
    """In place of any page; the form remembers where they were going."""
    found = page(call(served, shown=None), "/session?id=refund-1&start=0", 401)
    assert [("h1", "Sign in")] == found.headings
    hidden = [given["value"] for tag, given, _ in found.elements if given.get("name") == "next"]
    assert ["/session?id=refund-1&start=0"] == hidden
    assert "refund" not in found.text


def test_the_token_is_taken_once(served: Service, call: Call) -> None:
    """A cookie that no script and no other site can use opens the pages from then on."""
    client = call(served, shown=None)
    answer = client.post("/sign-in", data={"token": TOKEN, "next": "/sessions?limit=1"})
    assert (303, "/sessions?limit=1") == (answer.status_code, answer.headers["location"])
    cookie = answer.headers["set-cookie"]
    assert TOKEN not in cookie
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "refund-1" in page(client, "/sessions").text


def test_another_token_is_refused(served: Service, call: Call) -> None:
    """With a word about it, and no cookie."""
    answer = call(served, shown=None).post("/sign-in", data={"token": "wrong", "next": "/trends"})
    assert (401, False) == (answer.status_code, "set-cookie" in answer.headers)
    assert "That is not the token" in answer.text


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "/a\nb",
    ],
)
def test_signing_in_leads_nowhere_else(served: Service, call: Call, onward: str) -> None:
    """An address that is no page of this server becomes that of the runs."""
    answer = call(served).post("/sign-in", data={"token": TOKEN, "next": onward})
    assert "/runs" == answer.headers["location"]


def test_without_a_token_nobody_signs_in(served: Service, call: Call) -> None:
    """On loopback with --no-token there is nothing to show."""
    client = call(served, token=None, shown=None)
    assert "/runs" == client.get("/sign-in").headers["location"]
    assert 200 == client.get("/sessions").status_code

"""Who may call the service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from served import AUTHORIZED, TOKEN, Caller

from pytest_sessioneval.server.access import LOOPBACK_HOSTS, Access
from pytest_sessioneval.server.guard import RequestLimits
from pytest_sessioneval.server.service import Service

Call = Callable[..., Caller]


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """Return a store in a file: whoever may call, no database is asked."""
    return f"sqlite:///{tmp_path}/.sessioneval/store.db"


def test_healthz_answers_without_a_token(service: Service, serve: Callable[..., str]) -> None:
    """A load balancer needs no secret to see that the server is up."""
    answer = httpx.get(f"{serve(service, token=TOKEN)}/healthz")
    assert (200, "ok") == (answer.status_code, answer.json()["status"])


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "a token is needed"),
        ({"Authorization": "Bearer wrong"}, "the token is not accepted"),
        ({"Authorization": f"Bearer {TOKEN}x"}, "the token is not accepted"),
        ({"Authorization": f"Basic {TOKEN}"}, "the token is not accepted"),
        ({"Authorization": "Bearer tök"}, "the token is not accepted"),
        ({"Authorization": "Bearer"}, "the token is not accepted"),
    ],
)
def test_everything_else_needs_the_token(
    service: Service, call: Call, headers: dict[str, str], said: str
) -> None:
    """Without the token, or with another one, nothing is answered but how to send it."""
    raw = {name: value.encode() for name, value in headers.items()}
    answer = call(service, shown=None).get("/eval/sessions", headers=raw)
    assert (401, "Bearer") == (answer.status_code, answer.headers["www-authenticate"])
    assert said in answer.json()["detail"]
    assert "SESSIONEVAL_TOKEN" in answer.json()["detail"]


def test_the_token_opens_the_service(service: Service, serve: Callable[..., str]) -> None:
    """Who shows the token is answered."""
    answer = httpx.get(f"{serve(service, token=TOKEN)}/eval/sessions", headers=AUTHORIZED)
    assert (200, []) == (answer.status_code, answer.json())


def test_a_cookie_stands_for_the_token(service: Service, call: Call) -> None:
    """It holds no token, and cookies of other programs on this machine do not hide it."""
    access = Access(token=TOKEN, hosts=())
    cookie = f"a[b]=@; {access.cookie_name}={access.cookie_value}; c"
    answer = call(service, shown=None).get("/eval/sessions", headers={"Cookie": cookie})
    assert 200 == answer.status_code
    assert TOKEN not in cookie


@pytest.mark.parametrize("value", ["", TOKEN, "0" * 64])
def test_another_cookie_opens_nothing(service: Service, call: Call, value: str) -> None:
    """Neither the token itself nor the cookie of another token."""
    cookie = f"{Access(token=TOKEN, hosts=()).cookie_name}={value}"
    answer = call(service, shown=None).get("/eval/sessions", headers={"Cookie": cookie})
    assert 401 == answer.status_code


def test_two_tokens_have_two_cookies() -> None:
    """Servers on two ports of one machine do not sign each other's visitors out."""
    first, second = Access(token="a", hosts=()), Access(token="b", hosts=())  # noqa: S106
    assert first.cookie_name != second.cookie_name
    assert first.cookie_value != second.cookie_value


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost:80@evil.example", "", "[::1"]
)
def test_a_request_for_another_host_is_refused(service: Service, call: Call, host: str) -> None:
    """A page that resolves its own name to this machine learns nothing, not even the health."""
    answer = call(service).get("/healthz", headers={"Host": host})
    assert 400 == answer.status_code
    assert "--allow-host" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "sessions.example"])
def test_a_request_for_a_known_host_is_answered(service: Service, call: Call, host: str) -> None:
    """The machine's own names are known, and those of --allow-host; the port does not matter."""
    client = call(service, hosts=(*LOOPBACK_HOSTS, "sessions.example"))
    assert 200 == client.get("/healthz", headers={"Host": host}).status_code


def test_there_is_no_permission_for_other_origins(service: Service, call: Call) -> None:
    """No answer invites scripts of other sites."""
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answers = [
        call(service).request("OPTIONS", "/eval/sessions", headers=asked),
        call(service).get("/eval/sessions", headers=asked),
    ]
    assert [405, 200] == [answer.status_code for answer in answers]
    assert not [name for one in answers for name in one.headers if "access-control" in name]


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
def test_a_page_of_another_site_cannot_post(
    service: Service, call: Call, headers: dict[str, str]
) -> None:
    """What a browser sends for another site is refused, even without a token to show."""
    answer = call(service, token=None).post("/eval/feedback", json={}, headers=headers)
    assert 403 == answer.status_code
    assert "not accepted" in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_post_must_be_json(service: Service, call: Call, kind: str) -> None:
    """A form of another site can send no JSON: everything else is refused."""
    answer = call(service).post("/eval/feedback", content=b"{}", headers={"Content-Type": kind})
    assert 415 == answer.status_code
    assert "application/json" in answer.json()["detail"]


@pytest.mark.parametrize("body", [[b" " * 1_001], [b" " * 500] * 3], ids=["at once", "in parts"])
def test_a_body_has_a_largest_size(service: Service, call: Call, body: list[bytes]) -> None:
    """A larger body is refused in a sentence that names the limit, whatever it announces."""
    client = call(service, limits=RequestLimits(body_bytes=1_000))
    content = body[0] if len(body) == 1 else _in_parts(body)
    json = {"Content-Type": "application/json"}
    answer = client.post("/eval/feedback", content=content, headers=json)
    assert 413 == answer.status_code
    assert "1,000 bytes" in answer.json()["detail"]


def test_more_requests_than_the_most_are_told_to_come_back(service: Service, call: Call) -> None:
    """A server that is busy says so at once."""
    answer = call(service, limits=RequestLimits(in_progress=0)).get("/healthz")
    assert (503, "1") == (answer.status_code, answer.headers["retry-after"])
    assert "ask again" in answer.json()["detail"]


def test_no_page_of_documentation_loads_scripts_from_elsewhere(
    service: Service, call: Call
) -> None:
    """The description of the interface is there, viewers of others are not."""
    assert 200 == call(service).get("/openapi.json").status_code
    assert [404, 404] == [call(service).get(path).status_code for path in ("/docs", "/redoc")]


async def _in_parts(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part

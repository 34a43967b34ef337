"""The pages over the application: what each shows, and what it says where there is nothing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from pages_site import (
    ATTACK,
    HOSTILE_ID,
    LONG,
    PENDING,
    REFUND,
    Page,
    folder_of,
    judge,
    said,
    scored,
    site,
)
from served import NOW, TOKEN, Caller, opened

from pytest_sessioneval.reports.neutralise import code_span
from pytest_sessioneval.server.service import Service
from pytest_sessioneval.testing import transcript
from pytest_sessioneval.transcripts.model import Message
from pytest_sessioneval.verdicts.model import Scored

Call = Callable[..., Caller]
Open = Callable[[str], Page]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Service]:
    """Yield the site."""
    with site(tmp_path) as service:
        yield service


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Service]:
    """Yield a service of nothing on an empty store."""
    with opened(f"sqlite:///{tmp_path}/.sessioneval/store.db", tmp_path) as service:
        yield service


def page(client: Caller, path: str, status: int = 200) -> Page:
    """Return a page as a browser gets it."""
    answer = client.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (status, "text/html; charset=utf-8") == (
        answer.status_code,
        answer.headers["content-type"],
    )
    return Page(answer.text)


@pytest.fixture
def show(served: Service, call: Call) -> Open:
    """Return what opens a page of the site."""
    return lambda path: page(call(served), path)


# runs


def test_the_front_leads_to_the_runs(served: Service, call: Call) -> None:
    """Whoever types the address sees what ran last."""
    answer = call(served).get("/")
    assert (303, "/runs") == (answer.status_code, answer.headers["location"])


def test_every_run_is_listed(served: Service, call: Call, tmp_path: Path) -> None:
    """Its state, sessions and judge, and how they ended."""
    run_id = scored(tmp_path)
    found = page(call(served), "/runs")
    assert f"/runs/{run_id}" in found.links
    assert re.search(r"done.*airline.*4\s*4 passed.*evidence", found.text, re.DOTALL)


def test_no_runs_says_how_to_start_one(empty: Service, call: Call) -> None:
    """An empty store leads on."""
    found = page(call(empty), "/runs")
    assert "No run yet" in found.text
    assert "pytest --sessioneval FOLDER" in found.text


def test_older_runs_are_a_link_away(served: Service, call: Call, tmp_path: Path) -> None:
    """A page is short; there is more where it says so."""
    scored(tmp_path)
    scored(tmp_path)
    client = call(served)
    assert "/runs?limit=4" in page(client, "/runs?limit=1").links
    assert [] == [link for link in page(client, "/runs").links if "limit" in link]


def test_a_run_shows_its_averages_and_sessions(served: Service, call: Call, tmp_path: Path) -> None:
    """Per axis mean, lowest and what has no score; per session its scores and a link."""
    run_id = scored(tmp_path)
    found = page(call(served), f"/runs/{run_id}")
    assert [
        ("h1", f"Run {run_id}"),
        ("h2", "airline"),
        ("h3", "Sessions, those that failed first"),
    ] == found.headings
    assert "/session?id=refund-1" in found.links
    assert re.search(r"goal_completion.*4 unsupported", found.text, re.DOTALL)
    assert "does not know whether a task was solved" in found.text


def test_a_run_shows_what_missed_its_threshold(served: Service, call: Call, tmp_path: Path) -> None:
    """The axis, the session and the number it had to reach."""
    suite = tmp_path / "airline" / "sessioneval.toml"
    suite.write_text(
        "[thresholds.session]\ntool_usage_quality = 90\n[thresholds.mean]\nefficiency = 100\n",
        encoding="utf-8",
    )
    found = page(call(served), f"/runs/{scored(tmp_path)}")
    assert "below threshold" in found.text
    assert re.search(r"tool_usage_quality \d+(\.\d+)? < 90", found.text)
    assert "mean ≥ 100" in found.text
    assert "missed" in found.text


def test_a_run_without_its_report_has_its_averages(
    served: Service, call: Call, tmp_path: Path
) -> None:
    """A run of another machine: what the store has, and where the rest is."""
    run_id = scored(tmp_path)
    (tmp_path / ".sessioneval" / "runs" / run_id / "report.json").unlink()
    found = page(call(served), f"/runs/{run_id}")
    assert re.search(r"task_complexity\s*\d", found.text)
    assert "not on this server" in found.text


@pytest.mark.parametrize("content", ["", "{", '{"schema_version": 99}', "[" * 100_000])
def test_a_report_that_cannot_be_read_is_as_none(
    served: Service, call: Call, tmp_path: Path, content: str
) -> None:
    """A broken file costs the sessions' part of the page, not the page."""
    run_id = scored(tmp_path)
    report = tmp_path / ".sessioneval" / "runs" / run_id / "report.json"
    report.write_text(content, encoding="utf-8")
    assert "not on this server" in page(call(served), f"/runs/{run_id}").text


def test_advice_is_a_link_away(served: Service, call: Call, tmp_path: Path) -> None:
    """Where the run's folder holds advice, its page leads there."""
    run_id = scored(tmp_path)
    file = tmp_path / ".sessioneval" / "runs" / run_id / "advice.md"
    found = served.sessions.find(HOSTILE_ID)
    assert found is not None
    key = found[1].session.key
    named = f"[{code_span(f'{key}#M2')}](../../elsewhere.json)"
    file.write_text(f"# Advice\n\n- <b>look</b> at {named}\n", encoding="utf-8")
    client = call(served)
    assert f"/runs/{run_id}/advice" in page(client, f"/runs/{run_id}").links
    shown = page(client, f"/runs/{run_id}/advice")
    assert "<b>look</b> at" in shown.text
    address = quote(HOSTILE_ID, safe="").replace("%20", "+")
    assert f"/session?id={address}#m2" in shown.links


def test_a_link_out_of_the_folder_of_runs_is_not_followed(
    served: Service, call: Call, tmp_path: Path
) -> None:
    """What a run's folder leads to elsewhere is not shown."""
    run_id = scored(tmp_path)
    secret = tmp_path / "secret.md"
    secret.write_text("secret", encoding="utf-8")
    folder = tmp_path / ".sessioneval" / "runs" / run_id
    (folder / "advice.md").unlink(missing_ok=True)
    (folder / "advice.md").symlink_to(secret)
    page(call(served), f"/runs/{run_id}/advice", 404)


# sessions


def test_sessions_are_listed_with_status_and_scores(show: Open) -> None:
    """The last active first; each leads to its page, whatever its id."""
    found = show("/sessions")
    order = [link for link in found.links if link.startswith("/session?")]
    assert ["pending-1", "refund-1"] == [link.partition("id=")[2] for link in order[:2]]
    assert f"/session?id={quote(HOSTILE_ID, safe='').replace('%20', '+')}" in order
    assert re.search(r"refund-1\s*Refund of a broken order\s*stale", found.text)
    assert "1 down" in found.text


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("status=pending", ["pending-1"]),
        ("status=evaluated", []),
        ("profile=support", ["refund-1"]),
        ("profile=nobody", []),
        ("limit=1", ["pending-1"]),
        ("limit=1&offset=1", ["refund-1"]),
        ("offset=100", []),
        ("status=&profile=&limit=2", ["pending-1", "refund-1"]),
    ],
)
def test_sessions_are_filtered_and_paged(show: Open, query: str, ids: list[str]) -> None:
    """By status and profile, as the filters' form asks; a page that is empty says what to do."""
    found = show(f"/sessions?{query}")
    listed = [link for link in found.links if link.startswith("/session?")]
    assert ids == [link.partition("id=")[2] for link in listed]
    assert ids or re.search(r"Show all sessions|Back to the first", found.text)


def test_pages_of_sessions_lead_on_and_keep_the_filter(show: Open) -> None:
    """The next page and the one before, with what was asked."""
    found = show("/sessions?status=stale&limit=1&offset=1")
    assert {"/sessions?status=stale&limit=1", "/sessions?status=stale&limit=1&offset=2"} <= {
        *found.links
    }


def test_what_cannot_be_read_is_told(served: Service, call: Call, tmp_path: Path) -> None:
    """A broken file, and a suite file that stopped being accepted, each with its reason."""
    (tmp_path / "airline" / "broken.jsonl").write_text('{"format": "sessioneval"\n', "utf-8")
    (tmp_path / "airline" / "sessioneval.toml").write_text("[odd]\n", "utf-8")
    text = page(call(served), "/sessions").text
    assert "refund-1" in text
    assert re.search(r"airline: .*sessioneval\.toml", text)
    (tmp_path / "airline" / "sessioneval.toml").unlink()
    text = page(call(served), "/sessions").text
    assert re.search(r"airline: broken\.jsonl(:\d+)? cannot be read: \w", text)


def test_no_sessions_says_where_they_come_from(empty: Service, call: Call) -> None:
    """An empty store leads on."""
    found = page(call(empty), "/sessions")
    assert "sessioneval serve FOLDER" in found.text
    assert "POST /eval/sessions" in found.text


# one session


def test_experts_stand_side_by_side(show: Open) -> None:
    """Per axis the panel's mean, then every expert's score, words and reason for none."""
    found = show("/session?id=refund-1")
    text = " ".join(found.text.split())
    assert "goal_completion 40 The experts' scores lie 40 apart. outcome 20 false claim" in text
    assert "process 60 It tried." in text
    assert "unverified: no cited evidence was found in the transcript." in text
    assert "level 40 without anything negative" in text
    assert "outcome: The customer left with nothing." in text


def test_a_quote_leads_to_its_message_and_back(show: Open) -> None:
    """Every end of every link is on the page, the quote marked in the message it is from."""
    found = show("/session?id=refund-1")
    quotes = [link for link in found.links if link.startswith("/session?") and "#q" in link]
    here = [link.partition("#")[2] for link in quotes if "agent=" not in link]
    assert {"q1", "q2", "q3", "q4", "q6"} == set(here)
    assert set(here) <= set(found.ids)
    marked = re.findall(r'<mark id="(q\d)">([^<]*)', found.html)
    assert [
        ("q4", "&#34;price&#34;: 42"),
        ("q1", "Error: refunds need a reason"),
        ("q2", "refunded your order W12"),
    ] == marked
    backward = [link for link in found.links if link.startswith("#c")]
    assert {"#c1", "#c2", "#c3", "#c4", "#c6"} == set(backward)
    assert {link[1:] for link in backward} <= set(found.ids)


def test_a_quote_on_another_page_of_the_transcript_leads_there(show: Open) -> None:
    """A long transcript comes in parts; the link names the right one."""
    first = show("/session?id=long-1")
    (link,) = {link for link in first.links if "#q1" in link}
    assert "/session?id=long-1&start=200#q1" == link
    assert "q1" not in first.ids
    there = show(link)
    assert "q1" in there.ids
    assert "c1" in there.ids
    assert "message number 217" in there.text
    assert "message number 100" not in there.text


def test_a_sub_agents_quote_leads_to_its_messages(show: Open) -> None:
    """The sub-agent's part of the transcript has the quote."""
    (link,) = {
        link for link in show("/session?id=refund-1").links if "agent=a7" in link and "#q" in link
    }
    there = show(link)
    assert link.partition("#")[2] in there.ids
    assert "I looked at the policy" in there.text
    assert "Please refund" not in there.text


def test_secrets_are_replaced(tmp_path: Path, call: Call) -> None:
    """The transcript is what a judge may see."""
    key = "sk-ant-api03-" + "A1b2C3d4E5" * 9 + "fffAA"
    leak = transcript(("user", f"my key is {key}"), session_id="leak")
    folder = folder_of(tmp_path, leak)
    with opened(f"sqlite:///{tmp_path}/.sessioneval/store.db", tmp_path, [folder]) as service:
        found = page(call(service), "/session?id=leak")
    assert key not in found.html
    assert "[REDACTED" in found.text


def test_a_session_nobody_judged_says_how_to_have_it_judged(show: Open) -> None:
    """An empty state leads on; the transcript is there."""
    found = show("/session?id=pending-1")
    assert "Nobody has judged this session yet" in found.text
    assert "POST /eval/run" in found.text
    assert "Hello?" in found.text


def test_a_session_without_its_transcript_shows_what_the_store_has(
    served: Service, call: Call, tmp_path: Path
) -> None:
    """The folder is not served any more: opinions, thumbs, and what to do."""
    with opened(served.settings.store, tmp_path) as other:
        found = page(call(other), "/session?id=refund-1")
    assert "The transcript is not here" in found.text
    assert "The refund failed" in found.text
    assert "“refunded your order W12”" in found.text
    assert "too late" in found.text
    assert [] == [link for link in found.links if "#q" in link]


def test_a_transcript_that_changed_says_so(served: Service, call: Call, tmp_path: Path) -> None:
    """Quotes were taken of another one."""
    more = Message(index=len(REFUND.messages), role="user", text="And now?")
    grown = REFUND.model_copy(update={"messages": (*REFUND.messages, more)})
    folder_of(tmp_path, grown, ATTACK, LONG, PENDING)
    assert "has changed since" in page(call(served), "/session?id=refund-1").text


def test_every_evaluation_is_listed(served: Service, call: Call) -> None:
    """Earlier ones too, each with its run; the latest one's experts are shown in full."""
    later = said("judge", {"efficiency": Scored(score=70)}, at=NOW, judge_version="other@1#x")
    judge(served, "refund-1", later, run_id="run-2")
    found = page(call(served), "/session?id=refund-1")
    assert {"/runs/run-2", "/runs/20261120-120000-abc123"} <= set(found.links)
    assert "The refund failed" not in found.text


def test_a_message_has_a_page_of_its_own(show: Open) -> None:
    """All of it, and the way back."""
    found = show("/session/message?id=refund-1&message=3")
    assert '{"id": "W12", "price": 42, "state": "delivered"}' in found.text
    assert "/session?id=refund-1#m3" in found.links


# thumbs


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


# trends


def test_weekly_trends_have_a_chart_and_every_number(
    served: Service, call: Call, tmp_path: Path
) -> None:
    """Of the sessions that are evaluated by today's judge, and by complexity where asked."""
    scored(tmp_path)
    client = call(served)
    found = page(client, "/trends?days=365")
    assert "Every number" in found.text
    assert 1 == len(
        [
            one
            for one in found.elements
            if one[1].get("aria-label", "") and "efficiency" in str(one[1]["aria-label"])
        ]
    )
    split = page(client, "/trends?days=365&by_bucket=1")
    assert re.search(r"complexity (0-25|26-50|51-75|76\+)", split.text)
    assert "/trends?days=365" in split.links


def test_no_trends_say_what_to_do(empty: Service, call: Call) -> None:
    """Look further back, or have sessions judged."""
    found = page(call(empty), "/trends")
    assert "last 30 days" in found.text
    assert "/trends?days=365" in found.links


# signing in


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


# what fails


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nothing", 404, "there is no address /nothing"),
        ("/runs/nobody", 404, "run not found: nobody"),
        ("/runs/nobody/advice", 404, "no advice"),
        ("/session?id=nobody", 404, "session not found: nobody"),
        ("/session?id=%3Cscript%3E", 404, "session not found: <script>"),
        ("/session", 422, "id: Field required"),
        ("/session/message?id=refund-1&message=99", 404, "message not found"),
        ("/session/message?id=refund-1&message=x", 422, "message:"),
        ("/sessions?limit=0", 422, "limit:"),
        ("/sessions?status=odd", 422, "status:"),
        ("/trends?days=0", 422, "days:"),
        ("/runs?limit=x", 422, "limit:"),
        ("/runs/%2e%2e%2fx", 404, "there is no address /runs/"),
    ],
)
def test_what_fails_is_a_page_for_a_browser(
    served: Service, call: Call, path: str, status: int, words: str
) -> None:
    """It says what is wrong, leads on, and shows no traceback."""
    found = page(call(served), path, status)
    assert words in found.text
    assert {"/runs", "/sessions", "/trends"} <= set(found.links)
    assert "Traceback" not in found.text


def test_what_fails_is_json_for_a_program(served: Service, call: Call) -> None:
    """Whoever did not ask for a page gets the API's answer."""
    answer = call(served).get("/runs/nobody")
    assert {"detail": "run not found: nobody"} == answer.json()


def test_a_store_that_fails_is_a_page(served: Service, call: Call, tmp_path: Path) -> None:
    """The store's own words, and no traceback."""
    with closing(sqlite3.connect(tmp_path / ".sessioneval" / "store.db")) as database:
        database.execute("DROP TABLE runs")
    found = page(call(served), "/runs", 503)
    assert [("h1", "Not now")] == found.headings
    assert "Traceback" not in found.text


@pytest.mark.parametrize("name", ["style.css", "live.js", "icon.svg"])
def test_what_pages_load_needs_no_token(served: Service, call: Call, name: str) -> None:
    """The form that asks for the token is to be seen; the files hold no secret."""
    answer: httpx.Response = call(served, shown=None).get(f"/static/{name}")
    assert 200 == answer.status_code
    assert "immutable" in answer.headers["cache-control"]


def test_there_are_no_other_files(served: Service, call: Call) -> None:
    """Nothing but what is named is given."""
    assert 404 == call(served).get("/static/base.html").status_code


# both databases


def test_every_page_is_the_same_on_both_databases(
    store_url: str, tmp_path: Path, call: Call
) -> None:
    """Sessions, opinions, thumbs and trends come from the store, whichever it is."""
    with site(tmp_path, store=store_url) as service:
        client = call(service)
        assert "refund-1" in page(client, "/sessions").text
        shown = page(client, "/session?id=refund-1")
        assert {"q1", "q2", "c1", "c2"} <= set(shown.ids)
        assert "too late" in shown.html
        service.store.start_run("running-1", NOW)
        assert "running" in page(client, "/runs").text
        assert "last 30 days" in page(client, "/trends").text

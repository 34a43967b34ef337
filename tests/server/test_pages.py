"""The pages over the application: runs and trends, and what is said where a page fails."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from pages_site import (
    HOSTILE_ID,
    page,
    scored,
    site,
)
from served import NOW, Caller

from pytest_sessioneval.reports.neutralise import code_span
from pytest_sessioneval.server.service import Service

Call = Callable[..., Caller]


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

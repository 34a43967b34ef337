"""The pages of sessions: the list, and one with its opinions and its transcript."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

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
    page,
    said,
)
from served import NOW, Caller, opened

from pytest_sessioneval.server.service import Service
from pytest_sessioneval.testing import transcript
from pytest_sessioneval.transcripts.model import Message
from pytest_sessioneval.verdicts.model import Scored

Call = Callable[..., Caller]
Open = Callable[[str], Page]


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

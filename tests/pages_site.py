"""A served site whose pages are tested: sessions with opinions, thumbs, runs and hostile words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

from click.testing import CliRunner
from served import NOW, Caller, opened, record

from pytest_sessioneval.cli import program
from pytest_sessioneval.server.service import Service
from pytest_sessioneval.stores.protocol import StoredOpinion
from pytest_sessioneval.suites.model import FeedbackEntry
from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.transcripts.model import Message, Subsession, Transcript
from pytest_sessioneval.verdicts.model import AxisOpinion, Evidence, Opinion, Scored, Unscored

HOSTILE = (
    "<script>alert(1)</script>\"'><img src=https://evil.example/x onerror=alert(2)>{{ 7*7 }}"
    "\u202egnp.exe\u2066 \x1b[31mred\x1b[0m \x00 javascript:alert(3) </textarea></title>"
)
"""Text of whoever wrote a transcript, at its worst."""

HOSTILE_ID = "a/../b?c=d&e=<f>#g %2F \"q\" 'r' \u202eevil .."
"""An id that is fit for no path."""

REFUND = transcript(
    ("system", "You are a helpful agent of the airline."),
    ("user", "Please refund my order W12, it is broken."),
    tool("get_order", {"id": "W12"}, result='{"id": "W12", "price": 42, "state": "delivered"}'),
    tool("refund", {"order": "W12"}, result="Error: refunds need a reason", is_error=True),
    ("assistant", "I am sorry, I refunded your order W12 with 42 dollars."),
    ("user", "Thank you."),
    session_id="refund-1",
    name="Refund of a broken order",
    profile_id="support",
    created_at=NOW - timedelta(days=2),
    last_active=NOW - timedelta(days=2),
).model_copy(
    update={
        "subsessions": (
            Subsession(
                agent_id="a7",
                name="Explore",
                messages=(Message(index=0, role="assistant", text="I looked at the policy."),),
            ),
        )
    }
)

ATTACK = transcript(
    ("user", HOSTILE),
    tool(HOSTILE, {"path": HOSTILE}, result=HOSTILE, is_error=True),
    ("assistant", HOSTILE),
    session_id=HOSTILE_ID,
    name=HOSTILE,
    profile_id=HOSTILE[:40],
    last_active=NOW - timedelta(days=3),
)

LONG = transcript(
    *(
        ("user" if number % 2 else "assistant", f"This is message number {number} of very many.")
        for number in range(230)
    ),
    session_id="long-1",
    last_active=NOW - timedelta(days=4),
)

PENDING = transcript(("user", "Hello?"), session_id="pending-1", last_active=NOW)


def folder_of(home: Path, *transcripts: Transcript) -> Path:
    """Return a folder that holds these sessions, by default all of the site's."""
    return record(home / "airline", *(transcripts or (REFUND, ATTACK, LONG, PENDING)))


@contextmanager
def site(home: Path, *transcripts: Transcript, store: str = "") -> Iterator[Service]:
    """Yield a service of a folder, its sessions judged by two experts, some with thumbs."""
    folder = folder_of(home, *transcripts)
    url = store or f"sqlite:///{home}/.sessioneval/store.db"
    with opened(url, home, [folder]) as service:
        service.sessions.now()
        judge(service, "refund-1", outcome(), process())
        judge(service, HOSTILE_ID, hostile())
        judge(service, "long-1", far())
        service.store.put_feedback(
            [
                FeedbackEntry(
                    session_id="refund-1", message_index=6, rating=-1, comment="too late"
                ),
                FeedbackEntry(session_id=HOSTILE_ID, message_index=0, rating=1, comment=HOSTILE),
            ]
        )
        yield service


def scored(home: Path, *arguments: str) -> str:
    """Score the site's folder as `sessioneval score` does, and return the run's id."""
    out = home / ".sessioneval"
    store = f"sqlite:///{out}/store.db"
    told = CliRunner().invoke(
        program,
        ["score", str(home / "airline"), "--out", str(out), "--store", store, *arguments],
    )
    assert told.exit_code in {0, 1}, told.output
    runs = sorted((out / "runs").iterdir(), key=lambda run: run.stat().st_mtime)
    return runs[-1].name


def thumb(session_id: str, index: int, rating: Literal[1, -1], comment: str) -> FeedbackEntry:
    """Return a person's thumb."""
    return FeedbackEntry(
        session_id=session_id, message_index=index, rating=rating, comment=comment, at=NOW
    )


def judge(
    service: Service, session_id: str, *opinions: Opinion, run_id: str = "20261120-120000-abc123"
) -> None:
    """Keep experts' opinions of a served session."""
    found = service.sessions.find(session_id)
    assert found is not None
    _, member = found
    session = member.session
    rows = [
        StoredOpinion(
            session.suite, session.key, session.session_id, session.summary.digest, opinion
        )
        for opinion in opinions
    ]
    service.store.put_opinions(run_id, rows)


def outcome() -> Opinion:
    """Return what the first expert said of the refund."""
    return said(
        "outcome",
        {
            "task_complexity": Scored(score=40, comment="One order, one rule."),
            "goal_completion": Scored(
                score=20,
                comment="The refund failed, and the agent said otherwise.",
                failure_tag="false_claim",
                evidence=(
                    Evidence(message=5, quote="Error: refunds need a reason"),
                    Evidence(message=6, quote="refunded your order W12", note="not so"),
                    Evidence(message=1, quote="", polarity="positive", note="a clear request"),
                ),
            ),
        },
        comment="The customer left with nothing.",
    )


def process() -> Opinion:
    """Return what the second expert said of it."""
    return said(
        "process",
        {
            "goal_completion": Scored(
                score=60,
                comment="It tried.",
                evidence=(
                    Evidence(message=3, quote='"price": 42', polarity="positive"),
                    Evidence(message=0, quote="I looked at the policy", agent_id="a7"),
                ),
            ),
            "tool_usage_quality": Unscored(
                reason="unverified",
                detail="level 40 without anything negative",
                evidence=(Evidence(message=2, quote="words nobody said", verified=False),),
            ),
        },
    )


def hostile() -> Opinion:
    """Return what an expert said who repeats what it read."""
    return said(
        HOSTILE[:50],
        {
            "goal_completion": Scored(
                score=0,
                comment=HOSTILE,
                failure_tag=HOSTILE[:40],
                evidence=(Evidence(message=0, quote=HOSTILE[:60], note=HOSTILE, agent_id=None),),
            ),
            HOSTILE[:30]: Unscored(reason="failed", detail=HOSTILE),
        },
        comment=HOSTILE,
    )


def far() -> Opinion:
    """Return an opinion that cites a message far from the beginning."""
    quotes = (Evidence(message=217, quote="message number 217 of very many"),)
    return said("judge", {"communication": Scored(score=80, comment="Fine.", evidence=quotes)})


def said(
    expert: str,
    axes: dict[str, AxisOpinion],
    *,
    comment: str = "",
    at: datetime = NOW - timedelta(hours=1),
    judge_version: str = "panel@1#judge",
) -> Opinion:
    """Return an opinion."""
    return Opinion(
        key=f"{expert}-{at.isoformat()}-{judge_version}-{sorted(axes)}",
        expert_id=expert,
        axes=axes,
        comment=comment,
        judge_model="gpt-5-mini",
        judge_version=judge_version,
        rubric_version="agent@1#rubric",
        judged_at=at,
    )


_VOID = {"meta", "link", "input", "br", "wbr", "img"}
_LOADING = {"src", "srcset", "data", "poster", "background", "action", "formaction", "manifest"}


@dataclass
class Page(HTMLParser):
    """A page as a browser reads it."""

    html: str
    text: str = ""
    headings: list[tuple[str, str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    """Addresses that somebody may follow."""
    loads: list[str] = field(default_factory=list)
    """Addresses that the browser asks for by itself, or sends forms to."""
    ids: list[str] = field(default_factory=list)
    elements: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = field(default_factory=list)
    """Name, attributes, and the classes of what they stand in."""

    def __post_init__(self) -> None:
        """Read the page."""
        super().__init__()
        self._open: list[tuple[str, str]] = []
        self.feed(self.html)
        self.close()
        assert [] == self._open, "an element was never closed"

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Note an element."""
        given = dict(attrs)
        self.elements.append((tag, given, tuple(classes for _, classes in self._open)))
        if tag not in _VOID:
            self._open.append((tag, given.get("class") or ""))
        if given.get("id"):
            self.ids.append(str(given["id"]))
        href = given.get("href")
        if href is not None:
            (self.links if tag == "a" else self.loads).append(href)
        self.loads += [str(value) for name, value in attrs if name in _LOADING]
        if tag in {"h1", "h2", "h3", "h4"}:
            self.headings.append((tag, ""))

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Note an element that closes itself, as those of SVG do."""
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note its end."""
        name, _ = self._open.pop()
        assert tag == name, f"</{tag}> ends <{name}>"

    def handle_data(self, data: str) -> None:
        """Note its text."""
        self.text += data
        if {"h1", "h2", "h3", "h4"} & {name for name, _ in self._open}:
            tag, words = self.headings[-1]
            self.headings[-1] = (tag, words + data)


def page(client: Caller, path: str, status: int = 200) -> Page:
    """Return a page as a browser gets it."""
    answer = client.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (status, "text/html; charset=utf-8") == (
        answer.status_code,
        answer.headers["content-type"],
    ), answer.text
    return Page(answer.text)

"""Markdown of our own as HTML: what strangers wrote in it stays text."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from pytest_sessioneval.reports.model import Report, SessionReport, SuiteReport
from pytest_sessioneval.reports.neutralise import code_span, markdown_text
from pytest_sessioneval.server.pages.prose import prose, session_links


def nowhere(_words: str) -> str | None:
    """Return that a link leads nowhere."""
    return None


def test_the_first_heading_is_the_pages_own() -> None:
    """The page has one of the same words; the rest keeps its rank."""
    assert "<h2>Suite</h2>\n<p>Text</p>\n" == prose("# Advice\n\n## Suite\n\nText\n", nowhere)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("<img src=x onerror=y>", "<p>&lt;img src=x onerror=y&gt;</p>"),
        ("<https://evil.example>", "<p>&lt;https://evil.example&gt;</p>"),
        ("![seen](https://evil.example/x.png)", "<p>!seen</p>"),
        ("[words](https://evil.example)", "<p>words</p>"),
        ("[words](javascript:alert(1))", "<p>[words](javascript:alert(1))</p>"),
        ("`<b>` \u202eevil", "<p><code>&lt;b&gt;</code> \ufffdevil</p>"),
    ],
    ids=["script", "image", "address", "picture", "link", "script link", "code and marks"],
)
def test_nothing_but_markdown_is_markup(text: str, html: str) -> None:
    """HTML is shown, pictures are not loaded, and addresses in the text count for nothing."""
    assert f"{html}\n" == prose(text, nowhere)


def test_a_link_leads_where_its_words_say() -> None:
    """To a page of this server, whatever the file links to."""
    leads = {"task-1#M3": "/session?id=1#m3"}
    html = prose("[`task-1#M3`](../x.json), [`task-2`](y)", leads.get)
    linked = '<a href="/session?id=1#m3"><code>task-1#M3</code></a>'
    assert f"<p>{linked}, <code>task-2</code></p>\n" == html


def test_a_table_has_a_box_and_no_style_of_its_own() -> None:
    """The policy allows no style in a page."""
    html = prose("| a | b |\n|---|--:|\n| 1 | 2 |\n", nowhere)
    assert "style=" not in html
    assert '<th class="n">b</th>' in html
    assert html.startswith('<div class="scroll"')
    assert html.endswith("</table></div>\n")


@pytest.mark.parametrize("words", ["a*b_c`d[e](f)<g>&h|i", "# no heading", "1. no list", "@me #1"])
def test_what_was_neutralised_reads_as_it_was(words: str) -> None:
    """Text that reports wrote into Markdown comes out as the same words."""
    told = unescape(prose(markdown_text(words), nowhere)).replace("\u200b", "")
    assert f"<p>{words}</p>\n" == told
    coded = unescape(prose(code_span(words), nowhere))
    assert f"<p><code>{words}</code></p>\n" == coded


def _session(**fields: Any) -> SessionReport:
    return SessionReport.model_construct(**fields)


def _suite(**ids: str) -> SuiteReport:
    fields: dict[str, Any] = {"sessions": [_session(key=key, session_id=ids[key]) for key in ids]}
    return SuiteReport.model_construct(**fields)


def test_a_key_leads_to_the_one_session_it_names() -> None:
    """Two suites may give a key to different sessions: no link is better than a wrong one."""
    suites = (_suite(first="1", same="2", own="3"), _suite(first="4", same="2"))
    report: dict[str, Any] = {"suites": suites}
    link = session_links(Report.model_construct(**report))
    assert [None, "/session?id=2", "/session?id=3", "/session?id=3#m7"] == list(
        map(link, ("first", "same", "own", "own#M7"))
    )

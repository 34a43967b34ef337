"""What holds for every page: nothing is loaded from elsewhere, and hostile text is text."""

from __future__ import annotations

import re
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from pages_site import HOSTILE, HOSTILE_ID, Page, folder_of, scored, site
from served import Caller, opened

from pytest_sessioneval.server.pages import rendering
from pytest_sessioneval.testing import transcript

_HOSTILE_QUERY = quote(HOSTILE_ID, safe="")
PATHS = (
    "/runs",
    "/runs/RUN",
    "/runs/RUN/advice",
    "/sessions",
    "/sessions?profile=nobody",
    f"/sessions?profile={quote(HOSTILE)}",
    "/session?id=refund-1",
    "/session?id=refund-1&agent=a7",
    "/session?id=long-1&start=200",
    "/session?id=pending-1",
    f"/session?id={_HOSTILE_QUERY}",
    f"/session/message?id={_HOSTILE_QUERY}&message=0",
    "/trends?days=365&by_bucket=1",
    "/nothing",
    f"/session?id={quote(HOSTILE)}",
)
EMPTY = ("/runs", "/sessions", "/trends", "/sign-in")


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, httpx.Response]:
    """Return every page of a site, by path, and those of an empty one, led by ``empty``."""
    home = tmp_path_factory.mktemp("site")
    accept = {"Accept": "text/html"}
    with site(home) as service, closing(Caller(service)) as client:
        run_id = scored(home)
        advice = home / ".sessioneval" / "runs" / run_id / "advice.md"
        advice.write_text(HOSTILE, encoding="utf-8")
        found = {path: client.get(path.replace("RUN", run_id), headers=accept) for path in PATHS}
    nothing = tmp_path_factory.mktemp("nothing")
    with (
        opened(f"sqlite:///{nothing}/.sessioneval/store.db", nothing) as service,
        closing(Caller(service)) as client,
    ):
        found |= {f"empty{path}": client.get(path, headers=accept) for path in EMPTY}
    return found


@pytest.fixture(params=[*PATHS, *(f"empty{path}" for path in EMPTY)])
def answer(request: pytest.FixtureRequest, answers: dict[str, httpx.Response]) -> httpx.Response:
    """Return one page after the other."""
    return answers[request.param]


@pytest.fixture
def page(answer: httpx.Response) -> Page:
    """Return it as a browser reads it: every element closed in order."""
    return Page(answer.text)


def test_nothing_is_loaded_from_elsewhere(page: Page) -> None:
    """Files and forms are this server's; links lead to its pages."""
    assert page.loads
    for address in page.loads + page.links:
        assert re.match(r"(/(?![/\\])|#|\?)", address), address
    assert "url(" not in page.html


def test_no_style_or_script_is_in_the_page(page: Page) -> None:
    """So that the policy can forbid them: what a transcript smuggles in would not run either."""
    for tag, given, _ in page.elements:
        assert tag not in {"style", "iframe", "object", "embed", "base", "img"}
        assert tag != "script" or str(given.get("src")).startswith("/static/")
        assert not [name for name in given if name.startswith("on") or name == "style"]


def test_the_policy_allows_only_what_is_needed(answer: httpx.Response) -> None:
    """Nothing by default, and nobody may frame a page."""
    policy = answer.headers["content-security-policy"]
    assert rendering.POLICY == policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "*" not in policy
    assert ("nosniff", "same-origin", "no-store") == (
        answer.headers["x-content-type-options"],
        answer.headers["referrer-policy"],
        answer.headers["cache-control"],
    )


def test_no_text_steers_who_reads_it(answer: httpx.Response) -> None:
    """Control characters and marks that reorder text are replaced."""
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", answer.text)


def test_a_page_says_what_it_is(page: Page) -> None:
    """A title, a language, one heading of the first rank and no rank left out below it."""
    ranks = [int(tag[1]) for tag, _ in page.headings]
    assert [1] == [rank for rank in ranks if rank == 1]
    assert all(lower - upper <= 1 for upper, lower in pairwise(ranks))
    assert all(words.strip() for _, words in page.headings)
    assert re.search(r"<title>\S.* · sessioneval</title>", page.html)
    assert '<html lang="en">' in page.html


def test_the_first_link_skips_to_the_content(page: Page) -> None:
    """Whoever uses a keyboard need not pass the navigation."""
    assert "#main" == page.links[0]
    assert "main" in page.ids


def test_ids_are_unique_and_links_inside_lead_somewhere(page: Page) -> None:
    """Both ends of every link inside of the page are there."""
    assert len(page.ids) == len(set(page.ids))
    inside = {link[1:] for link in page.links if link.startswith("#")}
    assert inside <= set(page.ids)


def test_every_field_and_button_has_a_name(page: Page) -> None:
    """A label around it or for it, or words in it."""
    labelled = {given.get("for") for tag, given, _ in page.elements if tag == "label"}
    for tag, given, _ in page.elements:
        if tag in {"input", "select", "textarea"} and not _is_hidden(given):
            inside = re.search(rf"<label>(?:(?!</label>).)*<{tag}\b", page.html, re.DOTALL)
            assert given.get("id") in labelled or inside, given
        if tag == "svg":
            assert given.get("aria-hidden") == "true" or given.get("aria-label")


def test_every_table_scrolls_in_a_box_of_its_own(page: Page) -> None:
    """One that a keyboard reaches, and with a name: the page itself never scrolls sideways."""
    for tag, given, around in page.elements:
        if tag == "table":
            assert "scroll" in around
        if given.get("class") == "scroll":
            assert ("0", "region") == (given["tabindex"], given["role"])
            assert given["aria-label"]


def test_hostile_words_are_shown_as_words(answers: dict[str, httpx.Response]) -> None:
    """They are there to be read, and run nowhere: neither as HTML nor as a template."""
    page = Page(answers[f"/session?id={_HOSTILE_QUERY}"].text)
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7*7 }}" in page.text
    assert "49" not in page.text
    assert not {"img", "script"} & {tag for tag, *_ in page.elements}


def test_the_style_sheet_loads_nothing() -> None:
    """No font, no image, no other sheet."""
    sheet = rendering.static_file("style.css")[0].decode()
    assert "url(" not in sheet
    assert "@import" not in sheet
    assert "prefers-color-scheme: dark" in sheet


def test_text_is_readable_in_both_schemes() -> None:
    """Every pair of text and ground that the sheet uses has a contrast of 4.5 or more."""
    sheet = rendering.static_file("style.css")[0].decode()
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w+);", block))
        for block in re.findall(r":root \{(.*?)\}", sheet, re.DOTALL)
    )
    for scheme in (light, dark):
        grounds = ("ground", "raised", "sunken")
        pairs = [(text, ground) for text in ("text", "quiet", "accent") for ground in grounds]
        pairs += [("on-accent", "accent"), ("text", "tint"), ("text", "strong-tint")]
        pairs += [("accent", "tint"), ("quiet", "tint")]
        for text, ground in pairs:
            assert _contrast(scheme[text], scheme[ground]) >= 4.5, (text, ground)


def test_a_page_of_a_long_session_is_bounded(tmp_path: Path) -> None:
    """Two thousand messages, some of megabytes: the page has a hundred, and says what it lacks."""
    turns = [
        ("assistant", f"{number} " + "word & " * (200_000 if number == 7 else 900))
        for number in range(2_000)
    ]
    folder = folder_of(tmp_path, transcript(*turns, session_id="huge"))
    with (
        opened(f"sqlite:///{tmp_path}/.sessioneval/store.db", tmp_path, [folder]) as service,
        closing(Caller(service)) as client,
    ):
        answer = client.get("/session?id=huge")
    assert 200 == answer.status_code
    assert len(answer.content) < 2_000_000
    assert "characters left out" in answer.text
    assert "100 messages a page" in answer.text


def _is_hidden(given: dict[str, str | None]) -> bool:
    return given.get("type") == "hidden" or "hidden" in given


def _contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = (int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

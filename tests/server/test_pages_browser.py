"""The pages in a real browser: what somebody does with them, by mouse and by keyboard."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import quote

import pytest
from headless_chromium import Chromium, chromium_program, headless_chromium
from pages_site import HOSTILE_ID, scored, site
from served import NOW, TOKEN, listening

from pytest_sessioneval.server.application import create_app
from pytest_sessioneval.server.service import Service
from pytest_sessioneval.stores.protocol import RunRow

_IN_VIEW = """(e => {
  const r = e.getBoundingClientRect();
  return r.top >= 0 && r.bottom <= innerHeight && r.height > 0;
})(document.querySelector('%s'))"""

# A page has its first focus a moment after it is loaded.
_FOCUSED = """new Promise(done => {
  const look = () => document.activeElement.id === 'token' && done();
  document.addEventListener('focusin', look);
  look();
})"""

_LED_TO = """new Promise(done => {
  const look = () => location.hash === '%s' && done();
  addEventListener('hashchange', look);
  look();
})"""


class Visit:
    """A browser that has signed in to a site."""

    def __init__(self, browser: Chromium, service: Service, base: str, run_id: str) -> None:
        self.browser = browser
        self.service = service
        self.base = base
        self.run_id = run_id

    def show(self, path: str) -> None:
        """Show a page of the site."""
        if "#" in path:  # of the page that is shown, it would not be loaded
            self.browser.goto("about:blank")
        self.browser.goto(self.base + path)


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """Yield a browser that has signed in by keyboard; skip without one, fail where required."""
    program = chromium_program()
    if program is None:
        reason = "no browser here: apt-get install chromium"
        if os.environ.get("SESSIONEVAL_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    home = tmp_path_factory.mktemp("site")
    with ExitStack() as stack:
        service = stack.enter_context(site(home))
        run_id = scored(home)
        base = stack.enter_context(listening(create_app(service, token=TOKEN)))
        folder = tmp_path_factory.mktemp("browser")
        browser = stack.enter_context(headless_chromium(program, folder))
        browser.resize(1280, 800)
        browser.goto(f"{base}/sign-in")
        browser.value(_FOCUSED)
        browser.call("Input.insertText", text=TOKEN)
        browser.loading(lambda: browser.press("Enter"))
        yield Visit(browser, service, base, run_id)


def test_signing_in_leads_to_the_runs(visit: Visit) -> None:
    """The field has the focus: who types the token and presses Enter is in."""
    visit.show("/runs")
    assert "Runs" == visit.browser.value("document.querySelector('h1').textContent")


def test_a_clicked_quote_brings_its_message_into_view(visit: Visit) -> None:
    """And the number at the quote leads back to the opinion."""
    browser = visit.browser
    browser.resize(1280, 400)
    visit.show("/session?id=refund-1")
    assert not browser.value(_IN_VIEW % "#q2")
    browser.click(".quote[href$='#q2']")
    browser.value(_LED_TO % "#q2")
    assert browser.value(_IN_VIEW % "#q2")
    assert "m6" == browser.value("document.querySelector('#q2').closest('li').id")
    browser.click("#q2 .back")
    browser.value(_LED_TO % "#c2")
    assert browser.value(_IN_VIEW % "#c2")


def test_a_quote_far_away_is_in_view_on_its_page(visit: Visit) -> None:
    """A long transcript comes in parts: the link loads the right one."""
    browser = visit.browser
    browser.resize(1280, 800)
    visit.show("/session?id=long-1")
    browser.loading(lambda: browser.click(".quote[href*='#q1']"))
    assert browser.value(_IN_VIEW % "#q1")


def test_a_thumb_is_pressed_by_keyboard_without_scripts(visit: Visit) -> None:
    """From the message's number the next stop is its thumb; pressed, it is kept and shown."""
    browser = visit.browser
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        visit.show("/session?id=refund-1#m7")
        browser.value("document.querySelector('#m7 .label').focus()")
        browser.press("Tab")
        focused = browser.value("document.activeElement.getAttribute('aria-label')")
        outline = browser.value("getComputedStyle(document.activeElement).outlineStyle")
        browser.loading(lambda: browser.press("Enter"))
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert ("Thumb up on M7", "solid") == (focused, outline)
    ratings = {one.message_index: one.rating for one in visit.service.store.feedback(["refund-1"])}
    assert {6: -1, 7: 1} == ratings
    assert "#m7" == browser.value("location.hash")
    assert "1" == browser.value("document.querySelector('#m7 [aria-pressed=true]').value")


def test_the_first_tab_skips_to_the_content(visit: Visit) -> None:
    """The link is seen once it has the focus, and leads past the navigation."""
    browser = visit.browser
    visit.show("/sessions")
    browser.press("Tab")
    assert "#main" == browser.value("document.activeElement.getAttribute('href')")
    assert browser.value(_IN_VIEW % ".skip")
    browser.press("Enter")
    browser.value(_LED_TO % "#main")
    assert "main" == browser.value("document.activeElement.id")


def test_a_run_that_goes_on_is_shown_as_it_is_now(visit: Visit) -> None:
    """The page fetches itself again until the run has ended, without being loaded anew."""
    browser = visit.browser
    visit.service.store.start_run("running-1", NOW)
    visit.show("/runs/running-1")
    assert "running" == browser.value("document.querySelector('.status').textContent")
    ended = RunRow("running-1", "interrupted", NOW, NOW, None)
    visit.service.store.put_runs([ended])
    shown = browser.value(
        "new Promise(done => new MutationObserver(() => {"
        " if (!document.querySelector('[data-live]'))"
        "  done(document.querySelector('.status').textContent);"
        "}).observe(document.body, {childList: true, subtree: true}))"
    )
    assert "interrupted" == shown


@pytest.fixture(scope="module")
def too_wide(visit: Visit) -> dict[str, int]:
    """Return by how many pixels each page is wider than a screen of 380; all have been shown."""
    browser = visit.browser
    browser.resize(380, 700)
    hostile = quote(HOSTILE_ID, safe="")
    found = {}
    for path in (
        "/runs",
        f"/runs/{visit.run_id}",
        f"/runs/{visit.run_id}/advice",
        "/session?id=refund-1",
        "/session?id=long-1&start=200",
        f"/session?id={hostile}",
        f"/session/message?id={hostile}&message=0",
        "/trends?days=365&by_bucket=1",
        "/sign-in",
        "/sessions",
    ):
        visit.show(path)
        found[path] = browser.value("document.documentElement.scrollWidth - innerWidth")
    return found


def test_no_page_scrolls_sideways_on_a_narrow_screen(
    visit: Visit, too_wide: dict[str, int]
) -> None:
    """At 380 pixels; a table that is wider scrolls in its own box."""
    assert [] == [path for path, pixels in too_wide.items() if pixels > 0]
    visit.show("/sessions")
    box = "document.querySelector('.scroll')"
    assert visit.browser.value(f"{box}.scrollWidth > {box}.clientWidth")


def test_dark_and_light_differ(visit: Visit) -> None:
    """The page follows what its reader prefers."""
    browser = visit.browser
    visit.show("/sessions")
    seen = []
    for scheme in ("light", "dark"):
        browser.prefer(scheme)
        seen.append(
            browser.value(
                "(s => [s.backgroundColor, s.color])(getComputedStyle(document.documentElement))"
            )
        )
    assert ["rgb(251, 251, 250)", "rgb(29, 32, 36)"] == seen[0]
    assert ["rgb(20, 23, 26)", "rgb(228, 231, 234)"] == seen[1]


@pytest.mark.usefixtures("too_wide")
def test_no_page_complains_or_asks_elsewhere(visit: Visit) -> None:
    """Nothing on the console, nothing that the policy had to stop, no request to anybody else."""
    assert [] == visit.browser.complaints
    assert {visit.base} == {
        "/".join(url.split("/")[:3]) for url in visit.browser.requests if url != "about:blank"
    }

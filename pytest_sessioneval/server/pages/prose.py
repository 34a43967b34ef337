"""Markdown that this package wrote, as HTML: of what it holds, nothing is markup but Markdown's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from pytest_sessioneval.reports.model import Report
from pytest_sessioneval.reports.neutralise import clean, one_line
from pytest_sessioneval.server.pages.links import session_url
from pytest_sessioneval.server.pages.transcript_view import MESSAGES

__all__ = ["prose", "session_links"]

_OFF = ["html_block", "html_inline", "image", "autolink"]
_BOX = '<div class="scroll" role="region" aria-label="Table" tabindex="0">'


def prose(markdown: str, link: Callable[[str], str | None]) -> Markup:
    """Return the text as HTML below a page's own heading; its first heading is left out.

    A link keeps its words and leads where ``link`` says, or nowhere: an address
    in the text counts for nothing. HTML in it is shown as text.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable(_OFF)
    tokens = parser.parse(clean(markdown))
    if tokens and tokens[0].tag == "h1":
        tokens = tokens[3:]
    for token in tokens:
        if "style" in token.attrs:  # how a column of numbers is aligned
            token.attrs = {"class": "n"}
        if token.children:
            token.children = list(_relinked(token.children, link))
    html = parser.renderer.render(tokens, parser.options, {})
    html = html.replace("<table>", f"{_BOX}<table>").replace("</table>", "</table></div>")
    return Markup(html)  # noqa: S704 -- the parser escapes all that is no Markdown


def session_links(report: Report | None) -> Callable[[str], str | None]:
    """Return where a link of a report's advice leads: to the page of the session it names.

    Its words are a session's key, and where a message is cited, ``#M12`` after it.
    A key that several suites give to different sessions leads nowhere.
    """
    named: defaultdict[str, set[str]] = defaultdict(set)
    for suite in report.suites if report is not None else ():
        for session in suite.sessions:
            named[one_line(session.key)].add(session.session_id)
    ids = {key: next(iter(meant)) for key, meant in named.items() if len(meant) == 1}

    def link(words: str) -> str | None:
        key, _, message = words.rpartition("#M")
        if key in ids and message.isdecimal():
            start = int(message) // MESSAGES * MESSAGES
            return session_url(ids[key], start=start, anchor=f"m{int(message)}")
        return session_url(ids[words]) if words in ids else None

    return link


def _relinked(tokens: Sequence[Token], link: Callable[[str], str | None]) -> Iterator[Token]:
    target: str | None = None
    for place, token in enumerate(tokens):
        if token.type == "link_open":
            target = link(_words(tokens[place + 1 :]))
            token.attrs = {} if target is None else {"href": target}
        if token.type not in {"link_open", "link_close"} or target is not None:
            yield token


def _words(tokens: Sequence[Token]) -> str:
    """Return the text of a link, whose inside these tokens begin with."""
    words = ""
    for token in tokens:
        if token.type == "link_close":
            break
        words += token.content
    return words

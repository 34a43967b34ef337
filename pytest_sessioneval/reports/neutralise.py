"""Text of strangers made harmless: what a report shows may not steer what shows it.

Session ids, paths, judges' comments and quotes are written by whoever wrote the
transcript. Each function here returns text for one place, in which nothing of
it is a terminal escape, Markdown, HTML, a link, a mention or a formula.
"""

from __future__ import annotations

import html
import re
from urllib.parse import quote

__all__ = [
    "clean",
    "code_span",
    "csv_cell",
    "html_text",
    "markdown_text",
    "one_line",
    "relative_href",
]

_ESCAPE_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor movements
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # titles, links
)
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1 without tab and line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that reorder text
    "\u2028\u2029"  # line breaks that only some programs see
    "\ud800-\udfff"  # halves of characters, which no file can hold
    "\ufff9-\ufffb\U000e0000-\U000e007f]"  # annotations and invisible tags
)
_MARKDOWN = re.compile(r"[\\`*{}\[\]|~#$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_MARKUP = re.compile(r"[<>&\"'\\`*{}\[\]|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BLOCK_START = re.compile(r"^([-+=]|\d{1,9}(?=[.)](?:\s|$)))")
_HTML = re.compile(r"<(?![ 0-9])|>|&(?! )")  # "3 < 4" and "R & D" are no HTML
_LINKED = re.compile(
    r"(?P<mention>[@#])(?=\w)|(?P<scheme>:)(?=//)|(?P<host>\bwww)(?=\.)|(?P<issue>\bGH-)(?=\d)",
    re.IGNORECASE,
)
_BREAK = "\u200b"
_FORMULA = re.compile(r"[\s\ufeff\u200b]*[=+\-@|\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_CSV_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def clean(text: str) -> str:
    """Return the text without escape sequences; other control and bidi marks become U+FFFD.

    Tab and line feed stay; carriage returns become line feeds.
    """
    if "\x1b" in text or "\x9b" in text or "\x9d" in text:
        text = _ESCAPE_SEQUENCES.sub("", text)
    return _UNSAFE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str, limit: int | None = None) -> str:
    """Return the cleaned text on one line, of at most ``limit`` characters with an ellipsis."""
    line = " ".join(clean(text).split())
    if limit is not None and len(line) > limit:
        return line[: limit - 1].rstrip() + "…"
    return line


def markdown_text(text: str, limit: int | None = None) -> str:
    """Return one line of Markdown that renders as exactly this text, wherever it is put.

    What GitHub would link by itself (mentions, issues, addresses) is broken by
    a zero-width space.
    """
    line = _HTML.sub(lambda found: html.escape(found.group()), _unlinked(one_line(text, limit)))
    return _BLOCK_START.sub(_escaped_start, _MARKDOWN.sub(r"\\\g<0>", line))


def html_text(text: str, limit: int | None = None) -> str:
    """Return one line of HTML that renders as exactly this text, in element or attribute.

    Also inside of Markdown: some renderers look for Markdown inside of HTML.
    """
    return _MARKUP.sub(lambda found: f"&#{ord(found.group())};", _unlinked(one_line(text, limit)))


def code_span(text: str, limit: int | None = None) -> str:
    """Return one line of Markdown code, fenced longer than any run of backticks inside.

    Not for table cells: there a ``|`` would end the cell.
    """
    line = one_line(text, limit)
    if not line:
        return "(empty)"
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def relative_href(path: str) -> str:
    """Return a path as the target of a link: percent-encoded, so never a scheme or a host."""
    rooted = "/" if path.startswith("/") else ""
    return rooted + quote(path.lstrip("/"), safe="/", errors="replace")


def csv_cell(text: str) -> str:
    """Return the text for a CSV cell: led by ``'`` where a spreadsheet would see a formula.

    Plain numbers stay as they are. A line feed or tab inside stays, a carriage
    return becomes a line feed (Python before 3.13 writes it without quotes, and
    readers end the row there), other control characters become U+FFFD.
    """
    text = _CSV_UNSAFE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    if _FORMULA.match(text) and not _PLAIN_NUMBER.fullmatch(text):
        return "'" + text
    return text


def _unlinked(line: str) -> str:
    return _LINKED.sub(r"\g<0>" + _BREAK, line)


def _escaped_start(found: re.Match[str]) -> str:
    start = found.group(0)
    return f"\\{start}" if not start.isdigit() else f"{start}\\"

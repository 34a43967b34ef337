"""What strangers write is shown and never obeyed."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given, settings, strategies as st
from report_values import HOSTILE

from pytest_sessioneval.reports.neutralise import (
    clean,
    code_span,
    csv_cell,
    html_text,
    markdown_text,
    one_line,
    relative_href,
)

_ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=60) | st.text(
    st.sampled_from("\\`*_[]<>|#@&;:/.-+=~$ \x1b[]m0\x07\x9b\u202e\nab1"), max_size=40
)
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def test_colour_sequences_vanish() -> None:
    """The colours of a recorded tool output go, its words stay."""
    assert clean("\x1b[1;31mError\x1b[0m: no") == "Error: no"


def test_terminal_titles_vanish() -> None:
    """A sequence that sets the window's title goes with its text."""
    assert clean("a\x1b]0;owned\x07b") == "ab"


def test_nested_sequences_cannot_be_put_together() -> None:
    """What is left when an inner sequence is taken out is no sequence."""
    assert clean("\x1b\x1b[31m[2J") == "\ufffd[2J"


def test_eight_bit_controls_are_shown_as_unknown() -> None:
    """A C1 control that starts no whole sequence becomes U+FFFD."""
    assert clean("a\x85b\x9d") == "a\ufffdb\ufffd"


def test_bidi_marks_are_shown_as_unknown() -> None:
    """Text cannot be made to read in another order than it is stored."""
    assert clean("exe\u202etxt\u2066") == "exe\ufffdtxt\ufffd"


def test_invisible_tags_are_shown_as_unknown() -> None:
    """Hidden text in tag characters is made visible as something odd."""
    assert clean("a\U000e0041") == "a\ufffd"


def test_joiners_of_scripts_and_emoji_stay() -> None:
    """Zero-width joiners are part of words in several languages."""
    assert clean("\u0645\u06cc\u200c\u062e") == "\u0645\u06cc\u200c\u062e"


def test_halves_of_characters_can_be_written() -> None:
    """A lone surrogate becomes U+FFFD, so that the text fits into a file."""
    assert clean("a\ud800b").encode() == b"a\xef\xbf\xbdb"


@settings(deadline=None)
@given(_ANY)
def test_no_steering_character_survives(text: str) -> None:
    """No control or reordering character is left by clean, whatever went in."""
    assert _STEERING.search(clean(text)) is None


@settings(deadline=None)
@given(_ANY)
def test_one_line_is_one_line(text: str) -> None:
    """No program that splits lines finds more than one."""
    assert len(one_line(text).splitlines()) <= 1


def test_a_long_line_is_cut_with_an_ellipsis() -> None:
    """The limit includes the ellipsis."""
    assert one_line("abcdefghij", 5) == "abcd…"


def test_markdown_is_escaped() -> None:
    """Emphasis, code, links, images, strikes and cells are shown as typed."""
    assert markdown_text("*a* `b` ![c](d) ~e~ | f") == r"\*a\* \`b\` !\[c\](d) \~e\~ \| f"


def test_underscores_inside_words_stay() -> None:
    """An axis name reads the same in the source, where it cannot be emphasis."""
    assert markdown_text("tool_usage_quality _x_") == r"tool_usage_quality \_x\_"


def test_html_in_markdown_is_escaped() -> None:
    """Tags and entities are shown as typed; a plain comparison stays readable."""
    assert markdown_text("<b> &lt; 3 < 4 & 5") == "&lt;b&gt; &amp;lt; 3 < 4 & 5"


@pytest.mark.parametrize("start", ["- a", "+ a", "= a", "1. a", "12) a", "# a", "> a"])
def test_no_block_is_started(start: str) -> None:
    """Text at the start of a line is no list, heading or quotation."""
    assert re.match(r"\\|\d+\\|&gt;", markdown_text(start)) is not None


def test_version_numbers_are_no_lists() -> None:
    """A number with a point that starts no list stays as it is."""
    assert markdown_text("0.1.0") == "0.1.0"


@pytest.mark.parametrize(
    ("linked", "broken"),
    [
        ("@octocat", "@\u200boctocat"),
        ("#12", "\\#\u200b12"),
        ("GH-12", "GH-\u200b12"),
        ("http://a.example", "http:\u200b//a.example"),
        ("www.a.example", "www\u200b.a.example"),
        ("a@b.example", "a@\u200bb.example"),
    ],
)
def test_nothing_links_itself(linked: str, broken: str) -> None:
    """Mentions, issues and addresses are broken by a zero-width space."""
    assert markdown_text(linked) == broken


@settings(deadline=None)
@given(_ANY)
def test_markdown_text_renders_as_the_text(text: str) -> None:
    """Taking the escapes back gives the text, on one line."""
    unescaped = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown_text(text))
    shown = re.sub("&(?:lt|gt|amp);", lambda found: html.unescape(found.group()), unescaped)
    assert one_line(text).replace("\u200b", "") == shown.replace("\u200b", "")


@settings(deadline=None)
@given(_ANY)
def test_a_code_span_cannot_be_left(text: str) -> None:
    """No run of backticks inside is as long as the fence."""
    span = code_span(text)
    fence = re.match("`*", span)
    assert fence is not None
    inside = span[len(fence.group()) : len(span) - len(fence.group())]
    assert fence.group() not in re.findall("`+", inside)


def test_an_empty_code_span_is_told() -> None:
    """Nothing at all is shown as a word, because Markdown has no empty code."""
    assert code_span(" \n ") == "(empty)"


def test_html_text_holds_no_markup() -> None:
    """Neither tags nor quotes nor mentions nor Markdown are left."""
    assert html_text("<a b='*'>@me_2") == "&#60;a b=&#39;&#42;&#39;&#62;@\u200bme_2"


@settings(deadline=None)
@given(_ANY)
def test_html_text_renders_as_the_text(text: str) -> None:
    """Taking the escapes back gives the text, on one line."""
    shown = html.unescape(html_text(text))
    assert one_line(text).replace("\u200b", "") == shown.replace("\u200b", "")


@pytest.mark.parametrize(
    ("path", "href"),
    [
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("//evil.example/x", "/evil.example/x"),
        ("a b/c).json", "a%20b/c%29.json"),
        ("../é.json", "../%C3%A9.json"),
    ],
)
def test_a_path_is_never_a_scheme_or_a_host(path: str, href: str) -> None:
    """A link to a file leads to a file, whatever the file is called."""
    assert relative_href(path) == href


@pytest.mark.parametrize(
    "start", [*"=+-@|\t\n\uff1d\uff0b\uff0d\uff20", " =", "\ufeff=", "\u00a0@"]
)
def test_formulas_are_text(start: str) -> None:
    """A cell that a spreadsheet would compute is led by an apostrophe."""
    assert csv_cell(f"{start}cmd()") == f"'{start}cmd()"


@pytest.mark.parametrize("number", ["-5", "+3.25", "-1e9", "40"])
def test_plain_numbers_stay_numbers(number: str) -> None:
    """A sign in front of a number is no formula."""
    assert csv_cell(number) == number


@pytest.mark.parametrize("text", ["-5+A1", "-1e9x", "+1.2.3", "-٣"])
def test_what_only_begins_as_a_number_is_text(text: str) -> None:
    """Arithmetic that begins with a number is a formula."""
    assert csv_cell(text) == f"'{text}"


def test_ordinary_cells_stay() -> None:
    """Text that is no formula is not touched."""
    assert csv_cell("airline/task-3.json: a=b") == "airline/task-3.json: a=b"


def test_controls_in_cells_are_shown_as_unknown() -> None:
    """A CSV file looked at in a terminal does not steer it."""
    assert csv_cell("a\x1b[2J\x00") == "a\ufffd[2J\ufffd"


def test_a_carriage_return_stays_in_its_cell() -> None:
    """It becomes a line feed, which is quoted: no reader begins a row there."""
    assert csv_cell("a\r=b\r\nc") == "a\n=b\nc"
    assert csv_cell("\r=b") == "'\n=b"


def test_the_attack_is_made_of_what_it_claims() -> None:
    """The shared attack really holds escapes, so that its tests can fail."""
    assert _STEERING.search(HOSTILE) is not None

"""Strict JSON: what is refused, where, and what is mended."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pytest_sessioneval.transcripts.strict_json import JsonError, decode_value, parse_strict

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


def _refused(text: str, *, depth: int = 64) -> JsonError:
    with pytest.raises(JsonError) as caught:
        parse_strict(text, depth=depth)
    return caught.value


@given(JSON_VALUES.filter(lambda value: "\0" not in json.dumps(value)))
def test_reads_what_json_writes(value: Any) -> None:
    """A value that json.dumps wrote without NUL is read back as it was."""
    written = json.dumps(value)
    if "\\u0000" not in written:
        assert value == parse_strict(written, depth=64)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_words_for_no_number_are_refused(word: str) -> None:
    """NaN and the infinities are refused at their place."""
    fault = _refused(f'{{"a": [1, {word}]}}')

    assert (f"{word} is no JSON number", 10) == (fault.reason, fault.offset)


def test_a_number_beyond_floating_point_is_refused() -> None:
    """A number that a float can only hold as infinity is refused."""
    fault = _refused('[1, 1e999, "1e999"]')

    assert ("the number 1e999 is too large", 4) == (fault.reason, fault.offset)


def test_an_integer_too_long_to_convert_is_refused() -> None:
    """An integer of thousands of digits is refused rather than converted in quadratic time."""
    fault = _refused('{"n": ' + "9" * 5000 + "}")

    assert ("the number 999999999999999999999999999999999999… is too large", 6) == (
        fault.reason,
        fault.offset,
    )


def test_a_duplicate_key_is_refused() -> None:
    """The second of two equal keys is refused at its place."""
    fault = _refused('{"score": 10, "other": {"score": 1}, "score": 100}')

    assert ('duplicate key "score"', 37) == (fault.reason, fault.offset)


def test_keys_that_differ_only_in_their_escapes_are_duplicates() -> None:
    """Two spellings of one key are the same key."""
    assert 'duplicate key "\\u0061"' == _refused('{"a": 1, "\\u0061": 2}').reason


def test_one_key_in_several_objects_is_no_duplicate() -> None:
    """Objects beside and within each other have keys of their own."""
    text = '[{"a": {"a": "a"}}, {"a": ["a", "a"]}]'

    assert json.loads(text) == parse_strict(text, depth=64)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_nesting_up_to_the_limit_is_read(opening: str) -> None:
    """Exactly as many levels as the limit are accepted."""
    closing = "]" if opening == "[" else "}"
    text = opening * 8 + ("" if opening == "[" else "1") + closing * 8

    assert json.loads(text) == parse_strict(text, depth=8)


@pytest.mark.parametrize("levels", [9, 900, 200_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deeper_nesting_is_refused_where_it_passes_the_limit(opening: str, levels: int) -> None:
    """One level more than the limit, or a bomb of them, is refused at the first one too many."""
    closing = "]" if opening == "[" else "}"
    fault = _refused(opening * levels + "1" + closing * levels, depth=8)

    assert ("nested deeper than 8 levels", 8 * len(opening)) == (fault.reason, fault.offset)


def test_brackets_in_strings_are_no_nesting() -> None:
    """Text that looks like nesting has no depth."""
    assert ["[" * 100] == parse_strict(json.dumps(["[" * 100]), depth=1)


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    """Half a surrogate pair, in keys and values at any depth, becomes U+FFFD."""
    text = r'{"a\ud800": ["\udc00b", {"c": "\ud83d\ude00"}]}'

    assert {"a\ufffd": ["\ufffdb", {"c": "\U0001f600"}]} == parse_strict(text, depth=64)


def test_a_bare_string_is_mended_too() -> None:
    """The repair reaches a value that is nothing but a string."""
    assert "\ufffd" == parse_strict(r'"\ud800"', depth=64)


def test_an_escaped_nul_becomes_the_replacement_character() -> None:
    """U+0000, which no database text column holds, becomes U+FFFD."""
    assert ["a\ufffdb"] == parse_strict(r'["a\u0000b"]', depth=64)


def test_text_about_escapes_stays() -> None:
    """A backslash that was written out is no escape."""
    assert [r"\ud800 \u0000"] == parse_strict(r'["\\ud800 \\u0000"]', depth=64)


def test_more_than_one_value_is_refused() -> None:
    """A second value is refused where it begins."""
    fault = _refused('{"a": 1} {"b": 2}')

    assert ("more text follows the value", 9) == (fault.reason, fault.offset)


def test_a_text_that_ends_too_early_says_so() -> None:
    """A cut text is told from a wrong one."""
    assert "the text ends too early" in _refused('{"a": 1,').reason


def test_decoding_says_where_the_value_ends() -> None:
    """The offset after the value lets the next one be read."""
    assert ({"a": 1}, 10) == decode_value('  {"a": 1}{"b": 2}', 2, depth=64)

"""A file's bytes to its JSON values: every way in which its content can be bad."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from loading_cases import values_of

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.transcripts.loading import load_document, parse_document
from pytest_sessioneval.transcripts.reader import Document, Limits

PATH = Path("some/session.jsonl")


def _parsed(data: str | bytes, limits: Limits | None = None) -> Document:
    encoded = data.encode() if isinstance(data, str) else data
    return parse_document(encoded, PATH, limits or Limits())


def _refused(data: str | bytes, limits: Limits | None = None) -> str:
    with pytest.raises(TranscriptError) as caught:
        _parsed(data, limits)
    message = str(caught.value)
    assert "\n" not in message
    return message


def _outcome(data: bytes) -> Document | str:
    try:
        return _parsed(data)
    except TranscriptError as error:
        return str(error)


def _skips(document: Document) -> list[tuple[int, str]]:
    return [(skip.line, skip.reason) for skip in document.skipped]


class TestWhatAFileHolds:
    """One value or several, whatever the file is called."""

    def test_one_value_is_a_json_document_in_a_file_named_jsonl(self) -> None:
        """A pretty-printed object is one record on the line it starts on."""
        document = _parsed('\n{\n  "a": [\n    1\n  ]\n}\n')

        assert ("json", [{"a": [1]}], [2]) == (
            document.kind,
            values_of(document),
            [record.line for record in document.records],
        )

    def test_several_lines_are_a_jsonl_document_in_a_file_named_json(self, tmp_path: Path) -> None:
        """One object per line is one record per line, blank lines aside."""
        path = tmp_path / "lines.json"
        path.write_text('{"a": 1}\n\n{"b": 2}\r\n{"c": 3}')

        document = load_document(path)

        assert ("jsonl", [(1, {"a": 1}), (3, {"b": 2}), (4, {"c": 3})]) == (
            document.kind,
            [(record.line, record.value) for record in document.records],
        )

    def test_two_objects_on_one_line_are_both_read(self) -> None:
        """A missing line end between two records loses neither."""
        document = _parsed('{"a": 1}{"b": 2} {"c": 3}\n{"d": 4}\n')

        assert [(1, {"a": 1}), (1, {"b": 2}), (1, {"c": 3}), (2, {"d": 4})] == [
            (record.line, record.value) for record in document.records
        ]

    def test_values_over_several_lines_one_after_another_are_all_read(self) -> None:
        """Pretty-printed objects in a row are records, each on the line it starts on."""
        document = _parsed('{\n "a": 1\n}\n// between\n{\n "b": 2\n} {"c": 3}\n')

        assert ("jsonl", [(1, {"a": 1}), (5, {"b": 2}), (7, {"c": 3})], [(4, "comment")]) == (
            document.kind,
            [(record.line, record.value) for record in document.records],
            _skips(document),
        )

    def test_a_broken_value_over_several_lines_ends_the_reading(self) -> None:
        """What follows a broken value that spans lines is left out, and counted."""
        document = _parsed('{\n "a": 1\n}\n{\n "b": \n}\n{\n "c": 3\n}\n')

        assert [{"a": 1}] == values_of(document)
        assert [(4, "expecting value (column 1); the rest of the file was left out")] == _skips(
            document
        )

    def test_comment_lines_are_left_out_and_counted(self) -> None:
        """Lines that begin with // are no records, wherever they stand."""
        document = _parsed('// Source: somewhere\n  // and more\n{"a": 1}\n//\n{"b": 2}\n// end')

        assert [{"a": 1}, {"b": 2}] == values_of(document)
        assert [(1, "comment"), (2, "comment"), (4, "comment"), (6, "comment")] == _skips(document)

    def test_comments_around_one_value_leave_it_a_json_document(self) -> None:
        """A single value between comments is still a json document."""
        document = _parsed('// before\n{\n"a": 1}\n// after\n')

        assert ("json", [(1, "comment"), (4, "comment")]) == (document.kind, _skips(document))

    def test_a_byte_order_mark_is_no_content(self) -> None:
        """A UTF-8 byte order mark at the start is passed over."""
        assert [{"ä": "ö"}] == values_of(_parsed("\ufeff" + '{"ä": "ö"}'))

    def test_other_line_separators_end_no_line(self) -> None:
        """U+2028 and its like within a string do not split a record."""
        text = json.dumps({"a": "x\u2028y\u0085z"}, ensure_ascii=False)

        assert [1, 2] == [record.line for record in _parsed(f"{text}\n{text}\n").records]

    @given(
        st.lists(
            st.dictionaries(st.text(max_size=4), st.text(max_size=8) | st.integers(), max_size=3),
            min_size=1,
            max_size=6,
        )
    )
    def test_whatever_json_writes_per_line_is_read(self, records: list[dict[str, Any]]) -> None:
        """JSON Lines as Python writes them are read back whole (NUL and half pairs aside)."""
        text = "\n".join(json.dumps(record) for record in records)
        if "\\u0000" not in text and "\\ud" not in text:
            assert records == values_of(_parsed(text))


class TestBrokenLines:
    """In a file of one record per line a broken line is counted, and the rest is read."""

    def test_a_truncated_last_line_is_left_out(self) -> None:
        """What was cut off at the end is one skipped line."""
        document = _parsed('{"a": 1}\n{"b": 2}\n{"c": "thr')

        assert [{"a": 1}, {"b": 2}] == values_of(document)
        assert [(3, "unterminated string")] == _skips(document)

    def test_a_truncated_second_object_of_a_line_is_left_out(self) -> None:
        """The sound object before it on the line is kept."""
        document = _parsed('{"a": 1}{"b": ')

        assert ([{"a": 1}], [1]) == (values_of(document), [line for line, _ in _skips(document)])

    def test_a_broken_first_line_does_not_hide_the_others(self) -> None:
        """A first line cut at its start is skipped like any other."""
        document = _parsed('ssage": 1}\n{"b": 2}\n{"c": 3}\n')

        assert ([{"b": 2}, {"c": 3}], [1]) == (
            values_of(document),
            [line for line, _ in _skips(document)],
        )

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ('{"b": NaN}', "NaN is no JSON number"),
            ('{"b": 1, "b": 2}', 'duplicate key "b"'),
            ("[" * 70 + "]" * 70, "nested deeper than 64 levels"),
            ("[" * 100_000, "nested deeper than 64 levels"),
            ('{"b": "\x00"}', "a NUL byte"),
            ("\x00\x00\x00", "a NUL byte"),
            ("7", "neither an object nor a list"),
            ("plain words", "expecting value"),
        ],
    )
    def test_a_broken_line_in_the_middle_is_left_out(self, line: str, reason: str) -> None:
        """One skipped line, with its number and reason, and the lines around it are read."""
        document = _parsed(f'{{"a": 1}}\n{line}\n{{"c": 3}}\n')

        assert [{"a": 1}, {"c": 3}] == values_of(document)
        assert [(2, reason)] == _skips(document)

    def test_bytes_that_are_no_utf8_spoil_their_line_only(self) -> None:
        """A line with invalid UTF-8 is skipped; umlauts on others stay."""
        document = _parsed(b'{"a": "\xc3\xa4"}\n{"b": "\xff"}\n{"c": 3}\n')

        assert [{"a": "ä"}, {"c": 3}] == values_of(document)
        assert [(2, "not UTF-8")] == _skips(document)

    def test_nul_padding_after_a_crash_is_left_out(self) -> None:
        """A file padded with NUL bytes by a crashed machine keeps its records."""
        document = _parsed(b'{"a": 1}\n{"b": 2}\n' + b"\0" * 512)

        assert [{"a": 1}, {"b": 2}] == values_of(document)
        assert [(3, "a NUL byte")] == _skips(document)

    def test_a_file_without_a_sound_line_is_an_error(self) -> None:
        """Where no line is sound the first fault is the error."""
        assert (
            "some/session.jsonl:1: expecting value (column 1): this is no JSON; "
            "a transcript is a JSON object or list, or one such record per line"
        ) == _refused("one\ntwo\nthree\n")

    def test_mostly_broken_lines_are_no_records(self) -> None:
        """A text in which a line happens to be JSON is not read as records."""
        assert "session.jsonl:1: " in _refused('one\n{"a": 1}\nthree\n')

    def test_many_broken_lines_cost_no_more_than_their_length(self) -> None:
        """Ten thousand broken lines are each one skip."""
        document = _parsed('{"a": 1}\n' + '{"a": 1,\n' * 10_000)

        assert (1, 10_000) == (len(document.records), len(document.skipped))


class TestOneBrokenValue:
    """A file of one value is an error that names the line."""

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('{\n "a": NaN\n}', "some/session.jsonl:2: NaN is no JSON number (column 7)"),
            ('{\n "a": 1,\n "a": 2\n}', 'some/session.jsonl:3: duplicate key "a" (column 2)'),
            ('{"a": 1e999}', "some/session.jsonl:1: the number 1e999 is too large (column 7)"),
            ("[\n" * 70 + "]" * 70, "some/session.jsonl:65: nested deeper than 64 levels"),
            ('{\n "a": [\n', "some/session.jsonl:3: the text ends too early"),
            ('[\n {"a": 1},\n {"a": 2}\n', "some/session.jsonl:4: the text ends too early"),
            ('{"a": "b', "some/session.jsonl:1: unterminated string (column 7)"),
            ('"only words"', "some/session.jsonl:1: the file holds str 'only words' only"),
            ("12", "some/session.jsonl:1: the file holds int '12' only"),
        ],
    )
    def test_the_error_names_file_line_and_reason(self, text: str, message: str) -> None:
        """One line, with the place and what is wrong there."""
        assert _refused(text).startswith(message)

    def test_invalid_utf8_is_named_by_line_and_byte(self) -> None:
        """The first offending byte is named with its line."""
        assert "some/session.jsonl:2: byte 10 (0xff) is no UTF-8" == _refused(b'{\n "a": "\xff"\n}')

    def test_utf16_says_how_to_save_the_file(self) -> None:
        """Another Unicode encoding is recognised by its mark."""
        assert "some/session.jsonl:1: the text is UTF-16; save the file as UTF-8" == _refused(
            '{"a": 1}'.encode("utf-16")
        )

    @pytest.mark.parametrize("data", [b"", b" \n\t\r\n", b"\xef\xbb\xbf", b"// only a comment\n"])
    def test_an_empty_file_is_an_error(self, data: bytes) -> None:
        """White space, a byte order mark or comments alone are nothing."""
        assert "some/session.jsonl: the file is empty" == _refused(data)

    @given(
        st.binary(max_size=300) | st.text('{}[]",:\\ \n\0eéN/u0d81', max_size=60).map(str.encode)
    )
    def test_any_bytes_give_a_document_or_one_line(self, data: bytes) -> None:
        """Whatever a file holds, also what is nearly JSON, is read or refused in one line."""
        outcome = _outcome(data)

        assert outcome.records if isinstance(outcome, Document) else "\n" not in outcome


class TestLimits:
    """What is too large is an error that names the limit."""

    def test_a_file_beyond_the_limit_is_refused_unread(self, tmp_path: Path) -> None:
        """Its size is looked at before its content."""
        path = tmp_path / "large.json"
        path.write_text("[" + " " * 99 + "]")

        with pytest.raises(TranscriptError, match="101 bytes are more than the limit of 100 bytes"):
            load_document(path, Limits(file_bytes=100))

    def test_an_over_long_line_is_named_with_the_limit(self) -> None:
        """The line's number and the limit are in the message."""
        text = '{"a": 1}\n{"b": "' + "x" * 100 + '"}\n'

        assert (
            "some/session.jsonl:2: the line is longer than the limit of 50 bytes per line"
            == _refused(text, Limits(line_bytes=50))
        )

    def test_a_200_mb_line_is_refused_without_being_held(self, tmp_path: Path) -> None:
        """A line of 200 MB takes a few chunks of memory, not its size."""
        path = tmp_path / "bomb.jsonl"
        with path.open("wb") as stream:
            stream.write(b'{"a": 1}\n')
            stream.truncate(200 * 1024 * 1024)
        tracemalloc.start()
        try:
            with pytest.raises(TranscriptError, match=r"bomb\.jsonl:2: .* 67,108,864 bytes"):
                load_document(path)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert peak < 16 * 1024 * 1024

    def test_many_short_lines_may_pass_the_line_limit_together(self, tmp_path: Path) -> None:
        """The limit on lines is no limit on files."""
        path = tmp_path / "long.jsonl"
        path.write_text('{"a": 1}\n' * 20)

        assert 20 == len(load_document(path, Limits(line_bytes=10)).records)

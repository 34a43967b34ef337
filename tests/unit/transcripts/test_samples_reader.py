"""Samples from files: JSON Lines, a JSON list, a table; what fits and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, strategies as st

from pytest_sessioneval.errors import TranscriptError, UnrecognisedError
from pytest_sessioneval.transcripts.formats.openai_chat import READER as CHAT
from pytest_sessioneval.transcripts.formats.samples import READER
from pytest_sessioneval.transcripts.loading import load_document, parse_document
from pytest_sessioneval.transcripts.reader import Document, FileReading, Limits
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers
from pytest_sessioneval.transcripts.samples import Sample, sample_of
from pytest_sessioneval.transcripts.tables import table_document

PLAIN = {
    "question": "Where is Paris?",
    "answer": "In France.",
    "contexts": ["Paris is in France.", "Rome is in Italy."],
    "ground_truth": "France",
}
RAGAS = {
    "user_input": "Where is Paris?",
    "response": "In France.",
    "retrieved_contexts": ["Paris is in France.", "Rome is in Italy."],
    "reference": "France",
}
SAMPLE = Sample(
    "Where is Paris?", "In France.", ("Paris is in France.", "Rome is in Italy."), "France"
)
HEADER = "question,answer,contexts\n"


def _document(*records: Any) -> Document:
    lines = "\n".join(json.dumps(record) for record in records)
    return parse_document(lines.encode(), Path("samples.jsonl"))


def _read(*records: Any) -> FileReading:
    document = _document(*records)
    assert READER.detects(document)
    return READER.read(document, Limits())


def _sample(**fields: Any) -> Sample:
    return sample_of(_read({**PLAIN, **fields}).sessions[0].transcript)


def _refused(**fields: Any) -> str:
    with pytest.raises(TranscriptError) as caught:
        _read({**PLAIN, **fields})
    return str(caught.value)


def _table(text: str) -> Document:
    return table_document(text, Path("samples.csv"), Limits())


class TestRecords:
    """One sample per record, in plain words or those of ragas."""

    @pytest.mark.parametrize("record", [PLAIN, RAGAS])
    def test_either_vocabulary(self, record: dict[str, Any]) -> None:
        """Both say the same."""
        assert SAMPLE == sample_of(_read(record).sessions[0].transcript)

    def test_a_list_is_samples_too(self) -> None:
        """A file that is one JSON list."""
        document = parse_document(json.dumps([PLAIN, RAGAS]).encode(), Path("all.json"))
        reading = READER.read(document, Limits())
        assert [SAMPLE, SAMPLE] == [sample_of(found.transcript) for found in reading.sessions]

    def test_ids_name_sessions(self) -> None:
        """Their own where they have one, else file and ordinal."""
        reading = _read({**PLAIN, "id": 7}, {**PLAIN, "sample_id": "b"}, PLAIN)
        assert [("7", "7"), ("b", "b"), ("samples#3", "#3")] == [
            (found.transcript.session_id, found.locator) for found in reading.sessions
        ]

    def test_contexts_as_one_string(self) -> None:
        """Split where the separator stands."""
        assert ("a", "b |c") == _sample(contexts="a |||| b |c").contexts

    def test_ids_and_calls(self) -> None:
        """Numbers are ids, too; a call's arguments may be text of JSON."""
        made = {"function": {"name": "search", "arguments": '{"q": 1}'}}
        wanted = {"name": "search", "args": {"q": 1}}
        sample = _sample(
            retrieved_context_ids=[1, "b"],
            reference_ids=[],
            tool_calls=[made],
            reference_tool_calls=[wanted],
        )
        assert (("1", "b"), ()) == (sample.retrieved_ids, sample.reference_ids)
        assert sample.calls == sample.reference_calls != ()

    def test_what_is_null_is_missing(self) -> None:
        """Nulls are no inputs; a null answer is an empty one."""
        sample = _sample(contexts=None, ground_truth=None, answer=None, retrieved_ids=None)
        assert Sample("Where is Paris?", "") == sample

    def test_other_fields_are_facts_of_the_session(self) -> None:
        """Plain values can be a suite's key or cluster; what is long or nested is counted."""
        reading = _read({**PLAIN, "team": "blue", "tags": ["a"], "notes": "x" * 201, "model": "m"})
        transcript = reading.sessions[0].transcript
        assert ({"team": "blue"}, "m") == (transcript.metadata, transcript.agent_model)
        assert {"field tags": 1, "field notes": 1} == reading.unknown


class TestWhatIsRefused:
    """Each with the place, what was found and what is accepted."""

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"question": ["a"]}, "question is a list; a string is accepted"),
            ({"contexts": {"a": 1}}, "contexts is an object; a list of strings is accepted"),
            ({"contexts": ["a", None]}, "contexts[1] is null; a string is accepted"),
            ({"contexts": "['a', 'b']"}, "looks like a list and is no JSON"),
            ({"retrieved_ids": [1.5]}, "retrieved_ids[0] is a number; a string is accepted"),
            ({"tool_calls": [{}]}, "tool_calls[0] has no name"),
            ({"ground_truth": 3}, "ground_truth is a number; a string is accepted"),
        ],
    )
    def test_a_field_of_another_kind(self, fields: dict[str, Any], said: str) -> None:
        """Refused, and never taken for something else."""
        with pytest.raises(TranscriptError) as caught:
            READER.read(_document({**PLAIN, **fields}), Limits())
        assert said in str(caught.value)

    def test_a_sample_among_others_breaks_alone(self) -> None:
        """The others are read, and the error names its line."""
        reading = _read(PLAIN, {"question": "no answer"}, PLAIN)
        (broken,) = reading.broken
        assert (2, 2) == (len(reading.sessions), broken.error.place.line)
        assert "the sample has no answer or response" in str(broken.error)

    def test_a_lone_broken_sample_breaks_the_file(self) -> None:
        """There is nothing else to read."""
        assert "ground_truth is a list" in _refused(ground_truth=["France"])


class TestTurns:
    """Samples of several turns, as ragas has them."""

    SAMPLE: ClassVar[dict[str, Any]] = {
        "user_input": [
            {"type": "human", "content": "What does gold cost?"},
            {
                "type": "ai",
                "content": "I look it up.",
                "tool_calls": [{"name": "price", "args": {"of": "gold"}}],
            },
            {"type": "tool", "content": "60 a gram"},
            {"type": "ai", "content": "60 a gram."},
        ],
        "reference": "60",
        "reference_tool_calls": [{"name": "price", "args": {"of": "gold"}}],
    }

    def test_turns_are_messages(self) -> None:
        """Calls are linked with results; the ground truth is no message."""
        transcript = _read(self.SAMPLE).sessions[0].transcript
        roles = [message.role for message in transcript.messages]
        assert ["user", "assistant", "tool", "assistant"] == roles
        assert 2 == transcript.messages[1].tool_calls[0].result
        sample = sample_of(transcript)
        assert ("What does gold cost?", ("60 a gram",), "60 a gram.", "60") == (
            sample.question,
            sample.contexts,
            sample.answer,
            sample.ground_truth,
        )
        assert [call.name for call in sample.calls] == ["price"]
        assert [call.arguments for call in sample.reference_calls or ()] == [{"of": "gold"}]

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"response": "60"}, "user_input holds the turns, and response stands beside it"),
            ({"user_input": [SAMPLE["user_input"][0], {"type": "bot"}]}, "[1] is no turn"),
            (
                {"user_input": [{**SAMPLE["user_input"][0], "tool_calls": "x"}]},
                "tool_calls is a string",
            ),
            (
                {"user_input": [{**SAMPLE["user_input"][0], "tool_calls": [{}]}]},
                "user_input[0].tool_calls[0] has no name",
            ),
        ],
    )
    def test_refused(self, fields: dict[str, Any], said: str) -> None:
        """What stands twice, and what is no turn."""
        with pytest.raises(TranscriptError) as caught:
            _read({**self.SAMPLE, **fields})
        assert said in str(caught.value)


class TestDetection:
    """By content, after all other formats."""

    @pytest.mark.parametrize(
        "record",
        [
            {"question": "a"},
            {"answer": "a"},
            {"question": "a", "answer": {"text": "b"}},
            {"question": "a", "answer": "b", "messages": []},
            {"question": 1, "answer": "b"},
            {"user_input": [{"role": "user", "content": "a"}], "reference": "b"},
            {"user_input": [], "response": "b"},
            ["question", "answer"],
        ],
    )
    def test_what_is_no_sample(self, record: Any) -> None:
        """A question alone, an answer of another kind, a conversation."""
        assert not READER.detects(_document(record))

    def test_a_conversation_with_an_answer_is_a_conversation(self) -> None:
        """Other readers are asked first."""
        said = {"role": "user", "content": "hi"}
        document = _document({"question": "a", "answer": "b", "messages": [said]})
        assert CHAT is Registry(builtin_readers()).detect(document)


class TestTables:
    """CSV: a row is a sample."""

    def test_cells(self) -> None:
        """Quoted cells hold delimiters, quotes and line breaks; lines are those of the file."""
        document = _table('question,answer\n"a, ""b""\nc",d\n\ne,f\n')
        assert [
            ({"question": 'a, "b"\nc', "answer": "d"}, 2),
            ({"question": "e", "answer": "f"}, 5),
        ] == [(record.value, record.line) for record in document.records]

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_delimiters(self, delimiter: str) -> None:
        """Of the three, the one that the first line is split by."""
        document = _table(f"question{delimiter}answer\na{delimiter}b")
        assert {"question": "a", "answer": "b"} == document.value

    def test_lists_in_cells(self) -> None:
        """JSON, or texts with the separator; an empty cell is missing."""
        document = _table(f'{HEADER}q,a,"[""x"", ""y""]"\nq,a,x |||| y\nq,a,\nq,a,[1] x\n')
        reading = READER.read(document, Limits())
        contexts = [sample_of(found.transcript).contexts for found in reading.sessions]
        assert [("x", "y"), ("x", "y"), (), ("[1] x",)] == contexts

    def test_a_cell_longer_than_the_csv_module_takes(self) -> None:
        """A context of 200,000 characters is read."""
        document = _table(f"{HEADER}q,a,{'x' * 200_000}")
        assert 200_000 == len(document.value["contexts"])

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("question,answer\na,b,c\n", "samples.csv:2: the row has 3 cells"),
            ('question,answer\na,b\n"a,b\n', "the table is broken: a quote is not closed"),
            ("question,answer,answer\na,b,c", "column 'answer' is there twice"),
            ("question,answer\n", "the table has no row"),
        ],
    )
    def test_broken_tables(self, text: str, said: str) -> None:
        """An error naming file and line, never a row less."""
        with pytest.raises(TranscriptError) as caught:
            _table(text)
        assert said in str(caught.value)

    @given(
        st.lists(
            st.tuples(*[st.text(st.characters(codec="utf-8", exclude_characters="\0\r"))] * 2),
            min_size=1,
            max_size=4,
        )
    )
    def test_what_was_quoted_comes_back(self, rows: list[tuple[str, str]]) -> None:
        """Whatever the cells hold, quoted by the rule of the format (RFC 4180)."""
        quoted = [
            ",".join(f'"{cell.replace(chr(34), 2 * chr(34))}"' for cell in row) for row in rows
        ]
        document = _table("question,answer\n" + "\n".join(quoted))
        assert rows == [tuple(record.value.values()) for record in document.records]

    def test_a_table_of_something_else(self, tmp_path: Path) -> None:
        """Is no session, and says what is missing."""
        path = tmp_path / "prices.csv"
        path.write_text("name,price\na,1\n", "utf-8")
        with pytest.raises(UnrecognisedError, match="names no question and answer"):
            load_document(path)

    def test_a_table_that_is_no_utf8(self, tmp_path: Path) -> None:
        """Is an error that names the byte."""
        path = tmp_path / "samples.csv"
        path.write_bytes(b"question,answer\ncaf\xe9,b\n")
        with pytest.raises(TranscriptError, match="is no UTF-8"):
            load_document(path)

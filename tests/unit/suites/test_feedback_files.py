"""People's thumbs, a line each."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.suites.feedback import feedback_by_session, feedback_for, read_feedback
from pytest_sessioneval.suites.loading import default_suite
from pytest_sessioneval.suites.model import FeedbackEntry


def entry(session: str, message: int, rating: int) -> FeedbackEntry:
    """Return a thumb."""
    return FeedbackEntry.model_validate(
        {"session_id": session, "message_index": message, "rating": rating}
    )


def refusal(folder: Path, text: str) -> str:
    """Return why a file of this text is refused, without the folder's name."""
    (folder / "f.jsonl").write_text(text, "utf-8")
    with pytest.raises(SuiteError) as caught:
        read_feedback(folder / "f.jsonl")
    return str(caught.value).replace(f"{folder}/", "")


def test_lines_are_read(tmp_path: Path) -> None:
    """Comment and time are optional, empty lines are left out, a string may hold any character."""
    (tmp_path / "f.jsonl").write_text(
        '{"session_id": "s", "message_index": 0, "rating": 1}\n\n'
        '{"session_id": "s", "message_index": 2, "rating": -1, "comment": "a\u2028b",'
        ' "at": "2026-11-21T19:04:00Z"}',
        "utf-8",
    )
    first, second = read_feedback(tmp_path / "f.jsonl")
    assert (first.message_index, first.rating, first.comment, first.at) == (0, 1, "", None)
    assert ("a\u2028b", datetime(2026, 11, 21, 19, 4, tzinfo=UTC)) == (second.comment, second.at)


def test_a_later_line_replaces_an_earlier_one(tmp_path: Path) -> None:
    """The same message rated again counts once, with the last rating, in the first one's place."""
    line = '{{"session_id": "{}", "message_index": {}, "rating": {}}}\n'
    (tmp_path / "f.jsonl").write_text(
        line.format("a", 1, 1)
        + line.format("a", 2, 1)
        + line.format("b", 1, 1)
        + line.format("a", 1, -1),
        "utf-8",
    )
    expected = (entry("a", 1, -1), entry("a", 2, 1), entry("b", 1, 1))
    assert expected == read_feedback(tmp_path / "f.jsonl")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "f.jsonl:2: this line is not JSON: Expecting property name"),
        ("[1]", "f.jsonl:2: this line is a list; accepted: an object with session_id,"),
        ('{"session_id": "s", "rating": 1}', "f.jsonl:2: this line lacks the key 'message_index'"),
        (
            '{"session_id": "s", "message_index": 1, "rating": 1, "coment": ""}',
            "f.jsonl:2: unknown key 'coment' (did you mean 'comment'?); accepted: session_id,",
        ),
        (
            '{"session_id": "s", "message_index": 1, "rating": 5}',
            "f.jsonl:2: rating is the number 5; accepted: 1 or -1",
        ),
        (
            '{"session_id": "s", "message_index": 1, "rating": true}',
            "f.jsonl:2: rating is true; accepted: 1 or -1",
        ),
        (
            '{"session_id": "s", "message_index": 1, "rating": 1.0}',
            "f.jsonl:2: rating is the number 1.0; accepted: 1 or -1",
        ),
        (
            '{"session_id": "s", "message_index": -1, "rating": 1}',
            "f.jsonl:2: message_index is the number -1; accepted: a whole number of at least 0",
        ),
        (
            '{"session_id": "s", "message_index": 2147483648, "rating": 1}',
            "f.jsonl:2: message_index is the number 2147483648; accepted: a whole number",
        ),
        (
            '{"session_id": 7, "message_index": 1, "rating": 1}',
            "f.jsonl:2: session_id is the number 7; accepted: a string",
        ),
        (
            '{"session_id": "s", "message_index": 1, "rating": 1, "at": "yesterday"}',
            'f.jsonl:2: at is the string "yesterday"; accepted: a date and time such as',
        ),
        (
            '{"session_id": "s", "message_index": 1, "rating": 1, "rating": -1}',
            "f.jsonl:2: this line is not JSON: the key 'rating' is there twice",
        ),
        (
            '{"session_id": "\\ud800", "message_index": 1, "rating": 1}',
            "f.jsonl:2: this line is not accepted: Invalid JSON: ",
        ),
        ("[" * 100_000, "f.jsonl:2: this line is nested too deeply"),
        ("9" * 5000, "f.jsonl:2: this line is not JSON: Exceeds the limit"),
    ],
)
def test_refused_by_line(tmp_path: Path, line: str, message: str) -> None:
    """A line that is not accepted is told with its number, what was found and what is accepted."""
    good = '{"session_id": "s", "message_index": 0, "rating": 1}\n'
    assert refusal(tmp_path, good + line + "\n").startswith(message)


def test_thumbs_of_one_session(tmp_path: Path) -> None:
    """They come in order of messages, however the file orders them; an unknown session has none."""
    entries = (entry("a", 5, 1), entry("b", 1, 1), entry("a", 2, -1))
    suite = default_suite(tmp_path).model_copy(update={"feedback": entries})
    assert (entry("a", 2, -1), entry("a", 5, 1)) == feedback_for(suite, "a")
    assert feedback_for(suite, "c") == ()
    assert {"a", "b"} == set(feedback_by_session(suite))

"""Tables of people's scores: what is read from a CSV file, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.suites.label_table import read_label_table
from pytest_sessioneval.suites.labels import HumanLabel
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.transcripts.model import SessionSummary


def session(key: str, session_id: str) -> SuiteSession:
    """Return a session of a suite."""
    summary = SessionSummary(
        session_id=session_id, source="testing", digest=f"digest of {key}", message_count=2
    )
    return SuiteSession(suite="airline", key=key, path=f"{key}.json", summary=summary)


SESSIONS = (session("task-1", "id-1"), session("task-2", "id-2"), session("id-1", "id-3"))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Return where a test writes its table."""
    return tmp_path / "labels.csv"


def refused(table: Path, text: str, sessions: tuple[SuiteSession, ...] = SESSIONS) -> str:
    """Return why a table is not accepted, without its folder."""
    table.write_text(text, "utf-8")
    with pytest.raises(SuiteError) as error:
        read_label_table(table, sessions)
    return str(error.value).removeprefix(f"{table.parent}/")


def test_a_row_is_a_label(table: Path) -> None:
    """Columns in any order, quotes and line breaks as CSV has them, blank lines left out."""
    table.write_text(
        'score,session,by,axis,comment\n80,task-2,ana,goal_completion,"well,\ndone"\n\n', "utf-8"
    )
    assert (
        HumanLabel(
            digest="digest of task-2",
            axis="goal_completion",
            score=80,
            by="ana",
            session_id="task-2",
            comment="well,\ndone",
        ),
    ) == read_label_table(table, SESSIONS)[0]


def test_a_key_counts_before_an_id(table: Path) -> None:
    """``id-1`` is one session's key and another one's id."""
    table.write_text("session,axis,score\nid-1,goal,80\nid-2,goal,20\n", "utf-8")
    labels, _ = read_label_table(table, SESSIONS)
    assert ["digest of id-1", "digest of task-2"] == [label.digest for label in labels]


def test_a_later_score_of_the_same_person_counts(table: Path) -> None:
    """Of another person it is another label."""
    table.write_text(
        "session,axis,score,by\ntask-1,goal,80,ana\ntask-1,goal,60,bob\ntask-1,goal,40,ana\n",
        "utf-8",
    )
    labels, _ = read_label_table(table, SESSIONS)
    assert {("ana", 40.0), ("bob", 60.0)} == {(label.by, label.score) for label in labels}


def test_strangers_are_named(table: Path) -> None:
    """A table may be of several suites."""
    table.write_text("session,axis,score\ntask-9,goal,80\ntask-1,goal,80\n", "utf-8")
    labels, strangers = read_label_table(table, SESSIONS)
    assert (1, ("task-9",)) == (len(labels), strangers)


def test_a_spreadsheets_mark_is_no_column(table: Path) -> None:
    """Excel begins UTF-8 files with a byte order mark, and ends lines with CR LF."""
    table.write_bytes("\ufeffsession,axis,score\r\ntask-1,goal,80\r\n".encode())
    assert 1 == len(read_label_table(table, SESSIONS)[0])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "labels.csv:1: the heading is ''; accepted: session, axis, score and, if wished, "),
        ("session,axis\n", "labels.csv:1: the heading is 'session,axis'; accepted: session, axis"),
        (
            "session,axis,score,rater\n",
            "labels.csv:1: unknown column 'rater'; accepted: session, axis, score",
        ),
        ("sesion,axis,score\n", "labels.csv:1: unknown column 'sesion' (did you mean 'session'?)"),
        ("session,axis,score,score\n", "labels.csv:1: the heading is"),
        (
            "session,axis,score\ntask-1,goal\n",
            "labels.csv:2: this row has 2 cells, and the heading has 3",
        ),
        (
            "session,axis,score\ntask-1,goal,80\ntask-1,goal,good\n",
            'labels.csv:3: score is the string "good"; accepted: a number from 0 to 100',
        ),
        ("session,axis,score\ntask-1,goal,101\n", "labels.csv:2: score is the number 101.0"),
        ("session,axis,score\ntask-1,goal,nan\n", "labels.csv:2: "),
        ("session,axis,score\ntask-1,goal,\n", 'labels.csv:2: score is the string ""'),
        ('session,axis,score\n"task-1,goal,80\n', "labels.csv:2: no CSV: "),
    ],
)
def test_what_is_not_accepted_is_told_with_its_line(table: Path, text: str, reason: str) -> None:
    """The first mistake, what was found and what is accepted."""
    assert refused(table, text).startswith(reason)


def test_an_id_that_two_sessions_share_is_refused(table: Path) -> None:
    """Nobody could tell which was meant."""
    twins = (session("a", "same"), session("b", "same"))
    assert (
        "labels.csv:2: 2 sessions have the id 'same': name them by their keys, such as 'a'"
    ) == refused(table, "session,axis,score\nsame,goal,80\n", twins)

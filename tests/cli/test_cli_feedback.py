"""``sessioneval feedback``: thumbs are kept once per message, shown harmlessly and exported."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from gating_cases import STEADY, judged, write_suite

from pytest_sessioneval.cli import program
from pytest_sessioneval.cli.feedback_validity import circular
from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.json_file import render_json
from pytest_sessioneval.stores.sqlite import open_sqlite
from pytest_sessioneval.suites.feedback import read_feedback
from pytest_sessioneval.suites.model import Suite


def feedback(*arguments: str | Path) -> Result:
    """Return how ``sessioneval feedback`` ends in this process."""
    return CliRunner().invoke(program, ["feedback", *map(str, arguments)])


def printed(*arguments: str | Path) -> str:
    """Return what it prints when it ends with 0."""
    done = feedback(*arguments)
    assert 0 == done.exit_code, done.output
    return done.stdout


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are given from an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SESSIONEVAL_STORE", raising=False)


def test_add_keeps_a_thumb() -> None:
    """It is there for the next command, with its comment and the time."""
    assert "kept: thumbs down on message 3 of s1\n" == printed(
        "add", "s1", "3", "-1", "--comment", "wrong order"
    )
    (entry,) = json.loads(printed("list", "--json"))
    assert ("s1", 3, -1, "wrong order") == (
        *(entry[key] for key in ("session_id", "message_index", "rating", "comment")),
    )
    assert entry["at"].endswith("Z")


def test_a_second_rating_of_the_same_message_replaces_the_first() -> None:
    """As in the service."""
    printed("add", "s1", "3", "down")
    said = printed("add", "s1", "3", "up")
    assert "kept: thumbs up on message 3 of s1, in place of thumbs down\n" == said
    assert [1] == [entry["rating"] for entry in json.loads(printed("list", "--json"))]


def test_secrets_in_a_comment_are_not_kept() -> None:
    """The store holds nothing that was not redacted."""
    token = "ghp_" + "a1B2" * 9
    printed("add", "s1", "0", "up", "--comment", f"it leaked {token}")
    assert token not in printed("export")
    assert "[REDACTED:" in printed("export")


@pytest.mark.parametrize(
    "arguments",
    [("s1", "-3", "up"), ("s1", "x", "up"), ("s1", "3", "0"), ("s1", "3", "up", "--coment", "x")],
    ids=["negative index", "no number", "no rating", "unknown option"],
)
def test_add_refuses_what_is_no_thumb(arguments: tuple[str, ...]) -> None:
    """Exit 2, and nothing is kept."""
    assert 2 == feedback("add", *arguments).exit_code
    assert not Path(".sessioneval").exists()


def test_import_keeps_a_file_and_counts_what_it_replaces() -> None:
    """One line per file."""
    printed("add", "s1", "3", "down")
    Path("thumbs.jsonl").write_text(
        '{"session_id": "s1", "message_index": 3, "rating": 1}\n'
        '{"session_id": "s2", "message_index": 0, "rating": -1, "comment": "no"}\n'
    )
    assert "thumbs.jsonl: kept 2 thumbs on 2 sessions, 1 in place of earlier ones\n" == printed(
        "import", "thumbs.jsonl"
    )


def test_import_keeps_nothing_where_a_line_is_wrong() -> None:
    """Not even the files before it; file and line are named."""
    Path("good.jsonl").write_text('{"session_id": "s1", "message_index": 3, "rating": 1}\n')
    Path("bad.jsonl").write_text('\n{"session_id": "s1", "message_index": 3, "rating": 2}\n')
    done = feedback("import", "good.jsonl", "bad.jsonl")
    assert 2 == done.exit_code
    assert "bad.jsonl:2: rating is the number 2; accepted" in done.stderr
    assert "no thumbs\n" == printed("list")


def test_list_shows_a_table_of_harmless_text() -> None:
    """No escape sequence of a stranger reaches the terminal."""
    printed("add", "s\x1b[2J1", "12", "down", "--comment", "look\x1b]0;pwned\x07\nhere")
    head, row, total = printed("list").splitlines()
    assert ["session", "message", "thumb", "at", "comment"] == head.split()
    assert ["s1", "12", "down"] == row.split()[:3]
    assert row.endswith("look here")
    assert "1 thumb on 1 session: 0 up, 1 down" == total


def test_list_shows_one_session_when_asked() -> None:
    """Others are left out."""
    printed("add", "s1", "0", "up")
    printed("add", "s2", "0", "up")
    assert ["s2"] == [
        entry["session_id"] for entry in json.loads(printed("list", "--session", "s2", "--json"))
    ]


def test_what_is_exported_is_a_feedback_file() -> None:
    """A suite that names it reads the same thumbs."""
    printed("add", "s1", "0", "up", "--comment", "fine\u2028indeed")
    printed("add", "s2", "5", "down")
    Path("out.jsonl").write_text(printed("export"), "utf-8")
    again = [entry.model_dump(mode="json") for entry in read_feedback(Path("out.jsonl"))]
    assert json.loads(printed("list", "--json")) == again


def test_a_csv_export_holds_no_formula() -> None:
    """A spreadsheet shows the text and computes nothing."""
    printed("add", "=1+1", "0", "up", "--comment", "@SUM(A1)")
    head, row = printed("export", "--format", "csv").splitlines()
    assert "session_id,message_index,rating,comment,at" == head
    assert row.startswith("'=1+1,0,1,'@SUM(A1),")


@pytest.mark.parametrize("command", ["list", "export"])
def test_looking_makes_no_store(command: str) -> None:
    """A question leaves no file behind, and says where it looked."""
    done = feedback(command)
    assert 2 == done.exit_code
    assert "there is no store yet" in done.stderr
    assert not Path(".sessioneval").exists()


def test_a_store_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the command line, or by the environment."""
    printed("add", "s1", "0", "up", "--store", "sqlite:///elsewhere/other.db")
    assert Path("elsewhere/other.db").is_file()
    monkeypatch.setenv("SESSIONEVAL_STORE", "sqlite:///elsewhere/other.db")
    assert 1 == len(json.loads(printed("list", "--json")))


def test_real_thumbs_of_another_program_are_named_by_line() -> None:
    """A likely mistake: true for thumbs up."""
    Path("thumbs.jsonl").write_text('{"session_id": "s1", "message_index": 3, "rating": true}\n')
    assert "thumbs.jsonl:1: rating is true; accepted: 1 or -1" in (
        feedback("import", "thumbs.jsonl").stderr
    )


# -- validity ------------------------------------------------------------------------


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Return a suite of 24 judged sessions with its report; every second one scores 100."""
    made = write_suite(tmp_path / "airline", STEADY, more="")
    report = render_json(build_report(judged(made)))
    (tmp_path / "report.json").write_text(report, "utf-8")
    return made


def _rate(ratings: dict[int, int]) -> None:
    """Rate message 1 of sessions by their place in the report."""
    sessions = json.loads(Path("report.json").read_text("utf-8"))["suites"][0]["sessions"]
    lines = [
        {"session_id": sessions[place]["session_id"], "message_index": 1, "rating": rating}
        for place, rating in ratings.items()
    ]
    Path("thumbs.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    printed("import", "thumbs.jsonl")


@pytest.mark.usefixtures("suite")
def test_validity_holds_a_judge_against_thumbs() -> None:
    """Thumbs up where it scored 100 and down where it scored 80."""
    _rate({place: 1 if place % 2 == 0 else -1 for place in range(10)})
    found = json.loads(printed("validity", "report.json", "--json"))
    assert (10, 24) == (found["responses"]["count"], found["responses"]["of"])
    by_axis = {axis["axis"]: axis["auc"] for axis in found["axes"]}
    assert 1.0 == by_axis["goal_completion"]
    assert "task_complexity" not in by_axis
    said = printed("validity", "report.json")
    assert "airline: thumbs on 10 of 24 judged sessions (42 % [27, 58])" in said
    assert "goal_completion" in said
    assert "agrees with people" in said


@pytest.mark.usefixtures("suite")
def test_validity_without_a_thumb_is_refused() -> None:
    """Nothing can be said, and where thumbs come from can."""
    printed("add", "somebody else", "1", "up")
    done = feedback("validity", "report.json")
    assert 2 == done.exit_code
    assert "none of 24 judged sessions of suite 'airline' has a thumb" in done.stderr


def test_thumbs_in_the_suite_s_files_count_too(suite: Suite) -> None:
    """The store's replace a file's on the same message."""
    sessions = json.loads(Path("report.json").read_text("utf-8"))["suites"][0]["sessions"]
    lines = [
        {"session_id": sessions[place]["session_id"], "message_index": 1, "rating": 1}
        for place in (0, 1)
    ]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    (suite.root / "thumbs.jsonl").write_text(text, "utf-8")
    file = suite.root / "sessioneval.toml"
    named = '[suite]\nfeedback = ["thumbs.jsonl"]\n'
    file.write_text(file.read_text("utf-8").replace("[suite]\n", named), "utf-8")
    printed("add", sessions[1]["session_id"], "1", "down")
    run_id = json.loads(Path("report.json").read_text("utf-8"))["run_id"]
    folder = Path(".sessioneval/runs") / run_id
    folder.mkdir(parents=True)
    Path("report.json").rename(folder / "report.json")
    with closing(open_sqlite(Path(".sessioneval/store.db"))) as store:
        store.finish_run(judged(suite), state="done")
    found = json.loads(printed("validity", "airline", "--json"))
    assert (2, 1) == (found["down"]["of"], found["down"]["count"])
    assert "agreement with those thumbs proves nothing" in printed("validity", "airline")


def test_a_judge_that_was_shown_the_thumbs_proves_nothing(suite: Suite) -> None:
    """By default without a gate; not where the suite says no, nor where it names no file."""
    assert "" == circular(suite.root)
    (suite.root / "thumbs.jsonl").write_text("", "utf-8")
    file = suite.root / "sessioneval.toml"
    text = file.read_text("utf-8").replace("[suite]\n", '[suite]\nfeedback = ["thumbs.jsonl"]\n')
    file.write_text(text, "utf-8")
    assert "agreement with those thumbs proves nothing" in circular(suite.root)
    file.write_text(f"{text}\n[judge]\nshow_feedback = false\n", "utf-8")
    assert "" == circular(suite.root)

"""``sessioneval export`` and ``import``: history moves between stores whole, or not at all."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from listing_values import CURRENT, NOW, both, recorded
from store_values import run as finished, scored_call

from pytest_sessioneval.cli import program
from pytest_sessioneval.stores.listings import SessionQuery
from pytest_sessioneval.stores.opening import open_store
from pytest_sessioneval.stores.protocol import StoredAdvice
from pytest_sessioneval.suites.labels import HumanLabel, LabelQueue
from pytest_sessioneval.suites.model import FeedbackEntry

OTHER = "sqlite:///other.db"


def cli(*arguments: str) -> Result:
    """Return how the command ends in this process."""
    return CliRunner().invoke(program, list(arguments))


def printed(*arguments: str) -> str:
    """Return what the command prints when it ends with 0."""
    done = cli(*arguments)
    assert 0 == done.exit_code, done.output
    return done.stdout


@pytest.fixture
def exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Fill the store of this folder with one of everything; return its export."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SESSIONEVAL_STORE", raising=False)
    queue = LabelQueue(
        kind="random",
        suite="airline",
        rubric="agent@1#abc",
        axes=("goal_completion",),
        seed=1,
        frame=4,
        propensity=0.5,
        strata={"all": (4, 2)},
        members={"a": "d1", "b": "d2"},
        drawn_at=NOW,
    )
    label = HumanLabel(digest="d1", axis="goal_completion", score=60, by="ann", at=NOW)
    with closing(open_store("sqlite:///.sessioneval/store.db", root=tmp_path)) as store:
        store.put_sessions([recorded("a"), recorded("b\u2028é", pinned=True)])
        store.put_opinions("run-1", both("a", 20, judge="panel@1#old", days_ago=1))
        store.put_opinions("run-2", both("a", 80))
        store.put_opinions("run-2", both("nowhere", 60))
        store.put_feedback([FeedbackEntry(session_id="a-id", message_index=3, rating=-1, at=NOW)])
        store.put_labels([label], [queue])
        store.finish_run(finished(), state="done")
        store.jobs.keep([scored_call("a1", row=1), scored_call("a2"), scored_call("a3", row=2)])
        store.put_advice(StoredAdvice("airline", "d1", "openai:m", NOW, '{"rubric": "r"}'))
        store.put_advice(StoredAdvice("airline", "d2", "openai:m", NOW, "{}"))
    return printed("export")


def test_everything_comes_back_in_another_store(
    exported: str, tmp_path: Path, postgres_url: str
) -> None:
    """From SQLite to PostgreSQL and back the export is the same, and so is every listing."""
    Path("history.jsonl").write_text(exported, "utf-8")
    said = printed("import", "history.jsonl", "--store", postgres_url)
    kept = "2 sessions, 6 evaluations, 1 thumb, 1 queue, 1 label, 1 run, 3 scoring calls"
    kept += ", 2 models' advice"
    assert f"history.jsonl: kept {kept}\n" == said
    assert exported == printed("export", "--store", postgres_url)
    with closing(open_store(postgres_url, root=tmp_path)) as store:
        listed = store.list_sessions(SessionQuery(), [CURRENT])
        assert [("b\u2028é", "pending"), ("a", "evaluated")] == [
            (one.key, one.overview.eval_status) for one in listed
        ]
        detail = store.session_detail("a-id")
        assert detail is not None
        assert ["run-2", "run-2", "run-1", "run-1"] == [
            row.eval_run_id for row in detail.evaluations
        ]
        weekly = store.weekly_stats([CURRENT], since=NOW - timedelta(days=7)).weekly
        assert [2] == [row.sample_count for row in weekly]


def test_importing_again_changes_nothing(exported: str) -> None:
    """The same things replace themselves."""
    Path("history.jsonl").write_text(exported, "utf-8")
    printed("import", "history.jsonl", "history.jsonl")
    assert exported == printed("export")


def test_each_line_holds_one_thing(exported: str) -> None:
    """Line by line, ready for other programs."""
    lines = [json.loads(line) for line in exported.rstrip().split("\n")]
    assert {"sessioneval_export": 1} == lines[0]
    names = [next(iter(line)) for line in lines[1:]]
    expected = ["session"] * 2 + ["evaluation"] * 6 + ["feedback", "queue", "label", "run"]
    expected += ["job"] * 3 + ["advice"] * 2
    assert expected == names


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"session": {}}', "session.suite: Field required"),
        ('{"session": null}', "a line holds one thing"),
        ("{}", "a line holds one thing"),
        ('{"verdict": {}}', "Extra inputs are not permitted"),
        ("{", "Invalid JSON"),
        ('{"sessioneval_export": 1}', "no export of a store"),
        ("", "Invalid JSON"),
        (r'{"feedback": {"session_id": "\ud800", "message_index": 0, "rating": 1}}', "hex escape"),
    ],
    ids=["field", "null", "nothing", "unknown", "cut", "first again", "blank", "surrogate"],
)
def test_a_line_that_is_not_accepted_keeps_all_out(exported: str, line: str, said: str) -> None:
    """Exit 2 with file and line, not even the files before it are kept."""
    good = exported.rstrip().split("\n")
    Path("good.jsonl").write_text(exported, "utf-8")
    Path("bad.jsonl").write_text("\n".join([*good[:3], line, *good[3:]]), "utf-8")
    done = cli("import", "good.jsonl", "bad.jsonl", "--store", OTHER)
    assert (2, "") == (done.exit_code, done.stdout)
    assert "bad.jsonl:4: " in done.stderr
    assert said in done.stderr
    assert '{"sessioneval_export":1}\n' == printed("export", "--store", OTHER)


@pytest.mark.parametrize("text", ["", "{}\n", '{"session_id": "a"}\n', '{"sessioneval_export": 2}'])
def test_another_file_is_no_export(exported: str, text: str) -> None:
    """An empty file, a transcript, a later format: refused with what is expected."""
    assert exported
    Path("other.jsonl").write_text(text, "utf-8")
    done = cli("import", "other.jsonl")
    assert 2 == done.exit_code
    assert "other.jsonl:1: this is no export of a store" in done.stderr


def test_a_missing_file_is_refused(exported: str) -> None:
    """Exit 2, and the file is named."""
    assert exported
    done = cli("import", "nowhere.jsonl")
    assert 2 == done.exit_code
    assert "nowhere.jsonl: cannot be read" in done.stderr


def test_a_store_that_is_not_there_has_no_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking makes none."""
    monkeypatch.chdir(tmp_path)
    assert 2 == cli("export", "--store", OTHER).exit_code
    assert [] == list(tmp_path.iterdir())

"""``sessioneval runs | sessions | show | stats``: what the store keeps, for people and programs."""

from __future__ import annotations

import json
import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from listing_values import CURRENT, both, recorded
from store_values import run as finished

from pytest_sessioneval.cli import program
from pytest_sessioneval.evaluation.process_locks import Owner
from pytest_sessioneval.stores.opening import open_store
from pytest_sessioneval.stores.run_statuses import BackgroundRun
from pytest_sessioneval.suites.model import FeedbackEntry
from pytest_sessioneval.verdicts.run import JudgeIdentity, Run, SeatIdentity

NOW = datetime.now(UTC)


def cli(*arguments: str) -> Result:
    """Return how the command ends in this process."""
    return CliRunner().invoke(program, list(arguments))


def printed(*arguments: str) -> str:
    """Return what the command prints when it ends with 0."""
    done = cli(*arguments)
    assert 0 == done.exit_code, done.output
    return done.stdout


def loaded(*arguments: str) -> Any:
    """Return what the command prints as JSON."""
    return json.loads(printed(*arguments, "--json"))


def judged_run() -> Run:
    """Return a run of today's versions: the suite, its judge and its axes."""
    suite = finished("20260102-030405-abcdef").suites[0]
    judge = JudgeIdentity(
        model="openai:gpt-5-mini",
        version=CURRENT.judge_version,
        seats=tuple(
            SeatIdentity(id=expert, model="m", axes=CURRENT.axes) for expert in CURRENT.experts
        ),
    )
    suite = suite.model_copy(
        update={
            "rubric_version": CURRENT.rubric_version,
            "axes": CURRENT.axes,
            "judge": judge,
        }
    )
    return finished("20260102-030405-abcdef").model_copy(update={"suites": (suite,)})


@pytest.fixture(autouse=True, params=["sqlite", "postgres"])
def _store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a store with four sessions: judged today, judged by another judge, pinned, pending."""
    url = f"sqlite:///{tmp_path}/.sessioneval/store.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SESSIONEVAL_STORE", url)
    day = timedelta(days=1)
    days_ago = (datetime(2026, 3, 4, 12, tzinfo=UTC) - NOW) / day
    with closing(open_store(url, root=tmp_path)) as store:
        store.put_sessions(
            [
                recorded("current", active=NOW, profile="refunds"),
                recorded("old", active=NOW - day),
                recorded("pinned", active=NOW - 2 * day, pinned=True),
                recorded("new\x1b[31m", active=NOW - 3 * day, created=NOW),
            ]
        )
        store.put_opinions("run-1", both("old", 20, judge="panel@1#old", days_ago=days_ago))
        store.put_opinions("run-2", both("current", 80, days_ago=days_ago))
        store.put_opinions("run-2", both("pinned", 61, days_ago=days_ago))
        store.put_feedback([FeedbackEntry(session_id="current-id", message_index=3, rating=1)])
        store.finish_run(judged_run(), state="done")


def test_runs_are_listed() -> None:
    """One row per run and suite, with what came of it."""
    head, row = printed("runs").splitlines()
    assert ["run", "state", "started", "suite", "sessions"] == head.split()[:5]
    assert [
        *("20260102-030405-abcdef", "done", "2026-01-02", "03:04", "airline", "3", "1", "1"),
        *("openai:gpt-5-mini", "agent@1"),
    ] == row.split()


def test_a_run_of_a_service_that_was_killed_is_listed_as_interrupted(tmp_path: Path) -> None:
    """Also before the service is up again: whoever looks first notes it."""
    owner = Owner(tmp_path / "processes")
    owner.release()
    with closing(open_store(os.environ["SESSIONEVAL_STORE"], root=tmp_path)) as store:
        store.run_states.begin(BackgroundRun("20260303-000000-abcdef", "{}", owner.name, NOW), NOW)
    listed = {row["run_id"]: row["state"] for row in loaded("runs")}
    assert "interrupted" == listed["20260303-000000-abcdef"]


def test_runs_are_json_for_programs() -> None:
    """The whole summary, times in UTC."""
    (row,) = loaded("runs")
    assert ("20260102-030405-abcdef", "done", "2026-01-02T03:04:05.000006Z") == (
        row["run_id"],
        row["state"],
        row["started_at"],
    )
    assert "airline" == row["summary"]["suites"][0]["suite"]


def test_sessions_are_listed_with_status_and_averages() -> None:
    """Pinned first; the versions of the suite's last run count as today's; text is harmless."""
    rows = [line.split() for line in printed("sessions").splitlines()]
    assert ["session", "suite", "status", "last", "active", "messages", "thumbs"] == rows[0][:7]
    assert ["*", "pinned-id", "airline", "evaluated"] == rows[1][:4]
    assert ["current-id", "airline", "evaluated"] == rows[2][:3]
    assert ["+1", "-0", "-", "80"] == rows[2][6:10]
    assert ["old-id", "airline", "stale"] == rows[3][:3]
    assert ["new-id", "airline", "pending"] == rows[4][:3]
    assert ["*:", "pinned"] == rows[5]


def test_sessions_are_json_for_programs() -> None:
    """The service's fields, with suite and key in front."""
    listed = loaded("sessions")
    assert ["pinned", "current", "old", "new\x1b[31m"] == [one["key"] for one in listed]
    assert [
        *("suite", "key", "session_id", "profile_id", "name", "created_at", "last_active"),
        *("pinned", "msg_count", "likes", "dislikes", "eval_status", "latest_avg"),
        *("latest_eval_date", "latest_judge_version", "latest_rubric_version"),
    ] == list(listed[0])
    assert 61 == listed[0]["latest_avg"]["goal_completion"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--status", "stale"], ["old"]),
        (["--profile", "refunds"], ["current"]),
        (["--suite", "retail"], []),
        (["--since", "2026-03-05"], ["new\x1b[31m"]),
        (["--limit", "2"], ["pinned", "current"]),
        (["--limit", "2", "--offset", "3"], ["new\x1b[31m"]),
    ],
    ids=str,
)
def test_options_choose_sessions(options: list[str], expected: list[str]) -> None:
    """Each leaves out the others."""
    assert expected == [one["key"] for one in loaded("sessions", *options)]


def test_a_full_page_says_how_to_see_the_next() -> None:
    """People are told that there is more."""
    said = printed("sessions", "--limit", "2", "--offset", "2").splitlines()[-1]
    assert "there may be more: --offset 4" == said


def test_no_such_session_is_said() -> None:
    """An empty listing is a sentence, not nothing."""
    assert "no such sessions\n" == printed("sessions", "--suite", "retail")


def test_a_date_that_is_none_is_refused() -> None:
    """Exit 2, with what is accepted."""
    done = cli("sessions", "--since", "yesterday")
    assert 2 == done.exit_code
    assert "--since: 'yesterday' is not accepted; give an ISO date" in done.stderr


def test_one_session_is_shown_whole() -> None:
    """Every expert's opinion and every thumb."""
    lines = printed("show", "current-id").splitlines()
    assert "current-id (About current)" == lines[0]
    assert "  5 messages, profile refunds, recorded 2026-03-04 12:00" in lines[1]
    assert ["outcome", "process"] == [line.split()[2] for line in lines[4:6]]
    assert lines[4].endswith("outcome on current")
    assert ["3", "+1"] == lines[-1].split()


def test_one_session_is_json_for_programs() -> None:
    """The service's SessionDetail."""
    detail = loaded("show", "current-id")
    assert [
        *("session_id", "profile_id", "name", "created_at", "last_active", "msg_count"),
        *("feedback", "evaluations"),
    ] == list(detail)
    assert {"goal_completion": 80} == detail["evaluations"][0]["scores"]


def test_a_session_nobody_judged_says_so() -> None:
    """Pending is told in words."""
    assert "no evaluation" in printed("show", "new\x1b[31m-id")


def test_an_unknown_session_is_refused() -> None:
    """Exit 2 and one line that says how to find one."""
    done = cli("show", "nobody")
    assert (2, "") == (done.exit_code, done.stdout)
    assert "session not found: nobody; `sessioneval sessions` lists those there are" in done.stderr


def test_weekly_averages_are_printed() -> None:
    """Only what today's judge said: two sessions, 80 and 61, rounded to even."""
    monday = (NOW - timedelta(days=NOW.weekday())).date().isoformat()
    head, row = printed("stats").splitlines()
    assert ["week", "complexity", "sessions", "task", "goal"] == head.split()[:5]
    assert [monday, "overall", "2", "-", "70"] == row.split()[:5]


def test_weekly_averages_are_json_for_programs() -> None:
    """The service's StatsResponse, with buckets when asked for."""
    found = loaded("stats", "--by-bucket", "--days", "7", "--suite", "airline")
    assert ["0-25", "26-50", "51-75", "76+"] == found["buckets"]
    (row,) = found["weekly"]
    assert ("overall", 2, 70) == (
        row["bucket"],
        row["sample_count"],
        row["axis_means"]["goal_completion"],
    )
    assert row["week_start"].endswith("T00:00:00Z")


def test_no_week_is_said() -> None:
    """An empty table is a sentence."""
    assert "no session was evaluated" in printed("stats", "--suite", "retail")


@pytest.mark.parametrize("command", [["runs"], ["sessions"], ["show", "x"], ["stats"]], ids=str)
def test_looking_makes_no_store(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question leaves no file behind, and says where it looked."""
    monkeypatch.delenv("SESSIONEVAL_STORE")
    (tmp_path / "empty").mkdir()
    done = cli(*command, "--store", f"sqlite:///{tmp_path}/empty/store.db")
    assert 2 == done.exit_code
    assert "there is no store yet" in done.stderr
    assert [] == list((tmp_path / "empty").iterdir())

"""``sessioneval score``: what pytest would say, without pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from gating_cases import GATE, STEADY, WORSE, judged_suite, write_sessions, write_suite
from inner_runs import LEAN

from pytest_sessioneval.cli import program
from pytest_sessioneval.evaluation.baselines import update_baseline
from pytest_sessioneval.testing import JudgeServer

THRESHOLD = "[thresholds.session]\ngoal_completion = 70\n"
MEAN = "[thresholds.mean]\ngoal_completion = 95\n"


def score(*arguments: str | Path) -> Result:
    """Return how ``sessioneval score`` ends in this process."""
    return CliRunner().invoke(program, ["score", *map(str, arguments)])


def report(*arguments: str | Path, exit_code: int = 0) -> dict[str, Any]:
    """Return the report that it prints as JSON."""
    done = score(*arguments, "--json")
    assert exit_code == done.exit_code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def keys(found: dict[str, Any]) -> list[str]:
    """Return the keys of the sessions of a report of one suite."""
    (suite,) = found["suites"]
    return [row["key"] for row in suite["sessions"]]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are given from an empty folder, and nothing is set."""
    for name in [name for name in os.environ if name.startswith(("SESSIONEVAL_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    """Have sessions judged by a server that counts."""
    with JudgeServer() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def gated(tmp_path: Path) -> Path:
    """Return a suite with a gate and the baseline of its steady sessions; mean 90."""
    suite = write_suite(tmp_path / "airline", STEADY)
    update_baseline(judged_suite(suite), suite=suite)
    return tmp_path / "airline"


# what it says


@pytest.mark.parametrize("outcomes", [STEADY, WORSE], ids=["steady", "worse"])
@pytest.mark.parametrize("more", [GATE, GATE + THRESHOLD, MEAN], ids=["gate", "session", "mean"])
def test_it_says_what_pytest_says(tmp_path: Path, gated: Path, outcomes: Any, more: str) -> None:
    """Sessions, means, thresholds, gate and exit are those of a pytest run of the same suite."""
    write_suite(gated, outcomes, more=more)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    options = (*LEAN.split(), "-p", "no:cacheprovider", "--sessioneval-json=pytest.json")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "airline", *options],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
    )
    done = score("airline", "--json", "--store", "sqlite:///other.db")
    assert ran.returncode == done.exit_code
    expected = json.loads(Path("pytest.json").read_text("utf-8"))["suites"][0]
    (found,) = json.loads(done.stdout)["suites"]
    for row in (*expected["sessions"], *found["sessions"]):
        del row["nodeid"]
        for opinion in row["verdict"]["opinions"]:
            del opinion["judged_at"]
    assert expected.keys() == found.keys()
    assert [] == [name for name in expected if expected[name] != found[name]]


def test_the_section_is_that_of_pytest(gated: Path) -> None:
    """Title, table, gate and where the reports are."""
    lines = score(gated).stdout.splitlines()
    assert " session scores: airline " in lines[0]
    assert any(line.startswith(" gate: Nothing got worse") for line in lines)
    assert " report: .sessioneval/runs/" in lines[-2] + lines[-1]


def test_reports_are_written(gated: Path) -> None:
    """The same files, below --out."""
    assert 0 == score(gated, "--out", "reports").exit_code
    (folder,) = Path("reports/runs").iterdir()
    assert {"advice.md", "report.json", "report.md", "scores.csv"} == {
        path.name for path in folder.iterdir()
    }


def test_the_run_is_kept(gated: Path) -> None:
    """It is listed with the others."""
    score(gated)
    done = CliRunner().invoke(program, ["runs"])
    assert "airline" in done.stdout


# how it ends


def test_a_gate_that_stops_ends_with_1(gated: Path) -> None:
    """What got worse is exit 1, and told."""
    write_sessions(gated, WORSE)
    done = score(gated)
    assert 1 == done.exit_code
    assert " gate: goal_completion got worse" in done.stdout


def test_a_session_below_its_threshold_ends_with_1(tmp_path: Path) -> None:
    """Each is one line that says why."""
    write_suite(tmp_path / "airline", [1.0, 0.4], more=THRESHOLD)
    done = score("airline")
    assert 1 == done.exit_code
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert line.startswith("FAILED sessions.json: below threshold")


def test_a_mean_below_its_threshold_ends_with_1(tmp_path: Path) -> None:
    """With every session fine by itself."""
    write_suite(tmp_path / "airline", [1.0, 0.4], more=MEAN)
    done = score("airline")
    assert 1 == done.exit_code
    assert "mean below threshold: goal_completion" in done.stdout


def test_a_file_that_cannot_be_read_ends_with_1(tmp_path: Path) -> None:
    """The others are judged, and the broken one is named with its line."""
    write_suite(tmp_path / "airline", [1.0], more="")
    (tmp_path / "airline" / "broken.json").write_text('{"messages": [', "utf-8")
    done = score("airline")
    assert 1 == done.exit_code
    assert "ERROR broken.json:1: " in done.stdout
    assert "1 session" in done.stdout


def test_a_session_that_nobody_scored_ends_with_1(tmp_path: Path, server: JudgeServer) -> None:
    """Offline, what the store does not know is not scored, and nobody is asked."""
    write_suite(tmp_path / "airline", [1.0], more="")
    done = score("airline", "--judge", "openai:loopback", "--offline")
    assert (1, 0) == (done.exit_code, server.calls)
    assert "FAILED sessions.json: not scored" in done.stdout


def test_a_gate_that_is_required_and_missing_ends_with_1(tmp_path: Path) -> None:
    """Removing [gate] turns nothing green."""
    write_suite(tmp_path / "airline", [1.0], more="")
    assert 0 == score("airline").exit_code
    done = score("airline", "--require-gate")
    assert 1 == done.exit_code
    assert "--require-gate" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "nowhere: there is no such file or folder"),
        (["empty"], "no session in "),
        (["airline", "--since", "yesterday"], "--since: 'yesterday' is not accepted"),
        (["airline", "--shard", "3/2"], "--shard: '3/2' is not accepted"),
        (["airline", "--judge", "nobody:x"], "nobody"),
        (
            ["airline", "--store", "store.db"],
            "--store: 'store.db' is no URL: write sqlite:///store.db",
        ),
        (["airline", "--profile", "refund"], "the profile 'refund'; there are: none"),
    ],
    ids=["path", "folder", "date", "shard", "judge", "store", "profile"],
)
def test_what_cannot_be_done_ends_with_2(tmp_path: Path, arguments: list[str], said: str) -> None:
    """One line, nothing judged, nothing written but an empty store."""
    write_suite(tmp_path / "airline", [1.0], more="")
    (tmp_path / "empty").mkdir()
    done = score(*arguments)
    assert (2, "") == (done.exit_code, done.stdout)
    assert said in done.stderr
    assert not (tmp_path / ".sessioneval" / "runs").exists()


# which sessions


def test_a_limit_leaves_out_the_rest(tmp_path: Path) -> None:
    """The first ones of each suite; the report says that it is a part."""
    write_suite(tmp_path / "airline", STEADY, more="")
    found = report("airline", "--limit", "3")
    assert ["task-00", "task-01", "task-02"] == keys(found)
    assert "21 sessions were left out (--limit)" == found["partial"]


def test_shards_are_all_sessions_once(tmp_path: Path) -> None:
    """Every session is in one of the parts."""
    write_suite(tmp_path / "airline", STEADY, more="")
    parts = [keys(report("airline", "--shard", f"{part}/3")) for part in (1, 2, 3)]
    assert sorted(key for part in parts for key in part) == keys(report("airline"))
    assert all(parts)


def test_unevaluated_sessions_alone_can_be_asked_for(tmp_path: Path) -> None:
    """What has a current verdict is left out, and an empty selection is no failure."""
    write_suite(tmp_path / "airline", STEADY, more="")
    report("airline", "--limit", "4")
    assert 20 == len(keys(report("airline", "--scope", "unevaluated")))
    assert [] == keys(report("airline", "--scope", "unevaluated"))


def test_profile_and_date_choose_sessions(tmp_path: Path) -> None:
    """As the session's record has them; one without a time stays."""
    sessions = [
        {"session_id": "a", "profile_id": "refunds", "created_at": "2026-01-02T00:00:00Z"},
        {"session_id": "b", "profile_id": "refunds", "created_at": "2026-02-02T00:00:00Z"},
        {"session_id": "c", "created_at": "2026-03-02T00:00:00Z"},
        {"session_id": "d"},
    ]
    (tmp_path / "airline").mkdir()
    for session in sessions:
        lines = [{"sessioneval": 1, **session}, {"role": "user", "text": f"It is me, {session}."}]
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        (tmp_path / "airline" / f"{session['session_id']}.jsonl").write_text(text, "utf-8")

    def chosen(*options: str) -> list[str]:
        (suite,) = report("airline", *options)["suites"]
        return [row["session_id"] for row in suite["sessions"]]

    assert ["a", "b", "c", "d"] == chosen()
    assert ["a", "b"] == chosen("--profile", "refunds")
    assert ["b", "c", "d"] == chosen("--since", "2026-02-01")
    assert ["b"] == chosen("--since", "2026-02-01", "--profile", "refunds")
    assert "there are: refunds" in score("airline", "--profile", "refund").stderr


def test_a_file_is_a_part_of_its_suite(tmp_path: Path) -> None:
    """By the suite's rules; the rest of the suite is left out."""
    write_suite(tmp_path / "airline", [1.0, 0.4], more=THRESHOLD)
    text = (tmp_path / "airline" / "sessions.json").read_text("utf-8")
    other = json.dumps([json.loads(text.replace("task-", "other-"))[0]])
    (tmp_path / "airline" / "other.json").write_text(other, "utf-8")
    found = report("airline/sessions.json", exit_code=1)
    assert ["task-00", "task-01"] == keys(found)
    assert "1 sessions were left out (paths)" == found["partial"]


def test_several_folders_are_several_suites(tmp_path: Path) -> None:
    """In the order given, under names that differ, in one run."""
    write_suite(tmp_path / "one" / "airline", [1.0], more="")
    write_suite(tmp_path / "two" / "airline", [0.5, 0.6], more="")
    found = report("one/airline", "two/airline", "one/airline")
    names = [(suite["suite"], len(suite["sessions"])) for suite in found["suites"]]
    assert [("airline", 1), ((tmp_path / "two" / "airline").as_posix(), 2)] == names


# what it asks


def test_nobody_is_asked_twice(tmp_path: Path, server: JudgeServer) -> None:
    """The default panel is asked once a session; what is stored is not asked for again."""
    write_suite(tmp_path / "airline", [1.0, 0.5], more="")
    first = score("airline", "--judge", "openai:loopback")
    assert (0, 6) == (first.exit_code, server.calls)
    assert "score: 6 calls to openai:loopback" in first.stderr
    assert 0 == score("airline", "--judge", "openai:loopback").exit_code
    assert 6 == server.calls


def test_calls_have_a_limit(tmp_path: Path, server: JudgeServer) -> None:
    """Beyond it sessions are not scored, which fails them."""
    write_suite(tmp_path / "airline", [1.0, 0.5], more="")
    done = score("airline", "--judge", "openai:loopback", "--max-calls", "3")
    assert (1, 3) == (done.exit_code, server.calls)
    assert "not scored" in done.stdout
    assert "or --max-calls of a command" in done.stdout.replace("\n   ", "")

"""``sessioneval judge-noise``: what it asks, prints, keeps and refuses."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import fmean, variance

import pytest
from click.testing import CliRunner, Result
from gating_cases import STEADY, WORSE, write_sessions, write_suite

from pytest_sessioneval.cli import program
from pytest_sessioneval.evaluation.baselines import update_baseline
from pytest_sessioneval.evaluation.direct import Terms, direct_run
from pytest_sessioneval.evaluation.judge_noise import JudgeNoise
from pytest_sessioneval.stores.opening import DEFAULT_STORE
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.testing import JudgeRequest, JudgeServer, faithful_reply

AXIS = "goal_completion"
SUITE = f'[judge]\nmodel = "openai:loopback"\n\n[gate]\naxes = ["{AXIS}"]\n'
EXPERTS = 3


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    """Have sessions judged by a server that says 40, 60 or 80 by chance."""
    chance = random.Random(11)  # noqa: S311  nothing secret

    def fickle(request: JudgeRequest) -> str:
        return faithful_reply(request, chance.choice([40, 60, 80]))

    for name in [name for name in os.environ if name.startswith(("SESSIONEVAL_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    with JudgeServer(fickle) as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a suite of 24 sessions with a gate; commands are given from the folder above."""
    write_suite(tmp_path / "airline", STEADY, more=SUITE)
    (tmp_path / ".sessioneval").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "airline"


def run(*arguments: str | int) -> Result:
    """Return how ``sessioneval judge-noise airline`` ends in this process."""
    return CliRunner().invoke(program, ["judge-noise", "airline", *map(str, arguments)])


def measured(*arguments: str | int) -> JudgeNoise:
    """Return what ``--json`` prints."""
    done = run(*arguments, "--json")
    assert 0 == done.exit_code, done.output
    return JudgeNoise.model_validate_json(done.stdout)


def refused(*arguments: str | int, status: int = 2) -> str:
    """Return the one line that says why nothing was measured."""
    done = run(*arguments)
    assert (status, "") == (done.exit_code, done.stdout), done.output
    return done.stderr.splitlines()[-1]


def rows(sql: str) -> list[tuple[object, ...]]:
    """Return what the store's file holds, read without our code."""
    with closing(sqlite3.connect(".sessioneval/store.db")) as database:
        return database.execute(sql).fetchall()


def spread_in_store() -> float:
    """Return the pooled spread of the panel's scores, computed from the store's own rows."""
    sessions: dict[object, dict[object, list[int]]] = defaultdict(lambda: defaultdict(list))
    for key, repeat, scores in rows("SELECT session_key, repetition, scores FROM evaluations"):
        score = json.loads(str(scores)).get(AXIS)
        if score is not None:
            sessions[key][repeat].append(score)
    panels = [[fmean(panel) for panel in repeats.values()] for repeats in sessions.values()]
    degrees = [len(panel) - 1 for panel in panels]
    weighted = [variance(panel) * df for panel, df in zip(panels, degrees, strict=True)]
    return math.sqrt(sum(weighted) / sum(degrees))


def judge_all(folder: Path, *, bless: bool = False) -> None:
    """Judge the whole suite; ``bless`` writes its baseline."""
    suite = load_suite(folder)
    terms = Terms(environ=os.environ, store=DEFAULT_STORE, home=Path())
    with direct_run(terms, for_baseline=bless) as made:
        found = made.scan(suite)
        done = made.judge(found, found.members, suite=suite, announce=lambda _: None)
        if bless:
            update_baseline(done, suite=suite)


# -- what is measured ----------------------------------------------------------------


@pytest.mark.usefixtures("suite", "server")
def test_the_spread_is_that_of_the_stored_answers() -> None:
    """Computed again from the store's rows with the standard library's variance."""
    noise = measured("-k", 4, "--limit", 12)
    found = next(axis for axis in noise.axes if axis.axis == AXIS)
    assert spread_in_store() == pytest.approx(found.sd)
    assert (12, 36) == (found.sessions, found.degrees)


@pytest.mark.usefixtures("suite")
def test_sessions_are_asked_about_as_often_as_said(server: JudgeServer) -> None:
    """Ten sessions, three experts, four times; standard error says so before the first call."""
    done = run("-k", 4, "--limit", 10)
    assert 10 * EXPERTS * 4 == server.calls
    assert "judge-noise: 120 calls to openai:loopback" in done.stderr


@pytest.mark.usefixtures("suite")
def test_what_is_in_the_store_is_not_paid_for_twice(server: JudgeServer) -> None:
    """The same again asks nobody; more repeats and more sessions ask for the difference."""
    first = measured("-k", 4, "--limit", 10)
    assert first.axes == measured("-k", 4, "--limit", 10).axes
    assert 120 == server.calls
    measured("-k", 5, "--limit", 12)
    assert 12 * EXPERTS * 5 == server.calls


@pytest.mark.usefixtures("suite", "server")
def test_a_larger_limit_keeps_the_sessions() -> None:
    """So that what was judged before counts again."""
    few, more = (set(measured("-k", 5, "--limit", limit).keys) for limit in (8, 16))
    assert few < more


@pytest.mark.usefixtures("server")
def test_an_ordinary_run_uses_the_first_repeat(suite: Path) -> None:
    """Repeats have the keys of a run's: pytest then asks about nothing that was measured."""
    measured("-k", 2, "--limit", 24)
    stored = rows("SELECT count(*) FROM evaluations WHERE repetition = 0")
    assert [(24 * EXPERTS,)] == stored
    assert suite.is_dir()


@pytest.mark.usefixtures("suite", "server")
def test_the_spread_is_kept() -> None:
    """By suite, rubric, judge and axis."""
    noise = measured("-k", 4)
    kept = rows("SELECT suite, rubric_version, judge_version, sd, degrees FROM judge_noise")
    spreads = [axis for axis in noise.axes if axis.known]
    assert len(spreads) == len(kept)
    versions = ("airline", noise.rubric_version, noise.judge_version)
    assert [(*versions, axis.sd, axis.degrees) for axis in spreads] == kept


@pytest.mark.usefixtures("server")
def test_flips_are_those_of_the_threshold(suite: Path) -> None:
    """Scores of 40, 60 and 80 by chance pass 60 now and then, and 30 always."""
    text = (suite / "sessioneval.toml").read_text("utf-8")
    limits = f"\n[thresholds.session]\n{AXIS} = 60\ncommunication = 30\n"
    (suite / "sessioneval.toml").write_text(text + limits, "utf-8")
    flipped = {axis.axis: axis.flipped for axis in measured("-k", 5).axes}
    assert 0 == flipped["communication"]
    assert (flipped[AXIS] or 0) > 0
    assert flipped["efficiency"] is None


@pytest.mark.usefixtures("server")
def test_a_baseline_recorded_anew_tells_the_two_apart(suite: Path) -> None:
    """Then it is known how much sessions differ: with² = without² + alone²."""
    judge_all(suite, bless=True)
    write_sessions(suite, WORSE)
    judge_all(suite)
    (drop,) = measured("-k", 4).drops
    assert drop.with_noise is not None
    assert drop.without_noise is not None
    alone = math.sqrt(drop.with_noise**2 - drop.without_noise**2)
    assert drop.judge_alone == pytest.approx(alone)


# -- what is said --------------------------------------------------------------------


@pytest.mark.usefixtures("suite", "server")
def test_tables_say_what_it_costs() -> None:
    """A spread per axis, then the smallest visible drop of the gated axis at the suite's size."""
    said = run("-k", 4).stdout.splitlines()
    assert said[0].startswith("airline: 20 of 24 sessions judged 4 times by openai:loopback, 240")
    spreads = next(line.split() for line in said if line.strip().startswith(AXIS))
    assert f"{spread_in_store():.1f}" == spreads[1]
    head = "smallest drop that 24 sessions show, judged 3 times for the baseline and once in a run:"
    drop = said[said.index(head) + 2].split()
    floor = 2.486475 * spread_in_store() * math.sqrt(4 / 3 / 24)
    assert [AXIS, "5", "?", "?", f"{floor:.1f}"] == drop[:5]


@pytest.mark.usefixtures("server")
def test_the_embedded_judge_has_no_noise(suite: Path) -> None:
    """It is said plainly, nothing is kept, and all is well."""
    done = run("--judge", "evidence")
    assert 0 == done.exit_code
    assert "always answers the same" in done.stdout
    assert not (suite.parent / ".sessioneval" / "store.db").exists() or not rows(
        "SELECT * FROM judge_noise"
    )
    assert measured("--judge", "evidence").deterministic


# -- what is refused -----------------------------------------------------------------


@pytest.mark.usefixtures("suite")
def test_a_judge_that_is_down_measures_nothing(server: JudgeServer) -> None:
    """One answer that does not come is enough: exit 1, nothing kept; again asks for the rest."""
    server.fail(status=401, message="wrong key")
    said = refused("-k", 4, "--limit", 10, status=1)
    assert "1 of 120 answers did not come" in said
    assert "wrong key" in said
    assert [] == rows("SELECT * FROM judge_noise")
    assert 1 == measured("-k", 4, "--limit", 10).calls


@pytest.mark.usefixtures("suite")
def test_a_spent_budget_measures_nothing(server: JudgeServer) -> None:
    """As a judge that is down."""
    assert "answers did not come" in refused("--max-calls", 30, status=1)
    assert 30 == server.calls


@pytest.mark.usefixtures("suite")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-k", 2, "--limit", 10), "judge them 3 times (-k 3)"),
        (("--limit", 4), "--limit 4 is too small"),
    ],
)
def test_too_few_are_refused_beforehand(
    server: JudgeServer, arguments: tuple[str | int, ...], message: str
) -> None:
    """Nobody is asked for what could say nothing."""
    assert message in refused(*arguments)
    assert 0 == server.calls


@pytest.mark.usefixtures("server")
def test_a_suite_of_few_sessions_is_refused(suite: Path) -> None:
    """The message names the fewest."""
    write_suite(suite, STEADY[:4], more=SUITE)
    assert "holds 4 sessions, and 5 are the fewest" in refused()


@pytest.mark.usefixtures("server")
def test_a_corrupt_baseline_is_told_beforehand(suite: Path) -> None:
    """What could not be compared with is no surprise after paying."""
    (suite / "baseline.json").write_text("{", "utf-8")
    assert "the baseline is no JSON" in refused()


@pytest.mark.usefixtures("suite", "server")
def test_a_judge_that_only_pytest_knows_is_refused() -> None:
    """A conftest.py is not read here."""
    assert "pytest alone reads" in refused("--judge", "hook:mine")


@pytest.mark.usefixtures("suite")
def test_a_folder_that_is_not_there_is_refused() -> None:
    """Exit 2."""
    done = CliRunner().invoke(program, ["judge-noise", "nowhere"])
    assert (2, True) == (done.exit_code, "nowhere is no folder" in done.stderr)


# -- real sessions -------------------------------------------------------------------


@pytest.mark.usefixtures("server", "suite")
def test_real_sessions_are_measured(shared_data: Path) -> None:
    """A folder of tau-bench recordings without a suite file, judged as it lies."""
    Path("real").mkdir()
    source = shared_data / "tau-bench" / "gpt-4o-airline.tasks0-24.balanced.json"
    shutil.copy(source, "real/sessions.json")
    arguments = ["judge-noise", "real", "-k", "3", "--judge", "openai:loopback", "--json"]
    done = CliRunner().invoke(program, arguments)
    noise = JudgeNoise.model_validate_json(done.stdout)
    assert (22, 20) == (noise.of, len(noise.keys))
    found = next(axis for axis in noise.axes if axis.axis == AXIS)
    assert spread_in_store() == pytest.approx(found.sd)

"""``sessioneval baseline rejudge`` and ``canaries``: a baseline scored by today's judge, whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from gating_cases import GATE, STEADY, Repository, write_sessions, write_suite

from pytest_sessioneval.cli import program
from pytest_sessioneval.evaluation.baselines import pin_anchor, update_baseline
from pytest_sessioneval.evaluation.direct import Terms, direct_run
from pytest_sessioneval.stores.opening import DEFAULT_STORE
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.testing import JudgeRequest, JudgeServer, faithful_reply

AXIS = "goal_completion"
COUNT = len(STEADY)
JUDGE = """[judge]
model = "openai:first"
baseline_repeats = 1
[[judge.experts]]
id = "one"
instruction = "Judge the session."
axes = ["goal_completion"]
"""
ANOTHER = ("--judge", "openai:second")


class Judge:
    """A judge that gives every session the same level, until it is told another."""

    def __init__(self) -> None:
        self.level = 60
        self.server = JudgeServer(self._reply)

    def _reply(self, request: JudgeRequest) -> str:
        return faithful_reply(request, self.level)


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Judge]:
    """Have sessions judged by a server, and nothing said by this machine's environment."""
    for name in [name for name in os.environ if name.startswith(("SESSIONEVAL_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    made = Judge()
    with made.server as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, judge: Judge) -> Path:
    """Return a suite of 24 sessions whose baseline has 60 throughout; we are in the folder above.

    The judge has been asked about each of them once.
    """
    folder = tmp_path / "airline"
    write_suite(folder, STEADY, more=GATE + JUDGE)
    (tmp_path / ".sessioneval").mkdir()
    monkeypatch.chdir(tmp_path)
    bless(folder)
    assert COUNT == judge.server.calls
    return folder


def bless(folder: Path) -> None:
    """Judge the suite and write its baseline."""
    loaded = load_suite(folder)
    terms = Terms(environ=os.environ, store=DEFAULT_STORE, home=Path())
    with direct_run(terms, for_baseline=True) as run:
        found = run.scan(loaded)
        done = run.judge(found, found.members, suite=loaded, announce=lambda _: None)
        update_baseline(done, suite=loaded)


def rejudge(*arguments: str, command: str = "rejudge") -> Result:
    """Return how ``sessioneval baseline rejudge airline`` ends in this process."""
    return CliRunner().invoke(program, ["baseline", command, "airline", *arguments])


def lines(*arguments: str, command: str = "rejudge") -> list[str]:
    """Return what it prints when it ends with 0."""
    done = rejudge(*arguments, command=command)
    assert 0 == done.exit_code, done.output
    return done.stdout.splitlines()


def refused(*arguments: str, command: str = "rejudge") -> str:
    """Return the one line that says why nothing was written."""
    done = rejudge(*arguments, command=command)
    assert (2, "") == (done.exit_code, done.stdout), done.output
    return done.stderr.splitlines()[-1]


def held(name: str = "baseline.json") -> dict[str, Any]:
    """Return what the baseline holds."""
    found: dict[str, Any] = json.loads(Path("airline", name).read_text("utf-8"))
    return found


def scores(part: str = "sessions", name: str = "baseline.json") -> set[float]:
    """Return the different scores that the baseline holds."""
    return {one["axes"][AXIS]["score"] for one in held(name)[part]}


# -- another judge -------------------------------------------------------------------


@pytest.mark.usefixtures("suite")
def test_another_judge_scores_the_same_sessions(judge: Judge) -> None:
    """Each once; what moved is printed per axis, and the versions are the new judge's."""
    before = held()
    judge.level = 80
    said = lines(*ANOTHER)
    assert 2 * COUNT == judge.server.calls
    assert "wrote airline/baseline.json" == said[0]
    assert "  goal_completion: 60.0 to 80.0 (+20.0)" in said
    assert "  made with another judge: not comparable with before" in said
    after = held()
    assert "openai:second" in after["versions"]["judge"]
    assert {80} == scores()
    assert [(one["key"], one["digest"]) for one in before["sessions"]] == [
        (one["key"], one["digest"]) for one in after["sessions"]
    ]


@pytest.mark.usefixtures("suite")
def test_the_same_versions_leave_nothing_to_do(judge: Judge) -> None:
    """Nobody is asked, and the file stays as it is."""
    before = Path("airline/baseline.json").read_bytes()
    (said,) = lines()
    assert "nothing to do; --fresh asks again" in said
    assert (COUNT, before) == (judge.server.calls, Path("airline/baseline.json").read_bytes())


@pytest.mark.usefixtures("suite")
def test_fresh_asks_the_same_judge_again(judge: Judge) -> None:
    """What the store had is replaced, so that later runs find the judge as it is now."""
    judge.level = 40
    assert "  goal_completion: 60.0 to 40.0 (-20.0)" in lines("--fresh")
    assert (2 * COUNT, {40}) == (judge.server.calls, scores())
    bless(Path("airline"))
    assert (2 * COUNT, {40}) == (judge.server.calls, scores())


@pytest.mark.usefixtures("suite")
def test_the_anchor_is_scored_by_its_option_only(judge: Judge) -> None:
    """Else today's baseline; each as of its own sessions."""
    pin_anchor(load_suite(Path("airline")))
    judge.level = 80
    lines(*ANOTHER)
    assert ({80}, {60}) == (scores(), scores(name="baseline.anchor.json"))
    said = lines(*ANOTHER, "--anchor")
    assert "wrote airline/baseline.anchor.json" == said[0]
    assert {80} == scores(name="baseline.anchor.json")
    assert 2 * COUNT == judge.server.calls


# -- which sessions ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "what"),
    [
        ([0.5, *STEADY[1:]], "1 of 24 sessions of this baseline are not in"),
        (STEADY[:22], "2 of 24 sessions of this baseline are not in"),
    ],
    ids=["recorded anew", "missing"],
)
def test_sessions_that_are_not_as_they_were_are_refused(
    suite: Path, judge: Judge, now: list[float], what: str
) -> None:
    """Listed, before anybody is asked, and nothing is written."""
    before = (suite / "baseline.json").read_bytes()
    write_sessions(suite, now)
    said = refused(*ANOTHER)
    assert what in said
    reason = "task-00#0 (recorded anew since)" if len(now) == COUNT else "task-22#0 (not there)"
    assert reason.replace("#0", "") in said.replace("#0", "")
    assert (COUNT, before) == (judge.server.calls, (suite / "baseline.json").read_bytes())


def test_sessions_can_be_left_out_and_are_listed(suite: Path) -> None:
    """By its own option only, and each with why."""
    write_sessions(suite, [0.5, *STEADY[1:22]])
    said = lines(*ANOTHER, "--drop-unmatched")
    gone = [line for line in said if line.startswith("left out: ")]
    assert 3 == len(gone)
    assert "recorded anew since" in gone[0]
    assert "not there" in gone[1]
    assert 21 == len(held()["sessions"])


def test_no_session_left_is_never_a_baseline(suite: Path, judge: Judge) -> None:
    """Also not by the option."""
    write_sessions(suite, [0.5] * 5)
    assert "no session of this baseline is in" in refused(*ANOTHER, "--drop-unmatched")
    assert COUNT == judge.server.calls


def test_other_sessions_are_counted_and_not_judged(suite: Path, judge: Judge) -> None:
    """The baseline stays as large as it was."""
    write_sessions(suite, [*STEADY, 1.0, 0.5])
    assert (
        "2 other sessions there that the baseline does not have: not judged"
        == (lines(*ANOTHER)[-1])
    )
    assert (2 * COUNT, COUNT) == (judge.server.calls, len(held()["sessions"]))


def test_sessions_may_lie_in_another_folder(suite: Path, tmp_path: Path) -> None:
    """A copy from before they were recorded anew."""
    shutil.copytree(suite, tmp_path / "old")
    write_sessions(suite, [0.5] * COUNT)
    assert "wrote airline/baseline.json" == lines(*ANOTHER, "--sessions", str(tmp_path / "old"))[0]
    assert COUNT == len(held()["sessions"])


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git executable on PATH")
def test_sessions_may_lie_in_a_revision(suite: Path) -> None:
    """Of the commit that has them, though they were recorded anew since."""
    repository = Repository(suite)
    repository.commit("Bless")
    write_sessions(suite, [0.5] * COUNT)
    repository.commit("Record anew")
    assert "24 of 24 sessions" in refused(*ANOTHER)
    assert "24 of 24 sessions" in refused(*ANOTHER, "--sessions", "git:HEAD")
    assert "wrote airline/baseline.json" == lines(*ANOTHER, "--sessions", "git:HEAD~1")[0]
    assert COUNT == len(held()["sessions"])


@pytest.mark.usefixtures("suite")
@pytest.mark.parametrize("source", ["nowhere", "git:nowhere", "airline/baseline.json"])
def test_places_that_are_not_there_are_refused(judge: Judge, source: str) -> None:
    """Exit 2, naming the option."""
    assert "--sessions" in refused(*ANOTHER, "--sessions", source)
    assert COUNT == judge.server.calls


# -- what stops it -------------------------------------------------------------------


@pytest.mark.usefixtures("suite")
def test_a_judge_that_fails_leaves_the_baseline(judge: Judge) -> None:
    """One session is enough; again asks for the rest alone."""
    before = Path("airline/baseline.json").read_bytes()
    judge.server.fail(status=401, message="wrong key")
    assert "is not written: not scored: task-" in refused(*ANOTHER)
    assert before == Path("airline/baseline.json").read_bytes()
    lines(*ANOTHER)
    assert 2 * COUNT + 1 == judge.server.calls


def test_without_a_baseline_there_is_nothing_to_do(suite: Path) -> None:
    """The message says how to write one."""
    (suite / "baseline.json").unlink()
    assert "there is no baseline to score again" in refused(*ANOTHER)
    assert "there is no baseline to score again" in refused("--anchor")


# -- canaries ------------------------------------------------------------------------


@pytest.fixture
def with_canaries(suite: Path) -> Path:
    """Return the suite, given twelve canaries after its baseline was written."""
    (suite / "canaries").mkdir()
    for number in range(12):
        canary(suite, number)
    rules(suite, 'canaries = ["canaries/*.json"]\n')
    return suite


def canary(suite: Path, number: int) -> None:
    """Write one canary."""
    said = [
        {"role": "user", "content": f"This is the frozen session number {number}."},
        {"role": "assistant", "content": "And this is its answer, as it was given."},
    ]
    path = suite / "canaries" / f"c{number:02d}.json"
    path.write_text(json.dumps({"messages": said}), "utf-8")


def rules(suite: Path, more: str) -> None:
    """Write the suite file with more under ``[gate]``."""
    head = '[suite]\nkey = "task_id"\nuse_outcome = true\nsessions = ["sessions.json"]\n\n'
    (suite / "sessioneval.toml").write_text(head + GATE + more + JUDGE, "utf-8")


def test_canaries_are_written_beside_the_scores(with_canaries: Path, judge: Judge) -> None:
    """Asked about alone; the sessions' scores stay as they are."""
    before = held()["sessions"]
    said = lines(command="canaries")
    assert COUNT + 12 == judge.server.calls
    assert any("12 canary sessions new" in line for line in said)
    assert (2, before, {60}) == (held()["format"], held()["sessions"], scores("canaries"))
    assert "  beside them, 12 canary sessions" in lines(command="show")
    assert with_canaries.is_dir()


def test_canaries_that_are_there_keep_their_scores(with_canaries: Path, judge: Judge) -> None:
    """A thirteenth is added with its score of today; nothing new asks nobody."""
    lines(command="canaries")
    assert ["airline/baseline.json holds these scores already"] == lines(command="canaries")
    assert COUNT + 12 == judge.server.calls
    canary(with_canaries, 12)
    lines(command="canaries")
    assert (13, {60}) == (len(held()["canaries"]), scores("canaries"))


def test_new_canaries_do_not_hide_a_judge_that_moved(with_canaries: Path, judge: Judge) -> None:
    """Nothing is written; scoring all of it again is."""
    lines(command="canaries")
    canary(with_canaries, 12)
    judge.level = 40
    assert "the judge moved since this baseline was made" in refused(command="canaries")
    assert (12, {60}) == (len(held()["canaries"]), scores("canaries"))
    lines("--fresh")
    assert ({40}, {40}, 13) == (scores(), scores("canaries"), len(held()["canaries"]))


@pytest.mark.usefixtures("with_canaries")
def test_calls_about_canaries_are_told_beforehand() -> None:
    """On standard error, as for sessions."""
    done = rejudge(command="canaries")
    assert "baseline canaries: 12 calls to openai:first" in done.stderr


@pytest.mark.usefixtures("with_canaries")
def test_canaries_of_another_judge_are_refused(judge: Judge) -> None:
    """A baseline is of one judge: rejudge writes both."""
    assert "made with another judge" in refused(*ANOTHER, command="canaries")
    assert COUNT == judge.server.calls
    lines(*ANOTHER)
    assert 12 == len(held()["canaries"])


@pytest.mark.usefixtures("with_canaries")
def test_a_canary_that_was_not_judged_writes_nothing(judge: Judge) -> None:
    """One failed answer is enough."""
    judge.server.fail(status=401, message="wrong key")
    assert "nothing is written: canaries not scored: canaries/c" in refused(command="canaries")
    assert 1 == held()["format"]


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git executable on PATH")
def test_todays_canaries_go_with_the_sessions_of_a_revision(suite: Path, judge: Judge) -> None:
    """Whether the revision is older than the canaries or has them: they are no sessions of it."""
    repository = Repository(suite)
    repository.commit("Bless")
    (suite / "canaries").mkdir()
    for number in range(12):
        canary(suite, number)
    rules(suite, 'canaries = ["canaries/*.json"]\n')
    repository.commit("Canaries")
    canary(suite, 12)
    write_sessions(suite, [0.5] * COUNT)
    for revision in ("git:HEAD~1", "git:HEAD"):
        lines("--fresh", "--sessions", revision)
        assert (COUNT, 13) == (len(held()["sessions"]), len(held()["canaries"]))
    assert COUNT + 2 * (COUNT + 13) == judge.server.calls


@pytest.mark.usefixtures("suite")
def test_a_suite_without_canaries_is_told() -> None:
    """Which key to set."""
    assert "under [gate] canaries" in refused(command="canaries")


# -- real sessions -------------------------------------------------------------------


@pytest.mark.usefixtures("judge")
def test_real_sessions_are_scored_again(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty-two tau-bench recordings, recognised by key and transcript."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "airline"
    folder.mkdir()
    source = shared_data / "tau-bench" / "gpt-4o-airline.tasks0-24.balanced.json"
    shutil.copy(source, folder / "sessions.json")
    (folder / "sessioneval.toml").write_text(GATE + JUDGE, "utf-8")
    bless(folder)
    said = lines(*ANOTHER)
    assert "wrote airline/baseline.json" == said[0]
    assert 22 == len(held()["sessions"])

"""``sessioneval compare``: the gate's decision outside of pytest, its words and its exit status."""

import json
import subprocess
import sysconfig
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from gating_cases import (
    AXIS,
    GATE,
    STEADY,
    WORSE,
    Repository,
    judged,
    judged_suite,
    write_sessions,
    write_suite,
    written_report,
)

from pytest_sessioneval.cli import program
from pytest_sessioneval.evaluation.baselines import pin_anchor, update_baseline
from pytest_sessioneval.evaluation.gating import candidate_side, gate_suite, reference_of
from pytest_sessioneval.gate.outcome import Decision
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.suites.model import Suite

COMMAND = str(Path(sysconfig.get_path("scripts")) / "sessioneval")
RUN = "20261121-190412-7f3a2b"


def compare(*arguments: str | Path) -> Result:
    """Return how ``sessioneval compare`` ends in this process."""
    return CliRunner().invoke(program, ["compare", *map(str, arguments)])


def refused(*arguments: str | Path) -> str:
    """Return the one line that says why nothing was compared; exit 2."""
    done = compare(*arguments)
    assert (2, "") == (done.exit_code, done.stdout), done.output
    (line,) = done.stderr.splitlines()
    return line


def decision(*arguments: str | Path) -> Decision:
    """Return the decision that ``--json`` prints."""
    return Decision.model_validate_json(compare(*arguments, "--json").stdout)


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Return a gated suite of 24 sessions, mean 90, its baseline committed and its run kept.

    Its folder is where commands are given.
    """
    made = write_suite(tmp_path / "airline", STEADY)
    run = judged(made)
    update_baseline(run.suites[0], suite=made)
    written_report(run, made.root / ".sessioneval" / "runs" / RUN / "report.json")
    Repository(made.root).commit("Baseline")
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def worse(suite: Suite) -> Path:
    """Return the report of a run in which every session is 20 points lower."""
    write_sessions(suite.root, WORSE)
    return written_report(judged(load_suite(suite.root)), suite.root / "worse.json").path


# -- what it says, and how it ends ---------------------------------------------------


def test_worse_ends_with_1(suite: Suite, worse: Path) -> None:
    """A person reads what got worse first; a script reads the exit status."""
    done = compare("baseline.json", worse, "--suite", suite.root)
    assert 1 == done.exit_code
    first, line, *_ = done.stdout.splitlines()
    assert first == (
        "goal_completion got worse: its average fell by 20.0 points, from 90.0 to 70.0, over 24 "
        "sessions compared with the baseline. That is more than chance explains, and a drop of 5 "
        "is too much. The merge is stopped."
    )
    assert line.startswith("goal_completion: -20.0 [-20.0, -20.0] 90 % CI · n=24 pairs")


@pytest.mark.usefixtures("suite")
def test_the_same_ends_with_0() -> None:
    """A baseline against itself."""
    done = compare("baseline.json", "baseline.json")
    assert 0 == done.exit_code
    assert "The merge may go ahead." in done.stdout


@pytest.mark.usefixtures("suite", "worse")
def test_undecided_and_advisory_ends_with_0() -> None:
    """What only warns stops nothing, and says what is missing."""
    few = json.loads(Path("baseline.json").read_text("utf-8"))
    few["sessions"] = few["sessions"][:6]
    Path("few.json").write_text(json.dumps(few), "utf-8")
    done = compare("few.json", "few.json")
    assert (0, True) == (done.exit_code, "14 more sessions would settle it" in done.stdout)


def test_it_is_the_decision_that_pytest_would_make(suite: Suite, worse: Path) -> None:
    """The same value, to the last digit."""
    run = judged_suite(load_suite(suite.root))
    expected = gate_suite(candidate_side(run), reference_of(suite))
    assert expected is not None
    found = decision("baseline.json", worse, "--suite", suite.root)
    assert expected == found.model_copy(update={"against": None})


@pytest.mark.usefixtures("suite")
def test_json_is_the_whole_decision(worse: Path) -> None:
    """Every number of the words, under the keys of the model, in ASCII."""
    done = compare("baseline.json", worse, "--json")
    value = json.loads(done.stdout)
    assert (1, "regressed", True) == (done.exit_code, value["status"], value["blocks"])
    assert -20 == value["axes"][0]["comparisons"][0]["overall"]["difference"]
    assert done.stdout.isascii()


@pytest.mark.usefixtures("suite")
def test_the_installed_command_ends_alike(worse: Path) -> None:
    """In a process of its own."""
    done = subprocess.run(
        [COMMAND, "compare", RUN, str(worse)], capture_output=True, text=True, check=False
    )
    assert (1, "") == (done.returncode, done.stderr)


@pytest.mark.usefixtures("suite")
def test_keys_cannot_steer_the_terminal() -> None:
    """Escape sequences in a session's key are not echoed."""
    value = json.loads(Path("baseline.json").read_text("utf-8"))
    value["sessions"] = value["sessions"][1:]
    Path("fewer.json").write_text(json.dumps(value), "utf-8")
    text = Path("baseline.json").read_text("utf-8").replace('"task-00"', '"\\u001b[2J\\u202ex"')
    Path("hostile.json").write_text(text, "utf-8")
    done = compare("hostile.json", "fewer.json")
    assert "did not turn up" in done.stdout
    assert not {"\x1b", "\u202e"} & set(done.stdout)


# -- what is compared ----------------------------------------------------------------


def test_a_run_is_named_by_its_id(suite: Suite, worse: Path) -> None:
    """From anywhere beneath the folder that holds .sessioneval, or with --out."""
    assert "regressed" == decision(RUN, worse).status
    assert "regressed" == decision(RUN, worse, "--out", suite.root / ".sessioneval").status


def test_a_run_is_found_from_a_folder_inside(
    suite: Suite, worse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As git finds its repository."""
    (suite.root / "inner").mkdir()
    monkeypatch.chdir(suite.root / "inner")
    assert "regressed" == decision(RUN, worse).status


def test_a_revision_is_either_side(suite: Suite, worse: Path) -> None:
    """Its committed baseline, read from the suite's folder."""
    assert "regressed" == decision("git:HEAD", worse).status
    update_baseline(judged_suite(load_suite(suite.root)), suite=suite)
    Repository(suite.root).commit("Bless it")
    found = decision("git:HEAD~1", "git:HEAD")
    assert found.against is not None
    assert ("regressed", "git:HEAD~1") == (found.status, found.against.source)


def test_the_rules_of_a_revision_count(suite: Suite, worse: Path) -> None:
    """A margin widened in the working tree does not let the run pass."""
    write_suite(suite.root, WORSE, more=f"{GATE}margins = {{ default = 50 }}\n")
    assert "passed" == decision("baseline.json", worse, "--suite", ".").status
    assert "regressed" == decision("git:HEAD", worse, "--suite", ".").status


def test_the_anchor_beside_a_baseline_counts(suite: Suite, worse: Path) -> None:
    """Both must hold, as in pytest."""
    pin_anchor(suite)
    update_baseline(judged_suite(load_suite(suite.root)), suite=suite)
    found = decision("baseline.json", worse)
    assert [("baseline", "passed"), ("anchor", "regressed")] == [
        (one.baseline, one.status) for one in found.gated[0].comparisons
    ]


def test_a_revision_without_a_baseline_stops_the_merge(suite: Suite, worse: Path) -> None:
    """As before; on the other side there would be nothing to decide on."""
    Path("baseline.json").unlink()
    Repository(suite.root).commit("No baseline")
    assert ("no_baseline", True) == (
        (found := decision("git:HEAD", worse)).status,
        found.blocks,
    )
    assert "there is no baseline" in refused(worse, "git:HEAD")


@pytest.mark.usefixtures("suite")
def test_different_sessions_are_compared_as_groups() -> None:
    """Without a common key the comparison is incomplete and names --unpaired, which decides."""
    text = Path("baseline.json").read_text("utf-8").replace('"task-', '"other-')
    Path("other.json").write_text(text, "utf-8")
    done = compare("baseline.json", "other.json")
    assert 1 == done.exit_code
    assert "Where the two hold different sessions on purpose, --unpaired compares them." in (
        done.stdout
    )
    found = decision("baseline.json", "other.json", "--unpaired")
    assert ("welch", 24) == (
        found.gated[0].comparisons[0].method,
        found.gated[0].comparisons[0].overall and found.gated[0].comparisons[0].overall.pairs,
    )


@pytest.mark.usefixtures("suite")
def test_sessions_that_one_side_lacks_can_be_left_out() -> None:
    """Two models on overlapping tasks: lost by default, and the way out is named."""
    value = json.loads(Path("baseline.json").read_text("utf-8"))
    Path("first.json").write_text(json.dumps(value | {"sessions": value["sessions"][:21]}), "utf-8")
    Path("last.json").write_text(json.dumps(value | {"sessions": value["sessions"][3:]}), "utf-8")
    done = compare("first.json", "last.json")
    assert (1, True) == (done.exit_code, "--common compares those that both have" in done.stdout)
    found = decision("first.json", "last.json", "--common")
    use = found.baselines[0]
    assert ("inconclusive", 18, 3, 3) == (
        found.status,
        use.pairs,
        len(use.left_out),
        len(use.added),
    )
    assert (
        "2 more sessions would settle it" in compare("first.json", "last.json", "--common").stdout
    )


@pytest.mark.usefixtures("suite")
def test_common_and_unpaired_exclude_each_other() -> None:
    """One pairs, the other does not."""
    assert "choose one of them" in refused("baseline.json", RUN, "--common", "--unpaired")


# -- by which settings ---------------------------------------------------------------


@pytest.mark.usefixtures("suite")
def test_without_a_suite_every_scored_axis_decides(worse: Path) -> None:
    """But none that only describes, and none that a side has no score on."""
    found = decision("baseline.json", worse)
    assert [AXIS, "efficiency", "communication"] == [axis.axis for axis in found.gated]
    assert {5.0} == {axis.margin for axis in found.gated}


def test_axes_are_chosen_with_their_margins(suite: Suite, worse: Path) -> None:
    """Instead of the suite's own; its other settings stay."""
    found = decision("baseline.json", worse, "--axis", f"{AXIS}:25", "--axis", "efficiency")
    assert [(AXIS, 25.0, "passed"), ("efficiency", 5.0, "passed")] == [
        (axis.axis, axis.margin, axis.status) for axis in found.gated
    ]
    write_suite(suite.root, WORSE, more=f"{GATE}min_pairs = 30\n")
    found = decision("baseline.json", worse, "--suite", ".", "--axis", "efficiency")
    assert (["efficiency"], 30) == ([axis.axis for axis in found.gated], found.min_pairs)


@pytest.mark.usefixtures("suite")
@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ("nothing", "--axis: there is no axis 'nothing'; there are task_complexity,"),
        ("goal_completion:", "--axis: 'goal_completion:' is not accepted; give NAME, or NAME:MAR"),
        ("goal_completion:101", "is not accepted"),
        ("goal_completion:5%", "is not accepted"),
    ],
)
def test_an_axis_that_is_none_is_refused(worse: Path, axis: str, message: str) -> None:
    """With what is accepted."""
    assert message in refused("baseline.json", worse, "--axis", axis)


# -- what cannot be compared ---------------------------------------------------------


def test_a_revision_needs_a_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is none here, the option is named."""
    monkeypatch.chdir(tmp_path)
    assert "name it with --suite DIR (there is no sessioneval.toml here)" in refused(
        "git:main", "git:HEAD"
    )


@pytest.mark.usefixtures("suite")
def test_what_is_neither_is_refused() -> None:
    """One line, exit 2."""
    assert "sessioneval: compare: 'nothing' is neither a file nor a run" in refused(
        "baseline.json", "nothing"
    )


@pytest.mark.usefixtures("suite")
def test_scores_that_share_no_axis_are_refused() -> None:
    """There would be nothing to decide on."""
    value = json.loads(Path("baseline.json").read_text("utf-8"))
    for session in value["sessions"]:
        session["axes"] = {axis: {"unscored": "unsupported"} for axis in session["axes"]}
    Path("empty.json").write_text(json.dumps(value), "utf-8")
    assert "no axis has a score on both sides" in refused("baseline.json", "empty.json")


@pytest.mark.usefixtures("suite")
def test_scores_of_another_judge_are_not_comparable() -> None:
    """That is a decision, not a mistake in asking: exit 1."""
    value = json.loads(Path("baseline.json").read_text("utf-8"))
    value["versions"]["judge"] = "other@1#0"
    Path("other.json").write_text(json.dumps(value), "utf-8")
    done = compare("other.json", "baseline.json")
    assert 1 == done.exit_code
    assert "the judge changed from other@1#0 to" in done.stdout

"""By whose rules a suite is judged when it is held against a git revision."""

from pathlib import Path

import pytest
from gating_cases import AXIS, GATE, STEADY, Repository, write_suite

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.evaluation.revisions import Revision, find_revision
from pytest_sessioneval.evaluation.rules import Ruled, suite_at, suite_ruled_by
from pytest_sessioneval.suites.calibration import Calibration, Estimate
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.suites.rubric import rubric_source
from pytest_sessioneval.transcripts.redaction_policy import RedactionPolicy

RUBRIC = rubric_source("agent")
CALIBRATION = Calibration(
    measures=2,
    features=(),
    intercept=0.0,
    ridge=5.0,
    labels=40,
    successes=20,
    tasks=20,
    auc=Estimate(value=0.8, low=0.7, high=0.9),
).text()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Return a repository with a gated suite in ``suite``, committed."""
    made = Repository(tmp_path / "repository")
    write_suite(made.folder / "suite", STEADY)
    made.commit("First")
    return made


def head(repository: Repository) -> Revision:
    """Return the commit as the suite's folder sees it."""
    return find_revision(repository.folder / "suite", "HEAD", origin="git:HEAD")


def edit(repository: Repository, old: str, new: str) -> Suite:
    """Change the suite file in the working tree and load the suite."""
    file = repository.folder / "suite" / "sessioneval.toml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")
    return load_suite(file.parent)


def ruled(repository: Repository, suite: Suite | None = None) -> Ruled:
    """Return the working tree's suite under HEAD's rules."""
    ours = suite or load_suite(repository.folder / "suite")
    revision = head(repository)
    return suite_ruled_by(ours, suite_at(ours, revision), revision)


def test_an_unchanged_suite_is_ruled_as_it_is(repository: Repository) -> None:
    """Nothing is overruled, nothing is followed, and the suite is the same."""
    ours = load_suite(repository.folder / "suite")
    assert Ruled(suite=ours, overruled=(), followed=(), new=False) == ruled(repository)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (GATE, GATE + "margins = { default = 50 }\n", "gate settings"),
        (GATE, GATE + "[thresholds.mean]\ncommunication = 1\n", "thresholds"),
        (GATE, GATE + '[judge]\nmodel = "openai:cheap"\n', "judge settings"),
        (GATE, GATE + '[redact]\nwhat = "secrets+pii"\n', "judge settings"),
        ('key = "task_id"', 'key = "session_id"', "keys"),
        ('key = "task_id"', 'key = "task_id"\ncluster = "task_id"', "keys"),
        ("use_outcome = true", "use_outcome = false", "keys"),
    ],
)
def test_a_rule_of_the_revision_overrules_the_working_trees(
    repository: Repository, old: str, new: str, rule: str
) -> None:
    """What could make a change's own sessions look better counts as it was, and is listed."""
    before = load_suite(repository.folder / "suite")
    after = ruled(repository, edit(repository, old, new))
    assert ((rule,), ()) == (after.overruled, after.followed)
    assert before.settings == after.suite.settings


def test_a_pattern_that_hides_errors_counts_as_it_was(repository: Repository) -> None:
    """What is replaced is replaced before a judge sees it."""
    hiding = "[[redact.patterns]]\nkind = 'id'\npattern = 'Error.*'\n"
    after = ruled(repository, edit(repository, GATE, f"{GATE}{hiding}"))
    assert RedactionPolicy() == after.suite.redaction


def test_a_removed_gate_stays(repository: Repository) -> None:
    """Deleting the section that stops a merge does not start it."""
    after = ruled(repository, edit(repository, GATE, ""))
    assert ("gate settings",) == after.overruled
    assert after.suite.settings.gate is not None
    assert (AXIS,) == after.suite.settings.gate.axes


def test_a_gate_that_is_new_counts(repository: Repository) -> None:
    """The revision has none that could be weakened."""
    edit(repository, GATE, "")
    repository.commit("No gate")
    after = ruled(repository, edit(repository, "use_outcome = true", f"use_outcome = true\n{GATE}"))
    assert () == after.overruled
    assert after.suite.settings.gate is not None


def test_the_rubric_is_read_at_the_revision(repository: Repository) -> None:
    """A rubric file changed in place is overruled like any other rule."""
    rubric = repository.folder / "suite" / "rubrics" / "ours.toml"
    rubric.parent.mkdir()
    rubric.write_text(RUBRIC, "utf-8")
    edit(repository, 'key = "task_id"', 'key = "task_id"\nrubric = "rubrics/ours.toml"')
    repository.commit("Own rubric")
    before = load_suite(repository.folder / "suite").rubric
    rubric.write_text(RUBRIC.replace("version = ", "version = 9"), "utf-8")
    after = ruled(repository)
    assert ("rubric",) == after.overruled
    assert before == after.suite.rubric


def test_the_calibration_is_read_at_the_revision(repository: Repository) -> None:
    """Weights changed in place would make a change's own sessions look better."""
    file = repository.folder / "suite" / "calibration.json"
    file.write_text(CALIBRATION, "utf-8")
    edit(repository, GATE, GATE + '[judge]\ncalibration = "calibration.json"\n')
    repository.commit("Calibrated")
    before = load_suite(repository.folder / "suite").calibration
    file.write_text(CALIBRATION.replace('"intercept": 0.0', '"intercept": 4.0'), "utf-8")
    after = ruled(repository)
    assert ("judge settings",) == after.overruled
    assert before is not None
    assert before == after.suite.calibration


def test_expectations_and_profiles_follow_the_working_tree(repository: Repository) -> None:
    """They belong to the sessions and the agent that a change is about; the report names them."""
    (repository.folder / "suite" / "airline.md").write_text("Be brief.", "utf-8")
    expect = '[profiles]\ndefault = "airline.md"\n[[expect]]\nmust_call = ["refund"]\n'
    after = ruled(repository, edit(repository, GATE, GATE + expect))
    assert ((), ("expectations", "profiles")) == (after.overruled, after.followed)
    assert {"default": "Be brief."} == after.suite.profiles
    assert 1 == len(after.suite.settings.expect)


def test_a_profile_is_read_at_the_revision_to_be_compared(repository: Repository) -> None:
    """An unchanged profile is not listed as changed."""
    (repository.folder / "suite" / "airline.md").write_text("Be brief.", "utf-8")
    edit(repository, GATE, f'{GATE}[profiles]\ndefault = "airline.md"\n')
    repository.commit("A profile")
    assert () == ruled(repository).followed


@pytest.mark.parametrize("name", ["baseline.json", "baseline.anchor.json"])
@pytest.mark.parametrize("change", ["added", "edited", "removed"])
def test_a_changed_baseline_or_anchor_is_listed(
    repository: Repository, name: str, change: str
) -> None:
    """However it was changed; whether it can be read does not matter here."""
    file = repository.folder / "suite" / name
    if change != "added":
        file.write_text("{}\n", "utf-8")
        repository.commit("A baseline")
    if change == "removed":
        file.unlink()
    else:
        file.write_text("{ }\n", "utf-8")
    rule = "anchor" if "anchor" in name else "baseline"
    assert (rule,) == ruled(repository).overruled


def test_line_endings_are_no_change(repository: Repository) -> None:
    """A checkout with CRLF has the same baseline."""
    file = repository.folder / "suite" / "baseline.json"
    file.write_bytes(b"{\r\n}\r\n")
    repository.git("config", "core.autocrlf", "false")
    repository.commit("With CRLF")
    file.write_bytes(b"{\n}\n")
    assert () == ruled(repository).overruled


def test_a_suite_that_is_not_there_yet_rules_itself(repository: Repository) -> None:
    """The first pull request of a suite has nothing to be ruled by."""
    fresh = write_suite(repository.folder / "fresh", STEADY)
    revision = find_revision(fresh.root, "HEAD", origin="git:HEAD")
    assert None is suite_at(fresh, revision)
    assert Ruled(suite=fresh, overruled=(), followed=(), new=True) == suite_ruled_by(
        fresh, None, revision
    )


def test_a_broken_suite_file_is_named_by_commit(repository: Repository) -> None:
    """The message leads to the revision's file and line, not to a folder that is gone."""
    file = repository.folder / "suite" / "sessioneval.toml"
    sound = file.read_text("utf-8")
    file.write_text(f"{sound}[gaet]\n", "utf-8")
    commit = repository.commit("Broken")
    file.write_text(sound, "utf-8")
    with pytest.raises(SuiteError, match=rf"^{commit[:12]}:suite/sessioneval\.toml:\d+: .*gaet"):
        ruled(repository)


def test_a_rubric_missing_at_the_revision_is_told(repository: Repository) -> None:
    """A revision that was broken there cannot rule."""
    file = repository.folder / "suite" / "sessioneval.toml"
    sound = file.read_text("utf-8")
    file.write_text(sound.replace("[suite]", '[suite]\nrubric = "ours.toml"'), "utf-8")
    repository.commit("Forgot the rubric")
    (file.parent / "ours.toml").write_text(RUBRIC, "utf-8")
    with pytest.raises(SuiteError, match=r"ours\.toml"):
        ruled(repository)


def test_a_path_may_not_lead_out_here_either(repository: Repository, tmp_path: Path) -> None:
    """A link in the working tree cannot bend a path that the revision's rules name."""
    edit(repository, GATE, f'{GATE}[judge]\nmodel = "recorded:replies.jsonl"\n')
    repository.commit("Recorded")
    (tmp_path / "elsewhere.jsonl").write_text("", "utf-8")
    ours = edit(repository, 'model = "recorded:replies.jsonl"', 'model = "evidence"')
    (ours.root / "replies.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    with pytest.raises(SuiteError, match="leads out of the suite's folder"):
        ruled(repository, ours)


def test_what_the_user_typed_overrules_both(repository: Repository) -> None:
    """--sessioneval-judge is nobody's change: it is not listed, and it is used."""
    ours = load_suite(repository.folder / "suite", judge="openai:typed")
    revision = head(repository)
    after = suite_ruled_by(ours, suite_at(ours, revision, judge="openai:typed"), revision)
    assert () == after.overruled
    assert "openai:typed" == after.suite.settings.judge.model


def test_nothing_is_left_behind(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder that the revision's files were read from is gone."""
    there = tmp_path / "temporary"
    there.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(there))
    ruled(repository)
    assert [] == list(there.iterdir())

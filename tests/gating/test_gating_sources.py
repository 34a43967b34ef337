"""What can be compared with: files, runs and revisions, told apart and read strictly."""

import json
from pathlib import Path

import pytest
from gating_cases import (
    AXIS,
    STEADY,
    Repository,
    judged,
    judged_suite,
    write_suite,
    written_report,
)

from pytest_sessioneval.errors import BaselineError, SettingError
from pytest_sessioneval.evaluation.baselines import pin_anchor, update_baseline
from pytest_sessioneval.evaluation.gating import candidate_side
from pytest_sessioneval.evaluation.revisions import find_revision
from pytest_sessioneval.evaluation.sources import (
    FileSource,
    GitSource,
    Source,
    baselines_at,
    baselines_beside,
    file_baselines,
    file_candidate,
    named_report,
    parse_source,
)
from pytest_sessioneval.gate.baseline import baseline_text
from pytest_sessioneval.gate.model import AxisScore, NoScore
from pytest_sessioneval.suites.model import Suite

RUN = "20261121-190412-7f3a2b"


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Return a gated suite of 24 sessions."""
    return write_suite(tmp_path / "airline", STEADY)


def parsed(text: str, folder: Path) -> Source:
    """Return the source that --sessioneval-compare names from that folder."""
    return parse_source(
        text, option="--sessioneval-compare", where=folder, out=folder / ".sessioneval"
    )


# -- telling them apart --------------------------------------------------------------


def test_git_names_a_revision(tmp_path: Path) -> None:
    """Whatever follows is git's to understand, even where a file has that name."""
    (tmp_path / "git:main").write_text("{}", "utf-8")
    source = parsed("git:main", tmp_path)
    assert isinstance(source, GitSource)
    assert ("main", "--sessioneval-compare git:main") == (source.revision, source.origin)


def test_a_path_names_a_file(tmp_path: Path) -> None:
    """Relative to where the command was given."""
    (tmp_path / "old.json").write_text("{}", "utf-8")
    source = parsed("old.json", tmp_path)
    assert isinstance(source, FileSource)
    assert tmp_path / "old.json" == source.path


def test_an_id_names_the_run_in_the_output_folder(tmp_path: Path) -> None:
    """Its report.json is what counts."""
    report = tmp_path / ".sessioneval" / "runs" / RUN / "report.json"
    report.parent.mkdir(parents=True)
    report.write_text("{}", "utf-8")
    source = parsed(RUN, tmp_path)
    assert isinstance(source, FileSource)
    assert report == source.path


@pytest.mark.parametrize("text", ["", "nothing", "../up", "a/b.json", RUN])
def test_what_is_neither_is_refused_with_what_is_accepted(tmp_path: Path, text: str) -> None:
    """The message names the option and where was looked."""
    with pytest.raises(SettingError) as caught:
        parsed(text, tmp_path)
    said = str(caught.value)
    assert said.startswith(f"--sessioneval-compare: {text!r} is neither a file nor a run")
    assert "accepted: git:REF, a baseline or report.json file, the id of a run" in said


# -- baselines -----------------------------------------------------------------------


def test_a_baseline_brings_the_anchor_beside_it(suite: Suite) -> None:
    """The current one first; both must hold."""
    update_baseline(judged_suite(suite), suite=suite)
    path = suite.root / "baseline.json"
    assert ["baseline"] == list(baselines_beside(path))
    pin_anchor(suite)
    assert ["baseline", "anchor"] == list(baselines_beside(path))


def test_an_anchor_alone_is_no_baseline(suite: Suite) -> None:
    """Removing the baseline leaves nothing that could be passed."""
    update_baseline(judged_suite(suite), suite=suite)
    pin_anchor(suite)
    (suite.root / "baseline.json").unlink()
    assert {} == baselines_beside(suite.root / "baseline.json")


def test_a_broken_anchor_is_an_error(suite: Suite) -> None:
    """It is not passed over: whoever breaks it would be rid of it."""
    update_baseline(judged_suite(suite), suite=suite)
    (suite.root / "baseline.anchor.json").write_text("", "utf-8")
    with pytest.raises(BaselineError, match=r"baseline\.anchor\.json: the baseline is empty"):
        baselines_beside(suite.root / "baseline.json")


def test_a_revision_has_its_baseline_and_anchor(suite: Suite) -> None:
    """As committed, whatever lies in the working tree."""
    repository = Repository(suite.root)
    update_baseline(judged_suite(suite), suite=suite)
    pin_anchor(suite)
    repository.commit()
    for name in ("baseline.json", "baseline.anchor.json"):
        (suite.root / name).unlink()
    found = baselines_at(find_revision(suite.root, "HEAD", origin="git:HEAD"), "baseline.json")
    assert [("baseline", 24), ("anchor", 24)] == [(n, len(b.sessions)) for n, b in found.items()]


def test_a_broken_baseline_of_a_revision_is_named_by_commit(suite: Suite) -> None:
    """``1a2b3c4d5e6f:baseline.json:1`` leads there."""
    repository = Repository(suite.root)
    (suite.root / "baseline.json").write_text("{", "utf-8")
    commit = repository.commit()
    revision = find_revision(suite.root, "HEAD", origin="git:HEAD")
    with pytest.raises(BaselineError, match=rf"^{commit[:12]}:baseline\.json:1: "):
        baselines_at(revision, "baseline.json")


# -- reports -------------------------------------------------------------------------


def test_a_report_is_the_run_it_is_of(suite: Suite, tmp_path: Path) -> None:
    """Read back from its report.json, a run compares as it would have itself."""
    run = judged(suite)
    source = written_report(run, tmp_path / "report.json")
    assert candidate_side(run.suites[0]) == file_candidate(source, suite=None)


def test_a_report_compares_like_the_baseline_it_became(suite: Suite, tmp_path: Path) -> None:
    """The same scores, spreads, digests and versions as the baseline file holds."""
    run = judged(suite)
    update_baseline(run.suites[0], suite=suite)
    source = written_report(run, tmp_path / "report.json")
    found = file_baselines(source, suite="airline")
    assert (suite.root / "baseline.json").read_text("utf-8") == baseline_text(found["baseline"])


def test_a_baseline_file_is_either_side(suite: Suite) -> None:
    """Two committed baselines can be compared without a run."""
    update_baseline(judged_suite(suite), suite=suite)
    path = suite.root / "baseline.json"
    source = FileSource(text="b", origin="compare b", path=path)
    assert (
        file_baselines(source, suite=None)["baseline"].sessions
        == file_candidate(source, suite=None).sessions
    )


def test_sessions_left_out_of_a_report_are_not_lost(suite: Suite, tmp_path: Path) -> None:
    """Which they were is not in it, so nothing is called lost; that it is a part is said."""
    run = judged(suite, without=["task-00"])
    side = file_candidate(written_report(run, tmp_path / "report.json"), suite=None)
    assert (None, "some were left out") == (side.left_out, side.partial)


def test_sessions_of_a_report_that_were_not_judged_stay_so(suite: Suite, tmp_path: Path) -> None:
    """What no judge answered is no score on that side, either."""
    run = judged(suite, offline=True)
    side = file_candidate(written_report(run, tmp_path / "report.json"), suite=None)
    assert {NoScore(unscored="skipped")} == {session.axes[AXIS] for session in side.sessions}


def test_a_report_without_reader_versions_says_so(suite: Suite, tmp_path: Path) -> None:
    """Reports of versions that did not record them compare with nothing made since."""
    source = written_report(judged(suite), tmp_path / "report.json")
    report = json.loads(source.path.read_text("utf-8"))
    for key in ("readers", "scoring_version"):
        del report["suites"][0][key]
    source.path.write_text(json.dumps(report), "utf-8")
    side = file_candidate(source, suite=None)
    assert ("", "tau-bench@?") == (side.versions.scoring, side.sessions[0].reader)
    assert isinstance(side.sessions[0].axes[AXIS], AxisScore)


def test_a_suite_is_chosen_by_name(suite: Suite, tmp_path: Path) -> None:
    """Of several, the one asked for; the others are listed where it is not there."""
    run = judged(suite)
    twice = (run.suites[0], run.suites[0].model_copy(update={"suite": "retail"}))
    source = written_report(run.model_copy(update={"suites": twice}), tmp_path / "report.json")
    assert "retail" == file_candidate(source, suite="retail").suite
    with pytest.raises(
        SettingError, match=r"holds no suite 'hotel' \(it holds 'airline', 'retail'"
    ):
        file_candidate(source, suite="hotel")
    with pytest.raises(SettingError, match="holds more than one suite"):
        file_candidate(source, suite=None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the baseline is empty"),
        ("[]", "this is no baseline"),
        ('{"schema_version": 1}', r"is no report\.json \(run_id: field required\)"),
        ('{"schema_version": 2}', "report format 2, this version reads up to 1; upgrade"),
        ('{"schema_version": 1', "is no JSON"),
        ('{"format": 1, "x": "\\"schema_version\\""}', "baseline"),
        ("[" * 100_000 + '"schema_version"', "is no JSON"),
    ],
)
def test_what_is_no_scores_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """The option and the file are named; a baseline's errors are those of baselines."""
    path = tmp_path / "old.json"
    path.write_text(text, "utf-8")
    source = parsed("old.json", tmp_path)
    assert isinstance(source, FileSource)
    with pytest.raises((SettingError, BaselineError), match=message) as caught:
        file_baselines(source, suite=None)
    assert str(caught.value).startswith("--sessioneval-compare old.json: ")


def test_a_file_that_went_away_is_told(tmp_path: Path) -> None:
    """Between parsing and reading."""
    source = FileSource(text="x", origin="compare x", path=tmp_path / "x")
    with pytest.raises(SettingError, match=r"compare x: .* cannot be read: No such file"):
        file_candidate(source, suite=None)


def test_a_baseline_is_no_report(suite: Suite) -> None:
    """Where a report is needed, a baseline is refused by that name."""
    update_baseline(judged_suite(suite), suite=suite)
    accepted = "; accepted: a report.json, the id of a run"
    with pytest.raises(SettingError, match=rf"baseline\.json is a baseline{accepted}"):
        named_report(str(suite.root / "baseline.json"), option="comment", out=suite.root)
    (suite.root / "notes.txt").write_text("no report", "utf-8")
    with pytest.raises(SettingError, match=rf"notes\.txt is no report{accepted}"):
        named_report(str(suite.root / "notes.txt"), option="comment", out=suite.root)

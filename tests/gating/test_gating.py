"""The gate around real runs: what they are held against, and what it says of them."""

from collections.abc import Sequence
from pathlib import Path

import pytest
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

from pytest_sessioneval.errors import BaselineError, SettingError, SuiteError
from pytest_sessioneval.evaluation.baselines import pin_anchor, update_baseline
from pytest_sessioneval.evaluation.gating import (
    Reference,
    candidate_side,
    check_reference,
    gate_suite,
    reference_of,
    suite_shortcuts,
)
from pytest_sessioneval.evaluation.sources import parse_source
from pytest_sessioneval.gate.outcome import Decision
from pytest_sessioneval.gate.saying import said
from pytest_sessioneval.gate.shortcuts import parse_fail_drop, parse_fail_under
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.suites.model import Suite


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Return a gated suite of 24 sessions in a repository, its baseline committed: mean 90."""
    made = write_suite(tmp_path / "repository" / "airline", STEADY)
    update_baseline(judged_suite(made), suite=made)
    repository = Repository(made.root.parent)
    repository.commit("Baseline")
    return made


def again(suite: Suite, outcomes: Sequence[float]) -> Suite:
    """Record the sessions anew, with other outcomes."""
    write_sessions(suite.root, outcomes)
    return load_suite(suite.root)


def against(suite: Suite, text: str) -> Reference:
    """Return the reference that --sessioneval-compare names."""
    source = parse_source(
        text, option="--sessioneval-compare", where=suite.root, out=suite.root / "out"
    )
    return reference_of(suite, source)


def decided(
    reference: Reference, *, without: Sequence[str] = (), required: bool = False
) -> Decision:
    """Return what the gate says of the reference's suite, judged now."""
    run = judged_suite(reference.suite, without=without)
    side = candidate_side(run, left_out=without, partial="-k" if without else "")
    decision = gate_suite(side, reference, required=required)
    assert decision is not None
    return decision


# -- the suite's own baseline --------------------------------------------------------


def test_the_same_sessions_pass(suite: Suite) -> None:
    """Nothing changed, nothing is claimed beyond it."""
    decision = decided(reference_of(suite))
    assert ("passed", False, None) == (decision.status, decision.blocks, decision.against)


def test_sessions_that_got_worse_stop_the_merge(suite: Suite) -> None:
    """Twenty points down on every session."""
    decision = decided(reference_of(again(suite, WORSE)))
    assert ("regressed", True) == (decision.status, decision.blocks)


def test_a_suite_without_a_gate_is_not_decided_on(tmp_path: Path) -> None:
    """No section, no gate; nothing is read either."""
    plain = write_suite(tmp_path, STEADY, more="")
    (tmp_path / "baseline.json").write_text("broken", "utf-8")
    reference = reference_of(plain)
    assert {} == reference.baselines
    assert None is gate_suite(candidate_side(judged_suite(plain)), reference)


def test_a_missing_baseline_stops_the_merge(suite: Suite) -> None:
    """Deleting the file is no way through."""
    (suite.root / "baseline.json").unlink()
    decision = decided(reference_of(suite))
    assert ("no_baseline", True) == (decision.status, decision.blocks)


def test_a_removed_baseline_beside_its_anchor_stops_the_merge(suite: Suite) -> None:
    """An old anchor does not vouch for sessions the baseline would catch."""
    pin_anchor(suite)
    (suite.root / "baseline.json").unlink()
    assert "no_baseline" == decided(reference_of(suite)).status


def test_a_broken_baseline_is_refused_before_anything_is_judged(suite: Suite) -> None:
    """Reading happens first, and costs nothing."""
    (suite.root / "baseline.json").write_text("{", "utf-8")
    with pytest.raises(BaselineError):
        reference_of(suite)


def test_small_steps_down_are_held_by_the_anchor(suite: Suite) -> None:
    """Four points at a time pass the moving baseline; the second step fails the anchor.

    At the first step anchor and baseline are the same file, which counts once.
    """
    pin_anchor(suite)
    seen = []
    for lost in (0.04, 0.08):
        lower = again(suite, [outcome - lost for outcome in STEADY])
        decision = decided(reference_of(lower))
        seen.append([one.status for one in decision.gated[0].comparisons])
        update_baseline(judged_suite(lower), suite=lower)
    assert [["passed"], ["passed", "regressed"]] == seen


def test_a_lost_session_is_incomplete(suite: Suite) -> None:
    """What is in the baseline must turn up."""
    decision = decided(reference_of(again(suite, STEADY[:-1])))
    assert ("incomplete", ("task-23",)) == (decision.status, decision.baselines[0].lost)


def test_a_deselected_session_is_not_lost(suite: Suite) -> None:
    """It is named as left out, and the rest is decided on."""
    decision = decided(reference_of(suite), without=["task-23"])
    assert ("passed", (), ("task-23",)) == (
        decision.status,
        decision.baselines[0].lost,
        decision.baselines[0].left_out,
    )


def test_a_suite_that_was_wholly_deselected_did_not_run(suite: Suite) -> None:
    """Nothing is claimed; a required gate stops the merge all the same."""
    everything = [f"task-{number:02d}" for number in range(24)]
    plain = decided(reference_of(suite), without=everything)
    required = decided(reference_of(suite), without=everything, required=True)
    assert [("not_run", False), ("not_run", True)] == [
        (plain.status, plain.blocks),
        (required.status, required.blocks),
    ]


def test_another_way_of_scoring_is_not_comparable(suite: Suite) -> None:
    """A baseline of another scoring version is neither passed nor regressed."""
    run = judged_suite(suite).model_copy(update={"scoring_version": "2"})
    decision = gate_suite(candidate_side(run), reference_of(suite))
    assert decision is not None
    assert ("not_comparable", True) == (decision.status, decision.blocks)
    assert ["scoring"] == [one.what for one in decision.baselines[0].mismatches]


def test_another_version_of_a_reader_is_not_comparable(suite: Suite) -> None:
    """The same file read in another way may be another transcript."""
    run = judged_suite(suite).model_copy(update={"readers": {"tau-bench": 99}})
    decision = gate_suite(candidate_side(run), reference_of(suite))
    assert decision is not None
    assert ["reader"] == [one.what for one in decision.baselines[0].mismatches]


# -- before anything is judged -------------------------------------------------------


def check(reference: Reference) -> None:
    """Check the reference against the versions its own baseline was made with."""
    versions = reference.baselines["baseline"].versions
    check_reference(reference, rubric_version=versions.rubric, judge_version=versions.judge)


def test_a_sound_reference_is_accepted(suite: Suite) -> None:
    """Nothing is raised, and nothing for a suite without a gate either."""
    check(reference_of(suite))
    plain = write_suite(suite.root, STEADY, more="")
    check_reference(reference_of(plain), rubric_version="", judge_version="")


def test_a_gated_axis_that_the_baseline_lacks_is_refused(suite: Suite) -> None:
    """Before money is spent, and saying where the baseline came from."""
    gate = GATE.replace(AXIS, "subagent_orchestration")
    other = write_suite(suite.root, STEADY, more=gate)
    with pytest.raises(BaselineError, match="the baseline: no session has a score on the gated"):
        check(reference_of(other))
    Repository(suite.root.parent).commit("Another gate")
    with pytest.raises(BaselineError, match="the baseline of git:HEAD: no session has a score"):
        check(against(other, "git:HEAD"))


def test_a_gate_without_an_axis_is_refused(suite: Suite) -> None:
    """A gate that could never decide is a mistake."""
    settings = suite.settings.model_copy(
        update={"gate": suite.settings.gate and suite.settings.gate.model_copy(update={"axes": ()})}
    )
    with pytest.raises(SuiteError, match="nothing would decide"):
        check(reference_of(suite.model_copy(update={"settings": settings})))


# -- other things to compare with ----------------------------------------------------


def test_a_change_cannot_bless_itself(suite: Suite) -> None:
    """Sessions 20 points worse with a baseline and margins to match: stopped all the same."""
    worse = again(suite, WORSE)
    update_baseline(judged_suite(worse), suite=worse)
    write_suite(worse.root, WORSE, more=f"{GATE}margins = {{ default = 50 }}\n")
    worse = load_suite(worse.root)
    assert "passed" == decided(reference_of(worse)).status
    decision = decided(against(worse, "git:HEAD"))
    assert ("regressed", True) == (decision.status, decision.blocks)
    assert decision.against is not None
    assert ("baseline", "gate settings") == decision.against.overruled


def test_the_report_lists_what_was_overruled(suite: Suite) -> None:
    """With the commit that counts, in words."""
    worse = again(suite, WORSE)
    update_baseline(judged_suite(worse), suite=worse)
    commit = Repository(suite.root.parent).git("rev-parse", "HEAD")
    lines = said(decided(against(worse, "git:HEAD")))
    assert (
        f"The working tree changes baseline: what counts is as in git:HEAD (commit {commit[:12]})."
        in lines
    )


def test_an_unchanged_working_tree_is_said_too(suite: Suite) -> None:
    """A reader knows that somebody looked."""
    lines = said(decided(against(suite, "git:HEAD")))
    assert any("changes neither the baseline nor the rules" in line for line in lines)


def test_a_suite_that_a_revision_lacks_has_no_baseline_there(suite: Suite) -> None:
    """The first pull request of a suite: as its own on_missing_baseline says, and said so."""
    fresh = write_suite(suite.root.parent / "retail", STEADY)
    decision = decided(against(fresh, "git:HEAD"))
    assert ("no_baseline", True) == (decision.status, decision.blocks)
    assert any("does not have this suite yet" in line for line in said(decision))
    lenient = write_suite(fresh.root, STEADY, more=f'{GATE}on_missing_baseline = "pass"\n')
    assert not decided(against(lenient, "git:HEAD")).blocks
    assert decided(against(lenient, "git:HEAD"), required=True).blocks


def test_a_baseline_that_the_change_adds_does_not_count(suite: Suite) -> None:
    """A suite with a gate and no baseline yet: the first is reviewed before it decides."""
    (suite.root / "baseline.json").unlink()
    repository = Repository(suite.root.parent)
    repository.commit("Lose the baseline")
    update_baseline(judged_suite(suite), suite=suite)
    decision = decided(against(suite, "git:HEAD"))
    assert "no_baseline" == decision.status
    assert decision.against is not None
    assert ("baseline",) == decision.against.overruled


def test_a_run_is_compared_with_an_older_one(suite: Suite) -> None:
    """Its report.json holds all it takes, and what it was is said."""
    source = written_report(judged(suite), suite.root / "out" / "old.json")
    decision = decided(reference_of(again(suite, WORSE), source))
    assert "regressed" == decision.status
    assert "Compared with old.json." in said(decision)


def test_a_baseline_given_by_option_counts(suite: Suite, tmp_path: Path) -> None:
    """--sessioneval-baseline, here and at a revision."""
    given = suite.root.parent / "shared" / "lenient.json"
    worse = again(suite, WORSE)
    update_baseline(judged_suite(worse), suite=worse, given=given)
    assert "passed" == decided(reference_of(worse, given=given)).status
    Repository(suite.root.parent).commit("Another baseline")
    source = parse_source("git:HEAD", option="-compare", where=tmp_path, out=tmp_path)
    assert "passed" == decided(reference_of(worse, source, given=given)).status


def test_a_given_baseline_outside_of_the_repository_is_refused(
    suite: Suite, tmp_path: Path
) -> None:
    """A revision has no such file, and never will."""
    source = parse_source("git:HEAD", option="-compare", where=tmp_path, out=tmp_path)
    with pytest.raises(SettingError, match="does not lie in the repository"):
        reference_of(suite, source, given=tmp_path / "baseline.json")


# -- shortcuts -----------------------------------------------------------------------


def test_shortcuts_work_without_a_gate(suite: Suite) -> None:
    """A baseline beside the suite is enough, or anything named to compare with."""
    plain = write_suite(suite.root, WORSE, more="")
    side = candidate_side(judged_suite(plain))
    drop = [parse_fail_drop("goal_completion:5")]
    under = [parse_fail_under("goal_completion:70")]
    reference = reference_of(plain, needed=True)
    assert [True, False] == [
        result.held for result in suite_shortcuts(side, reference, under=under, drop=drop)
    ]
    assert [False] == [
        result.held for result in suite_shortcuts(side, against(plain, "git:HEAD"), drop=drop)
    ]


def test_a_drop_without_a_baseline_fails(suite: Suite) -> None:
    """There is nothing that could have been held."""
    (suite.root / "baseline.json").unlink()
    side = candidate_side(judged_suite(suite))
    (result,) = suite_shortcuts(
        side, reference_of(suite), drop=[parse_fail_drop("goal_completion:5")]
    )
    assert (False, "there is no baseline to compare with") == (result.held, result.found)

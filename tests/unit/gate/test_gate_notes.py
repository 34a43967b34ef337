"""What is noted beside a decision."""

from __future__ import annotations

import pytest
from gate_builders import AXIS, VERSIONS, Score, baseline, candidate, gate, reasons
from saying_cases import FORTY, decided, noted, shifted

from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.model import AxisScore, Candidate
from pytest_sessioneval.gate.saying import notes
from pytest_sessioneval.gate.sequential import decide_at, decide_look, plan_looks


@pytest.mark.parametrize(("suite", "said"), [("orders", True), ("airline", False)])
def test_a_baseline_of_another_suite_is_noted(suite: str, *, said: bool) -> None:
    """It is compared all the same: names change, and files are copied."""
    side = baseline(FORTY).model_copy(update={"suite": suite})
    decision = decide(candidate(shifted(0)), {"baseline": side}, gate())
    assert "passed" == decision.status
    assert said == ("The baseline says that it is of suite orders, and" in noted(decision))


def test_lost_sessions_are_noted_with_the_remedy() -> None:
    """A renamed suite is told what to set."""
    text = noted(decided(FORTY[:39]))
    assert "1 session of the baseline did not turn up: session-039." in text
    assert "set [suite] key" in text


def test_partial_selection_is_noted() -> None:
    """A decision on a part says that it is one."""
    run = candidate(FORTY[:30], partial="-k task", left_out=None)
    text = noted(decide(run, {"baseline": baseline(FORTY)}, gate()))
    assert "Only a part of the suite was selected (-k task)." in text
    assert "10 sessions of the baseline were left out by selection." in text


def test_added_sessions_are_noted() -> None:
    """New sessions are counted, and named."""
    assert "2 sessions are new and have nothing to be compared with: session-040, session-041." in (
        noted(decided([*FORTY, 10.0, 10.0]))
    )


def test_one_session_is_noted_in_the_singular() -> None:
    """One is new, one was left out."""
    text = noted(decided([*FORTY, 10.0]))
    assert "1 session is new and has nothing to be compared with: session-040." in text
    run = candidate(FORTY[:39], partial="-k task", left_out=None)
    text = noted(decide(run, {"baseline": baseline(FORTY)}, gate()))
    assert "1 session of the baseline was left out by selection." in text


def test_two_groups_lack_nothing() -> None:
    """Unpaired, neither side's sessions are new, lost or left out; both groups are counted."""
    decision = decide(candidate(FORTY), {"baseline": baseline(FORTY[:30])}, gate(), unpaired=True)
    assert ((), (), ()) == (
        decision.baselines[0].lost,
        decision.baselines[0].left_out,
        decision.baselines[0].added,
    )
    assert not any("nothing to be compared" in note for note in notes(decision))


def test_identical_files_are_noted() -> None:
    """A gate that compared files with themselves says so."""
    run = Candidate(
        suite="airline",
        versions=VERSIONS,
        axes=(AXIS,),
        sessions=baseline(FORTY).sessions,
    )
    text = noted(decide(run, {"baseline": baseline(FORTY)}, gate()))
    assert "None of 40 transcripts differ from the baseline" in text


def test_deepest_fall_is_noted_when_passed() -> None:
    """Passing on average hides no single fall."""
    assert "goal_completion: deepest fall session-001, 50 to 20." in (
        noted(decided([50.0, 20.0, *FORTY[2:]]))
    )


def test_break_that_is_only_noise_is_noted() -> None:
    """Where as many sessions rise by more than break as fall, the setting is too sharp."""
    assert "1 session rose by more than 40 too" in noted(decided([5.0, 95.0, *FORTY[2:]]))


def test_break_without_rises_is_not_called_noise() -> None:
    """A session that fell alone is no noise."""
    assert "rose by more" not in noted(decided([5.0, *FORTY[1:]]))


def test_worst_case_of_nulls_is_noted() -> None:
    """What the mean would be if the new nulls were zeros."""
    assert "had they scored 0, the change would be -2.5." in (
        noted(decided(reasons("not_applicable", 2) + FORTY[2:]))
    )


def test_noisy_judge_is_noted() -> None:
    """Where the judge's noise is most of the uncertainty, repeats are the advice."""
    noisy = [
        session.model_copy(update={"axes": {AXIS: AxisScore(score=50, repeats=3, noise=30)}})
        for session in baseline(FORTY).sessions
    ]
    side = baseline(FORTY).model_copy(update={"sessions": tuple(noisy)})
    text = noted(decide(candidate(shifted(0)), {"baseline": side}, gate()))
    assert "more repeats help more than more sessions" in text


def test_few_tasks_are_noted() -> None:
    """Sessions of eight tasks tell little about other tasks."""

    def task(number: int) -> str:
        return f"task-{number % 8}"

    run, side = candidate(FORTY, cluster=task), baseline(FORTY, cluster=task)
    assert "its sessions share 8 tasks" in noted(decide(run, {"baseline": side}, gate()))


def test_early_stop_is_noted() -> None:
    """A run that stopped judging says when, and that nothing else left sessions out."""
    scores: list[Score] = [50.0] * 100
    run = candidate(scores)
    plan = plan_looks({session.key: None for session in run.sessions}, "a", min_pairs=20)
    decision = decide_look(plan, 0, run, {"baseline": baseline(scores)}, gate())
    assert decision is not None
    assert "Decided early, after 20 of 100 sessions (look 1 of 5)" in noted(decision)
    assert "the other 80 sessions were not judged" in noted(decision)
    assert "left out by selection" not in noted(decision)


def test_a_decision_at_the_last_look_says_so() -> None:
    """The level of its tests is not the usual one, so that a reader must know why."""
    scores: list[Score] = [50.0] * 100
    run = candidate(scores)
    plan = plan_looks({session.key: None for session in run.sessions}, "seed", min_pairs=20)
    decision = decide_at(plan, 4, run, {"baseline": baseline(scores)}, gate())
    assert "Decided at the last of 5 looks, after all 100 sessions" in noted(decision)
    assert "(seed seed)" in noted(decision)

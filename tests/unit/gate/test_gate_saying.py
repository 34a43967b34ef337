"""The decision in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from gate_builders import AXIS, VERSIONS, WORKED, Score, baseline, candidate, gate, reasons

from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.figures import confidence
from pytest_sessioneval.gate.model import AxisScore, Candidate
from pytest_sessioneval.gate.outcome import Decision
from pytest_sessioneval.gate.saying import axis_line, first_sentence, in_brief, notes, said
from pytest_sessioneval.gate.sequential import decide_at, decide_look, plan_looks

FORTY: list[Score] = [50.0] * 40
WIGGLE = [0.0, 5.0, -5.0, 10.0, -10.0, 0.0, 0.0, -5.0] * 5


def decided(after: list[Score], before: list[Score] | None = None, **changes: Any) -> Decision:
    """Return the decision on one axis that was 50 throughout."""
    side = baseline(FORTY if before is None else before)
    return decide(candidate(after), {"baseline": side}, gate(**changes))


def shifted(by: float) -> list[Score]:
    """Return forty scores that vary a little around 50 plus the shift."""
    return [50.0 + change + by for change in WIGGLE]


FIRST = {
    "passed": (
        lambda: decided(shifted(0)),
        (
            "Nothing got worse by as much as matters: over 40 sessions compared with the "
            "baseline, goal_completion changed by -0.6 points (a drop of 5 would be too "
            "much). The merge may go ahead."
        ),
    ),
    "improved": (
        lambda: decided(shifted(8)),
        (
            "Scores rose: over 40 sessions compared with the baseline, goal_completion "
            "changed by +7.4 points (a drop of 5 would be too much). The merge may go ahead."
        ),
    ),
    "regressed": (
        lambda: decided(shifted(-12)),
        (
            "goal_completion got worse: its average fell by 12.6 points, from 50.0 to 37.4, over "
            "40 sessions compared with the baseline. That is more than chance explains, and a "
            "drop of 5 is too much. The merge is stopped."
        ),
    ),
    "broken session": (
        lambda: decided([5.0, *FORTY[1:]]),
        (
            "Session session-000 fell from 50 to 5 on goal_completion: no single session may "
            "fall by more than 40 points. Over 40 sessions, the average fell by 1.1 points. "
            "The merge is stopped."
        ),
    ),
    "too few": (
        lambda: decided([50.0 + change for change in WORKED], FORTY[:10]),
        (
            "It cannot be told whether goal_completion got worse: over 10 sessions its "
            "average changed by -3.0 points, and the true change may lie anywhere from -7.4 "
            "to +1.4, where a drop of 5 is too much. About 10 more sessions would settle it. "
            "This is a warning only: the merge may go ahead, but nothing vouches for it."
        ),
    ),
    "undecided, large suite": (
        lambda: decided(shifted(-4)),
        (
            "It cannot be told whether goal_completion got worse: over 40 sessions its "
            "average changed by -4.6 points, and the true change may lie anywhere from -6.2 "
            "to -3.1, where a drop of 5 is too much. The merge is stopped: this suite is "
            "large enough to have shown that nothing got worse."
        ),
    ),
    "lost and not judged": (
        lambda: decided(["failed", *FORTY[1:39]]),
        (
            "The comparison is incomplete: 1 session of the baseline missing (session-039), 1"
            " session not judged (session-000). The merge is stopped."
        ),
    ),
    "nulls": (
        lambda: decided(reasons("not_applicable", 6) + FORTY[6:]),
        (
            "It cannot be told whether goal_completion got worse: 6 sessions lost the score "
            "on it and 0 gained one, which chance does not explain. The merge is stopped."
        ),
    ),
    "no baseline": (
        lambda: decide(candidate(FORTY), {}, gate()),
        (
            "There is no baseline to compare with; write one with --sessioneval-update-"
            "baseline and commit it. The merge is stopped."
        ),
    ),
    "not run": (
        lambda: decide(
            candidate([], partial="-k x", left_out=None), {"baseline": baseline(FORTY)}, gate()
        ),
        (
            "The gate did not run: no session of airline was selected. The merge may go "
            "ahead, unchecked."
        ),
    ),
    "another rubric": (
        lambda: decide(
            candidate(FORTY, versions=VERSIONS.model_copy(update={"rubric": "agent@2#cc"})),
            {"baseline": baseline(FORTY)},
            gate(),
        ),
        (
            "The scores cannot be compared with the baseline: the rubric changed from "
            "agent@1#aa to agent@2#cc. Score the baseline's sessions again with "
            "`sessioneval baseline rejudge`, or with --sessioneval-update-baseline at its commit. "
            "The merge is stopped."
        ),
    ),
    "strict": (
        lambda: decided(FORTY, strict=True),
        (
            "It cannot be told whether goal_completion got worse: over 40 sessions its "
            "average changed by +0.0 points, and a rare total failure could have gone unseen."
            " About 19 more sessions would settle it. The merge is stopped: [gate] strict "
            "asks for a proof that holds for every kind of failure."
        ),
    ),
    "configured to fail": (
        lambda: decided(FORTY[:10], FORTY[:10], on_inconclusive="fail"),
        (
            "It cannot be told whether goal_completion got worse: over 10 sessions its "
            "average changed by +0.0 points, and that many are too few to vouch for the rest."
            " About 10 more sessions would settle it. The merge is stopped: [gate] "
            "on_inconclusive is fail."
        ),
    ),
}


@pytest.mark.parametrize(("decision", "sentence"), FIRST.values(), ids=FIRST.keys())
def test_first_sentence(decision: Any, sentence: str) -> None:
    """What happened and what follows, in words that need no statistics."""
    assert sentence == first_sentence(decision())


@pytest.mark.parametrize(("decision", "sentence"), FIRST.values(), ids=FIRST.keys())
def test_first_sentence_needs_no_statistics(decision: Any, sentence: str) -> None:
    """No technical term stands in the first sentence."""
    jargon = r"inferior|p-value|p =|\bCI\b|interval|margin|significan|power|McNemar|Holm|null"
    assert re.search(jargon, first_sentence(decision())) is None
    assert sentence


@pytest.mark.parametrize(
    ("after", "before", "words"),
    [
        (reasons("not_applicable", 40), None, "no session has a score on goal_completion any more"),
        (
            reasons("unverified", 5) + FORTY[5:],
            reasons("unverified", 5) + FORTY[5:],
            "5 without evidence on goal_completion",
        ),
    ],
    ids=["all null", "unverified"],
)
def test_incomplete_says_what_is_missing(
    after: list[Score], before: list[Score] | None, words: str
) -> None:
    """An incomplete comparison always names what it lacks."""
    assert f"The comparison is incomplete: {words}." in first_sentence(decided(after, before))


def test_unreadable_files_are_said() -> None:
    """A file that could not be read is named as what is missing."""
    decision = decide(candidate(FORTY, unreadable=2), {"baseline": baseline(FORTY)}, gate())
    assert "The comparison is incomplete: 2 unreadable." in first_sentence(decision)


def test_axis_line_has_every_number() -> None:
    """Change, interval, pairs, verdict, smallest visible drop, unseen share, on one line."""
    decision = decided(shifted(0))
    assert (
        "goal_completion: -0.6 [-2.2, +0.9] 90 % CI · n=40 pairs (40 changed) · passed: a drop "
        "of 5 is ruled out (p < 0.001) · smallest visible drop 2.3 · up to 7.2 % could break "
        "unseen"
    ) == axis_line(decision.axes[0], decision)


def test_axis_line_does_not_name_a_drop_beyond_the_scale() -> None:
    """What two contrary sessions could show is larger than the scale: no drop at all."""
    decision = decided([0.0, 100.0], [100.0, 0.0])
    assert "no drop is visible with so few" in axis_line(decision.axes[0], decision)


def test_axis_line_names_the_anchor() -> None:
    """Both comparisons are visible."""
    sides = {"baseline": baseline(FORTY), "anchor": baseline([49.0] * 40)}
    decision = decide(candidate(shifted(0)), sides, gate())
    assert axis_line(decision.axes[0], decision).endswith(" · anchor +0.4 passed")


def test_axis_line_shows_no_mean_of_survivors() -> None:
    """With a tenth not judged there is no number to misread."""
    decision = decided(reasons("failed", 4) + FORTY[4:])
    assert (
        "goal_completion: 10.0 % of the sessions missing: no mean shown · incomplete: 4 sessions "
        "not judged"
    ) == axis_line(decision.axes[0], decision)


def test_axis_line_of_an_advisory_decision_says_so() -> None:
    """What stops nothing is not mistaken for what does."""
    decision = decided([50.0 + change for change in WORKED], FORTY[:10])
    assert ("inconclusive, advisory: 10 independent pairs, 20 needed, 10 missing") in axis_line(
        decision.axes[0], decision
    )


def noted(decision: Decision) -> str:
    """Return the notes as one text."""
    return "\n".join(notes(decision))


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


@pytest.mark.parametrize(
    ("level", "alpha"), [("90 %", 0.05), ("91.8 %", 0.0408), ("99.9977 %", 1.17e-5)]
)
def test_the_level_of_an_interval_is_never_rounded_to_certainty(level: str, alpha: float) -> None:
    """An early look leaves out a few in a million, and says how many."""
    assert level == confidence(alpha)


@pytest.mark.parametrize(
    ("brief", "decision"),
    [
        ("goal_completion (-12.6) regressed", lambda: decided(shifted(-12))),
        ("goal_completion (-0.6) passed", lambda: decided(shifted(0))),
        (
            "it cannot be told whether goal_completion (-3.0) got worse",
            lambda: decided([50.0 + change for change in WORKED], FORTY[:10]),
        ),
        ("the comparison is incomplete", lambda: decided(FORTY[:30])),
        ("there is no baseline", lambda: decide(candidate(FORTY), {}, gate())),
    ],
)
def test_in_brief(brief: str, decision: Callable[[], Decision]) -> None:
    """A few words for a headline, with the change where there is one."""
    assert brief == in_brief(decision())


def test_where_to_look_is_noted() -> None:
    """How many fell, and the three deepest falls; nothing of the kind when all is well."""
    run = decided([50.0 - (number % 7) * 4 for number in range(40)])
    assert (
        "goal_completion: 34 of 40 sessions fell and 0 rose; the deepest falls: session-006 50 to "
        "26, session-013 50 to 26, session-020 50 to 26."
    ) in notes(run)
    assert "the deepest falls" not in noted(decided(shifted(0)))


def test_said_is_sentence_lines_and_notes() -> None:
    """The whole, in order."""
    decision = decided(shifted(-12))
    assert (
        first_sentence(decision),
        axis_line(decision.axes[0], decision),
        *notes(decision),
    ) == said(decision)


def test_nothing_is_said_with_a_negative_zero() -> None:
    """Rounding never writes -0.0."""
    decision = decided([50.0 - 0.01 * (number % 2) for number in range(40)])
    assert not any("-0.0" in line for line in said(decision))

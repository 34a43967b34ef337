"""The decision in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from gate_builders import VERSIONS, WORKED, Score, baseline, candidate, gate, reasons
from saying_cases import FORTY, decided, noted, shifted

from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.figures import confidence
from pytest_sessioneval.gate.notes import fall_lines
from pytest_sessioneval.gate.outcome import Decision
from pytest_sessioneval.gate.saying import axis_line, first_sentence, in_brief, notes, said

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


def test_where_to_look_is_said() -> None:
    """How many fell, and the three deepest falls; nothing of the kind when all is well.

    It is no note, because report.md has a table and a section with the same.
    """
    run = decided([50.0 - (number % 7) * 4 for number in range(40)])
    assert (
        "goal_completion: 34 of 40 sessions fell and 0 rose; the deepest falls: session-006 50 to "
        "26, session-013 50 to 26, session-020 50 to 26."
    ) in said(run)
    assert "the deepest falls" not in noted(run)
    assert "the deepest falls" not in " ".join(said(decided(shifted(0))))


def test_said_is_sentence_lines_falls_and_notes() -> None:
    """The whole, in order."""
    decision = decided(shifted(-12))
    assert (
        first_sentence(decision),
        axis_line(decision.axes[0], decision),
        *fall_lines(decision),
        *notes(decision),
    ) == said(decision)


def test_nothing_is_said_with_a_negative_zero() -> None:
    """Rounding never writes -0.0."""
    decision = decided([50.0 - 0.01 * (number % 2) for number in range(40)])
    assert not any("-0.0" in line for line in said(decision))

"""What replacing a baseline changes, in words, and what a decision says it was held against."""

import pytest
from gate_builders import VERSIONS, baseline, candidate, gate

from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.model import anchor_name
from pytest_sessioneval.gate.moves import move_lines, moved
from pytest_sessioneval.gate.outcome import Against
from pytest_sessioneval.gate.saying import notes


def test_each_axis_says_before_and_after() -> None:
    """Means with one decimal and the signed change."""
    assert (
        "goal_completion: 80.0 to 70.5 (-9.5)"
        == move_lines(moved(baseline([80, 80]), baseline([61, 80])))[0]
    )


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (["not_applicable"], [80], "goal_completion: 80.0 (new)"),
        ([80], ["not_applicable"], "goal_completion: 80.0 to no score at all"),
        (["not_applicable"], ["not_applicable"], "1 session re-recorded: session-000"),
    ],
)
def test_an_axis_without_a_score_is_told(
    before: list[str | float], after: list[str | float], line: str
) -> None:
    """Before, after, or on both sides: then it has no line."""
    assert line == move_lines(moved(baseline(before), baseline(after, recording="x")))[0]  # type: ignore[arg-type]


def test_sessions_are_counted_by_what_happened_to_them() -> None:
    """New, gone, re-recorded, scored differently; the first few by name."""
    same = baseline([80, 80, 80])
    assert "2 sessions new: session-001, session-002" in move_lines(moved(baseline([80]), same))
    assert "2 sessions no longer in it: session-001, session-002" in move_lines(
        moved(same, baseline([80]))
    )
    assert "1 session scored differently, with the same transcript: session-001" in move_lines(
        moved(same, baseline([80, 60, 80]))
    )
    assert "3 sessions re-recorded: session-000, session-001, session-002" in move_lines(
        moved(same, baseline([80, 80, 80], recording="again"))
    )


def test_other_versions_are_told() -> None:
    """A reader of the diff must know that the scores do not compare."""
    other = baseline([80], versions=VERSIONS.model_copy(update={"judge": "new@1", "scoring": "2"}))
    assert "made with another judge, scoring: not comparable with before" in move_lines(
        moved(baseline([80]), other)
    )


def test_nothing_moved_is_said() -> None:
    """An empty answer would look like a fault."""
    assert "no session moved" == move_lines(moved(baseline([80]), baseline([80])))[-1]


@pytest.mark.parametrize(
    ("name", "anchor"),
    [
        ("baseline.json", "baseline.anchor.json"),
        ("scores/main.v2.json", "scores/main.v2.anchor.json"),
        ("a.b/baseline", "a.b/baseline.anchor"),
        ("../baseline.json", "../baseline.anchor.json"),
    ],
)
def test_the_anchor_lies_beside_its_baseline(name: str, anchor: str) -> None:
    """In the same folder, the suffix kept."""
    assert anchor == anchor_name(name)


def noted(against: Against | None) -> str:
    """Return the first note of a decision that was held against that; empty: none."""
    decision = decide(candidate([80] * 20), {"baseline": baseline([80] * 20)}, gate())
    return next(iter(notes(decision.model_copy(update={"against": against}))), "")


def test_a_revision_is_named_with_its_commit() -> None:
    """What counts, and what the working tree would have changed."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    main = Against(source="git:origin/main", commit=commit)
    assert (
        "Held against git:origin/main (commit 0123456789ab): the working tree changes neither the "
        "baseline nor the rules."
    ) == noted(main)
    changed = main.model_copy(update={"overruled": ("baseline", "rubric", "thresholds")})
    assert (
        "The working tree changes baseline, rubric and thresholds: what counts is as in "
        "git:origin/main (commit 0123456789ab)."
    ) == noted(changed)
    assert "does not have this suite yet" in noted(main.model_copy(update={"new_suite": True}))


def test_what_counts_as_changed_asks_for_a_review() -> None:
    """Expectations are part of the change; somebody has to look at them."""
    against = Against(source="git:main", commit="0" * 40, followed=("expectations",))
    decision = decide(candidate([80] * 20), {"baseline": baseline([80] * 20)}, gate())
    said = notes(decision.model_copy(update={"against": against}))
    assert "The working tree changes expectations, which count as changed: review them." in said


def test_another_file_or_run_is_named() -> None:
    """The suite's own baseline is not: there is nothing to say."""
    assert "Compared with old.json." == noted(Against(source="old.json"))
    assert "" == noted(None)

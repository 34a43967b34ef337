"""Canaries in a decision: the judge moved, not the agent; and they never count as sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from gate_builders import AXIS, VERSIONS, Score, baseline, candidate, gate, point, reasons
from scipy import stats

from pytest_sessioneval.gate.baseline import baseline_text, parse_baseline
from pytest_sessioneval.gate.canaries import check_canaries
from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.model import Baseline, SessionScores
from pytest_sessioneval.gate.outcome import Decision
from pytest_sessioneval.gate.saying import first_sentence, notes, said

TWELVE: tuple[float, ...] = (40, 60, 80, 40, 60, 80, 40, 60, 80, 40, 60, 80)
STEADY = [70.0] * 24
UP = tuple(score + by for score, by in zip(TWELVE, [4, 5, 3] * 4, strict=True))
"""The same canaries, four points higher: beyond chance."""


def canaries(
    scores: Sequence[Score], *, axis: str = AXIS, recorded: Mapping[int, str] | None = None
) -> tuple[SessionScores, ...]:
    """Return canary-00 and so on; ``recorded`` gives some another transcript."""
    return tuple(
        SessionScores(
            key=f"canary-{number:02d}",
            digest=(recorded or {}).get(number, f"frozen-{number}"),
            axes={axis: point(score)},
        )
        for number, score in enumerate(scores)
    )


def blessed(scores: Sequence[Score] = TWELVE, **changes: Any) -> Baseline:
    """Return a baseline of 24 sessions with these canaries."""
    made = baseline(STEADY, **changes)
    return made.model_copy(update={"canaries": canaries(scores), "format": 2})


def decided(
    now: Sequence[SessionScores],
    *,
    scores: Sequence[Score] = STEADY,
    against: Mapping[str, Baseline] | None = None,
    **settings: object,
) -> Decision:
    """Return what the gate says of a run with these canaries."""
    run = candidate(scores).model_copy(update={"canaries": tuple(now)})
    rules = gate(canaries=("canaries/*.json",), **settings)
    return decide(run, against or {"baseline": blessed()}, rules)


# -- the rule ------------------------------------------------------------------------


def test_a_judge_that_stayed_changes_nothing() -> None:
    """The same scores again: passed, and the canaries are in no count."""
    decision = decided(canaries(TWELVE))
    assert ("passed", False, 24) == (decision.status, decision.blocks, decision.sessions)
    (use,) = decision.baselines
    assert ((24, 24), ()) == ((use.sessions, use.pairs), use.added)


def test_a_judge_that_moved_makes_the_run_not_comparable() -> None:
    """However steady the sessions are: the merge is stopped."""
    decision = decided(canaries(UP))
    assert ("not_comparable", True) == (decision.status, decision.blocks)
    (comparison,) = decision.gated[0].comparisons
    assert ("judge_moved",) == comparison.reasons


def test_the_shift_is_that_of_a_paired_t_test() -> None:
    """As scipy.stats computes it: mean 4, p and the 99 % interval."""
    changes = [now - then for now, then in zip(UP, TWELVE, strict=True)]
    expected = stats.ttest_1samp(changes, 0.0)
    interval = expected.confidence_interval(0.99)
    (check,) = decided(canaries(UP)).canaries
    (drift,) = check.drifts
    assert (4.0, "moved") == (drift.shift, drift.status)
    assert expected.pvalue == pytest.approx(drift.p_value)
    assert float(interval.low) == pytest.approx(drift.low)
    assert float(interval.high) == pytest.approx(drift.high)


def test_a_drop_that_the_judge_explains_is_no_regression() -> None:
    """Sessions ten points lower under a judge that is ten points harsher blame nobody."""
    harsher = [score - 10 for score in TWELVE]
    decision = decided(canaries(harsher), scores=[60.0] * 24)
    assert "not_comparable" == decision.status


def test_a_session_that_broke_is_not_blamed_on_the_agent_then() -> None:
    """Nor is one that fell by more than ``break``."""
    decision = decided(canaries(UP), scores=[10.0, *STEADY[1:]])
    assert "not_comparable" == decision.status


def test_a_rise_that_the_judge_explains_is_no_improvement() -> None:
    """A kinder judge makes nothing better."""
    decision = decided(canaries(UP), scores=[80.0] * 24)
    assert not any(axis.improved for axis in decision.axes)


def test_an_axis_that_does_not_decide_only_tells() -> None:
    """The judge moved on another axis than the gated one: said, and the run passes."""
    both = [
        tuple(
            one.model_copy(update={"axes": {**one.axes, "tone": point(score)}})
            for one, score in zip(canaries(TWELVE), scores, strict=True)
        )
        for scores in (TWELVE, UP)
    ]
    run = candidate(STEADY)
    run = run.model_copy(update={"canaries": both[1], "axes": (AXIS, "tone")})
    old = blessed().model_copy(update={"canaries": both[0]})
    decision = decide(run, {"baseline": old}, gate(canaries=("c/*",)))
    assert "passed" == decision.status
    assert any("axes that decide nothing, too: tone +4.0" in note for note in notes(decision))


def test_without_the_setting_canaries_of_a_baseline_are_not_looked_at() -> None:
    """Whether there are canaries is the suite's rule, and a revision's where that counts."""
    run = candidate(STEADY).model_copy(update={"canaries": canaries(UP)})
    assert "passed" == decide(run, {"baseline": blessed()}, gate()).status


# -- what vouches for nothing --------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "clause"),
    [
        (canaries(TWELVE[:11]), "1 canary session missing (canary-11)"),
        (
            canaries(TWELVE, recorded={3: "another"}),
            "1 canary session no longer as they were (canary-03)",
        ),
        (
            canaries([*TWELVE[:11], "failed"]),
            "1 canary session not judged (canary-11)",
        ),
    ],
    ids=["lost", "changed", "unjudged"],
)
def test_canaries_that_cannot_be_compared_stop_the_merge(
    now: tuple[SessionScores, ...], clause: str
) -> None:
    """Otherwise removing the inconvenient one would turn it green."""
    decision = decided(now)
    assert ("incomplete", True) == (decision.status, decision.blocks)
    assert clause in first_sentence(decision)


def test_a_baseline_without_their_scores_stops_the_merge() -> None:
    """Green would not mean checked; the sentence says how to write them."""
    decision = decided(canaries(TWELVE), against={"baseline": baseline(STEADY)})
    assert ("incomplete", True) == (decision.status, decision.blocks)
    assert "`sessioneval baseline canaries`" in first_sentence(decision)


def test_nobody_asked_is_told_and_stops_nothing() -> None:
    """As with --sessioneval-offline."""
    decision = decided(())
    assert ("passed", False) == (decision.status, decision.blocks)
    assert any("canaries were not judged in this run" in note for note in notes(decision))


def test_a_moved_judge_is_told_where_canaries_are_missing_too() -> None:
    """The worse word is the run's, and both are said."""
    decision = decided(canaries(UP[:11]))
    assert "not_comparable" == decision.status
    assert any("the judge moved, not the agent" in note for note in notes(decision))


def test_few_scored_canaries_cannot_tell() -> None:
    """Nine with a score on the axis vouch for nothing, and it is said."""
    nine: list[Score] = [*TWELVE[:9], *reasons("not_applicable", 3)]
    decision = decided(canaries(nine), against={"baseline": blessed(nine)})
    assert "passed" == decision.status
    assert any("9 canary sessions with a score cannot tell" in note for note in notes(decision))


def test_another_judge_is_not_compared_by_canaries() -> None:
    """Other versions are not comparable anyway, and not by drift."""
    other = VERSIONS.model_copy(update={"judge": "other@1#cc"})
    decision = decided(canaries(UP), against={"baseline": blessed(versions=other)})
    assert ("not_comparable", ()) == (decision.status, decision.canaries)
    assert "the judge changed from other@1#cc" in first_sentence(decision)


# -- the anchor ----------------------------------------------------------------------


def test_an_anchor_has_canaries_of_its_own() -> None:
    """The judge moved since the anchor was pinned, and not since the baseline was written."""
    anchor = blessed(scores=[score - 4 - number % 2 for number, score in enumerate(TWELVE)])
    decision = decided(canaries(TWELVE), against={"baseline": blessed(), "anchor": anchor})
    statuses = [one.status for one in decision.gated[0].comparisons]
    assert ["passed", "not_comparable"] == statuses
    assert "not_comparable" == decision.status
    assert "when the anchor was written" in first_sentence(decision)


def test_an_anchor_from_before_the_canaries_is_told() -> None:
    """It stops nothing: pinning anew only for that would give up what it holds."""
    anchor = baseline([71.0] * 24)
    decision = decided(canaries(TWELVE), against={"baseline": blessed(), "anchor": anchor})
    assert "passed" == decision.status
    assert any("anchor has no scores of canaries" in note for note in notes(decision))


# -- in words, and in the file -------------------------------------------------------


def test_the_first_sentence_says_who_moved() -> None:
    """Without a technical term: which axis, by how much, and what to do."""
    first = said(decided(canaries(UP)))[0]
    assert first.startswith(
        "The judge moved, not the agent: the 12 canary sessions, whose transcripts have not "
        "changed, score differently than when the baseline was written (goal_completion by +4.0 "
        "points), beyond chance"
    )
    assert "`sessioneval baseline rejudge --fresh`" in first
    assert first.endswith("The merge is stopped.")


def test_a_steady_judge_is_told_with_its_interval() -> None:
    """So that a reader knows that somebody looked."""
    note = next(note for note in notes(decided(canaries(TWELVE))) if "did not move" in note)
    assert "12 canary sessions judged again show: goal_completion +0.0 [+0.0, +0.0]" in note


def test_canaries_are_in_the_file_after_the_sessions() -> None:
    """Format 2, a line each, and read back as they were."""
    text = baseline_text(blessed())
    assert text.startswith('{\n "format": 2,\n')
    assert text.index('"sessions"') < text.index('"canaries"')
    assert blessed() == parse_baseline(text)


def test_a_file_without_canaries_stays_format_1() -> None:
    """Older versions go on reading it."""
    assert baseline_text(baseline(STEADY)).startswith('{\n "format": 1,\n')


def test_a_canary_that_is_there_twice_is_refused() -> None:
    """As a session is."""
    line = '  {"key": "canary-00",'
    text = baseline_text(blessed())
    row = next(row for row in text.splitlines() if row.startswith(line))
    with pytest.raises(Exception, match="'canary-00' is there twice"):
        parse_baseline(text.replace(row, f"{row}\n{row}", 1))


def test_sessions_and_canaries_may_share_a_key() -> None:
    """A canary often is a copy of a session of the suite."""
    made = blessed()
    twin = made.canaries[0].model_copy(update={"key": made.sessions[0].key})
    text = baseline_text(made.model_copy(update={"canaries": (twin, *made.canaries[1:])}))
    assert 12 == len(parse_baseline(text).canaries)


def test_new_canaries_wait_for_the_next_baseline() -> None:
    """They are named, and the others count."""
    check = check_canaries("baseline", canaries(TWELVE[:11]), canaries(TWELVE), [AXIS])
    assert (("canary-11",), True, 11) == (check.added, check.whole, check.canaries)

"""New sessions under old keys, and runs that share no session with their baseline."""

from __future__ import annotations

from decision_cases import MIDDLE, STEADY, against, failing, only, overall
from gate_builders import (
    baseline,
    candidate,
    gate,
    reasons,
)

from pytest_sessioneval.gate.decision import decide


def test_new_ids_under_the_same_keys_pair() -> None:
    """Sessions pair by key: a re-recorded suite has new ids and digests throughout."""
    decision = against(candidate(MIDDLE, recording="again"), baseline(MIDDLE))
    assert ("passed", 40, 40) == (
        decision.status,
        decision.baselines[0].pairs,
        decision.baselines[0].changed,
    )


def test_unpaired_runs_are_compared_by_welch() -> None:
    """Runs of different sessions have no pairs, and no lost sessions either."""
    before = baseline(STEADY)
    renamed = tuple(
        session.model_copy(update={"key": f"other-{session.key}"})
        for session in candidate(STEADY).sessions
    )
    run = candidate([]).model_copy(update={"sessions": renamed})
    decision = decide(run, {"baseline": before}, gate(), unpaired=True)
    assert ("welch", (), 40) == (
        only(decision).method,
        decision.baselines[0].lost,
        overall(decision).units,
    )


def test_unpaired_run_that_was_not_judged_is_incomplete() -> None:
    """Different sessions, same rule: green must mean judged."""
    run = candidate(failing(1, MIDDLE))
    decision = decide(run, {"baseline": baseline(MIDDLE)}, gate(), unpaired=True)
    assert "incomplete" == decision.status


def test_unpaired_run_without_any_score_is_inconclusive() -> None:
    """Nothing on one side is nothing to compare, and no crash."""
    run = candidate(reasons("not_applicable", 40))
    decision = decide(run, {"baseline": baseline(MIDDLE)}, gate(), unpaired=True)
    assert ("inconclusive", ("nothing_paired",)) == (decision.status, only(decision).reasons)

"""Early stopping: boundaries, order, looks."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from gate_builders import AXIS, Score, baseline, candidate, gate

from pytest_sessioneval.gate.distributions import normal_upper_tail
from pytest_sessioneval.gate.model import Baseline, Candidate
from pytest_sessioneval.gate.outcome import LookTaken
from pytest_sessioneval.gate.sequential import (
    LookPlan,
    decide_at,
    decide_look,
    obf_boundaries,
    obf_spending,
    order_seed,
    plan_looks,
    seeded_order,
)

FIVE = (0.2, 0.4, 0.6, 0.8, 1.0)
HUNDRED: dict[str, str | None] = {f"session-{number:03d}": None for number in range(100)}


def test_boundaries_match_published_design() -> None:
    """Five equal looks at one-sided .025: gsDesign's sfLDOF."""
    assert (4.877, 3.357, 2.680, 2.290, 2.031) == pytest.approx(
        obf_boundaries(FIVE, 0.025), abs=5e-4
    )


@pytest.mark.parametrize(
    ("name", "alpha"),
    [("ld_obf_onesided_.05_5looks_z", 0.05), ("ld_obf_onesided_.025_5looks_z", 0.025)],
)
def test_boundaries_are_near_the_reference(shared_data: Path, name: str, alpha: float) -> None:
    """The reference's coarser grid gives the same boundaries within its own error."""
    path = shared_data.parent / "reference" / "refs.json"
    refs = json.loads(path.read_text(encoding="utf-8"))
    assert refs[name] == pytest.approx(obf_boundaries(FIVE, alpha), abs=2e-3)


def test_boundaries_at_two_looks_match_the_bivariate_normal() -> None:
    """The chance to cross first at the second look, from scipy's bivariate normal."""
    from scipy.stats import multivariate_normal

    first, second = obf_boundaries((0.5, 1.0))
    correlation = math.sqrt(0.5)
    both = multivariate_normal(cov=[[1, correlation], [correlation, 1]]).cdf([first, second])
    crossed_second = normal_upper_tail(-first) - float(both)
    assert obf_spending(1.0) - obf_spending(0.5) == pytest.approx(crossed_second, abs=1e-6)


def test_one_look_is_the_plain_test() -> None:
    """With a single look the boundary is the normal quantile."""
    assert (1.6448536,) == pytest.approx(obf_boundaries((1.0,)), abs=1e-6)


def test_all_the_level_is_spent_at_the_end() -> None:
    """At the last look exactly alpha has been used up."""
    assert 0.05 == pytest.approx(obf_spending(1.0))


@pytest.mark.parametrize("fractions", [(), (0.5,), (0.5, 0.4, 1.0), (0.995, 1.0), (0.0, 1.0)])
def test_unusable_looks_are_refused(fractions: tuple[float, ...]) -> None:
    """Looks must ascend to the whole."""
    with pytest.raises(ValueError, match="ascend to 1"):
        obf_boundaries(fractions)


def test_order_is_a_permutation_that_the_seed_decides() -> None:
    """Every key once; the same seed the same order, another seed another."""
    orders = [seeded_order(HUNDRED, seed) for seed in ("a", "a", "b")]
    assert sorted(HUNDRED) == sorted(orders[0])
    assert orders[0] == orders[1] != orders[2]


def test_order_does_not_depend_on_the_given_order() -> None:
    """How files were found does not move a session in the order."""
    backwards = dict(reversed(HUNDRED.items()))
    assert seeded_order(HUNDRED, "a") == seeded_order(backwards, "a")


def test_order_is_not_the_order_of_names() -> None:
    """File names decide nothing: neighbours by name are no neighbours in the order."""
    order = seeded_order(HUNDRED, "a")
    ascending = sum(before < after for before, after in pairwise(order))
    assert 30 < ascending < 70


def test_clusters_stay_together() -> None:
    """A task's sessions follow each other."""
    clusters: dict[str, str | None] = {f"s{number}": f"task-{number % 7}" for number in range(35)}
    tasks = [clusters[key] for key in seeded_order(clusters, "a")]
    assert 6 == sum(before != after for before, after in pairwise(tasks))


def test_looks_lie_at_equal_shares() -> None:
    """Two hundred sessions are looked at every forty, with the published levels."""
    plan = plan_looks({f"s{number}": None for number in range(200)}, "a", min_pairs=20)
    assert [40, 80, 120, 160, 200] == [look.sessions for look in plan.looks]
    assert [normal_upper_tail(z) for z in obf_boundaries(FIVE)] == pytest.approx(
        [look.alpha for look in plan.looks]
    )


def test_looks_below_the_floor_are_left_out() -> None:
    """A look that could not pass anyway spends nothing."""
    plan = plan_looks({f"s{number}": None for number in range(50)}, "a", min_pairs=20)
    assert [20, 30, 40, 50] == [look.sessions for look in plan.looks]


def test_small_suite_is_looked_at_once() -> None:
    """Below the floor there is only the end, at the full level."""
    plan = plan_looks({"a": None, "b": None}, "seed", min_pairs=20)
    assert [2] == [look.sessions for look in plan.looks]
    assert [0.05] == pytest.approx([look.alpha for look in plan.looks])


def test_looks_count_whole_clusters() -> None:
    """With two sessions per task, a look never splits one."""
    clusters: dict[str, str | None] = {f"s{number}": f"t{number // 2}" for number in range(200)}
    plan = plan_looks(clusters, "a", min_pairs=20)
    assert [40, 80, 120, 160, 200] == [look.sessions for look in plan.looks]


def test_adjacent_lone_sessions_are_units_of_their_own() -> None:
    """Sessions without a cluster do not melt into one."""
    mixed: dict[str, str | None] = {"a": None, "b": None, "c": "t", "d": "t"}
    plan = plan_looks(mixed, "seed", min_pairs=2, looks=3)
    assert len(plan.order) == plan.looks[-1].sessions == 4


def test_plan_without_sessions_is_refused() -> None:
    """Nothing to order."""
    with pytest.raises(ValueError, match="no session"):
        plan_looks({}, "a", min_pairs=20)


def test_plan_is_json() -> None:
    """A plan can be kept and read back."""
    plan = plan_looks(HUNDRED, "a", min_pairs=20)
    assert plan == LookPlan.model_validate_json(plan.model_dump_json())


def steady(change: float = 0.0) -> list[Score]:
    """Return a hundred scores around 50 that vary a little."""
    return [50.0 + change + (number % 3 - 1) for number in range(100)]


def test_early_look_that_decides_stops() -> None:
    """A suite that clearly held passes at the first look; the rest is left out, not lost."""
    plan = plan_looks(HUNDRED, "a", min_pairs=20)
    sides = {"baseline": baseline([50.0] * 100)}
    decision = decide_look(plan, 0, candidate(steady()), sides, gate())
    assert decision is not None
    taken = LookTaken(seed="a", look=1, looks=5, judged=20, planned=100)
    assert ("passed", taken) == (decision.status, decision.look)
    assert taken.early
    assert (80, (), ()) == (
        len(decision.baselines[0].not_reached),
        decision.baselines[0].left_out,
        decision.baselines[0].lost,
    )


def test_early_look_that_sees_a_regression_stops() -> None:
    """A clear drop needs no more judging."""
    plan = plan_looks(HUNDRED, "a", min_pairs=20)
    sides = {"baseline": baseline([50.0] * 100)}
    decision = decide_look(plan, 0, candidate(steady(-20)), sides, gate())
    assert decision is not None
    assert "regressed" == decision.status


def wavering() -> list[Score]:
    """Return a hundred scores that vary by thirty points around 49."""
    return [49.0 + 30 * (number % 3 - 1) for number in range(100)]


def test_undecided_early_look_judges_on() -> None:
    """Without a decision there is none to act on."""
    plan = plan_looks(HUNDRED, "a", min_pairs=20)
    sides = {"baseline": baseline([50.0] * 100)}
    assert decide_look(plan, 0, candidate(wavering()), sides, gate()) is None


def test_last_look_always_decides() -> None:
    """At the end there is a decision, and nothing was stopped early."""
    plan = plan_looks(HUNDRED, "a", min_pairs=20)
    sides = {"baseline": baseline([50.0] * 100)}
    decision = decide_look(plan, 4, candidate(wavering()), sides, gate())
    assert decision is not None
    taken = LookTaken(seed="a", look=5, looks=5, judged=100, planned=100)
    assert ("inconclusive", taken) == (decision.status, decision.look)
    assert not taken.early


def test_look_ignores_what_was_judged_ahead() -> None:
    """Verdicts that arrived early, beyond the look, do not take part in it."""
    plan = plan_looks(HUNDRED, "a", min_pairs=20)
    sides = {"baseline": baseline([50.0] * 100)}
    ahead = set(plan.order[20:])
    run = candidate(steady())
    bad = tuple(
        session.model_copy(update={"axes": candidate([0.0]).sessions[0].axes})
        if session.key in ahead
        else session
        for session in run.sessions
    )
    spoilt = run.model_copy(update={"sessions": bad})
    assert AXIS in spoilt.axes
    assert decide_look(plan, 0, run, sides, gate()) == decide_look(plan, 0, spoilt, sides, gate())


def test_session_lost_already_is_no_early_pass() -> None:
    """A session of the baseline that the run never had keeps every look from passing."""
    plan = plan_looks(HUNDRED, "a", min_pairs=20)
    sides = {"baseline": baseline([50.0] * 101)}
    assert decide_look(plan, 0, candidate(steady()), sides, gate()) is None


def rerecorded(run: Candidate, before: Baseline, keys: Sequence[str]) -> Candidate:
    """Return the run with the baseline's transcripts, but for these sessions."""
    was = {session.key: session.digest for session in before.sessions}
    sessions = tuple(
        s if s.key in keys else s.model_copy(update={"digest": was[s.key]}) for s in run.sessions
    )
    return run.model_copy(update={"sessions": sessions})


def test_unchanged_sessions_do_not_vouch_for_changed_ones_still_to_come() -> None:
    """Twenty identical files at the first look; ten re-recorded ones are the last of the order."""
    plan = plan_looks(HUNDRED, "a", min_pairs=20)
    before = baseline([50.0] * 100)
    changed = plan.order[90:]
    run = rerecorded(candidate([50.0] * 100), before, changed)
    sides = {"baseline": before}
    assert [None] * 4 == [decide_look(plan, look, run, sides, gate()) for look in range(4)]
    assert "passed" == decide_at(plan, 0, run, sides, gate()).status
    end = decide_look(plan, 4, run, sides, gate())
    assert end is not None
    assert "inconclusive" == end.status


def test_a_suite_that_did_not_change_at_all_stops_early() -> None:
    """Nothing is to come that could differ."""
    plan = plan_looks(HUNDRED, "a", min_pairs=20)
    before = baseline([50.0] * 100)
    run = rerecorded(candidate([50.0] * 100), before, ())
    decision = decide_look(plan, 0, run, {"baseline": before}, gate())
    assert decision is not None
    assert "passed" == decision.status


def test_strict_never_passes_early() -> None:
    """Its proof holds for one test at its level, and is made at the end; a drop still stops."""
    plan = plan_looks(HUNDRED, "a", min_pairs=20)
    sides = {"baseline": baseline([50.0] * 100)}
    strict = gate(strict=True)
    same = [decide_look(plan, look, candidate(steady()), sides, strict) for look in range(5)]
    assert [None] * 4 == same[:4]
    assert same[4] is not None
    assert "passed" == same[4].status
    worse = decide_look(plan, 0, candidate(steady(-20)), sides, strict)
    assert worse is not None
    assert "regressed" == worse.status


def test_scores_that_go_missing_are_watched_as_closely_at_every_look() -> None:
    """Six of twenty lost their score (p = .03): the first look does not pass over it."""
    plan = plan_looks(HUNDRED, "a", min_pairs=14)
    sides = {"baseline": baseline([50.0] * 100)}
    gone = set(plan.order[:6])
    scores = steady()
    run = candidate(
        ["not_applicable" if key in gone else scores[n] for n, key in enumerate(sorted(HUNDRED))]
    )
    decision = decide_at(plan, 0, run, sides, gate(min_pairs=14))
    assert ("inconclusive", ("nulls_moved",)) == (
        decision.status,
        decision.axes[0].comparisons[0].reasons,
    )
    assert decide_look(plan, 0, run, sides, gate(min_pairs=14)) is None


def test_sessions_that_no_baseline_has_come_last() -> None:
    """They decide nothing, so that no look but the last waits for them."""
    added = {f"new-{number}": None for number in range(30)}
    plan = plan_looks({**added, **HUNDRED}, "a", min_pairs=20, added=added)
    assert sorted(added) == sorted(plan.order[100:])
    assert [20, 40, 60, 80, 130] == [look.sessions for look in plan.looks]


def test_sessions_that_no_baseline_has_are_looked_at_once() -> None:
    """Without a pair there is only the end."""
    plan = plan_looks(HUNDRED, "a", min_pairs=20, added=HUNDRED)
    assert [100] == [look.sessions for look in plan.looks]


def test_seed_depends_on_what_is_compared() -> None:
    """Other scores in the baseline, another recording, another suite: another order."""
    before = {"baseline": baseline([50.0, 60.0])}
    digests = {"session-000": "one", "session-001": "two"}
    seeds = {
        order_seed("airline", digests, before),
        order_seed("airline", digests, {"baseline": baseline([50.0, 61.0])}),
        order_seed("airline", {**digests, "session-001": "other"}, before),
        order_seed("retail", digests, before),
    }
    assert 4 == len(seeds)
    backwards = dict(reversed(digests.items()))
    assert order_seed("airline", digests, before) == order_seed("airline", backwards, before)

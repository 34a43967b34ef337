"""Scores that go missing never turn a gate green."""

from __future__ import annotations

import pytest
from accident_runs import FAILED, OK, STOPS, WRITE, Run, gated_axis, status_of
from gated_suite import AXIS, GATE, NULLABLE, STEADY, GatedSuite, moved
from plugin_runs import Runs, outcomes


@pytest.fixture
def nullable(gated: GatedSuite, run: Run) -> GatedSuite:
    """Return the suite, blessed, with a gate on an axis that may be null."""
    gated.write(STEADY, GATE.replace(AXIS, NULLABLE))
    assert OK == run(WRITE).ret
    return gated


def test_every_score_gone_is_incomplete(nullable: GatedSuite, run: Run, runs: Runs) -> None:
    """Sessions that all became "not applicable" pass as items and stop the merge."""
    for place in range(24):
        nullable.session(f"s{place:02d}", "null")
    result = run()
    assert FAILED == result.ret
    assert {"passed": 24, "failed": 1} == outcomes(result)
    result.stdout.fnmatch_lines([f" gate: *no session has a score on {NULLABLE} any more{STOPS}"])
    assert "incomplete" == status_of(runs)


def test_more_scores_gone_than_chance_explains_is_no_pass(
    nullable: GatedSuite, run: Run, runs: Runs
) -> None:
    """The lowest eight dropped out as "not applicable": the mean rose, and nothing passes."""
    for place in range(1, 16, 2):
        nullable.session(f"s{place:02d}", "null")
    assert FAILED == run().ret
    assert "inconclusive" == status_of(runs)
    assert gated_axis(runs)["nulls"]["moved"]


def test_a_judge_down_for_all(blessed: GatedSuite, run: Run, runs: Runs) -> None:
    """No session was judged: every item fails, and no mean is shown."""
    blessed.write([f"down, {place}" for place in range(24)])
    result = run()
    assert FAILED == result.ret
    assert {"failed": 25} == outcomes(result)
    assert "incomplete" == status_of(runs)
    assert gated_axis(runs)["overall"] is None


def test_a_judge_down_for_one_shows_the_mean_and_does_not_pass(
    blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """One missing session of 24 is within 5 %: a mean is shown, the run is incomplete."""
    blessed.write((*moved(2, -2)[:-1], "down"))
    assert FAILED == run().ret
    assert "incomplete" == status_of(runs)
    assert 23 == gated_axis(runs)["overall"]["pairs"]


def test_a_judge_down_for_the_worst_only_improves_nothing(
    gated: GatedSuite, run: Run, runs: Runs
) -> None:
    """The mean over the survivors rises from 68 to 80, and is neither shown nor believed."""
    gated.write([80] * 20 + [20] * 4)
    assert OK == run(WRITE).ret
    gated.write([f"{80}, again"] * 20 + ["down"] * 4)
    result = run(f"--sessioneval-fail-under={AXIS}:75", f"--sessioneval-fail-drop={AXIS}:5")
    assert FAILED == result.ret
    assert "incomplete" == status_of(runs)
    assert gated_axis(runs)["overall"] is None
    assert not gated_axis(runs)["improved"]
    result.stdout.fnmatch_lines(
        [
            f" gate: *4 sessions not judged (s20.json, s21.json, s22.json and 1 more){STOPS}",
            "*no mean shown*",
            "*fail-under *4 of 24 sessions not judged*FAILED*",
            "*fail-drop *4 sessions not judged*FAILED*",
        ]
    )


def test_a_store_that_knows_nothing_of_new_sessions_is_incomplete(
    blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """``--sessioneval-offline`` judges nothing, and a gate of nothing is no pass."""
    blessed.write(moved(2, -2))
    assert FAILED == run("--sessioneval-offline").ret
    assert "incomplete" == status_of(runs)


def test_a_file_that_cannot_be_read_is_incomplete(
    blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """Its sessions may be those that got worse."""
    (blessed.folder / "s24.json").write_text("[{", "utf-8")
    result = run()
    assert FAILED == result.ret
    assert "incomplete" == status_of(runs)
    result.stdout.fnmatch_lines([f" gate: *1 unreadable{STOPS}"])

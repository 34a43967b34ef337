"""What must not turn a gate green by accident, and what must not stop a merge either."""

from __future__ import annotations

import pytest
from accident_runs import FAILED, OK, STOPS, WRITE, Run, gated_axis, status_of
from gated_suite import AXIS, STEADY, GatedSuite, moved
from plugin_runs import Runs, outcomes, refusal

# -- sessions that do not have their turn ---------------------------------------------


def test_a_session_skipped_by_its_marker_is_not_judged(blessed: GatedSuite, run: Run) -> None:
    """Skipping what got worse does not hide it: the comparison is incomplete."""
    blessed.write((0, *STEADY[1:]))
    (blessed.folder / "conftest.py").write_text(
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        "    for item in items:\n"
        "        if 's00' in item.nodeid:\n"
        "            item.add_marker(pytest.mark.skip(reason='flaky'))\n",
        "utf-8",
    )
    result = run()
    assert FAILED == result.ret
    assert {"passed": 23, "skipped": 1, "failed": 1} == outcomes(result)
    result.stdout.fnmatch_lines([f" gate: *s00.json*{STOPS}"])


def test_a_session_expected_to_fail_is_not_judged_for_all_that(
    blessed: GatedSuite, run: Run
) -> None:
    """A mark that lets a session without a score xfail does not complete the comparison."""
    blessed.write(("down", *moved(2, -2)[1:]))
    (blessed.folder / "conftest.py").write_text(
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        "    items[0].add_marker(pytest.mark.xfail)\n",
        "utf-8",
    )
    result = run()
    assert FAILED == result.ret
    assert {"passed": 23, "xfailed": 1, "failed": 1} == outcomes(result)
    result.stdout.fnmatch_lines([f" gate: *1 session not judged (s00.json){STOPS}"])


def test_an_ignored_file_is_a_lost_session(blessed: GatedSuite, run: Run) -> None:
    """``--ignore`` is no selection: nobody says that the session is still there."""
    blessed.write((0, *STEADY[1:]))
    result = run("--ignore=suite/s00.json")
    assert FAILED == result.ret
    result.stdout.fnmatch_lines([f" gate: *1 session of the baseline missing (s00.json){STOPS}"])


@pytest.mark.usefixtures("_installed", "blessed")
def test_a_plugin_switched_off_does_not_know_its_options(run: Run) -> None:
    """``-p no:sessioneval`` with one of our options is a usage error, not a silent pass."""
    result = run("-p", "no:sessioneval", "--sessioneval-require-gate")
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(["*unrecognized arguments: --sessioneval-require-gate"])


@pytest.mark.usefixtures("blessed")
def test_a_run_that_collects_nothing_is_not_ok(pytester: pytest.Pytester, run: Run) -> None:
    """A folder beside the suite holds no test: exit 5, as ever."""
    pytester.mkdir("elsewhere")
    assert pytest.ExitCode.NO_TESTS_COLLECTED == run("elsewhere").ret


@pytest.mark.usefixtures("blessed")
@pytest.mark.parametrize(
    "arguments",
    [("-k", "s00 or s01"), ("-m", "nothing"), ("--deselect=suite/s00.json",), ("suite/s00.json",)],
    ids=["-k", "-m", "--deselect", "path"],
)
def test_what_was_left_out_is_not_lost_and_said(
    arguments: tuple[str, ...], run: Run, runs: Runs
) -> None:
    """Part of a suite is decided on what ran; what was left out is counted, never lost."""
    run(*arguments)
    (use,) = runs.suite["gate"]["decision"]["baselines"]
    assert [] == use["lost"]
    assert 24 == len(use["left_out"]) + use["pairs"]
    assert runs.suite["gate"]["decision"]["partial"].endswith(
        f"({arguments[0].partition('=')[0] if arguments[0].startswith('-') else 'paths'})"
    )


def test_a_loss_beside_a_selection_is_still_a_loss(blessed: GatedSuite, run: Run) -> None:
    """A selection of 20 does not excuse a session that is gone."""
    blessed.write(STEADY[:-1])
    result = run("--deselect=suite/s00.json")
    assert FAILED == result.ret
    result.stdout.fnmatch_lines([f" gate: *1 session of the baseline missing (s23.json){STOPS}"])


def test_the_rest_of_a_suite_that_is_gone_is_lost_though_all_else_is_deselected(
    blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """With every remaining session deselected, a lost one still makes it incomplete."""
    blessed.write(STEADY[:-1])
    assert FAILED == run("-k", "nowhere").ret
    assert "incomplete" == status_of(runs)


def test_last_failed_decides_on_what_failed(blessed: GatedSuite, run: Run, runs: Runs) -> None:
    """``--lf`` after a failure runs that session alone: nothing vouches for the rest."""
    blessed.write(("down", *moved(2, -2)[1:]))
    assert FAILED == run().ret
    blessed.session("s00", 82)
    result = run("--lf")
    assert "inconclusive" == status_of(runs)
    result.stdout.fnmatch_lines(["*Only a part of the suite was selected*--lf*"])


def test_stopping_at_the_first_failure_is_incomplete(
    blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """After ``-x`` the sessions without a turn were not judged."""
    blessed.write(("down", *moved(2, -2)[1:]))
    assert FAILED == run("-x", "--sessioneval-concurrency=1").ret
    assert "incomplete" == status_of(runs)
    assert 0 == len(gated_axis(runs)["falls"])


# -- sessions that are not the baseline's ----------------------------------------------


def test_renamed_sessions_are_lost_and_named(blessed: GatedSuite, run: Run) -> None:
    """A session under another name is not the same session, however good it is."""
    (blessed.folder / "s00.json").rename(blessed.folder / "s99.json")
    result = run()
    assert FAILED == result.ret
    result.stdout.fnmatch_lines(
        [
            f" gate: *1 session of the baseline missing (s00.json){STOPS}",
            "*1 session* new *s99.json*",
        ]
    )


def test_all_sessions_renamed_is_no_comparison(blessed: GatedSuite, run: Run, runs: Runs) -> None:
    """Twenty-four new names leave no pair, and no mean is shown."""
    for path in sorted(blessed.folder.glob("s*.json")):
        path.rename(path.with_name(f"s_{path.name}"))
    assert FAILED == run().ret
    assert "incomplete" == status_of(runs)
    assert gated_axis(runs)["overall"] is None


def test_new_ids_with_the_same_keys_are_pairs(gated: GatedSuite, run: Run, runs: Runs) -> None:
    """Where ``key`` names what stays, new files and new session ids change nothing."""
    suite = 'key = "task_id"'
    gated.write((), suite=suite)
    for number, mark in enumerate(STEADY):
        gated.session(f"s{number}", mark, task_id=f"task-{number}", session_id=f"old-{number}")
    assert OK == run(WRITE).ret
    for path in gated.folder.glob("s*.json"):
        path.unlink()
    for number, mark in enumerate(moved(-9, -11)):
        gated.session(f"s-new-{number}", mark, task_id=f"task-{number}", session_id=f"n{number}")
    assert FAILED == run().ret
    assert "regressed" == status_of(runs)
    assert 24 == gated_axis(runs)["overall"]["pairs"]


def test_added_bad_sessions_do_not_count_against_the_old(
    blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """New sessions lower the mean, not the comparison; they are noted."""
    blessed.write((*moved(2, -2), 0, 0, 0))
    result = run()
    assert OK == result.ret
    assert "passed" == status_of(runs)
    result.stdout.fnmatch_lines(["*3 sessions are new*s24.json, s25.json, s26.json*"])


def test_added_good_sessions_do_not_make_up_for_the_old(
    blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """New sessions raise the mean, not the comparison."""
    blessed.write((*moved(-9, -11), *[100] * 24))
    assert FAILED == run().ret
    assert "regressed" == status_of(runs)


def test_ten_of_a_hundred_recorded_anew_and_worse(gated: GatedSuite, run: Run, runs: Runs) -> None:
    """Ninety identical files do not vouch for ten that got worse."""
    steady = (80, 60) * 50
    gated.write(steady)
    assert OK == run(WRITE).ret
    worse = moved(-28, -32, start=steady)
    gated.write([*worse[:10], *steady[10:]])
    result = run()
    assert FAILED == result.ret
    result.stdout.fnmatch_lines(
        [f" gate: *fell by 29.6 points on the 10 re-recorded sessions.{STOPS}"]
    )
    assert "passed" == gated_axis(runs)["overall"]["status"]
    assert "regressed" == gated_axis(runs)["changed_only"]["status"]


def test_too_few_recorded_anew_and_all_worse_alike_stop_the_merge(
    gated: GatedSuite, run: Run
) -> None:
    """Where they do not vary, four cannot tell, and what was seen says why the merge is stopped."""
    gated.write([80] * 60)
    assert OK == run(WRITE).ret
    gated.write([50] * 4 + [80] * 56)
    result = run()
    assert FAILED == result.ret
    result.stdout.fnmatch_lines(
        [" gate: It cannot be told *stopped: what was seen is as bad as what is too much."]
    )


@pytest.mark.parametrize(
    ("by", "status"), [(0, "passed"), (3, "passed"), (-4, "passed"), (-6, "regressed")]
)
def test_every_difference_equal_is_decided_by_the_mean(
    by: int, status: str, blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """No spread at all is no division by zero."""
    blessed.write([f"{mark}, again" for mark in moved(by)])
    result = run()
    assert (FAILED if status == "regressed" else OK) == result.ret
    assert status == status_of(runs)
    assert by == gated_axis(runs)["overall"]["difference"]


# -- exits that are not the gate's ------------------------------------------------------


def test_interrupting_keeps_its_exit_and_decides_nothing(
    blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """Ctrl-C in the middle of a run that would have regressed exits with 2."""
    blessed.write(moved(-9, -11))
    (blessed.folder / "s12_test.py").write_text("def test(): raise KeyboardInterrupt\n", "utf-8")
    assert pytest.ExitCode.INTERRUPTED == run().ret
    assert runs.suite["gate"] is None


@pytest.mark.usefixtures("blessed")
def test_a_wrong_option_is_a_usage_error(run: Run) -> None:
    """A threshold that is none exits with 4, in one line."""
    assert "--sessioneval-fail-under" in refusal(run("--sessioneval-fail-under=much"))


def test_listing_items_asks_no_gate(blessed: GatedSuite, run: Run) -> None:
    """``--co`` judges nothing and decides nothing."""
    blessed.write(moved(-9, -11))
    result = run("--co")
    assert OK == result.ret
    result.stdout.no_fnmatch_line("*gate*")


@pytest.mark.parametrize("arguments", [("--no-summary",), ("-p", "no:terminal")])
def test_a_run_without_a_summary_fails_as_well(
    arguments: tuple[str, ...], pytester: pytest.Pytester, blessed: GatedSuite
) -> None:
    """The decision does not depend on anybody showing it."""
    blessed.write(moved(-9, -11))
    assert FAILED == pytester.runpytest_inprocess(*arguments).ret


def test_the_step_summary_begins_with_the_decision(
    pytester: pytest.Pytester,
    blessed: GatedSuite,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What GitHub shows of the job says what got worse."""
    summary = pytester.path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    blessed.write(moved(-9, -11))
    assert FAILED == run().ret
    text = summary.read_text("utf-8").replace("\\", "")
    assert text.startswith(f"# Session scores: merge stopped, {AXIS} (-10.0) regressed; all 24 ")
    assert f"{AXIS} got worse: its average fell by 10.0 points" in text


def test_files_that_are_all_unreadable_are_incomplete(
    blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """A suite of which nothing can be read has not passed."""
    for path in blessed.folder.glob("s*.json"):
        path.write_text("[{", "utf-8")
    assert FAILED == run().ret
    assert "incomplete" == status_of(runs)


def test_an_ordinary_failure_does_not_hide_the_gate(
    pytester: pytest.Pytester, blessed: GatedSuite, run: Run
) -> None:
    """Both are in the last line."""
    pytester.makepyfile("def test_a(): assert False")
    blessed.write(moved(-9, -11))
    assert {"passed": 24, "failed": 2} == outcomes(run())

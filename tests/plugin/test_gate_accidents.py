"""What must not turn a gate green by accident, and what must not stop a merge either."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatch
from typing import Any

import pytest
from gated_suite import AXIS, GATE, NULLABLE, STEADY, GatedSuite, moved
from plugin_runs import Runs, outcomes, refusal

OK, FAILED = pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED
_STOPS = "*The merge is stopped."
_WRITE = "--sessioneval-update-baseline"


@pytest.fixture
def blessed(pytester: pytest.Pytester, gated: GatedSuite) -> GatedSuite:
    """Return a suite of 24 sessions, mean 70, whose baseline is written."""
    gated.write()
    gated.bless(pytester)
    return gated


@pytest.fixture
def run(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Return what runs pytest below the root."""
    return lambda *arguments: pytester.runpytest_inprocess("-q", *arguments, no_reraise_ctrlc=True)


Run = Callable[..., pytest.RunResult]


def _status(runs: Runs) -> str:
    return str(runs.suite["gate"]["decision"]["status"])


def _axis(runs: Runs) -> dict[str, Any]:
    (axis,) = (one for one in runs.suite["gate"]["decision"]["axes"] if one["gated"])
    return dict(axis["comparisons"][0])


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
    result.stdout.fnmatch_lines([f" gate: *s00.json*{_STOPS}"])


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
    result.stdout.fnmatch_lines([f" gate: *1 session not judged (s00.json){_STOPS}"])


def test_an_ignored_file_is_a_lost_session(blessed: GatedSuite, run: Run) -> None:
    """``--ignore`` is no selection: nobody says that the session is still there."""
    blessed.write((0, *STEADY[1:]))
    result = run("--ignore=suite/s00.json")
    assert FAILED == result.ret
    result.stdout.fnmatch_lines([f" gate: *1 session of the baseline missing (s00.json){_STOPS}"])


@pytest.mark.usefixtures("blessed")
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
    result.stdout.fnmatch_lines([f" gate: *1 session of the baseline missing (s23.json){_STOPS}"])


def test_the_rest_of_a_suite_that_is_gone_is_lost_though_all_else_is_deselected(
    blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """With every remaining session deselected, a lost one still makes it incomplete."""
    blessed.write(STEADY[:-1])
    assert FAILED == run("-k", "nowhere").ret
    assert "incomplete" == _status(runs)


def test_last_failed_decides_on_what_failed(blessed: GatedSuite, run: Run, runs: Runs) -> None:
    """``--lf`` after a failure runs that session alone: nothing vouches for the rest."""
    blessed.write(("down", *moved(2, -2)[1:]))
    assert FAILED == run().ret
    blessed.session("s00", 82)
    result = run("--lf")
    assert "inconclusive" == _status(runs)
    result.stdout.fnmatch_lines(["*Only a part of the suite was selected*--lf*"])


def test_stopping_at_the_first_failure_is_incomplete(
    blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """After ``-x`` the sessions without a turn were not judged."""
    blessed.write(("down", *moved(2, -2)[1:]))
    assert FAILED == run("-x", "--sessioneval-concurrency=1").ret
    assert "incomplete" == _status(runs)
    assert 0 == len(_axis(runs)["falls"])


# -- sessions that are not the baseline's ----------------------------------------------


def test_renamed_sessions_are_lost_and_named(blessed: GatedSuite, run: Run) -> None:
    """A session under another name is not the same session, however good it is."""
    (blessed.folder / "s00.json").rename(blessed.folder / "s99.json")
    result = run()
    assert FAILED == result.ret
    result.stdout.fnmatch_lines(
        [
            f" gate: *1 session of the baseline missing (s00.json){_STOPS}",
            "*1 session* new *s99.json*",
        ]
    )


def test_all_sessions_renamed_is_no_comparison(blessed: GatedSuite, run: Run, runs: Runs) -> None:
    """Twenty-four new names leave no pair, and no mean is shown."""
    for path in sorted(blessed.folder.glob("s*.json")):
        path.rename(path.with_name(f"s_{path.name}"))
    assert FAILED == run().ret
    assert "incomplete" == _status(runs)
    assert _axis(runs)["overall"] is None


def test_new_ids_with_the_same_keys_are_pairs(gated: GatedSuite, run: Run, runs: Runs) -> None:
    """Where ``key`` names what stays, new files and new session ids change nothing."""
    suite = 'key = "task_id"'
    gated.write((), suite=suite)
    for number, mark in enumerate(STEADY):
        gated.session(f"s{number}", mark, task_id=f"task-{number}", session_id=f"old-{number}")
    assert OK == run(_WRITE).ret
    for path in gated.folder.glob("s*.json"):
        path.unlink()
    for number, mark in enumerate(moved(-9, -11)):
        gated.session(f"s-new-{number}", mark, task_id=f"task-{number}", session_id=f"n{number}")
    assert FAILED == run().ret
    assert "regressed" == _status(runs)
    assert 24 == _axis(runs)["overall"]["pairs"]


def test_added_bad_sessions_do_not_count_against_the_old(
    blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """New sessions lower the mean, not the comparison; they are noted."""
    blessed.write((*moved(2, -2), 0, 0, 0))
    result = run()
    assert OK == result.ret
    assert "passed" == _status(runs)
    result.stdout.fnmatch_lines(["*3 sessions are new*s24.json, s25.json, s26.json*"])


def test_added_good_sessions_do_not_make_up_for_the_old(
    blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """New sessions raise the mean, not the comparison."""
    blessed.write((*moved(-9, -11), *[100] * 24))
    assert FAILED == run().ret
    assert "regressed" == _status(runs)


def test_ten_of_a_hundred_recorded_anew_and_worse(gated: GatedSuite, run: Run, runs: Runs) -> None:
    """Ninety identical files do not vouch for ten that got worse."""
    steady = (80, 60) * 50
    gated.write(steady)
    assert OK == run(_WRITE).ret
    worse = moved(-28, -32, start=steady)
    gated.write([*worse[:10], *steady[10:]])
    result = run()
    assert FAILED == result.ret
    result.stdout.fnmatch_lines(
        [f" gate: *fell by 29.6 points on the 10 re-recorded sessions.{_STOPS}"]
    )
    assert "passed" == _axis(runs)["overall"]["status"]
    assert "regressed" == _axis(runs)["changed_only"]["status"]


def test_too_few_recorded_anew_and_all_worse_alike_stop_the_merge(
    gated: GatedSuite, run: Run
) -> None:
    """Where they do not vary, four cannot tell, and what was seen says why the merge is stopped."""
    gated.write([80] * 60)
    assert OK == run(_WRITE).ret
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
    assert status == _status(runs)
    assert by == _axis(runs)["overall"]["difference"]


# -- baselines --------------------------------------------------------------------------


def _empty(suite: GatedSuite) -> None:
    suite.baseline.write_text("", "utf-8")


def _binary(suite: GatedSuite) -> None:
    suite.baseline.write_bytes(b"\xff\xfe{}")


def _folder(suite: GatedSuite) -> None:
    suite.baseline.unlink()
    suite.baseline.mkdir()


def _dangling(suite: GatedSuite) -> None:
    suite.baseline.unlink()
    suite.baseline.symlink_to("nowhere.json")


def _merge(suite: GatedSuite) -> None:
    text = suite.baseline.read_text("utf-8")
    suite.baseline.write_text(f"<<<<<<< ours\n{text}=======\n{text}>>>>>>> theirs\n", "utf-8")


def _twice(suite: GatedSuite) -> None:
    lines = suite.baseline.read_text("utf-8").splitlines()
    row = next(line for line in lines if '"s00.json"' in line)
    lines.insert(lines.index(row), row)
    suite.baseline.write_text("\n".join(lines), "utf-8")


def _no_score(suite: GatedSuite) -> None:
    text = suite.baseline.read_text("utf-8")
    suite.baseline.write_text(text.replace('"score": 80', '"score": NaN'), "utf-8")


def _too_high(suite: GatedSuite) -> None:
    text = suite.baseline.read_text("utf-8")
    suite.baseline.write_text(text.replace('"score": 80', '"score": 180'), "utf-8")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_empty, "the baseline is empty"),
        (_binary, "no UTF-8 text"),
        (_folder, "cannot be read"),
        (_dangling, "a link to a file that is gone"),
        (_merge, "an unresolved merge"),
        (_twice, "'s00.json' is there twice"),
        (_no_score, "the baseline is no JSON"),
        (_too_high, "session 's00.json'"),
    ],
)
def test_a_baseline_that_cannot_be_used_is_refused(
    spoil: Callable[[GatedSuite], None], said: str, blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """Exit 4 in one line, before anything is judged, and no report."""
    before = len(runs.folders)
    spoil(blessed)
    message = refusal(run())
    assert said in message
    assert "baseline.json" in message
    assert before == len(runs.folders)


def test_an_anchor_that_cannot_be_used_is_refused(blessed: GatedSuite, run: Run) -> None:
    """The pinned baseline is held to the same."""
    (blessed.folder / "baseline.anchor.json").write_text("{}", "utf-8")
    assert "baseline.anchor.json" in refusal(run())


def test_small_drops_do_not_add_up(blessed: GatedSuite, run: Run, runs: Runs) -> None:
    """Each step is within the margin of a baseline that moves along; the anchor does not move."""
    anchor = blessed.baseline.with_name("baseline.anchor.json")
    anchor.write_text(blessed.baseline.read_text("utf-8"), "utf-8")
    blessed.write(moved(-4, -2))
    assert OK == run().ret
    assert OK == run(_WRITE).ret
    blessed.write(moved(-8, -4))
    result = run()
    assert FAILED == result.ret
    assert "regressed" == _status(runs)
    result.stdout.fnmatch_lines([f"{AXIS}: -3.0 *anchor -6.0 regressed*"])


# -- scores that go missing -------------------------------------------------------------


@pytest.fixture
def nullable(gated: GatedSuite, run: Run) -> GatedSuite:
    """Return the suite, blessed, with a gate on an axis that may be null."""
    gated.write(STEADY, GATE.replace(AXIS, NULLABLE))
    assert OK == run(_WRITE).ret
    return gated


def test_every_score_gone_is_incomplete(nullable: GatedSuite, run: Run, runs: Runs) -> None:
    """Sessions that all became "not applicable" pass as items and stop the merge."""
    for place in range(24):
        nullable.session(f"s{place:02d}", "null")
    result = run()
    assert FAILED == result.ret
    assert {"passed": 24, "failed": 1} == outcomes(result)
    result.stdout.fnmatch_lines([f" gate: *no session has a score on {NULLABLE} any more{_STOPS}"])
    assert "incomplete" == _status(runs)


def test_more_scores_gone_than_chance_explains_is_no_pass(
    nullable: GatedSuite, run: Run, runs: Runs
) -> None:
    """The lowest eight dropped out as "not applicable": the mean rose, and nothing passes."""
    for place in range(1, 16, 2):
        nullable.session(f"s{place:02d}", "null")
    assert FAILED == run().ret
    assert "inconclusive" == _status(runs)
    assert _axis(runs)["nulls"]["moved"]


def test_a_judge_down_for_all(blessed: GatedSuite, run: Run, runs: Runs) -> None:
    """No session was judged: every item fails, and no mean is shown."""
    blessed.write([f"down, {place}" for place in range(24)])
    result = run()
    assert FAILED == result.ret
    assert {"failed": 25} == outcomes(result)
    assert "incomplete" == _status(runs)
    assert _axis(runs)["overall"] is None


def test_a_judge_down_for_one_shows_the_mean_and_does_not_pass(
    blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """One missing session of 24 is within 5 %: a mean is shown, the run is incomplete."""
    blessed.write((*moved(2, -2)[:-1], "down"))
    assert FAILED == run().ret
    assert "incomplete" == _status(runs)
    assert 23 == _axis(runs)["overall"]["pairs"]


def test_a_judge_down_for_the_worst_only_improves_nothing(
    gated: GatedSuite, run: Run, runs: Runs
) -> None:
    """The mean over the survivors rises from 68 to 80, and is neither shown nor believed."""
    gated.write([80] * 20 + [20] * 4)
    assert OK == run(_WRITE).ret
    gated.write([f"{80}, again"] * 20 + ["down"] * 4)
    result = run(f"--sessioneval-fail-under={AXIS}:75", f"--sessioneval-fail-drop={AXIS}:5")
    assert FAILED == result.ret
    assert "incomplete" == _status(runs)
    assert _axis(runs)["overall"] is None
    assert not _axis(runs)["improved"]
    result.stdout.fnmatch_lines(
        [
            f" gate: *4 sessions not judged (s20.json, s21.json, s22.json and 1 more){_STOPS}",
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
    assert "incomplete" == _status(runs)


def test_a_file_that_cannot_be_read_is_incomplete(
    blessed: GatedSuite, run: Run, runs: Runs
) -> None:
    """Its sessions may be those that got worse."""
    (blessed.folder / "s24.json").write_text("[{", "utf-8")
    result = run()
    assert FAILED == result.ret
    assert "incomplete" == _status(runs)
    result.stdout.fnmatch_lines([f" gate: *1 unreadable{_STOPS}"])


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
    assert "incomplete" == _status(runs)


def test_an_ordinary_failure_does_not_hide_the_gate(
    pytester: pytest.Pytester, blessed: GatedSuite, run: Run
) -> None:
    """Both are in the last line."""
    pytester.makepyfile("def test_a(): assert False")
    blessed.write(moved(-9, -11))
    assert {"passed": 24, "failed": 2} == outcomes(run())


# -- writing a baseline -----------------------------------------------------------------


def _skip_one(suite: GatedSuite) -> None:
    (suite.folder / "conftest.py").write_text(
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        "    items[0].add_marker(pytest.mark.skip(reason='flaky'))\n",
        "utf-8",
    )


def _judge_down(suite: GatedSuite) -> None:
    suite.session("s00", "down")


def _unreadable(suite: GatedSuite) -> None:
    (suite.folder / "s24.json").write_text("[{", "utf-8")


def _nothing(suite: GatedSuite) -> None:
    assert suite.baseline.is_file()


@pytest.mark.parametrize(
    ("spoil", "arguments", "said"),
    [
        (_nothing, ("-k", "s00 or s01"), "only a part of the suite was selected (22 * (-k))"),
        (_nothing, ("-m", "nothing"), "*the run holds no session"),
        (_nothing, ("suite/s00.json",), "only a part of the suite was selected (23 * (paths))"),
        (_nothing, ("--deselect=suite/s00.json",), "only a part *(1 * (--deselect))"),
        (_nothing, ("--sessioneval-limit=3",), "only a part *(21 * (--sessioneval-limit))"),
        (_nothing, ("--sessioneval-shard=1/2",), "only a part * (--sessioneval-shard))"),
        (_judge_down, (), "not scored: s00.json"),
        (_judge_down, ("-x", "--sessioneval-concurrency=1"), "not scored: s00.json, s01.json*"),
        (_skip_one, (), "not scored: s00.json"),
        (_unreadable, (), "1 could not be read, first s24.json"),
    ],
)
def test_no_baseline_is_written_of_less_than_the_whole(
    spoil: Callable[[GatedSuite], None],
    arguments: tuple[str, ...],
    said: str,
    blessed: GatedSuite,
    run: Run,
) -> None:
    """The file stays as it is, the run fails, and says why."""
    before = blessed.baseline.read_bytes()
    blessed.write(moved(2, -2))
    spoil(blessed)
    result = run(_WRITE, *arguments)
    assert before == blessed.baseline.read_bytes()
    assert OK != result.ret
    result.stdout.fnmatch_lines([f"the baseline of suite 'orders' is not written: {said}*"])


@pytest.mark.parametrize(
    ("threshold", "failed"),
    [("session", "FAILED suite/s00.json*"), ("mean", "FAILED orders::thresholds*")],
)
def test_what_is_below_its_threshold_is_judged_and_written(
    threshold: str, failed: str, blessed: GatedSuite, run: Run
) -> None:
    """Too low is no error: the baseline holds it, and the run fails for that alone."""
    line = {"session": 55, "mean": 69}[threshold]
    blessed.write((10, *STEADY[1:]), f"{GATE}\n[thresholds.{threshold}]\n{AXIS} = {line}\n")
    before = blessed.baseline.read_bytes()
    result = run(_WRITE)
    assert FAILED == result.ret
    assert before != blessed.baseline.read_bytes()
    (told,) = (line for line in result.outlines if line.startswith("FAILED "))
    assert fnmatch(told, failed), told


def test_an_interrupted_run_writes_no_baseline(blessed: GatedSuite, run: Run) -> None:
    """Exit 2, and the file as it was."""
    before = blessed.baseline.read_bytes()
    blessed.write(moved(2, -2))
    (blessed.folder / "s12_test.py").write_text("def test(): raise KeyboardInterrupt\n", "utf-8")
    assert pytest.ExitCode.INTERRUPTED == run(_WRITE).ret
    assert before == blessed.baseline.read_bytes()


def test_writing_again_changes_no_byte(blessed: GatedSuite, run: Run) -> None:
    """Equal scores give an equal file, and the run says that it held them already."""
    before = blessed.baseline.read_bytes()
    result = run(_WRITE)
    assert OK == result.ret
    assert before == blessed.baseline.read_bytes()
    result.stdout.fnmatch_lines(["*baseline.json holds these scores already"])


def test_what_moved_is_said(blessed: GatedSuite, run: Run) -> None:
    """Per axis the old mean and the new, and which sessions are new, gone, and changed."""
    blessed.write((*moved(-9, -11)[:-1],))
    blessed.session("s30", 90)
    result = run(_WRITE)
    assert OK == result.ret
    result.stdout.fnmatch_lines(["wrote *baseline.json", f"*{AXIS}: 70.0 * 61*", "*s30.json*"])

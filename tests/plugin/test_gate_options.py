"""The gate's options: what they accept, what they refuse, what they do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from gated_suite import AXIS, GATE, GatedSuite, moved
from plugin_runs import Runs, Sessions, outcomes, refusal

OK, FAILED = pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED
_WRITE = "--sessioneval-update-baseline"
_REQUIRE = "--sessioneval-require-gate"
_UNDER = f"--sessioneval-fail-under={AXIS}"
_DROP = f"--sessioneval-fail-drop={AXIS}"

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Return what runs pytest below the root."""
    return lambda *arguments: pytester.runpytest_inprocess("-q", *arguments)


@pytest.fixture
def plain(gated: GatedSuite) -> GatedSuite:
    """Return a suite of two sessions, mean 70, without ``[gate]`` and baseline."""
    gated.write((80, 60), "")
    return gated


@pytest.fixture
def blessed(plain: GatedSuite, run: Run) -> GatedSuite:
    """Return the same with a baseline beside it."""
    assert OK == run(_WRITE).ret
    return plain


# -- fail-under -------------------------------------------------------------------------


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("least", ["70", "70.0", "69.99", "0", " 70"])
def test_fail_under_holds(least: str, run: Run) -> None:
    """A mean equal to the lowest accepted is accepted; the gate's test report passed."""
    result = run(f"{_UNDER}:{least}")
    assert OK == result.ret
    assert {"passed": 3} == outcomes(result)
    result.stdout.fnmatch_lines(["*fail-under * mean 70.0 of 2 sessions * held"])


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("least", ["70.1", "70.01", "100"])
def test_fail_under_does_not_hold(least: str, run: Run) -> None:
    """A lower mean fails the run, and says by which numbers."""
    result = run(f"{_UNDER}:{least}")
    assert FAILED == result.ret
    assert {"passed": 2, "failed": 1} == outcomes(result)
    result.stdout.fnmatch_lines(
        [f"FAILED orders::gate - fail-under {AXIS}:{least} · mean 70.0 of 2 sessions · FAILED"]
    )


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize(
    "value",
    [
        "",
        AXIS,
        f"{AXIS}:",
        ":70",
        f"{AXIS}:-1",
        f"{AXIS}:101",
        f"{AXIS}:100.1",
        f"{AXIS}:70%",
        f"{AXIS}:nan",
        f"{AXIS}:1e1",
        f"{AXIS}:many",
        f"{AXIS}:7 0",
        f"{AXIS}:70:80",
        "A:70",
    ],
)
def test_fail_under_refuses(value: str, run: Run) -> None:
    """Anything but an axis and a mean is exit 4 in one line with what is accepted."""
    said = refusal(run(f"--sessioneval-fail-under={value}"))
    assert f"--sessioneval-fail-under: {value!r} is not accepted" in said
    assert "goal_completion:70" in said


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("option", ["--sessioneval-fail-under", "--sessioneval-fail-drop"])
def test_an_axis_that_no_suite_has_is_refused(option: str, run: Run) -> None:
    """A mistyped axis would check nothing: exit 4, with the axis that was meant."""
    said = refusal(run(f"{option}=tool_usage_qualty:5"))
    assert "did you mean 'tool_usage_quality'" in said


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "n2"])
@pytest.mark.parametrize("shortcut", [f"{_UNDER}:1", f"{_DROP}:99"])
def test_without_a_suite_a_shortcut_is_refused(
    shortcut: str, workers: tuple[str, ...], pytester: pytest.Pytester, run: Run
) -> None:
    """A run that has no suite cannot hold its means to anything."""
    pytester.makepyfile(test_other="def test_other(): pass")
    assert "no suite was collected" in refusal(run(shortcut, *workers))


@pytest.mark.usefixtures("plain")
def test_every_shortcut_given_counts(run: Run) -> None:
    """They are repeatable, also for one axis; one that does not hold fails the run."""
    result = run(f"{_UNDER}:70", f"{_UNDER}:71", "--sessioneval-fail-under=efficiency:1")
    assert FAILED == result.ret
    told = [line for line in result.outlines if line.strip().startswith(("gate: fail", "fail-"))]
    assert 2 == sum("held" in line for line in told[-3:])


# -- fail-drop --------------------------------------------------------------------------


@pytest.mark.parametrize("most", ["7", "7.0", "10%", "10.0 %", "100"])
def test_fail_drop_holds(most: str, blessed: GatedSuite, run: Run) -> None:
    """A drop of as much as is accepted, in points or per cent of the baseline's mean."""
    blessed.write(moved(-7, start=(80, 60)), "")
    result = run(f"{_DROP}:{most}")
    assert OK == result.ret
    result.stdout.fnmatch_lines(["*fail-drop *70.0 to 63.0, 2 sessions* held"])


@pytest.mark.parametrize("most", ["6.9", "0", "9.9%", "0%"])
def test_fail_drop_does_not_hold(most: str, blessed: GatedSuite, run: Run) -> None:
    """A larger drop fails the run."""
    blessed.write(moved(-7, start=(80, 60)), "")
    result = run(f"{_DROP}:{most}")
    assert FAILED == result.ret
    result.stdout.fnmatch_lines([f"FAILED orders::gate - fail-drop {AXIS}:{most} *FAILED"])


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize(
    "value", ["", AXIS, f"{AXIS}:%", f"{AXIS}:-5", f"{AXIS}:101%", f"{AXIS}:5pp", f"{AXIS}:inf"]
)
def test_fail_drop_refuses(value: str, run: Run) -> None:
    """Anything but an axis and a drop is exit 4 in one line with what is accepted."""
    said = refusal(run(f"--sessioneval-fail-drop={value}"))
    assert f"--sessioneval-fail-drop: {value!r} is not accepted" in said
    assert "goal_completion:5" in said
    assert "goal_completion:3%" in said


@pytest.mark.usefixtures("plain")
def test_fail_drop_without_a_baseline_fails(run: Run) -> None:
    """Nothing to compare with is no pass."""
    result = run(f"{_DROP}:5")
    assert FAILED == result.ret
    result.stdout.fnmatch_lines(["FAILED orders::gate - *there is no baseline to compare with*"])


@pytest.mark.usefixtures("blessed")
@pytest.mark.parametrize("value", ["99", "99%"])
def test_fail_drop_does_not_bridge_another_judge(value: str, run: Run) -> None:
    """Scores of two judges are not compared, however much is accepted."""
    result = run(f"{_DROP}:{value}", "--sessioneval-judge=hook:other")
    assert FAILED == result.ret
    result.stdout.fnmatch_lines(["*the baseline was made with another judge*"])


def test_a_lost_session_fails_a_drop(blessed: GatedSuite, run: Run) -> None:
    """The worst session is gone: the mean rises, and the check does not hold."""
    blessed.write((80,), "")
    result = run(f"{_DROP}:5")
    assert FAILED == result.ret
    result.stdout.fnmatch_lines(["*1 session of the baseline missing (s01.json)*"])


def test_a_shortcut_that_failed_leads_the_failure(gated: GatedSuite, run: Run) -> None:
    """Where the gate itself lets the merge pass, the failure does not begin with that."""
    gated.write()
    assert OK == run(_WRITE).ret
    result = run(f"{_UNDER}:71")
    assert FAILED == result.ret
    result.stdout.fnmatch_lines([f"FAILED orders::gate - fail-under {AXIS}:71 *FAILED"])


# -- require-gate -----------------------------------------------------------------------


@pytest.mark.usefixtures("plain")
def test_a_required_gate_that_no_suite_has_fails(run: Run) -> None:
    """Removing ``[gate]`` does not turn a run green that requires one."""
    result = run(_REQUIRE)
    assert FAILED == result.ret
    assert {"passed": 2, "failed": 1} == outcomes(result)
    result.stdout.fnmatch_lines(["FAILED sessioneval::gate - no suite with a [[]gate] *"])


@pytest.mark.parametrize("arguments", [("test_other.py",), ("test_other.py", "-n2")])
def test_a_required_gate_without_a_suite_fails(
    arguments: tuple[str, ...], pytester: pytest.Pytester, run: Run
) -> None:
    """A suite that moved away does not turn a run green that requires its gate."""
    pytester.makepyfile(test_other="def test_other(): pass")
    result = run(_REQUIRE, *arguments)
    assert FAILED == result.ret
    assert {"passed": 1, "failed": 1} == outcomes(result)


@pytest.mark.usefixtures("plain")
def test_a_required_gate_is_not_asked_for_by_a_listing(run: Run) -> None:
    """``--co`` decides nothing."""
    assert OK == run(_REQUIRE, "--co").ret


def test_a_required_gate_overrules_a_missing_baseline_that_may_pass(
    gated: GatedSuite, run: Run
) -> None:
    """``on_missing_baseline = "pass"`` is no decision."""
    gated.write((80, 60), f'{GATE}on_missing_baseline = "pass"\n')
    assert OK == run().ret
    result = run(_REQUIRE)
    assert FAILED == result.ret
    result.stdout.fnmatch_lines(["FAILED orders::gate - There is no baseline *"])


def test_a_required_gate_that_decided_passes(gated: GatedSuite, run: Run) -> None:
    """The option changes nothing where the gate did its work."""
    gated.write()
    assert OK == run(_WRITE).ret
    assert OK == run(_REQUIRE).ret


# -- update-baseline --------------------------------------------------------------------


@pytest.mark.usefixtures("blessed")
@pytest.mark.parametrize(
    "check",
    [f"{_UNDER}:1", f"{_DROP}:99", _REQUIRE, "--sessioneval-compare=suite/baseline.json"],
)
def test_writing_and_deciding_at_once_is_refused(check: str, run: Run) -> None:
    """A run that writes its baseline decides nothing, and would pass over the check."""
    said = refusal(run(_WRITE, check))
    assert "--sessioneval-update-baseline decides nothing" in said
    assert check.partition("=")[0] in said


@pytest.mark.usefixtures("plain")
def test_a_baseline_is_written_where_the_option_says(pytester: pytest.Pytester, run: Run) -> None:
    """``--sessioneval-baseline`` names the file to write, relative to where pytest was called."""
    assert OK == run(_WRITE, "--sessioneval-baseline=kept/other.json").ret
    assert (pytester.path / "kept" / "other.json").is_file()
    assert not (pytester.path / "suite" / "baseline.json").exists()


# -- baseline and compare ---------------------------------------------------------------


def test_another_baseline_is_read_where_the_option_says(gated: GatedSuite, run: Run) -> None:
    """``--sessioneval-baseline`` counts instead of the suite's own."""
    gated.write()
    assert OK == run(_WRITE, "--sessioneval-baseline=other.json").ret
    gated.write(moved(-9, -11))
    assert OK == run(_WRITE).ret
    assert OK == run().ret
    assert FAILED == run("--sessioneval-baseline=other.json").ret


@pytest.mark.parametrize("config", ["", '[gate]\naxes = ["efficiency"]\n'])
def test_a_named_baseline_that_is_not_there_is_refused(
    pytester: pytest.Pytester, sessions: Sessions, config: str
) -> None:
    """With a gate or without: nothing is judged, and the path is told."""
    sessions.suite(config, "recorded")
    sessions.good("recorded/a.json")
    message = refusal(pytester.runpytest("recorded", "--sessioneval-baseline=nowhere.json"))
    assert f"there is no file {pytester.path}/nowhere.json; name a baseline" in message


def test_a_named_baseline_may_be_missing_where_the_suite_says_so(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """The first run of a workflow that will write one."""
    sessions.suite('[gate]\naxes = ["efficiency"]\non_missing_baseline = "pass"\n', "recorded")
    sessions.good("recorded/a.json")
    assert OK == pytester.runpytest("recorded", "--sessioneval-baseline=nowhere.json").ret


def test_an_earlier_run_can_be_compared_with(gated: GatedSuite, run: Run, runs: Runs) -> None:
    """By its id or its report's path, without any baseline."""
    gated.write()
    assert FAILED == run().ret  # there is no baseline
    (folder,) = runs.folders
    gated.write(moved(2, -2))
    assert OK == run(f"--sessioneval-compare={folder.name}").ret
    gated.write(moved(-9, -11))
    result = run(f"--sessioneval-compare={folder}/report.json")
    assert FAILED == result.ret
    result.stdout.fnmatch_lines([f" gate: {AXIS} got worse: *", "*Compared with *report.json."])


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("value", ["", "nowhere.json", "20261121-190412-7f3a2b", "suite"])
def test_compare_refuses_what_is_not_there(value: str, run: Run) -> None:
    """Exit 4 in one line with what is accepted, never a run without a comparison."""
    said = refusal(run(f"--sessioneval-compare={value}"))
    assert f"--sessioneval-compare: {value!r} is neither a file nor a run" in said
    assert "git:REF" in said


@pytest.mark.usefixtures("plain")
def test_compare_refuses_a_file_that_is_neither(pytester: pytest.Pytester, run: Run) -> None:
    """A session is neither a baseline nor a report."""
    said = refusal(run("--sessioneval-compare=suite/s00.json"))
    assert said.startswith("--sessioneval-compare suite/s00.json: ")
    assert str(pytester.path / "suite" / "s00.json") in said

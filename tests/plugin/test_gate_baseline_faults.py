"""Baselines that cannot be used stop a run before anybody is asked; half a run writes none."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatch

import pytest
from accident_runs import FAILED, OK, WRITE, Run, status_of
from gated_suite import AXIS, GATE, STEADY, GatedSuite, moved
from plugin_runs import Runs, refusal

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
    assert OK == run(WRITE).ret
    blessed.write(moved(-8, -4))
    result = run()
    assert FAILED == result.ret
    assert "regressed" == status_of(runs)
    result.stdout.fnmatch_lines([f"{AXIS}: -3.0 *anchor -6.0 regressed*"])


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
    result = run(WRITE, *arguments)
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
    result = run(WRITE)
    assert FAILED == result.ret
    assert before != blessed.baseline.read_bytes()
    (told,) = (line for line in result.outlines if line.startswith("FAILED "))
    assert fnmatch(told, failed), told


def test_an_interrupted_run_writes_no_baseline(blessed: GatedSuite, run: Run) -> None:
    """Exit 2, and the file as it was."""
    before = blessed.baseline.read_bytes()
    blessed.write(moved(2, -2))
    (blessed.folder / "s12_test.py").write_text("def test(): raise KeyboardInterrupt\n", "utf-8")
    assert pytest.ExitCode.INTERRUPTED == run(WRITE).ret
    assert before == blessed.baseline.read_bytes()


def test_writing_again_changes_no_byte(blessed: GatedSuite, run: Run) -> None:
    """Equal scores give an equal file, and the run says that it held them already."""
    before = blessed.baseline.read_bytes()
    result = run(WRITE)
    assert OK == result.ret
    assert before == blessed.baseline.read_bytes()
    result.stdout.fnmatch_lines(["*baseline.json holds these scores already"])


def test_what_moved_is_said(blessed: GatedSuite, run: Run) -> None:
    """Per axis the old mean and the new, and which sessions are new, gone, and changed."""
    blessed.write((*moved(-9, -11)[:-1],))
    blessed.session("s30", 90)
    result = run(WRITE)
    assert OK == result.ret
    result.stdout.fnmatch_lines(["wrote *baseline.json", f"*{AXIS}: 70.0 * 61*", "*s30.json*"])

"""``--sessioneval-run-id``: shards append to one run, and the last one decides on all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from gated_suite import GATE, STEADY, GatedSuite, moved
from plugin_runs import Runs, Sessions, outcomes, refusal

from pytest_sessioneval.cli import program

OK, FAILED = pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED
MEAN = "[thresholds.mean]\ntool_usage_quality = 65\n"


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, pytester: pytest.Pytester) -> str:
    """Return the option that names the store that all parts share."""
    url = f"sqlite:///{pytester.path}/shared/store.db"
    if request.param == "postgres":
        url = str(request.getfixturevalue("postgres_url"))
    return f"--sessioneval-store={url}"


@pytest.fixture
def steady(pytester: pytest.Pytester, gated: GatedSuite) -> GatedSuite:
    """Return a suite of 24 sessions, mean 70, with its baseline."""
    gated.write()
    gated.bless(pytester)
    return gated


def _part(
    pytester: pytest.Pytester, part: str, *options: str, run: str = "nightly"
) -> pytest.RunResult:
    return pytester.runpytest(
        f"--sessioneval-run-id={run}", f"--sessioneval-shard={part}", *options
    )


def _report(pytester: pytest.Pytester, name: str) -> dict[str, Any]:
    text = (pytester.path / ".sessioneval" / "runs" / name / "report.json").read_text("utf-8")
    report: dict[str, Any] = json.loads(text)
    return report


def _close(*arguments: str) -> Result:
    return CliRunner().invoke(program, ["runs", "close", *arguments])


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize("workers", [(), ("-n1",)], ids=["alone", "worker"])
def test_the_last_part_decides_on_all(
    pytester: pytest.Pytester, store: str, workers: tuple[str, ...]
) -> None:
    """In any order: the others decide nothing, and the last one's report is of every session."""
    for part in ("2/3", "1/3"):
        result = _part(pytester, part, store, *workers)
        assert OK == result.ret
        result.stdout.no_fnmatch_line("*gate: *")
        result.stdout.fnmatch_lines(["part * of run nightly: * means and gates are decided*"])
    last = _part(pytester, "3/3", store, *workers)
    assert OK == last.ret
    last.stdout.fnmatch_lines(["*gate: Nothing got worse*over 24 sessions*"])
    last.stdout.fnmatch_lines(["run nightly: all 3 parts are there, and this one decided on all"])
    (suite,) = _report(pytester, "nightly")["suites"]
    assert ["passed"] * 24 == [row["state"] for row in suite["sessions"]]
    assert "passed" == suite["gate"]["decision"]["status"]
    (part_suite,) = _report(pytester, "nightly.2-of-3")["suites"]
    assert 0 < len(part_suite["sessions"]) < 24


def test_what_got_worse_elsewhere_fails_the_last_part(
    pytester: pytest.Pytester, steady: GatedSuite, store: str
) -> None:
    """No session of the last part need have moved."""
    steady.write(moved(-20, -20), GATE)
    assert OK == _part(pytester, "1/2", store).ret
    last = _part(pytester, "2/2", store)
    assert FAILED == last.ret
    last.stdout.fnmatch_lines(["FAILED orders::gate*"])


@pytest.mark.usefixtures("steady")
def test_a_part_judged_again_decides_again(pytester: pytest.Pytester, store: str) -> None:
    """A job that CI repeats finds the others still there."""
    _part(pytester, "1/2", store)
    _part(pytester, "2/2", store)
    _part(pytester, "1/2", store).stdout.fnmatch_lines(["*gate: Nothing got worse*"])


def test_means_are_held_by_the_last_part(
    pytester: pytest.Pytester, gated: GatedSuite, store: str
) -> None:
    """A threshold on a mean is of the suite, not of a part."""
    gated.write((80, 40) * 12, MEAN)
    first = _part(pytester, "1/2", store)
    assert OK == first.ret
    last = _part(pytester, "2/2", store)
    assert FAILED == last.ret
    last.stdout.fnmatch_lines(["*mean of tool_usage_quality below threshold: 60 < 65*"])


@pytest.mark.usefixtures("steady")
def test_a_part_that_was_not_whole_does_not_count(pytester: pytest.Pytester, store: str) -> None:
    """With -k, or broken off, a part has not ended: nobody decides on less than all."""
    cut = _part(pytester, "1/2", store, "-k", "s00 or s01")
    cut.stdout.fnmatch_lines(["part 1 of 2 of run nightly is not complete: it left out*"])
    last = _part(pytester, "2/2", store)
    last.stdout.no_fnmatch_line("*gate: *")
    last.stdout.fnmatch_lines(["part 2 of 2 of run nightly: 1 of 2 are there*"])


def test_close_decides_with_what_is_there(
    pytester: pytest.Pytester, sessions: Sessions, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session of a part that never ended is not scored, which fails."""
    monkeypatch.setenv("SESSIONEVAL_STORE", store.partition("=")[2])
    sessions.suite(folder="recorded")
    sessions.good(*(f"recorded/{number}.json" for number in range(8)))
    _part(pytester, "1/2", "recorded", store)
    done = _close("nightly")
    assert 1 == done.exit_code, done.output
    assert " run nightly: decided on 1 of 2 parts" in done.stdout.splitlines()
    assert "not scored" in done.stdout
    _part(pytester, "2/2", "recorded", store)
    done = _close("nightly")
    assert 0 == done.exit_code, done.output
    assert 8 == len(_report(pytester, "nightly")["suites"][0]["sessions"])
    assert ["nightly done"] == [
        " ".join(line.split()[:2])
        for line in CliRunner().invoke(program, ["runs"]).stdout.splitlines()[1:]
    ]


def test_close_refuses_a_run_without_parts(
    pytester: pytest.Pytester, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2, and what runs there are can be listed."""
    monkeypatch.delenv("SESSIONEVAL_STORE", raising=False)
    sessions.good("recorded/a.json")
    pytester.runpytest("--sessioneval", "recorded")
    done = _close("nightly")
    assert 2 == done.exit_code
    assert "nightly: no part of such a run has ended" in done.stderr


def test_an_id_alone_names_the_run(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """Without a shard it is a run like any other, under that name."""
    sessions.good("recorded/a.json")
    result = pytester.runpytest("--sessioneval", "recorded", "--sessioneval-run-id=nightly")
    assert {"passed": 1} == outcomes(result)
    assert "nightly" == runs.last["run_id"]


@pytest.mark.parametrize(
    "option",
    [
        "--sessioneval-scope=unevaluated",
        "--sessioneval-since=2026-01-01",
        "--sessioneval-limit=3",
        "--sessioneval-update-baseline",
    ],
)
def test_a_part_is_all_of_its_shard(
    pytester: pytest.Pytester, sessions: Sessions, option: str
) -> None:
    """What would leave out more, or write a baseline, is refused."""
    sessions.good("recorded/a.json")
    said = refusal(_part(pytester, "1/2", "--sessioneval", "recorded", option))
    assert said.startswith(option.partition("=")[0])
    assert "is all of its shard, and writes no baseline" in said


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "n2"])
def test_parts_of_another_number_are_refused(
    pytester: pytest.Pytester, sessions: Sessions, workers: tuple[str, ...]
) -> None:
    """Before anything is judged: two runs must not become one."""
    sessions.good(*(f"recorded/{number}.json" for number in range(4)))
    _part(pytester, "1/2", "--sessioneval", "recorded")
    result = _part(pytester, "1/3", "--sessioneval", "recorded", *workers)
    said = result.stdout.str() + result.stderr.str()
    assert "this run is made of 2 parts, and --sessioneval-shard 1/3 is one of 3" in said
    assert pytest.ExitCode.USAGE_ERROR == result.ret


def test_a_suite_that_stops_early_has_no_parts(
    pytester: pytest.Pytester, gated: GatedSuite
) -> None:
    """Looking at one part after the other needs all of them in one process."""
    gated.write(STEADY, f'{GATE}sequential = "obf"\n')
    assert "stops early" in refusal(_part(pytester, "1/2"))


def test_the_folder_of_a_part_names_it(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """Parts on one machine do not write over each other's reports."""
    sessions.good(*(f"recorded/{number}.json" for number in range(6)))
    _part(pytester, "1/2", "--sessioneval", "recorded")
    folders = {path.name for path in Path(".sessioneval/runs").iterdir()}
    assert {"nightly.1-of-2"} == folders

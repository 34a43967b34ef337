"""How many calls are made, whatever happens: killed, stopped, in several processes."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from pytest_sessioneval.testing import JudgeServer

SuiteMaker = Callable[..., Path]


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a run of the suite in a process of its own."""
    command = [sys.executable, "-m", "pytest", "-q", *arguments, "suite"]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def stored_opinions(folder: Path) -> int:
    """Return how many opinions the store of a run in ``folder`` holds now."""
    path = folder / ".sessioneval" / "store.db"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as database:
        try:
            row: Sequence[int] = database.execute("SELECT count(*) FROM evaluations").fetchone()
        except sqlite3.OperationalError:
            return 0
    return row[0]


def test_a_killed_run_is_taken_up_where_it_was_acknowledged(
    pytester: pytest.Pytester, judge_server: JudgeServer, make_suite: SuiteMaker
) -> None:
    """After kill -9 with K answers kept, the second run makes exactly N - K calls."""
    make_suite(20)
    judge_server.hold()
    run = start(pytester.path, "--sessioneval-concurrency=4")
    judge_server.wait_for_calls(4)
    judge_server.release(3)
    judge_server.wait_for_calls(7)  # three workers asked again: three answers had been kept
    while stored_opinions(pytester.path) < 3:
        assert run.poll() is None
        os.sched_yield()
    run.send_signal(signal.SIGKILL)
    run.wait()
    judge_server.release()
    before, kept = judge_server.calls, stored_opinions(pytester.path)

    pytester.runpytest_inprocess("-q", "suite").assert_outcomes(passed=20)

    assert 3 == kept
    assert 20 - kept == judge_server.calls - before


@pytest.mark.parametrize("workers", ["2", "3"])
def test_workers_make_every_call_once(
    workers: str,
    pytester: pytest.Pytester,
    judge_server: JudgeServer,
    make_suite: SuiteMaker,
) -> None:
    """Under ``-n`` no session is judged twice and the limit holds for the whole run."""
    make_suite(24)

    result = pytester.runpytest_inprocess("-n", workers, "--sessioneval-concurrency=3", "suite")

    result.assert_outcomes(passed=24)
    assert 24 == judge_server.calls
    assert judge_server.peak_in_flight <= 3


def test_the_limit_is_reached_and_not_passed(
    pytester: pytest.Pytester, judge_server: JudgeServer, make_suite: SuiteMaker
) -> None:
    """As many questions as allowed are in flight at once, and never one more."""
    make_suite(12)
    judge_server.hold()
    run = start(pytester.path, "--sessioneval-concurrency=5")
    judge_server.wait_for_calls(5)
    judge_server.release()

    assert 0 == run.wait()
    assert 5 == judge_server.peak_in_flight
    assert 12 == judge_server.calls


def test_workers_and_a_single_process_report_the_same(
    pytester: pytest.Pytester, judge_server: JudgeServer, make_suite: SuiteMaker
) -> None:
    """The averages, counts and exit code do not depend on ``-n``."""
    make_suite(8, extra="[thresholds.session]\nefficiency = 90\n")

    alone = pytester.runpytest_inprocess("suite", "--sessioneval-out=alone")
    many = pytester.runpytest_inprocess("-n2", "suite", "--sessioneval-out=many")

    def table(result: pytest.RunResult) -> list[str]:
        return [line for line in result.outlines if line.startswith((" goal_", " effi"))]

    assert 8 == judge_server.calls
    assert pytest.ExitCode.TESTS_FAILED == alone.ret == many.ret
    assert 2 == len(table(alone))
    assert table(alone) == table(many)


def test_after_x_at_most_the_limit_more_is_asked(
    pytester: pytest.Pytester, judge_server: JudgeServer, make_suite: SuiteMaker
) -> None:
    """With ``-x`` the first failure leaves at most ``concurrency`` further calls."""
    make_suite(40, extra="[thresholds.session]\nefficiency = 90\n")

    result = pytester.runpytest_inprocess("-x", "--sessioneval-concurrency=4", "suite")

    result.assert_outcomes(failed=1)
    assert judge_server.calls <= 1 + 4


def test_after_x_workers_ask_little_more(
    pytester: pytest.Pytester, judge_server: JudgeServer, make_suite: SuiteMaker
) -> None:
    """With ``-x -n2`` the controller stops judging for the sessions nobody will report."""
    make_suite(40, extra="[thresholds.session]\nefficiency = 90\n")

    result = pytester.runpytest_inprocess("-x", "-n2", "--sessioneval-concurrency=2", "suite")

    assert pytest.ExitCode.OK != result.ret
    # Each worker holds two items at least, and two may be in flight beyond them.
    assert judge_server.calls <= 12


def test_exit_does_not_wait_for_a_judge_that_hangs(
    pytester: pytest.Pytester, judge_server: JudgeServer, make_suite: SuiteMaker
) -> None:
    """After ``-x`` the run ends although calls are still in flight."""
    make_suite(10, extra="[thresholds.session]\nefficiency = 90\n")
    judge_server.hold()
    run = start(pytester.path, "-x", "--sessioneval-concurrency=4")
    judge_server.wait_for_calls(4)
    first = next(
        place
        for place, request in enumerate(judge_server.requests)
        if "parcel number 0" in request.text
    )
    judge_server.release(first + 1)

    assert pytest.ExitCode.TESTS_FAILED == run.wait(timeout=60)
    assert judge_server.calls <= 1 + 4


def test_the_budget_holds_across_workers(
    pytester: pytest.Pytester, judge_server: JudgeServer, make_suite: SuiteMaker
) -> None:
    """Past ``--sessioneval-max-calls`` nobody is asked, and the sessions are not scored."""
    make_suite(10)

    result = pytester.runpytest_inprocess("-n2", "--sessioneval-max-calls=6", "suite")

    result.assert_outcomes(passed=6, failed=4)
    assert 6 == judge_server.calls
    result.stdout.fnmatch_lines(["*the budget of 6 judge calls is spent*"])


def test_what_a_worker_finds_wrong_ends_the_run_with_exit_4(
    pytester: pytest.Pytester, make_suite: SuiteMaker
) -> None:
    """A broken suite file is a usage error under ``-n`` too, told once, without a traceback."""
    folder = make_suite(2)
    (folder / "sessioneval.toml").write_text("[suite]\nnmae = 'x'\n", encoding="utf-8")

    result = pytester.runpytest_inprocess("-n2", "suite")

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(["*sessioneval.toml:2:*nmae*name*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stderr.no_fnmatch_line("*Traceback*")


def test_an_unreadable_file_errors_under_workers(
    pytester: pytest.Pytester, judge_server: JudgeServer, make_suite: SuiteMaker
) -> None:
    """One error item, the rest judged."""
    folder = make_suite(3)
    (folder / "broken.json").write_text("[{", encoding="utf-8")

    result = pytester.runpytest_inprocess("-n2", "suite")

    result.assert_outcomes(passed=3, errors=1)
    assert 3 == judge_server.calls


def test_the_fixture_judges_through_the_controller(
    pytester: pytest.Pytester, judge_server: JudgeServer
) -> None:
    """Two workers judging the same session ask once per expert, not twice."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("time", range(6))
        def test_polite(sessioneval, time):
            messages = [
                {"role": "user", "content": "Where is my parcel, please?"},
                {"role": "assistant", "content": "It arrives tomorrow morning."},
            ]
            assert sessioneval.judge(messages)["efficiency"] >= 70
        """
    )

    result = pytester.runpytest_inprocess("-n2", "--sessioneval-judge=openai:loopback")

    result.assert_outcomes(passed=6)
    assert 3 == judge_server.calls

"""How an evaluation ends: the run of it, in order, kept with what it cost."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from evaluation_cases import (
    NOW,
    PROVENANCE,
    Bench,
    complete,
    details_of,
    states_of,
    statuses_of,
)
from scripted_judge import PATIENCE_S, HeldJudge

from pytest_sessioneval.stores.protocol import StoredOpinion
from pytest_sessioneval.stores.sql import SqlStore
from pytest_sessioneval.verdicts.model import CallCount


def test_the_run_is_in_the_plans_order(bench: Bench) -> None:
    """Whatever order verdicts come and are asked for in."""
    bench.write("a", "b", "c")
    with bench.evaluation() as evaluation:
        evaluation.start(bench.plan())
        for name in "cab":
            evaluation.result("small", f"{name}.json")
        run = evaluation.finish(provenance=PROVENANCE, reported=lambda _suite, _member: True)
    assert ["node a.json", "node b.json", "node c.json"] == [
        result.nodeid for result in run.suites[0].results
    ]


def test_what_did_not_report_was_not_run(bench: Bench) -> None:
    """A session that was judged ahead and whose item never ran has no state of its own."""
    bench.write("a", "b")
    with bench.evaluation() as evaluation:
        evaluation.start(bench.plan())
        for name in "ab":
            evaluation.result("small", f"{name}.json")
        run = evaluation.finish(
            provenance=PROVENANCE, reported=lambda _suite, member_id: member_id == "a.json"
        )
    assert ["passed", "not_run"] == states_of(run)


def test_what_was_not_run_keeps_its_status(bench: Bench) -> None:
    """Whether the store had its verdict is known without its item."""
    bench.write("a")
    bench.run()
    bench.write("b")
    with bench.evaluation() as evaluation:
        evaluation.start(bench.plan())
        run = evaluation.finish(provenance=PROVENANCE, reported=lambda _suite, _member: False)
    assert ["evaluated", "pending"] == statuses_of(run)


def test_what_was_judged_ahead_is_paid_for(bench: Bench, judge: HeldJudge) -> None:
    """A run that was stopped tells all of the calls it made, not only the reported sessions'."""
    bench.write("a", "b", "c")
    kept = threading.Event()

    class Noting(SqlStore):
        """A store that tells when everything has been kept."""

        count = 0

        def put_opinions(self, run_id: str, rows: Sequence[StoredOpinion]) -> None:
            """Keep, and count."""
            super().put_opinions(run_id, rows)
            self.count += len(rows)
            if self.count == 3:
                kept.set()

    with bench.evaluation(store=Noting(bench.store()._database)) as evaluation:
        evaluation.start(bench.plan())
        evaluation.result("small", "a.json")
        assert kept.wait(PATIENCE_S)
        run = evaluation.finish(
            provenance=PROVENANCE, reported=lambda _suite, member_id: member_id == "a.json"
        )
    assert ["passed", "not_run", "not_run"] == states_of(run)
    assert CallCount(calls=3) == run.suites[0].spent
    assert 3 == len(judge.asked)


def test_stopping_ends_the_waiting(bench: Bench) -> None:
    """A verdict that will not come says why, at once."""
    bench.judge = judge = HeldJudge()
    bench.write("pens")
    with bench.evaluation() as evaluation, ThreadPoolExecutor(1) as pool:
        evaluation.start(bench.plan())
        waiting = pool.submit(evaluation.result, "small", "pens.json")
        judge.wait_for_calls(1)
        evaluation.stop("the run was interrupted")
        assert {"skipped: the run was interrupted"} == details_of(waiting.result(PATIENCE_S))


def test_a_run_is_kept_with_how_it_ended(bench: Bench) -> None:
    """Done, or interrupted; with when it began and ended."""
    bench.write("pens")
    bench.run()
    with bench.evaluation() as evaluation:
        evaluation.start(bench.plan())
        bench.moment = NOW + timedelta(minutes=3)
        evaluation.keep(
            evaluation.finish(
                provenance=PROVENANCE, reported=lambda _suite, _member: False, interrupted=True
            )
        )
    store = bench.store()
    rows = {row.run_id: (row.state, row.started_at, row.finished_at) for row in store.runs()}
    store.close()
    assert {
        "run-1": ("done", NOW, NOW),
        "run-2": ("interrupted", NOW, NOW + timedelta(minutes=3)),
    } == rows


def test_a_run_that_never_began_leaves_no_trace(bench: Bench) -> None:
    """Nothing is written about a run that judged nothing."""
    with bench.evaluation() as evaluation:
        run = evaluation.finish(provenance=PROVENANCE, reported=lambda _suite, _member: True)
        evaluation.keep(run)
    store = bench.store()
    assert () == store.runs()
    assert () == run.suites
    store.close()


def test_closing_releases_the_judges(bench: Bench, judge: HeldJudge) -> None:
    """Their connections are closed when the run is over."""
    bench.write("pens")
    bench.run()
    assert judge.closed


@pytest.mark.parametrize(("name", "asked"), [("hook:one", True), ("openai:one", False)])
def test_only_python_judges_run_others_code(bench: Bench, name: str, asked: bool) -> None:  # noqa: FBT001
    """And only where something is asked: not before the start, and not from the store."""
    bench.judge.name = name
    bench.write("pens")
    waits = []
    for _ in range(2):
        with bench.evaluation() as evaluation:
            waits.append(evaluation.runs_others_code)
            complete(evaluation, bench.plan())
            waits.append(evaluation.runs_others_code)
    assert [False, asked, False, False] == waits

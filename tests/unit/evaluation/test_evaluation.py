"""One evaluation: from the store what is there, from judges the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from evaluation_cases import (
    NOW,
    ONE,
    SECRET,
    Bench,
    chat,
    complete,
    said,
    small_suite,
    states_of,
    statuses_of,
    write,
)
from scripted_judge import PATIENCE_S, HeldJudge, ScriptedJudge, scored

from pytest_sessioneval.errors import ReplyError, StoreError
from pytest_sessioneval.evaluation.settings import PlannedCalls
from pytest_sessioneval.judging.model import Answer, Case
from pytest_sessioneval.stores.protocol import StoredOpinion
from pytest_sessioneval.stores.sql import SqlStore
from pytest_sessioneval.suites.model import Thresholds
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import CallCount

# -- judged, and from the store --------------------------------------------------------


def test_what_nobody_judged_is_judged(bench: Bench, judge: HeldJudge) -> None:
    """Every session is asked about once, and the run says so."""
    bench.write("pens", "hats")
    run = bench.run()
    (suite,) = run.suites
    assert ["passed", "passed"] == states_of(run)
    assert ["pending", "pending"] == statuses_of(run)
    assert (2, 0, 2) == (suite.judged, suite.from_store, len(judge.asked))
    assert CallCount(calls=2) == suite.spent


def test_what_was_judged_comes_from_the_store(bench: Bench, judge: HeldJudge) -> None:
    """A second run asks nobody, spends nothing, and reaches the same verdicts."""
    bench.write("pens", "hats")
    first, second = bench.run(), bench.run()
    (suite,) = second.suites
    assert 2 == len(judge.asked)
    assert (0, 2, CallCount()) == (suite.judged, suite.from_store, suite.spent)
    assert ["evaluated", "evaluated"] == statuses_of(second)
    assert [result.verdict.axes for result in first.suites[0].results if result.verdict] == [
        result.verdict.axes for result in suite.results if result.verdict
    ]


def test_a_panel_of_experts_alike_comes_from_the_store(bench: Bench, judge: HeldJudge) -> None:
    """Three votes are three opinions in the first run and in the second."""
    bench.write("pens")
    suite = small_suite(
        *(ONE.model_copy(update={"id": name}) for name in ("a", "b", "c")), root=bench.root
    )
    bench.run(suite)
    second = bench.run(suite)
    assert 3 == len(judge.asked)
    assert (0, 1) == (second.suites[0].judged, second.suites[0].from_store)
    (result,) = second.suites[0].results
    assert result.verdict is not None
    assert ["a", "b", "c"] == [opinion.expert_id for opinion in result.verdict.opinions]


def test_only_what_is_missing_is_asked(bench: Bench, judge: HeldJudge) -> None:
    """One expert more means one question more; the others' opinions stay."""
    bench.write("pens")
    bench.run()
    bench.moment = NOW + timedelta(days=1)
    two = ONE.model_copy(update={"id": "two", "instruction": "Listen."})
    run = bench.run(small_suite(ONE, two, root=bench.root))
    assert 2 == len(judge.asked)
    assert ["stale"] == statuses_of(run)
    assert (1, 0, CallCount(calls=1)) == (
        run.suites[0].judged,
        run.suites[0].from_store,
        run.suites[0].spent,
    )


def test_what_failed_is_asked_again(tmp_path: Path) -> None:
    """A judge that gave no answer is asked in the next run."""
    answers = iter([ReplyError("oh"), None])

    def answer(case: Case) -> Answer:
        error = next(answers)
        if error is not None:
            raise error
        return scored(case)

    bench = Bench(tmp_path, ScriptedJudge(answer))
    bench.write("pens")
    assert ["not_scored"] == states_of(bench.run())
    assert ["passed"] == states_of(bench.run())


def test_a_changed_session_is_judged_again(bench: Bench, judge: HeldJudge) -> None:
    """Its key is the same, its verdict is stale."""
    bench.write("pens")
    bench.run()
    write(bench.root, pens=chat(said("pens", 2)))
    assert ["stale"] == statuses_of(bench.run())
    assert 2 == len(judge.asked)


def test_a_moved_threshold_asks_nobody(bench: Bench, judge: HeldJudge) -> None:
    """The stored verdict is held against the new threshold."""
    bench.write("pens")
    bench.run()
    strict = small_suite(root=bench.root, thresholds=Thresholds(session={"goal": 61}))
    assert ["below_threshold"] == states_of(bench.run(strict))
    assert 1 == len(judge.asked)


def test_a_session_of_two_suites_is_judged_once(bench: Bench, judge: HeldJudge) -> None:
    """What one suite's judging kept, the other suite's next run finds."""
    bench.write("pens")
    bench.run(small_suite(root=bench.root, name="one"))
    run = bench.run(small_suite(root=bench.root, name="two"))
    assert 1 == len(judge.asked)
    assert 1 == run.suites[0].from_store


def test_repeats_are_asked_and_kept(bench: Bench, judge: HeldJudge) -> None:
    """More repeats ask for what is missing of them."""
    bench.write("pens")
    for repeats, asked in ((1, 1), (3, 3), (2, 3)):
        suite = small_suite(root=bench.root)
        judging = suite.settings.judge.model_copy(update={"repeats": repeats})
        bench.run(
            suite.model_copy(
                update={"settings": suite.settings.model_copy(update={"judge": judging})}
            )
        )
        assert asked == len(judge.asked)


def test_a_baseline_asks_as_often_as_it_wants(bench: Bench, judge: HeldJudge) -> None:
    """With three baseline repeats each expert is asked three times."""
    bench.write("pens")
    bench.run(for_baseline=True)
    assert 3 == len(judge.asked)


def test_offline_asks_nobody(bench: Bench, judge: HeldJudge) -> None:
    """What the store knows is there, the rest is not scored and says how to go on."""
    bench.write("pens")
    bench.run()
    bench.write("hats")
    run = bench.run(offline=True)
    assert 1 == len(judge.asked)
    assert ["not_scored", "passed"] == states_of(run)
    assert "--sessioneval-offline" in run.suites[0].results[0].not_scored[0]
    assert (0, 1) == (run.suites[0].judged, run.suites[0].from_store)


def test_evaluated_knows_what_is_current(bench: Bench) -> None:
    """A session counts when every opinion expected today is there."""
    bench.write("pens")
    bench.run()
    bench.write("hats")
    members = [planned.member for planned in bench.plan().suites[0].sessions]
    with bench.evaluation() as evaluation:
        assert {"pens.json"} == evaluation.evaluated(bench.suite, members)
        other = small_suite(ONE.model_copy(update={"instruction": "Listen."}), root=bench.root)
        renamed = other.model_copy(update={"name": "other"})
        assert frozenset() == evaluation.evaluated(renamed, members)


def test_what_is_judged_is_listed_in_the_store(bench: Bench) -> None:
    """Sessions' summaries are kept beside their verdicts."""
    bench.write("pens")
    bench.run()
    store = bench.store()
    assert ["pens.json"] == [session.key for session in store.sessions("small")]
    store.close()


# -- how it goes about it --------------------------------------------------------------


def test_the_window_moves_as_items_report(bench: Bench, judge: HeldJudge) -> None:
    """No more sessions are begun than the look-ahead, until their items are done."""
    bench.write("a", "b", "c")
    with bench.evaluation(concurrency=4, lookahead=1) as evaluation:
        evaluation.start(bench.plan())
        for number, name in enumerate("abc", start=1):
            judge.wait_for_calls(number)
            assert number == len(judge.asked)
            evaluation.result("small", f"{name}.json")
            evaluation.consumed("small", f"{name}.json")


def test_the_limit_holds(bench: Bench) -> None:
    """No more questions are in flight than asked for."""
    bench.judge = judge = HeldJudge()
    bench.write(*"abcdef")
    with bench.evaluation(concurrency=2) as evaluation, ThreadPoolExecutor(1) as pool:
        done = pool.submit(complete, evaluation, bench.plan())
        judge.wait_for_calls(2)
        judge.release()
        done.result(PATIENCE_S)
    assert 2 == judge.peak


def test_the_budget_is_the_runs(bench: Bench, judge: HeldJudge) -> None:
    """It holds over all suites; what it allowed is scored."""
    bench.write("a", "b", "c")
    suites = [small_suite(root=bench.root, name=name) for name in ("one", "two")]
    run = bench.run(*suites, max_calls=4, concurrency=1)
    assert 4 == len(judge.asked)
    assert {"passed": 4, "not_scored": 2} == Counter(states_of(run))
    assert [3, 1] == [suite.judged for suite in run.suites]


def test_what_is_about_to_be_asked_is_announced(bench: Bench, judge: HeldJudge) -> None:
    """Sessions, those without a verdict, and calls, before the first of them."""
    bench.write("pens")
    bench.run()
    bench.write("hats", "shoes")
    told: list[PlannedCalls] = []

    def announce(planned: PlannedCalls) -> None:
        assert 1 == len(judge.asked)
        told.append(planned)

    with bench.evaluation() as evaluation:
        evaluation.start(bench.plan(), announce)
    assert [
        PlannedCalls(sessions=3, unjudged=2, calls=2, judges=("script",), embedded=False)
    ] == told


def test_sessions_are_read_again_and_must_be_the_same(bench: Bench) -> None:
    """A file that changed between collecting and judging is not scored."""
    bench.write("pens")
    plan = bench.plan()
    write(bench.root, pens=chat(said("hats")))
    with bench.evaluation() as evaluation:
        run = complete(evaluation, plan)
    assert ["not_scored"] == states_of(run)
    assert "the session changed" in run.suites[0].results[0].not_scored[0]


def test_judges_never_see_secrets(tmp_path: Path) -> None:
    """They are replaced before, and counted."""
    seen: list[Transcript] = []

    def answer(case: Case) -> Answer:
        seen.append(case.transcript)
        return scored(case)

    bench = Bench(tmp_path, ScriptedJudge(answer))
    write(bench.root, a=chat([{"role": "user", "content": f"key {SECRET}"}, *said("pens")]))
    run = bench.run()
    assert SECRET not in seen[0].model_dump_json()
    assert 1 == sum(run.suites[0].redacted.values())


def test_each_suite_counts_its_own_secrets(bench: Bench) -> None:
    """What was replaced in one suite is not told of the other."""
    other = bench.root.parent / "other"
    write(bench.root, a=chat([{"role": "user", "content": f"key {SECRET}"}, *said("pens")]))
    write(other, b=chat(said("hats")))
    run = bench.run(bench.suite, small_suite(root=other, name="other"))
    assert [1, 0] == [sum(suite.redacted.values()) for suite in run.suites]


class BrokenStore(SqlStore):
    """A store whose disk is full when verdicts come."""

    def put_opinions(self, run_id: str, rows: Sequence[StoredOpinion]) -> None:
        """Fail."""
        raise StoreError(f"disk full: {run_id}, {len(rows)} rows")


def test_a_broken_store_is_raised_where_a_verdict_is_waited_for(bench: Bench) -> None:
    """Nobody reports what could not be kept."""
    bench.write("pens")
    store = bench.store()
    broken = BrokenStore(store._database)
    with bench.evaluation(store=broken) as evaluation:
        evaluation.start(bench.plan())
        with pytest.raises(StoreError, match="disk full"):
            evaluation.result("small", "pens.json")

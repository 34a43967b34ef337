"""One evaluation: from the store what is there, from judges the rest, and the run of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from evaluation_cases import (
    AXES,
    NOW,
    ONE,
    PROVENANCE,
    Bench,
    chat,
    complete,
    member,
    said,
    small_suite,
    write,
)
from scripted_judge import PATIENCE_S, HeldJudge, ScriptedJudge, scored

from pytest_sessioneval.errors import ReplyError, StoreError
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.settings import PlannedCalls
from pytest_sessioneval.judging.model import Answer, Case
from pytest_sessioneval.stores.protocol import StoredOpinion
from pytest_sessioneval.stores.sql import SqlStore
from pytest_sessioneval.suites.model import Thresholds
from pytest_sessioneval.testing import transcript
from pytest_sessioneval.transcripts.digest import summarise
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import CallCount, Opinion, Unscored
from pytest_sessioneval.verdicts.run import Run, SessionResult

SECRET = "sk-ant-api03-" + "Zx9" * 31


@pytest.fixture
def judge() -> HeldJudge:
    """Return a judge that answers at once and counts."""
    return HeldJudge(held=False)


@pytest.fixture
def bench(tmp_path: Path, judge: HeldJudge) -> Bench:
    """Return a folder with nothing in it yet, and a store."""
    return Bench(tmp_path, judge)


def _states(run: Run) -> list[str]:
    return [result.state for suite in run.suites for result in suite.results]


def _statuses(run: Run) -> list[str]:
    return [result.status for suite in run.suites for result in suite.results]


def _details(result: SessionResult) -> set[str]:
    """Return the reasons of a session none of whose axes is scored."""
    assert result.verdict is not None
    axes = result.verdict.axes.values()
    return {f"{axis.reason}: {axis.detail}" for axis in axes if isinstance(axis, Unscored)}


# -- judged, and from the store --------------------------------------------------------


def test_what_nobody_judged_is_judged(bench: Bench, judge: HeldJudge) -> None:
    """Every session is asked about once, and the run says so."""
    bench.write("pens", "hats")
    run = bench.run()
    (suite,) = run.suites
    assert ["passed", "passed"] == _states(run)
    assert ["pending", "pending"] == _statuses(run)
    assert (2, 0, 2) == (suite.judged, suite.from_store, len(judge.asked))
    assert CallCount(calls=2) == suite.spent


def test_what_was_judged_comes_from_the_store(bench: Bench, judge: HeldJudge) -> None:
    """A second run asks nobody, spends nothing, and reaches the same verdicts."""
    bench.write("pens", "hats")
    first, second = bench.run(), bench.run()
    (suite,) = second.suites
    assert 2 == len(judge.asked)
    assert (0, 2, CallCount()) == (suite.judged, suite.from_store, suite.spent)
    assert ["evaluated", "evaluated"] == _statuses(second)
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
    assert ["stale"] == _statuses(run)
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
    assert ["not_scored"] == _states(bench.run())
    assert ["passed"] == _states(bench.run())


def test_a_changed_session_is_judged_again(bench: Bench, judge: HeldJudge) -> None:
    """Its key is the same, its verdict is stale."""
    bench.write("pens")
    bench.run()
    write(bench.root, pens=chat(said("pens", 2)))
    assert ["stale"] == _statuses(bench.run())
    assert 2 == len(judge.asked)


def test_a_moved_threshold_asks_nobody(bench: Bench, judge: HeldJudge) -> None:
    """The stored verdict is held against the new threshold."""
    bench.write("pens")
    bench.run()
    strict = small_suite(root=bench.root, thresholds=Thresholds(session={"goal": 61}))
    assert ["below_threshold"] == _states(bench.run(strict))
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
    assert ["not_scored", "passed"] == _states(run)
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
    assert {"passed": 4, "not_scored": 2} == Counter(_states(run))
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
    assert ["not_scored"] == _states(run)
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


# -- the end ---------------------------------------------------------------------------


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
    assert ["passed", "not_run"] == _states(run)


def test_what_was_not_run_keeps_its_status(bench: Bench) -> None:
    """Whether the store had its verdict is known without its item."""
    bench.write("a")
    bench.run()
    bench.write("b")
    with bench.evaluation() as evaluation:
        evaluation.start(bench.plan())
        run = evaluation.finish(provenance=PROVENANCE, reported=lambda _suite, _member: False)
    assert ["evaluated", "pending"] == _statuses(run)


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
    assert ["passed", "not_run", "not_run"] == _states(run)
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
        assert {"skipped: the run was interrupted"} == _details(waiting.result(PATIENCE_S))


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


# -- sessions that are in no file ------------------------------------------------------


def _produced(*words: str, name: str = "made") -> tuple[Member, Transcript]:
    """Return a session as a test makes it."""
    made = transcript(*(("user", word) for word in words))
    one = member(name)
    summary = summarise(made).model_copy(update={"session_id": name})
    session = one.session.model_copy(update={"key": name, "summary": summary})
    return one.model_copy(update={"session": session}), made


def test_a_session_in_no_file_is_judged_and_kept(bench: Bench, judge: HeldJudge) -> None:
    """Asked about again, in this run or the next, it comes from the store."""
    for _ in range(2):
        with bench.evaluation() as evaluation:
            for _ in range(2):
                result = evaluation.judge(bench.suite, *_produced("hi"))
                assert "passed" == result.state
    assert 1 == len(judge.asked)


def test_a_session_in_no_file_is_redacted(tmp_path: Path) -> None:
    """The judge of a test's session sees no secret either."""
    seen: list[Transcript] = []

    def answer(case: Case) -> Answer:
        seen.append(case.transcript)
        return scored(case)

    bench = Bench(tmp_path, ScriptedJudge(answer))
    with bench.evaluation() as evaluation:
        evaluation.judge(bench.suite, *_produced(f"key {SECRET}"))
    assert SECRET not in seen[0].model_dump_json()


def test_the_same_session_at_once_is_asked_about_once(bench: Bench) -> None:
    """Several workers that judge the same session share one answer."""
    bench.judge = judge = HeldJudge()
    with bench.evaluation() as evaluation, ThreadPoolExecutor(4) as pool:
        waiting = [
            pool.submit(evaluation.judge, bench.suite, *_produced("hi", name=f"made {n}"))
            for n in range(4)
        ]
        judge.wait_for_calls(1)
        judge.release()
        assert {"passed"} == {future.result(PATIENCE_S).state for future in waiting}
    assert 1 == len(judge.asked)


class MeetingStore(SqlStore):
    """A store at which two callers meet before either goes on."""

    def meet(self, barrier: threading.Barrier) -> MeetingStore:
        """Have the callers of ``opinions`` wait for each other."""
        self._barrier = barrier
        return self

    def opinions(self, keys: Sequence[str]) -> dict[str, Opinion]:
        """Return nothing before both are there."""
        self._barrier.wait(PATIENCE_S)
        return super().opinions(keys)


def test_two_sessions_of_one_name_at_once_are_two(tmp_path: Path) -> None:
    """Workers whose tests give different sessions the same name each get their own verdict."""

    def answer(case: Case) -> Answer:
        return scored(case, int(case.transcript.messages[0].text))

    bench = Bench(tmp_path, ScriptedJudge(answer))
    store = MeetingStore(bench.store()._database).meet(threading.Barrier(2))
    with bench.evaluation(store=store) as evaluation, ThreadPoolExecutor(2) as pool:
        waiting = [
            pool.submit(evaluation.judge, bench.suite, *_produced(words)) for words in ("20", "80")
        ]
        results = [future.result(PATIENCE_S) for future in waiting]
    assert [20, 80] == [
        result.verdict.scores["goal"] for result in results if result.verdict is not None
    ]


def test_after_a_stop_a_session_in_no_file_is_skipped(bench: Bench, judge: HeldJudge) -> None:
    """A test that asks while the run is being stopped is told so, and does not wait for ever."""
    with bench.evaluation() as evaluation, ThreadPoolExecutor(1) as pool:
        evaluation.judge(bench.suite, *_produced("hi"))
        evaluation.stop("the run was stopped before its turn")
        result = pool.submit(evaluation.judge, bench.suite, *_produced("ho")).result(PATIENCE_S)
    assert {"skipped: the run was stopped before its turn"} == _details(result)
    assert 1 == len(judge.asked)


def test_a_session_in_no_file_is_not_in_the_run(bench: Bench) -> None:
    """The report is about the suites that were planned."""
    bench.write("pens")
    with bench.evaluation() as evaluation:
        evaluation.judge(bench.suite, *_produced("hi"))
        run = complete(evaluation, bench.plan())
    assert ["pens.json"] == [result.session.path for result in run.suites[0].results]


def test_a_run_of_such_sessions_alone_is_a_run(bench: Bench) -> None:
    """It is noted in the store, without suites."""
    with bench.evaluation() as evaluation:
        evaluation.judge(bench.suite, *_produced("hi"))
        assert evaluation.running
        run = evaluation.finish(provenance=PROVENANCE, reported=lambda _suite, _member: True)
    assert () == run.suites


def test_the_axes_are_the_rubrics(bench: Bench) -> None:
    """A verdict has every axis, in order."""
    bench.write("pens")
    (result,) = bench.run().suites[0].results
    assert result.verdict is not None
    assert list(AXES) == list(result.verdict.axes)

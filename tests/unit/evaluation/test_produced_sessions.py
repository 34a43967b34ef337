"""Sessions that are in no file: judged and kept, and no part of the run."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from evaluation_cases import (
    AXES,
    PROVENANCE,
    SECRET,
    Bench,
    complete,
    details_of,
    member,
)
from scripted_judge import PATIENCE_S, HeldJudge, ScriptedJudge, scored

from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.judging.model import Answer, Case
from pytest_sessioneval.stores.sql import SqlStore
from pytest_sessioneval.testing import transcript
from pytest_sessioneval.transcripts.digest import summarise
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import Opinion


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
    assert {"skipped: the run was stopped before its turn"} == details_of(result)
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

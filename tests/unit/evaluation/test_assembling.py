"""A run put together: what is counted, what is too low, what is told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from evaluation_cases import MODEL, NOW, ONE, PROVENANCE, ROOT, member, small_suite
from scripted_judge import ScriptedJudge

from pytest_sessioneval.evaluation.assembling import SuiteTally, assemble_run
from pytest_sessioneval.evaluation.plan import PlannedSession, SuitePlan
from pytest_sessioneval.judging.panel import Panel, combine
from pytest_sessioneval.suites.model import Suite, Thresholds
from pytest_sessioneval.suites.thresholds import Shortfall
from pytest_sessioneval.verdicts.model import (
    AxisOpinion,
    CallCount,
    Opinion,
    Scored,
    Unscored,
)
from pytest_sessioneval.verdicts.run import Run, SessionResult, SessionState, Sources, SuiteRun


def _opinion(model: str = "big-1", expert: str = "one", **axes: Any) -> Opinion:
    given: dict[str, AxisOpinion] = {
        name: Unscored.model_validate({"reason": value})
        if isinstance(value, str)
        else Scored(score=value)
        for name, value in axes.items()
    }
    return Opinion(
        key=f"{expert} {axes}",
        expert_id=expert,
        axes=given,
        judge_model=model,
        judge_version="script@1#0",
        rubric_version="small@1#0",
        judged_at=NOW,
    )


def _result(
    *opinions: Opinion,
    name: str = "a.json",
    state: SessionState = "passed",
    from_store: bool = False,
    **summary: Any,
) -> SessionResult:
    """Return a session's result; without opinions it has no verdict."""
    session = member(name, **summary).session
    verdict = combine(small_suite().rubric, session, opinions, from_store=from_store)
    return SessionResult(session=session, state=state, verdict=verdict if opinions else None)


def _assembled(
    *results: SessionResult,
    suite: Suite | None = None,
    sources: Sources | None = None,
    **tally: Any,
) -> Run:
    of = suite or small_suite()
    given = {"spent": CallCount(), "redacted": {}, "readers": {}, **tally}
    planned = tuple(PlannedSession(member=member(result.session.path)) for result in results)
    return assemble_run(
        run_id="run-1",
        started_at=NOW,
        finished_at=NOW + timedelta(minutes=1),
        provenance=PROVENANCE,
        root=ROOT.parent,
        tallies=[
            SuiteTally(
                plan=SuitePlan(suite=of, sessions=planned, sources=sources or Sources()),
                panel=Panel.of(of, {MODEL: ScriptedJudge()}),
                results=results,
                **given,
            )
        ],
        partial="-k",
        interrupted=True,
    )


def _suite(*results: SessionResult, **how: Any) -> SuiteRun:
    (suite,) = _assembled(*results, **how).suites
    return suite


def _asking(**thresholds: Any) -> Suite:
    return small_suite(thresholds=Thresholds(**thresholds))


def test_a_run_says_when_where_and_how_it_ended() -> None:
    """What it was given is what it tells."""
    run = _assembled()
    assert ("run-1", NOW, NOW + timedelta(minutes=1), PROVENANCE, "-k", True) == (
        run.run_id,
        run.started_at,
        run.finished_at,
        run.provenance,
        run.partial,
        run.interrupted,
    )


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        (ROOT, "small"),
        (ROOT / "deep", "small/deep"),
        (ROOT.parent, "."),
        (Path("/elsewhere"), "/elsewhere"),
    ],
)
def test_a_suite_is_named_from_the_runs_root(folder: Path, told: str) -> None:
    """Relative where it lies inside, whole where it does not."""
    assert told == _suite(suite=small_suite(root=folder)).root


def test_results_stay_in_order() -> None:
    """The plan's order is the report's."""
    results = [_result(_opinion(goal=60), name=f"{name}.json") for name in "cab"]
    assert tuple(results) == _suite(*results).results


# -- counts ----------------------------------------------------------------------------


def test_judged_and_from_store_are_counted_apart() -> None:
    """A session for which somebody answered now, and one whose verdict was there."""
    suite = _suite(
        _result(_opinion(goal=60, tone=60)),
        _result(_opinion(goal=60, tone=60), from_store=True),
        _result(state="not_run"),
    )
    assert (1, 1) == (suite.judged, suite.from_store)


@pytest.mark.parametrize("reason", ["failed", "declined", "skipped"])
def test_what_nobody_answered_was_not_judged(reason: str) -> None:
    """A session all of whose experts failed counts as neither."""
    suite = _suite(_result(_opinion(goal=reason, tone=reason), state="not_scored"))
    assert (0, 0) == (suite.judged, suite.from_store)


@pytest.mark.parametrize("reason", ["unsupported", "not_applicable", "unverified", "tampered"])
def test_an_answer_without_a_score_is_an_answer(reason: str) -> None:
    """Somebody looked."""
    assert 1 == _suite(_result(_opinion(goal=reason, tone=reason))).judged


def test_costs_secrets_and_sources_are_told() -> None:
    """As they were counted."""
    sources = Sources(files_read=3)
    suite = _suite(spent=CallCount(calls=7), redacted={"api_key": 2}, sources=sources)
    assert (CallCount(calls=7), {"api_key": 2}, sources) == (
        suite.spent,
        suite.redacted,
        suite.sources,
    )


def test_only_readers_that_read_something_are_told() -> None:
    """With their versions, in the order they are asked."""
    suite = _suite(
        _result(_opinion(goal=60), source="chat"),
        _result(_opinion(goal=60), source="lines"),
        readers={"lines": 2, "unused": 9, "chat": 1},
    )
    assert [("lines", 2), ("chat", 1)] == list(suite.readers.items())


# -- means -----------------------------------------------------------------------------


def test_a_mean_that_is_too_low_is_told() -> None:
    """Over the scored sessions, against the suite's threshold."""
    suite = _suite(
        _result(_opinion(goal=60, tone=60)),
        _result(_opinion(goal=20, tone=60)),
        suite=_asking(mean={"goal": 41, "tone": 60}),
    )
    assert (Shortfall(axis="goal", score=40, threshold=41),) == suite.mean_shortfalls


def test_a_threshold_on_sessions_is_no_threshold_on_the_mean() -> None:
    """Each is told where it belongs."""
    suite = _suite(_result(_opinion(goal=20)), suite=_asking(session={"goal": 41}))
    assert () == suite.mean_shortfalls


@pytest.mark.parametrize("where", ["session", "mean"])
def test_an_axis_that_was_never_scored_is_told(where: str) -> None:
    """A threshold that nobody was held to is no success."""
    suite = _suite(
        _result(_opinion(goal="unsupported", tone=60)),
        _result(_opinion(goal="not_applicable", tone=60)),
        suite=_asking(**{where: {"goal": 41, "tone": 1}}),
    )
    assert ("goal",) == suite.never_scored


def test_an_axis_without_a_threshold_may_go_unscored() -> None:
    """Nobody asked for it."""
    assert () == _suite(_result(_opinion(goal="unsupported"))).never_scored


@pytest.mark.parametrize("state", ["not_scored", "not_run"])
def test_a_session_that_was_not_judged_leaves_it_open(state: SessionState) -> None:
    """It fails by itself, with its own reason."""
    suite = _suite(
        _result(_opinion(goal="unsupported")),
        _result(_opinion(goal="failed"), state=state),
        suite=_asking(mean={"goal": 41}),
    )
    assert () == suite.never_scored


def test_a_part_of_the_suite_leaves_it_open() -> None:
    """What was deselected might have been scored."""
    suite = _suite(
        _result(_opinion(goal="unsupported")),
        suite=_asking(mean={"goal": 41}),
        sources=Sources(deselected=1),
    )
    assert () == suite.never_scored


def test_no_sessions_leave_it_open() -> None:
    """Nothing was selected, so nothing was asked."""
    assert () == _suite(suite=_asking(mean={"goal": 41})).never_scored


# -- notes -----------------------------------------------------------------------------


def test_an_expert_that_changed_its_model_is_told() -> None:
    """A name that a provider answers under another model makes scores hard to compare."""
    suite = _suite(
        _result(_opinion("big-1", goal=60)),
        _result(_opinion("big-2", goal=60)),
        _result(_opinion("big-2", goal=60)),
    )
    assert ("expert one was answered by more than one model: big-2 (2), big-1 (1)",) == suite.notes


def test_experts_may_have_models_of_their_own() -> None:
    """Only one seat answered by several is worth a note."""
    assert (
        ()
        == _suite(
            _result(_opinion("big-1", "one", goal=60), _opinion("small-1", "two", tone=60))
        ).notes
    )


@pytest.mark.parametrize("reason", ["failed", "declined", "skipped"])
def test_a_failure_is_no_other_model(reason: str) -> None:
    """Where nobody answered, the name is only the one that was asked for."""
    assert (
        ()
        == _suite(
            _result(_opinion("big-1", goal=60)), _result(_opinion("openai:big", goal=reason))
        ).notes
    )


def test_the_panel_is_told() -> None:
    """Versions, seats and axes."""
    suite = _suite()
    assert [("one", ONE.axes)] == [(seat.id, seat.axes) for seat in suite.judge.seats]
    assert suite.rubric_version.startswith("small@1#")
    assert ("goal", "tone") == suite.axes

"""A small suite, its sessions, opinions on them, and a judge that a test scripts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from judging_cases import RUBRIC
from scripted_judge import ScriptedJudge

from pytest_sessioneval.judging.panel import Panel
from pytest_sessioneval.suites.model import (
    Axis,
    Expert,
    FeedbackEntry,
    JudgeSettings,
    Rubric,
    Suite,
    SuiteFile,
)
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.transcripts.model import SessionSummary
from pytest_sessioneval.verdicts.model import (
    AxisOpinion,
    Opinion,
    Scored,
    Unscored,
    UnscoredReason,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MODEL = "hook:script"

CREW = Axis(
    name="crew",
    question="Did the sub-agents help?",
    levels=RUBRIC.axes[0].levels,
    nullable=True,
    null_when="there are none",
    applies_if="subagents",
)
WITH_CREW = Rubric(name="small", version=1, axes=(*RUBRIC.axes, CREW))

OUTCOME = Expert(id="outcome", instruction="Look at the end.", axes=("goal", "tone"))
TONE = Expert(id="tone", instruction="Listen.", axes=("tone",))
CREWMAN = Expert(id="crew", instruction="Look at the sub-agents.", axes=("crew",))


def suite(*experts: Expert, rubric: Rubric = RUBRIC, **sections: Any) -> Suite:
    """Return a suite of these experts; ``sections`` are fields of its file."""
    judge = JudgeSettings(model=MODEL, experts=experts)
    return Suite(
        root=Path("/suites/small"),
        name="small",
        file=None,
        settings=SuiteFile(**{"judge": judge, **sections}),
        rubric=rubric,
    )


def session(name: str = "s1", /, **summary: Any) -> SuiteSession:
    """Return a session; its digest is made of its name."""
    given = {
        "session_id": name,
        "source": "testing",
        "digest": f"digest of {name}",
        "message_count": 2,
        **summary,
    }
    return SuiteSession(
        suite="small", key=name, path=f"{name}.json", summary=SessionSummary(**given)
    )


def panel(
    of: Suite | None = None, judge: ScriptedJudge | None = None, *, repeats: int | None = None
) -> Panel:
    """Return a suite's panel with one judge in every seat."""
    chosen = of or suite(OUTCOME)
    models = {
        expert.model or chosen.settings.judge.model for expert in chosen.settings.judge.experts
    }
    seated = judge or ScriptedJudge()
    judges = dict.fromkeys({chosen.settings.judge.model, *models}, seated)
    return Panel.of(chosen, judges, repeats=repeats)


def opinion(expert: str = "outcome", **axes: AxisOpinion | int | UnscoredReason) -> Opinion:
    """Return an opinion: per axis a score, a reason there is none, or the value itself."""
    return Opinion(
        key=f"key of {expert}",
        expert_id=expert,
        axes={name: _axis(given) for name, given in axes.items()},
        judge_model="script-1",
        judge_version="script@1#0",
        rubric_version="small@1#0",
        judged_at=NOW,
    )


def _axis(given: AxisOpinion | int | UnscoredReason) -> AxisOpinion:
    if isinstance(given, int):
        return Scored(score=given)
    return Unscored(reason=given) if isinstance(given, str) else given


THUMB = FeedbackEntry(session_id="s1", message_index=1, rating=-1, comment="wrong")


def changed(of: Suite, **changes: object) -> Suite:
    """Return the suite with these parts exchanged."""
    return of.model_copy(update=changes)


def with_sections(of: Suite, **sections: object) -> Suite:
    """Return the suite with these sections of its file."""
    return changed(of, settings=of.settings.model_copy(update=sections))


def with_judge(of: Suite, **changes: object) -> Suite:
    """Return the suite with these words in its ``[judge]``."""
    return with_sections(of, judge=of.settings.judge.model_copy(update=changes))


def with_rubric(**changes: object) -> Callable[[Suite], Suite]:
    """Return what changes the rubric of a suite."""
    return lambda of: changed(of, rubric=of.rubric.model_copy(update=changes))

"""Reported suites for tests of advice: sessions by their scores, tags and what is cited."""

from __future__ import annotations

from collections.abc import Mapping

from report_values import make_run, opinion, result

from pytest_sessioneval.gate.model import AxisScore, Baseline, SessionScores, Versions
from pytest_sessioneval.reports.advice.build import Background, advise
from pytest_sessioneval.reports.advice.model import Cluster, SuiteAdvice
from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.model import SuiteReport
from pytest_sessioneval.suites.model import Thresholds
from pytest_sessioneval.verdicts.model import (
    AxisOpinion,
    Evidence,
    PanelScore,
    Scored,
    Unscored,
    Verdict,
)
from pytest_sessioneval.verdicts.run import (
    JudgeIdentity,
    Run,
    SeatIdentity,
    SessionResult,
    SuiteRun,
)

AXES = ("task_complexity", "goal", "tools")
JUDGE = JudgeIdentity(
    model="openai:gpt-5-mini",
    version="openai:gpt-5-mini@2#1f2e3d4c",
    seats=(SeatIdentity(id="outcome", model="openai:gpt-5-mini", axes=AXES),),
)
RUBRIC = "agent@3#9a8b7c6d"


def said(
    score: int,
    tag: str | None = None,
    *cited: tuple[int, str] | tuple[int, str, str],
    comment: str = "",
    note: str = "",
) -> Scored:
    """Return an expert's score with a tag and what it cites: message, words, tool."""
    evidence = tuple(
        Evidence(message=place, quote=quote, tool=tool[0] if tool else None, note=note)
        for place, quote, *tool in cited
    )
    return Scored(score=score, failure_tag=tag, evidence=evidence, comment=comment)


def session(name: str, *experts: dict[str, AxisOpinion]) -> SessionResult:
    """Return a judged session; each of ``experts`` is what one of them said, by axis."""
    opinions = tuple(
        opinion(name, f"expert{place}", axes) for place, axes in enumerate(experts, start=1)
    )
    results: dict[str, PanelScore | Unscored] = {}
    for axis in AXES:
        given = [axes[axis] for axes in experts if axis in axes]
        scores = [one.score for one in given if one.kind == "scored"]
        unscored = [one for one in given if one.kind == "unscored"]
        if scores and all(one.reason == "not_applicable" for one in unscored):
            spread = max(scores) - min(scores)
            mean = sum(scores) / len(scores)
            results[axis] = PanelScore(score=mean, spread=spread, count=len(scores))
        elif unscored:
            results[axis] = unscored[0]
    verdict = Verdict(session_id=f"id-{name}", digest=name, axes=results, opinions=opinions)
    return result(name, verdict)


def suite(
    *sessions: SessionResult,
    thresholds: Thresholds | None = None,
    judge: JudgeIdentity = JUDGE,
) -> SuiteReport:
    """Return the report of a suite of these sessions."""
    return build_report(run_of(*sessions, thresholds=thresholds, judge=judge)).suites[0]


def run_of(
    *sessions: SessionResult,
    thresholds: Thresholds | None = None,
    judge: JudgeIdentity = JUDGE,
) -> Run:
    """Return a run of one suite of these sessions."""
    suite = SuiteRun(
        suite="airline",
        root="suites/airline",
        rubric_version=RUBRIC,
        axes=AXES,
        judge=judge,
        scoring_version="1",
        thresholds=thresholds or Thresholds(),
        results=sessions,
    )
    return make_run(suite)


def advised_run() -> Run:
    """Return a run with something of everything that advice tells."""
    seats = (3, "Error: no seat left on flight HAT041", "book_flight")
    cards = (5, "Error: card C77 was refused", "book_flight")
    down = (9, "Error: 503 service unavailable", "search")
    told = said(20, "false_claim", (11, "I have booked it for you."), comment="Nothing was booked.")
    found: list[SessionResult] = [
        session("task-1", {"goal": told, "tools": said(40, "error_repeated", seats, cards)}),
        session("task-2", {"goal": told, "tools": said(20, "error_repeated", seats)}),
        session("task-3", {"goal": said(100), "tools": said(60, "error_repeated", cards)}),
        session("task-4", {"goal": said(100), "tools": said(40, "error_repeated", down)}),
        session("task-5", {"goal": said(0, "gave_up"), "tools": said(100)}, {"goal": said(60)}),
        session("task-6", {"goal": Unscored(reason="unverified", detail="level 40: no quote")}),
        session("task-7", {"goal": said(90), "tools": said(100)}),
        session("task-9", {"goal": said(20, "wrong_result"), "tools": said(100)}),
    ]
    found += [
        session(f"calm-{place}", {"goal": said(score)}, {"goal": said(120 - score)})
        for place, score in enumerate((100, 20, 80, 40, 60, 100, 80))
    ]
    return run_of(*found, thresholds=Thresholds(mean={"tools": 80}))


def baseline(axis: str, scores: dict[str, float], *, rubric: str = RUBRIC) -> Baseline:
    """Return a baseline of one axis: scores by session key."""
    return Baseline(
        suite="airline",
        versions=Versions(rubric=rubric, judge=JUDGE.version, scoring="1"),
        axes=AXES,
        sessions=tuple(
            SessionScores(key=key, digest=key, axes={axis: AxisScore(score=score)})
            for key, score in sorted(scores.items())
        ),
    )


def advice_on(
    report: SuiteReport,
    *,
    thumbs: Mapping[str, Mapping[int, int]] | None = None,
    past: Baseline | None = None,
) -> SuiteAdvice:
    """Return the advice on a suite, given thumbs by session and message, and a baseline."""
    return advise(report, Background(thumbs=thumbs or {}, baseline=past))


def only_cluster(advice: SuiteAdvice) -> Cluster:
    """Return the advice's one cluster."""
    assert len(advice.clusters) == 1
    return advice.clusters[0]

"""Small sides of a comparison, built from plain lists of scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pytest_sessioneval.gate.model import (
    AxisPoint,
    AxisScore,
    Baseline,
    Candidate,
    NoScore,
    SessionScores,
    Versions,
)
from pytest_sessioneval.suites.model import GateSettings
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.transcripts.model import SessionSummary
from pytest_sessioneval.verdicts.model import (
    Opinion,
    PanelScore,
    Scored,
    Unscored,
    UnscoredReason,
    Verdict,
)
from pytest_sessioneval.verdicts.run import (
    JudgeIdentity,
    SeatIdentity,
    SessionResult,
    SessionState,
    SuiteRun,
)

AXIS = "goal_completion"
VERSIONS = Versions(rubric="agent@1#aa", judge="evidence@1#bb", scoring="1")
Score = float | UnscoredReason

WORKED = (0.0, -5.0, 5.0, 0.0, -10.0, 0.0, 5.0, -5.0, 0.0, -20.0)
"""Ten differences worked out by hand: mean -3, standard deviation 7.5277."""


def reasons(reason: UnscoredReason, count: int) -> list[Score]:
    """Return as many sessions without a score, for this reason."""
    return [reason] * count


def point(score: Score) -> AxisPoint:
    """Return a score, or why there is none."""
    return NoScore(unscored=score) if isinstance(score, str) else AxisScore(score=score)


def sessions(
    scores: Sequence[Score],
    *,
    recording: str,
    axis: str = AXIS,
    cluster: Callable[[int], str] | None = None,
) -> tuple[SessionScores, ...]:
    """Return session-000 and so on; digests name the recording."""
    return tuple(
        SessionScores(
            key=f"session-{number:03d}",
            digest=f"{recording}-{number}",
            cluster=None if cluster is None else cluster(number),
            reader="native@1",
            axes={axis: point(score)},
        )
        for number, score in enumerate(scores)
    )


def baseline(
    scores: Sequence[Score],
    *,
    recording: str = "before",
    versions: Versions = VERSIONS,
    cluster: Callable[[int], str] | None = None,
) -> Baseline:
    """Return a baseline of one axis."""
    return Baseline(
        suite="airline",
        versions=versions,
        axes=(AXIS,),
        sessions=sessions(scores, recording=recording, cluster=cluster),
    )


def candidate(
    scores: Sequence[Score],
    *,
    recording: str = "after",
    versions: Versions = VERSIONS,
    cluster: Callable[[int], str] | None = None,
    left_out: frozenset[str] | None = frozenset(),
    partial: str = "",
    unreadable: int = 0,
) -> Candidate:
    """Return a run of one axis."""
    return Candidate(
        suite="airline",
        versions=versions,
        axes=(AXIS,),
        sessions=sessions(scores, recording=recording, cluster=cluster),
        left_out=left_out,
        partial=partial,
        unreadable=unreadable,
    )


def gate(**settings: object) -> GateSettings:
    """Return the default settings gating the one axis, with these changes."""
    return GateSettings.model_validate({"axes": (AXIS,), **settings})


def result(
    key: str,
    scores: dict[str, Sequence[int] | UnscoredReason] | None,
    *,
    state: SessionState = "passed",
) -> SessionResult:
    """Return a session's result; per axis one score per repeat, or why there is none."""
    summary = SessionSummary(
        session_id=f"id-{key}", source="native", digest=f"digest-{key}", message_count=3
    )
    session = SuiteSession(suite="airline", key=key, path=f"{key}.json", summary=summary)
    return SessionResult(
        session=session, state=state, verdict=None if scores is None else _verdict(key, scores)
    )


def suite_run(results: Sequence[SessionResult]) -> SuiteRun:
    """Return a run of the axes goal_completion and communication."""
    return SuiteRun(
        suite="airline",
        root=".",
        rubric_version=VERSIONS.rubric,
        axes=(AXIS, "communication"),
        judge=JudgeIdentity(
            model="evidence",
            version=VERSIONS.judge,
            seats=(SeatIdentity(id="one", model="evidence", axes=(AXIS, "communication")),),
        ),
        results=tuple(results),
    )


def _verdict(key: str, scores: dict[str, Sequence[int] | UnscoredReason]) -> Verdict:
    axes: dict[str, PanelScore | Unscored] = {}
    repeats: dict[int, dict[str, Scored | Unscored]] = {}
    for axis, given in scores.items():
        if isinstance(given, str):
            axes[axis] = Unscored(reason=given)
            continue
        axes[axis] = PanelScore(
            score=sum(given) / len(given), spread=max(given) - min(given), count=len(given)
        )
        for repeat, score in enumerate(given):
            repeats.setdefault(repeat, {})[axis] = Scored(score=score)
    opinions = tuple(
        Opinion(
            key=f"{key}-{repeat}",
            expert_id="one",
            repeat=repeat,
            axes=given_axes,
            judge_model="evidence",
            judge_version=VERSIONS.judge,
            rubric_version=VERSIONS.rubric,
            judged_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for repeat, given_axes in repeats.items()
    )
    return Verdict(session_id=f"id-{key}", digest=f"digest-{key}", axes=axes, opinions=opinions)

"""The verdict that comes of a panel's opinions."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

import pytest
from hypothesis import given, settings, strategies as st
from judging_cases import case
from panel_cases import (
    WITH_CREW,
    opinion,
    session,
    suite,
)

from pytest_sessioneval.judging.evidence_judge import EvidenceJudge
from pytest_sessioneval.judging.panel import combine
from pytest_sessioneval.suites.rubric import load_rubric
from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.transcripts.digest import digest
from pytest_sessioneval.verdicts.model import (
    NOT_ANSWERED,
    AxisOpinion,
    AxisResult,
    Evidence,
    PanelScore,
    Scored,
    Unscored,
    UnscoredReason,
)

quick = settings(deadline=None)

_REASONS: tuple[UnscoredReason, ...] = (
    "failed",
    "declined",
    "skipped",
    "tampered",
    "unverified",
    "unsupported",
    "not_applicable",
)

_HIDING = {"failed", "declined", "skipped", "tampered", "unverified"}

_given = st.integers(0, 100) | st.sampled_from(_REASONS)


def _goal(*given: AxisOpinion | int | UnscoredReason) -> AxisResult:
    opinions = [opinion(f"e{n}", goal=one) for n, one in enumerate(given)]
    return combine(suite().rubric, session(), opinions, from_store=False).axes["goal"]


def test_the_score_is_the_mean_over_the_experts() -> None:
    """Not rounded, with the distance between the extremes and how many scores it rests on."""
    result = _goal(60, 80, 100, 0)
    assert PanelScore(score=60, spread=100, count=4) == result


def test_a_single_opinion_is_the_verdict() -> None:
    """One expert, one score, no spread."""
    assert PanelScore(score=40) == _goal(40)


@quick
@given(st.lists(st.integers(0, 100), min_size=1, max_size=9))
def test_the_mean_is_the_exact_one(scores: list[int]) -> None:
    """Against the standard library's exact mean, to the last binary digit."""
    result = _goal(*scores)
    assert isinstance(result, PanelScore)
    assert pytest.approx(float(mean(scores)), abs=1e-12) == result.score
    assert (max(scores) - min(scores), len(scores)) == (result.spread, result.count)


@quick
@given(st.lists(_given, min_size=1, max_size=6))
def test_there_is_no_mean_over_survivors(given_: list[int | UnscoredReason]) -> None:
    """One expert that did not answer, or could not prove its answer, leaves no score."""
    result = _goal(*given_)
    if _HIDING & set(map(str, given_)):
        assert isinstance(result, Unscored)
        assert result.reason in given_
    elif any(isinstance(one, int) for one in given_):
        assert isinstance(result, PanelScore)


@quick
@given(st.lists(_given, min_size=1, max_size=6), st.sampled_from(sorted(NOT_ANSWERED)))
def test_what_nobody_answered_hides_everything_else(
    given_: list[int | UnscoredReason], reason: UnscoredReason
) -> None:
    """A failure is never told as something that was found out about the session."""
    result = _goal(*given_, reason)
    assert isinstance(result, Unscored)
    assert result.reason in NOT_ANSWERED


_turned = st.lists(_given, min_size=1, max_size=5).flatmap(
    lambda given_: st.tuples(st.just(given_), st.permutations(given_))
)


@quick
@given(_turned)
def test_the_order_of_the_experts_decides_nothing(
    both: tuple[list[int | UnscoredReason], list[int | UnscoredReason]],
) -> None:
    """Score and reason are the same in whatever order opinions come."""
    one, other = (_goal(*given_) for given_ in both)
    assert getattr(one, "reason", None) == getattr(other, "reason", None)
    assert getattr(one, "score", None) == pytest.approx(getattr(other, "score", None))


def test_not_applicable_is_an_answer() -> None:
    """The mean is over the experts that found the axis to apply."""
    assert PanelScore(score=50, spread=20, count=2) == _goal(40, "not_applicable", 60)


def test_all_not_applicable_is_not_applicable() -> None:
    """When every expert says so, the axis does not apply."""
    result = _goal("not_applicable", "not_applicable")
    assert isinstance(result, Unscored)
    assert "not_applicable" == result.reason


def test_unsupported_hides_no_score() -> None:
    """A judge that cannot score an axis leaves it to those that can."""
    assert PanelScore(score=40) == _goal(40, "unsupported")


def test_the_reason_keeps_its_words_and_evidence() -> None:
    """What the expert said is what the verdict says."""
    said = Unscored(
        reason="unverified", detail="no such words", evidence=(Evidence(message=3, verified=False),)
    )
    assert said == _goal(80, said)


def test_an_axis_nobody_was_asked_about_is_unsupported() -> None:
    """An axis no opinion mentions has no score, and says why."""
    verdict = combine(suite().rubric, session(), [opinion(goal=60)], from_store=False)
    assert (
        Unscored(reason="unsupported", detail="no expert of the panel answers this axis")
        == verdict.axes["tone"]
    )


def test_an_axis_that_cannot_apply_is_not_applicable() -> None:
    """Sub-agents are not scored where there are none, whatever an old opinion says."""
    verdict = combine(WITH_CREW, session(), [opinion(crew=60)], from_store=False)
    assert (
        Unscored(reason="not_applicable", detail="the session has no sub-agents")
        == verdict.axes["crew"]
    )


def test_a_verdict_has_every_axis_in_the_rubrics_order() -> None:
    """One result per axis, whatever was answered."""
    verdict = combine(WITH_CREW, session(), [], from_store=True)
    assert ["goal", "tone", "crew"] == list(verdict.axes)


def test_a_verdict_names_its_session_and_keeps_its_opinions() -> None:
    """Session, digest, opinions in order, and whether all of it was there already."""
    given_ = (opinion("e1", goal=60), opinion("e2", goal=80))
    verdict = combine(suite().rubric, session(), given_, from_store=True)
    assert ("s1", "digest of s1", given_, True) == (
        verdict.session_id,
        verdict.digest,
        verdict.opinions,
        verdict.from_store,
    )


def test_a_scored_axis_keeps_the_experts_words() -> None:
    """The mean does not replace what the experts said."""
    said = Scored(score=20, comment="It was never done.")
    verdict = combine(suite().rubric, session(), [opinion(goal=said)], from_store=False)
    assert said == verdict.opinions[0].axes["goal"]


def test_an_id_in_the_metadata_is_not_made_up() -> None:
    """The embedded judge's scores do rest on metadata, so its verdicts' keys must."""
    plain = transcript(
        ("user", "Where is my parcel?"),
        tool("find", {}, result="found"),
        ("assistant", "Your parcel ZX-998877 is on its way, total 4711.25 EUR."),
    )
    known = plain.model_copy(update={"metadata": {"parcel": "ZX-998877", "total": "4711.25"}})
    assert digest(plain) == digest(known)
    rubric = load_rubric("agent", base=Path())
    scores = [
        EvidenceJudge().judge(case(transcript=one, rubric=rubric, axes=rubric.axes)).axes
        for one in (plain, known)
    ]
    assert scores[0] != scores[1]
    assert EvidenceJudge().sees_metadata

"""The panel: who is asked what, under which keys, and the verdict that comes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from judging_cases import case
from panel_cases import (
    CREWMAN,
    NOW,
    OUTCOME,
    TONE,
    WITH_CREW,
    opinion,
    panel,
    session,
    suite,
)
from scripted_judge import ScriptedJudge

from pytest_sessioneval.judging.evidence_judge import EvidenceJudge
from pytest_sessioneval.judging.panel import Panel, combine, panel_experts
from pytest_sessioneval.suites.model import (
    Expectation,
    Expert,
    FeedbackEntry,
    GateSettings,
    JudgeSettings,
    Level,
    Suite,
    SuiteSettings,
    Thresholds,
)
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
THUMB = FeedbackEntry(session_id="s1", message_index=1, rating=-1, comment="wrong")


# -- keys ----------------------------------------------------------------------------


def _keys(of: Suite, judge: ScriptedJudge | None = None) -> list[str]:
    return [question.key for question in panel(of, judge).questions(session())]


def _with(of: Suite, **changes: object) -> Suite:
    return of.model_copy(update=changes)


def _file(of: Suite, **sections: object) -> Suite:
    return _with(of, settings=of.settings.model_copy(update=sections))


def _judge(of: Suite, **changes: object) -> Suite:
    return _file(of, judge=of.settings.judge.model_copy(update=changes))


def _expert(**changes: object) -> Callable[[Suite], Suite]:
    return lambda of: _judge(of, experts=(OUTCOME.model_copy(update=changes),))


def _axis(**changes: object) -> Callable[[Suite], Suite]:
    def change(of: Suite) -> Suite:
        first, *others = of.rubric.axes
        axes = (first.model_copy(update=changes), *others)
        return _with(of, rubric=of.rubric.model_copy(update={"axes": axes}))

    return change


def _rubric(**changes: object) -> Callable[[Suite], Suite]:
    return lambda of: _with(of, rubric=of.rubric.model_copy(update=changes))


SHOWN: dict[str, Callable[[Suite], Suite]] = {
    "instruction": _expert(instruction="Look at the beginning."),
    "axes": _expert(axes=("goal",)),
    "expert": _expert(id="another"),
    "question": _axis(question="Was it done at all?"),
    "anchor": _axis(levels=(Level(score=0, anchor="no"), Level(score=100, anchor="yes"))),
    "tags": _axis(failure_tags=("not_done",)),
    "roles": _axis(evidence_roles=("user",)),
    "nullable": _axis(nullable=True, null_when="never"),
    "mode": _rubric(score_mode="free"),
    "version": _rubric(version=2),
    "profile": lambda of: _with(of, profiles={"default": "You sell shoes."}),
    "feedback": lambda of: _with(of, feedback=(THUMB,)),
    "expectation": lambda of: _file(of, expect=(Expectation(final_matches="refund"),)),
    "expected of it": lambda of: _file(of, expect=(Expectation(session="s1", max_messages=9),)),
    "outcome": lambda of: _file(of, suite=SuiteSettings(use_outcome=True)),
    "window": lambda of: _judge(of, context_tokens=16_000),
}


@pytest.mark.parametrize("change", SHOWN.values(), ids=SHOWN.keys())
def test_what_the_expert_is_shown_moves_the_key(change: Callable[[Suite], Suite]) -> None:
    """Everything the expert sees or is bound by asks again when it changes."""
    plain = suite(OUTCOME)
    assert set(_keys(plain)).isdisjoint(_keys(change(plain)))


NOT_SHOWN: dict[str, Callable[[Suite], Suite]] = {
    "session threshold": lambda of: _file(of, thresholds=Thresholds(session={"goal": 40})),
    "mean threshold": lambda of: _file(of, thresholds=Thresholds(mean={"goal": 70})),
    "gate": lambda of: _file(of, gate=GateSettings(axes=("goal",), margins={"default": 3})),
    "gated": _axis(gated=False),
    "name": lambda of: _with(of, name="renamed"),
    "others' feedback": lambda of: _with(
        of, feedback=(THUMB.model_copy(update={"session_id": "s2"}),)
    ),
    "expected of others": lambda of: _file(of, expect=(Expectation(session="s2", max_messages=9),)),
    "profile of others": lambda of: _with(of, profiles={"shoes": "You sell shoes."}),
    "baseline repeats": lambda of: _judge(of, baseline_repeats=5),
}


@pytest.mark.parametrize("change", NOT_SHOWN.values(), ids=NOT_SHOWN.keys())
def test_what_nobody_is_shown_asks_nobody(change: Callable[[Suite], Suite]) -> None:
    """Thresholds, margins and what concerns other sessions are never in a key."""
    plain = suite(OUTCOME)
    assert _keys(plain) == _keys(change(plain))


def test_another_judge_is_asked_again() -> None:
    """What moves a judge's score is in its identity, and so in the key."""
    plain = suite(OUTCOME)
    cooler = ScriptedJudge(identity={"judge": "script", "temperature": 0.0})
    assert set(_keys(plain)).isdisjoint(_keys(plain, cooler))


def test_the_same_transcript_has_the_same_key_wherever_it_lies() -> None:
    """A session that was moved and renamed is not judged again by those who see only its words."""
    asked = panel()
    here = session("s1", digest="d")
    there = session("s2", digest="d", task_id="7", metadata={"split": "test"})
    assert [q.key for q in asked.questions(here)] == [q.key for q in asked.questions(there)]


@pytest.mark.parametrize(
    "changed",
    [
        {"session_id": "s2"},
        {"task_id": "7"},
        {"trial": 1},
        {"agent_model": "big-1"},
        {"profile_id": "shoes"},
        {"name": "A parcel"},
        {"created_at": NOW},
        {"last_active": NOW},
        {"metadata": {"order": "W13"}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_judge_that_sees_metadata_is_asked_again_when_it_changes(
    changed: dict[str, Any],
) -> None:
    """The embedded judge and Python judges see more than the digest covers: it moves their keys."""
    given_ = {"digest": "d", "metadata": {"order": "W12"}}
    sees = panel(judge=ScriptedJudge(sees_metadata=True))
    before, after = session("s1", **given_), session("s1", **{**given_, **changed})
    assert [q.key for q in sees.questions(before)] != [q.key for q in sees.questions(after)]


def test_where_a_session_lies_is_no_metadata() -> None:
    """Its file and what names it there move no key, even for a judge that sees metadata."""
    sees = panel(judge=ScriptedJudge(sees_metadata=True))
    here = session("s1", digest="d")
    there = here.model_copy(
        update={
            "path": "deep/s9.jsonl",
            "key": "s9",
            "summary": here.summary.model_copy(update={"locator": "7", "source": "lines"}),
        }
    )
    assert [q.key for q in sees.questions(here)] == [q.key for q in sees.questions(there)]


def test_seats_that_ask_alike_are_two_opinions() -> None:
    """Three experts with one instruction are three votes, each kept under its own key."""
    alike = [OUTCOME.model_copy(update={"id": name}) for name in ("one", "two", "three")]
    assert 3 == len(set(_keys(suite(*alike))))


def test_repeats_have_keys_of_their_own() -> None:
    """The first repeat keeps its key when more are asked for."""
    once, thrice = (panel(repeats=times).questions(session()) for times in (1, 3))
    assert 3 == len({question.key for question in thrice})
    assert once[0].key == thrice[0].key


# -- questions -----------------------------------------------------------------------


def test_questions_come_by_seat_then_repeat() -> None:
    """Prefix caches work best, and reports read best, in the panel's order."""
    asked = panel(suite(OUTCOME, TONE), repeats=2).questions(session())
    assert [("outcome", 0), ("outcome", 1), ("tone", 0), ("tone", 1)] == [
        (question.seat.expert.id, question.repeat) for question in asked
    ]


def test_axes_are_asked_in_the_rubrics_order() -> None:
    """However an expert lists its axes, they are asked as the rubric has them."""
    turned = OUTCOME.model_copy(update={"axes": ("tone", "goal")})
    (question,) = panel(suite(turned)).questions(session())
    assert ["goal", "tone"] == [axis.name for axis in question.axes]


def test_an_axis_that_cannot_apply_is_not_asked_for() -> None:
    """Nobody is asked about sub-agents that are not there."""
    whole = Expert(id="whole", instruction="Look.", axes=("goal", "crew"))
    (question,) = panel(suite(whole, rubric=WITH_CREW)).questions(session())
    assert ["goal"] == [axis.name for axis in question.axes]


def test_a_seat_without_an_axis_is_not_asked() -> None:
    """An expert for sub-agents costs nothing in a session without them."""
    of = suite(OUTCOME, CREWMAN, rubric=WITH_CREW)
    assert ["outcome"] == [q.seat.expert.id for q in panel(of).questions(session())]
    with_crew = panel(of).questions(session(subsession_count=1))
    assert ["outcome", "crew"] == [q.seat.expert.id for q in with_crew]


@pytest.mark.parametrize(
    ("profile_id", "shown"),
    [("shoes", "You sell shoes."), ("hats", "You sell."), (None, "You sell.")],
)
def test_the_profile_is_the_sessions_else_the_default(profile_id: str | None, shown: str) -> None:
    """A session names its profile; where it names none that is there, the default stands."""
    of = _with(suite(OUTCOME), profiles={"default": "You sell.", "shoes": "You sell shoes."})
    (question,) = panel(of).questions(session(profile_id=profile_id))
    assert shown == question.profile


def test_thumbs_are_shown_without_a_gate() -> None:
    """Experts see people's thumbs on their own session, in order of its messages."""
    earlier = THUMB.model_copy(update={"message_index": 0})
    (question,) = panel(_with(suite(OUTCOME), feedback=(THUMB, earlier))).questions(session())
    assert (earlier, THUMB) == question.feedback


@pytest.mark.parametrize(("configured", "count"), [(None, 0), (True, 1), (False, 0)])
def test_thumbs_are_hidden_behind_a_gate(configured: bool | None, count: int) -> None:  # noqa: FBT001
    """With a gate, thumbs are shown only when the suite says so."""
    gate = GateSettings(axes=("goal",))
    of = _file(_with(suite(OUTCOME), feedback=(THUMB,)), gate=gate)
    (question,) = panel(_judge(of, show_feedback=configured)).questions(session())
    assert count == len(question.feedback)


# -- who ------------------------------------------------------------------------------


def test_configured_experts_are_the_panel() -> None:
    """What the suite file lists stands before the rubric's own panel."""
    of = _rubric(experts=(TONE,))(suite(OUTCOME))
    assert (OUTCOME,) == panel_experts(of)


def test_the_rubrics_experts_are_the_default() -> None:
    """Without experts in the suite file, the rubric's panel is asked."""
    assert (TONE,) == panel_experts(_rubric(experts=(TONE,))(suite()))


def test_the_embedded_judge_has_one_seat() -> None:
    """The embedded judge answers every axis itself, whatever the rubric's panel is."""
    of = _rubric(experts=(TONE, OUTCOME))(_file(suite(), judge=JudgeSettings()))
    assert [("evidence", ("goal", "tone"))] == [(e.id, e.axes) for e in panel_experts(of)]


def test_one_expert_answers_everything_without_a_panel() -> None:
    """A rubric without experts is answered by one that answers every axis."""
    assert [("judge", ("goal", "tone"))] == [(e.id, e.axes) for e in panel_experts(suite())]


def test_each_expert_has_its_own_judge() -> None:
    """An expert that names a model is answered by it, the others by the suite's."""
    own = TONE.model_copy(update={"model": "hook:other"})
    suites, others = ScriptedJudge(), ScriptedJudge(name="other")
    seated = Panel.of(suite(OUTCOME, own), {"hook:script": suites, "hook:other": others})
    assert [suites, others] == [seat.judge for seat in seated.seats]


def test_the_version_names_the_judge() -> None:
    """A panel of one judge is called by it; one of several is called a panel."""
    own = TONE.model_copy(update={"model": "hook:other"})
    judges = {"hook:script": ScriptedJudge(), "hook:other": ScriptedJudge(name="other")}
    assert panel().version.startswith("script@1#")
    assert Panel.of(suite(OUTCOME, own), judges).version.startswith("panel@1#")


def test_the_window_leaves_room_for_question_and_reply() -> None:
    """Three characters a token, 8,000 tokens kept back; never less than 6,000 characters."""
    wide, narrow = (
        panel(_judge(suite(OUTCOME), context_tokens=tokens)) for tokens in (100_000, 2_000)
    )
    assert 276_000 == wide.seats[0].max_chars
    assert 6_000 == narrow.seats[0].max_chars


def test_an_axis_nobody_answers_is_unsupported() -> None:
    """An axis without an expert says that it needs one."""
    assert {"goal": "no expert of the panel answers it: add it to an expert's axes"} == panel(
        suite(TONE)
    ).unsupported()


def test_an_axis_that_one_of_its_judges_can_score_is_supported() -> None:
    """What one judge cannot do, another may."""
    own = TONE.model_copy(update={"model": "hook:other", "axes": ("goal", "tone")})
    cannot = ScriptedJudge(unsupported={"goal": "not by me", "tone": "nor this"})
    judges = {"hook:script": cannot, "hook:other": ScriptedJudge(unsupported={"tone": "no"})}
    assert {"tone": "nor this"} == Panel.of(suite(OUTCOME, own), judges).unsupported()


def test_the_identity_says_who_judges() -> None:
    """Reports get the seats, the repeats, and what judges say of themselves, once each."""
    seated = panel(suite(OUTCOME, TONE), ScriptedJudge(notice="I guess."), repeats=2)
    identity = seated.identity()
    assert ["outcome", "tone"] == [seat.id for seat in identity.seats]
    assert ("hook:script", 2, "I guess.") == (identity.model, identity.repeats, identity.notice)


# -- verdicts -------------------------------------------------------------------------

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

"""The panel: who is asked what."""

from __future__ import annotations

import pytest
from panel_cases import (
    CREWMAN,
    OUTCOME,
    THUMB,
    TONE,
    WITH_CREW,
    changed,
    panel,
    session,
    suite,
    with_judge,
    with_rubric,
    with_sections,
)
from scripted_judge import ScriptedJudge

from pytest_sessioneval.judging.panel import Panel, panel_experts
from pytest_sessioneval.suites.model import (
    Expert,
    GateSettings,
    JudgeSettings,
)

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
    of = changed(suite(OUTCOME), profiles={"default": "You sell.", "shoes": "You sell shoes."})
    (question,) = panel(of).questions(session(profile_id=profile_id))
    assert shown == question.profile


def test_thumbs_are_shown_without_a_gate() -> None:
    """Experts see people's thumbs on their own session, in order of its messages."""
    earlier = THUMB.model_copy(update={"message_index": 0})
    (question,) = panel(changed(suite(OUTCOME), feedback=(THUMB, earlier))).questions(session())
    assert (earlier, THUMB) == question.feedback


@pytest.mark.parametrize(("configured", "count"), [(None, 0), (True, 1), (False, 0)])
def test_thumbs_are_hidden_behind_a_gate(configured: bool | None, count: int) -> None:  # noqa: FBT001
    """With a gate, thumbs are shown only when the suite says so."""
    gate = GateSettings(axes=("goal",))
    of = with_sections(changed(suite(OUTCOME), feedback=(THUMB,)), gate=gate)
    (question,) = panel(with_judge(of, show_feedback=configured)).questions(session())
    assert count == len(question.feedback)


# -- who ------------------------------------------------------------------------------


def test_configured_experts_are_the_panel() -> None:
    """What the suite file lists stands before the rubric's own panel."""
    of = with_rubric(experts=(TONE,))(suite(OUTCOME))
    assert (OUTCOME,) == panel_experts(of)


def test_the_rubrics_experts_are_the_default() -> None:
    """Without experts in the suite file, the rubric's panel is asked."""
    assert (TONE,) == panel_experts(with_rubric(experts=(TONE,))(suite()))


def test_the_embedded_judge_has_one_seat() -> None:
    """The embedded judge answers every axis itself, whatever the rubric's panel is."""
    of = with_rubric(experts=(TONE, OUTCOME))(with_sections(suite(), judge=JudgeSettings()))
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
        panel(with_judge(suite(OUTCOME), context_tokens=tokens)) for tokens in (100_000, 2_000)
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

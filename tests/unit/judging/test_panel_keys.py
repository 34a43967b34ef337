"""Under which keys a panel is asked: all that is shown moves them, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from panel_cases import (
    NOW,
    OUTCOME,
    THUMB,
    changed,
    panel,
    session,
    suite,
    with_judge,
    with_rubric,
    with_sections,
)
from scripted_judge import ScriptedJudge

from pytest_sessioneval.suites.model import (
    Expectation,
    GateSettings,
    Level,
    Suite,
    SuiteSettings,
    Thresholds,
)


def _keys(of: Suite, judge: ScriptedJudge | None = None) -> list[str]:
    return [question.key for question in panel(of, judge).questions(session())]


def _expert(**changes: object) -> Callable[[Suite], Suite]:
    return lambda of: with_judge(of, experts=(OUTCOME.model_copy(update=changes),))


def _axis(**changes: object) -> Callable[[Suite], Suite]:
    def change(of: Suite) -> Suite:
        first, *others = of.rubric.axes
        axes = (first.model_copy(update=changes), *others)
        return changed(of, rubric=of.rubric.model_copy(update={"axes": axes}))

    return change


SHOWN: dict[str, Callable[[Suite], Suite]] = {
    "instruction": _expert(instruction="Look at the beginning."),
    "axes": _expert(axes=("goal",)),
    "expert": _expert(id="another"),
    "question": _axis(question="Was it done at all?"),
    "anchor": _axis(levels=(Level(score=0, anchor="no"), Level(score=100, anchor="yes"))),
    "tags": _axis(failure_tags=("not_done",)),
    "roles": _axis(evidence_roles=("user",)),
    "nullable": _axis(nullable=True, null_when="never"),
    "mode": with_rubric(score_mode="free"),
    "version": with_rubric(version=2),
    "profile": lambda of: changed(of, profiles={"default": "You sell shoes."}),
    "feedback": lambda of: changed(of, feedback=(THUMB,)),
    "expectation": lambda of: with_sections(of, expect=(Expectation(final_matches="refund"),)),
    "expected of it": lambda of: with_sections(
        of, expect=(Expectation(session="s1", max_messages=9),)
    ),
    "outcome": lambda of: with_sections(of, suite=SuiteSettings(use_outcome=True)),
    "window": lambda of: with_judge(of, context_tokens=16_000),
}


@pytest.mark.parametrize("change", SHOWN.values(), ids=SHOWN.keys())
def test_what_the_expert_is_shown_moves_the_key(change: Callable[[Suite], Suite]) -> None:
    """Everything the expert sees or is bound by asks again when it changes."""
    plain = suite(OUTCOME)
    assert set(_keys(plain)).isdisjoint(_keys(change(plain)))


NOT_SHOWN: dict[str, Callable[[Suite], Suite]] = {
    "session threshold": lambda of: with_sections(of, thresholds=Thresholds(session={"goal": 40})),
    "mean threshold": lambda of: with_sections(of, thresholds=Thresholds(mean={"goal": 70})),
    "gate": lambda of: with_sections(of, gate=GateSettings(axes=("goal",), margins={"default": 3})),
    "gated": _axis(gated=False),
    "name": lambda of: changed(of, name="renamed"),
    "others' feedback": lambda of: changed(
        of, feedback=(THUMB.model_copy(update={"session_id": "s2"}),)
    ),
    "expected of others": lambda of: with_sections(
        of, expect=(Expectation(session="s2", max_messages=9),)
    ),
    "profile of others": lambda of: changed(of, profiles={"shoes": "You sell shoes."}),
    "baseline repeats": lambda of: with_judge(of, baseline_repeats=5),
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

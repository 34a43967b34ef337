"""What an exam makes of verdicts, labels, outcomes and thumbs, session by session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from evaluation_cases import member, small_suite

from pytest_sessioneval.evaluation.exam_labels import ExamLabels
from pytest_sessioneval.evaluation.exam_records import (
    exam_warnings,
    models_of,
    session_records,
    with_a_word,
)
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.gate.agreement.records import SessionRecord
from pytest_sessioneval.judging.panel import combine
from pytest_sessioneval.suites.model import FeedbackEntry, Suite
from pytest_sessioneval.transcripts.model import Outcome
from pytest_sessioneval.verdicts.model import AxisOpinion, Opinion, Scored, Unscored, Verdict

NONE = ExamLabels(by_session={})
SUITE = small_suite()


def said(
    score: int | None, *, expert: str = "one", repeat: int = 0, model: str = "script"
) -> Opinion:
    """Return an opinion on the axis ``goal``; None: nobody answered."""
    given: AxisOpinion = Unscored(reason="failed") if score is None else Scored(score=score)
    return Opinion(
        key=f"{expert} {repeat}",
        expert_id=expert,
        repeat=repeat,
        axes={"goal": given},
        judge_model=model,
        judge_version="script@1#1",
        rubric_version="small@1#1",
        judged_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


def verdict(*opinions: Opinion, of: Member | None = None) -> Verdict:
    """Return the panel's verdict."""
    session = (of or member()).session
    return combine(SUITE.rubric, session, opinions, from_store=False)


def record(
    *opinions: Opinion,
    of: Member | None = None,
    suite: Suite = SUITE,
    labels: ExamLabels = NONE,
    again: Sequence[Opinion] = (),
) -> SessionRecord:
    """Return what is known of one session."""
    one = of or member()
    repeats = {one.id: verdict(*again, of=one)} if again else {}
    (found,) = session_records(suite, [(one, verdict(*opinions, of=one))], repeats, labels)
    return found


def thumb(session_id: str, rating: int, at: int = 1) -> FeedbackEntry:
    """Return a thumb."""
    fields: dict[str, Any] = {"session_id": session_id, "message_index": at, "rating": rating}
    return FeedbackEntry(**fields)


def test_an_experts_score_is_its_mean_over_repeats() -> None:
    """Beside the panel's."""
    found = record(
        said(40), said(80, repeat=1), said(100, expert="two"), said(100, expert="two", repeat=1)
    )
    assert {"goal": 80} == found.scores
    assert {"one": {"goal": 60}, "two": {"goal": 100}} == found.seats


def test_each_repeat_alone_gives_a_panels_score() -> None:
    """One in which an expert did not answer gives none."""
    again = [
        *(said(40), said(60, expert="two")),
        *(said(80, repeat=1), said(100, expert="two", repeat=1)),
        *(said(80, repeat=2), said(None, expert="two", repeat=2)),
    ]
    assert {"goal": (50.0, 90.0)} == record(said(40), again=again).repeats


def test_only_a_whole_success_is_one() -> None:
    """A recorded part of one is a failure; nothing recorded is neither."""

    def succeeded(outcome: Outcome | None) -> bool | None:
        return record(said(40), of=member(outcome=outcome)).succeeded

    assert succeeded(Outcome(kind="reward", value=1)) is True
    assert succeeded(Outcome(kind="reward", value=0.5)) is False
    assert succeeded(Outcome(kind="exit_status", detail="done")) is None
    assert succeeded(None) is None


def test_thumbs_weigh_against_each_other() -> None:
    """As many up as down say nothing of the session."""

    def liked(*ratings: int) -> bool | None:
        entries = tuple(thumb("id-ab", rating, at) for at, rating in enumerate(ratings))
        return record(said(40), suite=SUITE.model_copy(update={"feedback": entries})).liked

    assert liked(1, 1, -1) is True
    assert liked(-1) is False
    assert liked(1, -1) is None
    assert liked() is None


def test_labels_are_found_by_key() -> None:
    """Every rater's."""
    labels = ExamLabels(by_session={"a.json": {"goal": (40.0, 60.0)}})
    assert {"goal": (40.0, 60.0)} == record(said(40), labels=labels).labels


def test_a_session_with_any_word_on_it_is_examined() -> None:
    """A label, a thumb or an outcome with a number."""
    sessions = [
        member("labelled.json", "a"),
        member("rated.json", "b"),
        member("scored.json", "c", outcome=Outcome(kind="reward", value=0)),
        member("told.json", "d", outcome=Outcome(kind="exit_status", detail="done")),
        member("silent.json", "e"),
    ]
    suite = SUITE.model_copy(update={"feedback": (thumb("id-b", 1),)})
    labels = ExamLabels(by_session={"labelled.json": {"goal": (40.0,)}})
    assert {"labelled.json", "rated.json", "scored.json"} == with_a_word(suite, sessions, labels)


def test_models_that_answered_are_listed_once() -> None:
    """In alphabetical order; one that gave no answer is none of them."""
    given = [said(40, model="b"), said(40, model="a"), said(1, model="b"), said(None, model="c")]
    assert ("a", "b") == models_of([verdict(opinion) for opinion in given])


def warnings(*models: str, labels: ExamLabels = NONE, **fields: Any) -> list[str]:
    """Return what is warned of, for a session that was scored."""
    one = member(**fields)
    return [*exam_warnings([(one, verdict(said(40), of=one))], labels, models)]


def test_a_judge_of_the_agents_family_is_warned_of() -> None:
    """By the models' names."""
    (warning,) = warnings("gpt-5-mini", agent_model="azure/gpt-4o")
    assert (
        "judge (gpt-5-mini) and agent (azure/gpt-4o, 1 session) are both of OpenAI's family: "
        "judges favour what their own family wrote"
    ) == warning
    assert [] == warnings("claude-opus-4", agent_model="azure/gpt-4o")
    assert [] == warnings("evidence", agent_model=None)


def test_silence_is_warned_of() -> None:
    """A judge that answers now and then has a card of what it answered."""
    one = member()
    found = exam_warnings([(one, verdict(said(None), of=one))], NONE, ())
    assert ["the judge gave no answer on 1 of 1 sessions"] == [*found]


def test_doubtful_labels_are_warned_of() -> None:
    """Where nobody knows how their sessions were chosen, or they were chosen for a reason."""
    labels = ExamLabels(by_session={}, apart=2, unasked=1, strangers=("x", "y"))
    unasked, *others = warnings(labels=labels)
    assert (
        "nothing says how the sessions of 1 label were chosen: agreement holds for them, not for "
        "the suite; sessioneval label-queue draws at random"
    ) == unasked
    assert [
        "2 labels of complaints and diagnostic queues not used",
        "2 labelled sessions not in the suite: x, y",
    ] == others

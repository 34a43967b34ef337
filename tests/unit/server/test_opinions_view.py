"""What experts said, side by side: the latest evaluation, its places numbered as they are shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pytest_sessioneval.server.pages.opinions_view import evaluation_view, latest_opinions
from pytest_sessioneval.stores.protocol import KeptOpinion, StoredOpinion
from pytest_sessioneval.verdicts.model import AxisOpinion, Evidence, Opinion, Scored, Unscored

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _kept(
    expert: str,
    axes: dict[str, AxisOpinion],
    *,
    days_ago: int = 0,
    judge: str = "panel@1#j",
    digest: str = "d1",
    repeat: int = 0,
) -> KeptOpinion:
    opinion = Opinion(
        key=f"{expert}{days_ago}{repeat}",
        expert_id=expert,
        repeat=repeat,
        axes=axes,
        judge_model="m",
        judge_version=judge,
        rubric_version="r@1",
        judged_at=NOW - timedelta(days=days_ago),
    )
    return KeptOpinion("run-1", StoredOpinion("suite", "key", "id", digest, opinion))


def test_nobody_has_said_anything() -> None:
    """No opinion, no evaluation."""
    assert () == latest_opinions([])
    assert evaluation_view([], session_id="id") is None


def test_the_latest_evaluation_is_of_one_judge_and_transcript() -> None:
    """Earlier ones, of another judge or of another transcript, are not mixed in."""
    old = _kept("a", {"x": Scored(score=0)}, days_ago=3, judge="other@1#j")
    other = _kept("a", {"x": Scored(score=20)}, days_ago=2, digest="d0")
    new = [_kept("a", {"x": Scored(score=40)}, days_ago=1), _kept("b", {"x": Scored(score=60)})]
    assert tuple(new) == latest_opinions([old, *new, other])


def test_the_panels_score_is_the_mean_of_its_experts() -> None:
    """With how far they lie apart; an expert who could not vouch leaves none."""
    view = evaluation_view(
        [
            _kept("a", {"x": Scored(score=40), "y": Scored(score=80)}),
            _kept("b", {"x": Scored(score=100), "y": Unscored(reason="unverified")}),
        ],
        session_id="id",
    )
    assert view is not None
    assert [("x", 70.0, 60.0, ""), ("y", None, 0.0, "unverified")] == [
        (axis.name, axis.score, axis.spread, axis.reason) for axis in view.axes
    ]


def test_axes_stand_in_the_rubrics_order() -> None:
    """Those that it does not know come last, as they were answered."""
    kept = [_kept("a", {"z": Scored(score=0), "y": Scored(score=0), "x": Scored(score=0)})]
    view = evaluation_view(kept, session_id="id", axes=("x", "missing", "y"))
    assert view is not None
    assert ["x", "y", "z"] == [axis.name for axis in view.axes]


def test_places_are_numbered_as_they_are_shown() -> None:
    """Axis by axis, expert by expert; every number is one place of the transcript."""
    one, two, three = (Evidence(message=number, quote=f"quote {number}") for number in (7, 8, 9))
    said = {"y": three, "x": one}
    view = evaluation_view(
        [
            _kept("b", {"x": Scored(score=0, evidence=(two,))}),
            _kept("a", {axis: Scored(score=0, evidence=(at,)) for axis, at in said.items()}),
        ],
        session_id="id",
        axes=("x", "y"),
    )
    assert view is not None
    assert [(1, 7), (2, 8), (3, 9)] == [(cited.number, cited.message) for cited in view.cited]
    shown = [
        (expert.who, one.number, one.label, one.url)
        for axis in view.axes
        for expert in axis.experts
        for one in expert.citations
    ]
    assert [
        ("a", 1, "M7", "/session?id=id#q1"),
        ("b", 2, "M8", "/session?id=id#q2"),
        ("a", 3, "M9", "/session?id=id#q3"),
    ] == shown


def test_many_places_are_folded_and_very_many_left_out() -> None:
    """Six at once, sixty in all; how many more there are is said."""
    evidence = tuple(Evidence(message=number, quote="words") for number in range(100))
    view = evaluation_view([_kept("a", {"x": Scored(score=0, evidence=evidence)})], session_id="id")
    assert view is not None
    (expert,) = view.axes[0].experts
    assert (6, 54, 40) == (len(expert.citations), len(expert.more), expert.left_out)


def test_repeats_are_told_apart() -> None:
    """An expert who was asked twice stands there twice."""
    kept = [_kept("a", {"x": Scored(score=20)}, repeat=number) for number in (1, 0)]
    view = evaluation_view(kept, session_id="id")
    assert view is not None
    assert ["a", "a (repeat 2)"] == [expert.who for expert in view.axes[0].experts]

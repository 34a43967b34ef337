"""The gate with people's labels: shown beside the raw difference, or deciding in its place."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import pytest
from gate_builders import AXIS, baseline, candidate, gate, sessions

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.gate.decision import decide
from pytest_sessioneval.gate.model import Candidate
from pytest_sessioneval.gate.outcome import Comparison, Correction, Decision
from pytest_sessioneval.gate.people import People
from pytest_sessioneval.gate.saying import said
from pytest_sessioneval.gate.statistics import interval, mean_estimate
from pytest_sessioneval.suites.labels import HumanLabel, LabelQueue, LabelSource

COUNT = 60
BEFORE = [float(60 + 5 * (number % 5)) for number in range(COUNT)]
NOISE = [(-2.0, 0.0, 2.0, 1.0, -1.0)[number % 5] for number in range(COUNT)]
STEADY = [score + noise for score, noise in zip(BEFORE, NOISE, strict=True)]
"""What the judge says of the candidate: no change on average."""
CORRECTED: Mapping[str, object] = {"decide_on": "corrected"}
RAW: Mapping[str, object] = {}


def queue(
    recording: str,
    drawn: Sequence[int],
    *,
    kind: str = "random",
    draw: str | None = None,
    rubric: str = "agent@1#aa",
) -> LabelQueue:
    """Return a queue of these sessions as they were recorded."""
    return LabelQueue.model_validate(
        {
            "kind": kind,
            "draw": draw,
            "suite": "airline",
            "rubric": rubric,
            "axes": (AXIS,),
            "seed": 1,
            "frame": COUNT,
            "propensity": len(drawn) / COUNT if kind == "random" else None,
            "members": {f"session-{n:03d}": f"{recording}-{n}" for n in drawn},
            "drawn_at": datetime(2026, 11, 21, tzinfo=UTC),
        }
    )


def people(
    human: Callable[[int], float],
    *,
    drawn: Sequence[int] = range(0, COUNT, 2),
    labelled: Sequence[int] | None = None,
    source: LabelSource = "random",
    kind: str = "random",
    rubric: str = "agent@1#aa",
    by: Sequence[str] = ("ann",),
) -> People:
    """Return labels of both recordings: the baseline scored 70, now ``70 + human(session)``."""
    first = queue("before", drawn, kind=kind, rubric=rubric)
    again = queue("after", drawn, kind=kind, draw=first.name, rubric=rubric)
    labels = [
        HumanLabel(
            digest=f"{recording}-{number}",
            axis=AXIS,
            score=score,
            by=person,
            source=source,
            queue=of.name,
        )
        for number in (drawn if labelled is None else labelled)
        for recording, score, of in (("before", 70, first), ("after", 70 + human(number), again))
        for person in by
    ]
    return People(labels=tuple(labels), queues=(first, again))


def dropped(number: int) -> float:
    """Return what people see: ten points fewer, more or less, moving with the judge."""
    return -10 + NOISE[number]


def steady(number: int) -> float:
    """Return what people see: what the judge sees."""
    return NOISE[number]


def decided(
    labels: People | None,
    settings: Mapping[str, object] = RAW,
    *,
    after: Sequence[float] = STEADY,
) -> Decision:
    """Return what the gate says of the candidate."""
    rules = gate(**settings)
    return decide(candidate(after), {"baseline": baseline(BEFORE)}, rules, people=labels)


def comparison(decision: Decision) -> Comparison:
    """Return its one comparison."""
    shown = decision.axes[0].shown
    assert shown is not None
    return shown


def correction(decision: Decision) -> Correction:
    """Return its correction, which there is."""
    found = comparison(decision).corrected
    assert found is not None
    return found


def test_labels_are_shown_beside_the_raw_difference() -> None:
    """The raw one decides by default, and the report says what people saw."""
    decision = decided(people(dropped))
    found = correction(decision)
    assert ("passed", False) == (decision.status, decision.blocks)
    assert (30, 30) == (found.drawn, found.labelled)
    assert found.human == pytest.approx(-10, abs=0.2)
    assert found.overall is not None
    assert found.overall.difference == pytest.approx(-10, abs=0.3)
    assert found.overall.status is None
    line, *notes = said(decision)[1:]
    assert "· corrected by 30 labelled sessions -10.0 [" in line
    assert any("people's labels do not bear it out" in note for note in notes)


def test_a_judge_that_flatters_is_overruled_where_labels_decide() -> None:
    """The raw difference passes, the corrected one is a regression that stops the merge."""
    decision = decided(people(dropped), CORRECTED)
    assert ("regressed", True) == (decision.status, decision.blocks)
    overall = comparison(decision).overall
    assert overall is not None
    assert overall.status is None
    assert "its average fell by 10.0 points by people's labels of 30 sessions" in said(decision)[0]
    assert ", which decides · regressed" in said(decision)[1]


def test_a_change_that_people_see_too_passes_on_the_corrected_difference() -> None:
    """Nothing got worse by either."""
    decision = decided(people(steady), CORRECTED)
    assert ("passed", False) == (decision.status, decision.blocks)
    assert "by people's labels of 30 sessions (a drop of 5 would be too much)" in said(decision)[0]


def test_a_judge_that_is_too_harsh_is_overruled_as_well() -> None:
    """The judge's scores fell by 20; people saw nothing, and the merge may go ahead."""
    fallen = [score - 20 for score in STEADY]
    assert "regressed" == decided(None, after=fallen).status
    assert "passed" == decided(people(steady), CORRECTED, after=fallen).status


def test_one_label_a_session_and_the_mean_over_people_count() -> None:
    """A second person who says the same changes nothing."""
    alone, both = decided(people(dropped)), decided(people(dropped, by=("ann", "ben")))
    assert correction(alone) == correction(both)


@pytest.mark.parametrize("source", ["diagnostic", "complaint", "unknown"])
def test_labels_of_other_sources_correct_nothing(source: LabelSource) -> None:
    """Even in the name of a random queue."""
    found = correction(decided(people(dropped, source=source)))
    assert (0, None) == (found.labelled, found.overall)


def test_a_diagnostic_queue_is_no_draw() -> None:
    """Nothing of it is shown beside the difference."""
    decision = decided(people(dropped, kind="diagnostic", source="diagnostic"))
    assert comparison(decision).corrected is None


def test_labels_under_another_version_of_the_rubric_correct_nothing() -> None:
    """The axis meant something else; the same version with another digest is the same."""
    assert comparison(decided(people(dropped, rubric="agent@2#aa"))).corrected is None
    assert 30 == correction(decided(people(dropped, rubric="agent@1#cc"))).labelled


def test_a_label_that_its_queue_did_not_draw_corrects_nothing() -> None:
    """A row slipped into the store's table counts for nothing."""
    labels = people(dropped, drawn=range(0, COUNT, 2))
    more = people(dropped, drawn=range(COUNT)).labels
    forged = tuple(
        label.model_copy(update={"queue": labels.labels[0].queue})
        for label in more
        if label.digest not in {one.digest for one in labels.labels}
    )
    stuffed = labels.model_copy(update={"labels": (*labels.labels, *forged)})
    assert 30 == correction(decided(stuffed)).labelled


@pytest.mark.parametrize("on_inconclusive", ["auto", "fail"])
def test_without_a_label_nothing_is_decided_and_the_merge_is_stopped(on_inconclusive: str) -> None:
    """Who asks for labels and has none has not checked anything."""
    decision = decided(None, {**CORRECTED, "on_inconclusive": on_inconclusive})
    assert ("inconclusive", True) == (decision.status, decision.blocks)
    assert ("too_few_labels",) == comparison(decision).reasons
    assert "draw some with sessioneval label-queue. The merge is stopped" in said(decision)[0]


def test_an_undecided_gate_may_be_let_through_on_purpose() -> None:
    """on_inconclusive = "pass" is the user's word."""
    decision = decided(None, {**CORRECTED, "on_inconclusive": "pass"})
    assert ("inconclusive", False) == (decision.status, decision.blocks)


def test_nineteen_labels_are_too_few_to_pass() -> None:
    """Twenty are enough."""
    few = decided(people(steady, drawn=range(19)), CORRECTED)
    assert ("inconclusive", True) == (few.status, few.blocks)
    assert (
        "19 of 19 drawn sessions have people's labels of both recordings, and 20 are"
        in said(few)[0]
    )
    assert "passed" == decided(people(steady, drawn=range(20)), CORRECTED).status


def test_enough_labels_of_too_few_pairs_do_not_pass() -> None:
    """The floor of the suite holds, whoever corrects its scores."""
    labels = people(steady, drawn=range(COUNT))
    decision = decided(labels, {**CORRECTED, "min_pairs": COUNT + 1})
    assert ("inconclusive", ("too_few",)) == (decision.status, comparison(decision).reasons)
    assert "60 independent pairs, 61 needed" in said(decision)[1]


def test_labels_that_are_missing_are_told() -> None:
    """Of 40 drawn 10 lack a label: leaving out is choosing."""
    labels = people(steady, drawn=range(40), labelled=range(30))
    decision = decided(labels, CORRECTED)
    assert ("inconclusive", True) == (decision.status, decision.blocks)
    assert ("labels_missing",) == comparison(decision).reasons
    first = next(one.name for one in labels.queues if one.draw is None)
    assert (
        "30 of 40 drawn sessions have people's labels of both recordings; go on with sessioneval "
        f"label-queue --again {first}"
    ) in said(decision)[0]


def test_a_tenth_may_be_missing() -> None:
    """Four of forty."""
    labels = people(steady, drawn=range(40), labelled=range(36))
    assert "passed" == decided(labels, CORRECTED).status


def test_labels_of_one_recording_alone_correct_nothing() -> None:
    """The baseline's are there; today's recordings were never read by anybody."""
    labels = people(dropped)
    before = tuple(one for one in labels.labels if one.digest.startswith("before"))
    decision = decided(labels.model_copy(update={"labels": before}), CORRECTED)
    assert ("too_few_labels",) == comparison(decision).reasons
    assert "0 of 30 drawn sessions have people's labels of both recordings" in said(decision)[0]


def test_an_unchanged_transcript_needs_one_label() -> None:
    """Its digest is the same on both sides, and the change is 0."""
    same = Candidate(
        suite="airline",
        versions=baseline(BEFORE).versions,
        axes=(AXIS,),
        sessions=sessions(BEFORE, recording="before"),
    )
    labels = people(dropped)
    found = decide(same, {"baseline": baseline(BEFORE)}, gate(**CORRECTED), people=labels)
    assert "passed" == found.status
    assert (30, 0.0) == (correction(found).labelled, correction(found).human)


def test_the_re_recorded_sessions_alone_must_be_labelled_well_enough() -> None:
    """Half are unchanged: 15 of the 30 labelled ones were recorded again."""
    mixed = tuple(
        now if number % 4 < 2 else was
        for number, (was, now) in enumerate(
            zip(
                sessions(BEFORE, recording="before"),
                sessions(STEADY, recording="after"),
                strict=True,
            )
        )
    )
    run = candidate(STEADY).model_copy(update={"sessions": mixed})
    found = decide(run, {"baseline": baseline(BEFORE)}, gate(**CORRECTED), people=people(steady))
    assert ("inconclusive", ("too_few_labels",)) == (found.status, comparison(found).reasons)
    assert "15 labelled re-recorded sessions where 20 are needed" in said(found)[0]


def test_only_one_draw_counts() -> None:
    """The one with the most labelled pairs: the union of several is no random sample."""
    one, other = people(dropped, drawn=range(30)), people(steady, drawn=range(30, 55))
    both = People(labels=(*one.labels, *other.labels), queues=(*one.queues, *other.queues))
    assert one.queues[0].name == correction(decided(both)).draw
    assert 30 == correction(decided(both)).labelled


def test_the_corrected_interval_is_that_of_people_where_all_are_labelled() -> None:
    """An independent computation: the mean and t interval of people's own differences."""
    found = correction(decided(people(dropped, drawn=range(COUNT))))
    expected = mean_estimate([dropped(number) for number in range(COUNT)])
    assert found.overall is not None
    assert (expected.mean, *interval(expected)) == pytest.approx(
        (found.overall.difference, found.overall.low, found.overall.high)
    )


def test_holm_counts_the_tests_that_decide() -> None:
    """The raw test is shown and in no family."""
    decision = decided(people(dropped), CORRECTED)
    found = correction(decision).overall
    overall = comparison(decision).overall
    assert found is not None
    assert overall is not None
    assert (found.p_drop, None) == (found.p_drop_adjusted, overall.p_drop_adjusted)


@pytest.mark.parametrize("other", [{"strict": True}, {"sequential": "obf"}], ids=str)
def test_what_has_no_corrected_test_is_refused(other: dict[str, object]) -> None:
    """Strict and early stopping are about raw scores."""
    with pytest.raises(SuiteError, match=r'decide_on = "corrected" and (strict|sequential)'):
        decided(people(steady), {**CORRECTED, **other})


def test_unpaired_groups_cannot_be_corrected() -> None:
    """A label's difference needs the same session twice."""
    with pytest.raises(SuiteError, match="needs pairs"):
        decide(
            candidate(STEADY),
            {"baseline": baseline(BEFORE)},
            gate(**CORRECTED),
            unpaired=True,
            people=people(steady),
        )

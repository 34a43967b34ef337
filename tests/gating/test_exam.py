"""An exam's figures: each against a computation of its own, and what too little leads to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, variance

import numpy as np
import pytest

from pytest_sessioneval.gate.agreement.card import Agreement, Figure, Probe, ProbeAxis, Separation
from pytest_sessioneval.gate.agreement.exam import (
    effective_panel,
    outcome_agreement,
    people_agreement,
    separation,
    share,
    stability,
)
from pytest_sessioneval.gate.agreement.grading import calibrated_axes, card_status
from pytest_sessioneval.gate.agreement.records import SessionRecord

AXIS = "goal"
LEVELS = (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)


def records(
    scores: Sequence[float | None], labels: Sequence[Sequence[float]]
) -> list[SessionRecord]:
    """Return a session per score; None: the judge gave it none."""
    return [
        SessionRecord(
            key=f"s{number}",
            scores={} if score is None else {AXIS: score},
            labels={AXIS: tuple(given)} if given else {},
        )
        for number, (score, given) in enumerate(zip(scores, labels, strict=True))
    ]


def people(scores: Sequence[float | None], labels: Sequence[Sequence[float]]) -> Agreement:
    """Return the agreement of scores with labels."""
    found = people_agreement(records(scores, labels), AXIS, levels=LEVELS)
    assert found is not None
    return found


SCORES = [float(20 * (number % 6)) for number in range(36)]
NEAR = [[score, min(score + 20, 100)] for score in SCORES]
"""Two raters: one says what the judge says, one is a level more generous."""


@pytest.fixture(scope="module")
def near() -> Agreement:
    """Return the agreement of the scores with these labels: a thousand resamples of each figure."""
    return people(SCORES, NEAR)


def test_a_label_is_the_mean_over_its_raters(near: Agreement) -> None:
    """Bias, distance and slope are those against the means."""
    means = [fmean(given) for given in NEAR]
    assert pytest.approx(fmean(SCORES) - fmean(means)) == value(near.bias)
    off = fmean(abs(s - m) for s, m in zip(SCORES, means, strict=True))
    assert pytest.approx(off, abs=1e-6) == value(near.mean_error)
    assert pytest.approx(np.polyfit(means, SCORES, 1)[0], abs=1e-6) == value(near.slope)
    assert 2 == near.raters


def test_people_among_themselves_are_the_ceiling(near: Agreement) -> None:
    """Alpha of the raters, by its definition over pairs of values."""
    flat = [score for given in NEAR for score in given]
    observed = sum(2 * (a - b) ** 2 for a, b in NEAR) / len(flat)
    expected = sum((a - b) ** 2 for a in flat for b in flat) / len(flat) / (len(flat) - 1)
    assert pytest.approx(1 - observed / expected, abs=1e-6) == value(near.people_alpha)


def test_a_judge_that_agrees_passes(near: Agreement) -> None:
    """Its alpha is at least 0.667, and the interval lies around it."""
    assert "passed" == near.status
    assert near.alpha.low is not None
    assert near.alpha.high is not None
    assert 0.667 < near.alpha.low < value(near.alpha) < near.alpha.high <= 1


def test_a_judge_that_gives_the_opposite_fails() -> None:
    """And its alpha is below what chance gives."""
    found = people([100 - score for score in SCORES], NEAR)
    assert "failed" == found.status
    assert value(found.alpha) < 0


def test_twenty_nine_labels_are_too_few() -> None:
    """However well they agree; the figures are shown all the same."""
    found = people(SCORES[:29], NEAR[:29])
    assert ("not_measured", "too few labels: 29 of the 30 it takes") == (found.status, found.why)
    assert found.alpha.value is not None


def test_a_judge_that_gives_one_score_to_one_label_has_shown_nothing() -> None:
    """All 80 to sessions labelled 80 is what a stopped clock would give."""
    found = people([80.0] * 40, [[80.0]] * 40)
    assert "not_measured" == found.status
    assert found.alpha.value is None


def test_labels_without_any_score_say_so() -> None:
    """As for a judge that does not score the axis."""
    found = people([None] * 40, [[80.0]] * 40)
    assert ("not_measured", "no labelled session has a score") == (found.status, found.why)


def test_sessions_without_a_score_are_counted() -> None:
    """They are left out of the agreement, and said."""
    found = people([*SCORES[:3], None, None], [*NEAR[:3], [80.0], [40.0]])
    assert (3, 2) == (found.sessions, found.unscored)


def test_an_axis_nobody_labelled_has_no_agreement() -> None:
    """Nothing is held against nothing."""
    unlabelled = records(SCORES, [[]] * 36)
    assert people_agreement(unlabelled, AXIS, levels=LEVELS) is None


def test_the_pass_line_itself_passes() -> None:
    """On both sides."""
    found = people_agreement(
        records([50.0, 50.0, 49.0], [[50.0], [49.0], [49.0]]), AXIS, levels=LEVELS, pass_line=50
    )
    assert found is not None
    assert pytest.approx(2 / 3, abs=1e-6) == found.judge_passes.value
    assert pytest.approx(1 / 3, abs=1e-6) == found.label_passes.value
    assert pytest.approx(2 / 3, abs=1e-6) == found.accuracy.value


# -- outcomes and thumbs ---------------------------------------------------------------


def with_outcome(scores: Sequence[float], succeeded: Sequence[bool]) -> list[SessionRecord]:
    """Return a session per score, with its outcome."""
    return [
        SessionRecord(key=f"s{number}", scores={AXIS: score}, succeeded=good)
        for number, (score, good) in enumerate(zip(scores, succeeded, strict=True))
    ]


def test_a_lenient_judge_fails_against_outcomes() -> None:
    """As a real one did: 46 of 50 passed when 23 had succeeded, 25 of them alike."""
    succeeded = [True] * 23 + [False] * 27
    scores = [80.0] * 22 + [20.0] + [80.0] * 24 + [20.0] * 3
    found = outcome_agreement(with_outcome(scores, succeeded), AXIS)
    assert found is not None
    assert (0.92, 0.46, 0.5) == (
        found.judge_passes.value,
        found.label_passes.value,
        found.accuracy.value,
    )
    by_chance = 0.92 * 0.46 + 0.08 * 0.54
    assert pytest.approx((0.5 - by_chance) / (1 - by_chance), abs=1e-6) == found.kappa.value
    assert "failed" == found.status


def test_scores_above_chance_pass() -> None:
    """The AUC is every comparison's, and its interval lies above one half."""
    good, bad = [60.0, 80.0, 100.0] * 6, [20.0, 60.0] * 9
    found = separation(with_outcome([*good, *bad], [True] * 18 + [False] * 18), AXIS, "outcome")
    assert found is not None
    won = fmean((g > b) + (g == b) / 2 for g in good for b in bad)
    assert pytest.approx(won, abs=1e-6) == found.auc.value
    assert ("passed", 18, 18) == (found.status, found.good, found.bad)


def test_scores_that_point_the_wrong_way_fail() -> None:
    """Bad sessions score higher."""
    found = separation(
        with_outcome([20.0, 40.0] * 9 + [60.0, 80.0] * 9, [True] * 18 + [False] * 18),
        AXIS,
        "outcome",
    )
    assert found is not None
    assert "failed" == found.status


def test_scores_that_say_nothing_are_unclear() -> None:
    """Neither shown to help nor to mislead."""
    found = separation(
        with_outcome([20.0, 80.0] * 18, [True, True, False, False] * 9), AXIS, "outcome"
    )
    assert found is not None
    assert (0.5, "unclear") == (found.auc.value, found.status)


def test_thumbs_are_held_apart_from_outcomes() -> None:
    """A session without thumbs is no evidence by thumbs."""
    sessions = [
        SessionRecord(key="a", scores={AXIS: 80.0}, liked=True, succeeded=False),
        SessionRecord(key="b", scores={AXIS: 20.0}, liked=False, succeeded=True),
        SessionRecord(key="c", scores={AXIS: 20.0}, succeeded=True),
    ]
    thumbs, outcomes = (separation(sessions, AXIS, "thumbs"), separation(sessions, AXIS, "outcome"))
    assert thumbs is not None
    assert outcomes is not None
    assert (1.0, 1, 1) == (thumbs.auc.value, thumbs.good, thumbs.bad)
    assert (0.0, 2, 1) == (outcomes.auc.value, outcomes.good, outcomes.bad)
    assert "not_measured" == thumbs.status


# -- itself ----------------------------------------------------------------------------


def test_repeats_show_spread_and_flips() -> None:
    """Against variances computed by the standard library."""
    repeats = [(40.0, 60.0, 60.0), (80.0, 80.0, 100.0), (20.0, 20.0, 20.0)]
    sessions = [
        SessionRecord(key=f"s{number}", repeats={AXIS: given})
        for number, given in enumerate(repeats)
    ]
    found = stability(sessions, AXIS)
    assert found is not None
    spread = math.sqrt(fmean(variance(given) for given in repeats))
    assert pytest.approx(spread, abs=1e-6) == found.sd.value
    assert pytest.approx(1 / 3, abs=1e-6) == found.flips.value
    assert (3, 3) == (found.repeats, found.sd.n)


def test_what_was_judged_once_shows_no_stability() -> None:
    """There is nothing to compare."""
    assert stability([SessionRecord(key="s", repeats={AXIS: (40.0,)})], AXIS) is None


def test_experts_with_equal_errors_are_one_vote() -> None:
    """And independent ones nearly as many as there are."""
    sessions = [
        SessionRecord(
            key=f"s{number}",
            labels={AXIS: (50.0,)},
            seats={
                "one": {AXIS: 50.0 + off},
                "copy": {AXIS: 50.0 + off},
            },
        )
        for number, off in enumerate([-20.0, 0, 20, 20, 0, -20, 40])
    ]
    found = effective_panel(sessions, AXIS)
    assert found is not None
    assert pytest.approx(1) == found.votes.value
    assert 2 == found.experts


def test_votes_follow_from_the_correlation_of_errors() -> None:
    """Of three experts, by numpy's correlations of score minus label."""
    labels = [20.0, 40, 60, 80, 100, 0, 50, 70]
    errors = np.array(
        [
            [1.0, 3, -2, 0],
            [2, -1, 0, 1],
            [0, 1, 1, -2],
            [3, 2, -1, 1],
            [-1, 0, 2, 2],
            [0, -2, 1, 0],
            [1, 1, -3, 1],
            [2, 0, 0, -1],
        ]
    )[:, :3]
    sessions = [
        SessionRecord(
            key=f"s{number}",
            labels={AXIS: (label,)},
            seats={f"e{at}": {AXIS: label + off} for at, off in enumerate(row)},
        )
        for number, (label, row) in enumerate(zip(labels, errors, strict=True))
    ]
    between = np.corrcoef(errors.T)[np.triu_indices(3, k=1)].mean()
    found = effective_panel(sessions, AXIS)
    assert found is not None
    assert pytest.approx(between, abs=1e-6) == found.correlation.value
    assert pytest.approx(3 / (1 + 2 * max(between, 0)), abs=1e-5) == found.votes.value


def test_an_axis_of_one_expert_has_no_panel() -> None:
    """One vote is one vote."""
    sessions = [
        SessionRecord(key=f"s{n}", labels={AXIS: (50.0,)}, seats={"one": {AXIS: 40.0 + n}})
        for n in range(9)
    ]
    assert effective_panel(sessions, AXIS) is None


def test_outcomes_stand_in_for_labels_where_told() -> None:
    """0 and 100, and only where nobody labelled."""
    sessions = [
        SessionRecord(
            key=f"s{n}",
            succeeded=n % 2 == 0,
            seats={"one": {AXIS: 40.0 + n}, "two": {AXIS: 60.0 - n}},
        )
        for n in range(9)
    ]
    assert effective_panel(sessions, AXIS) is None
    assert effective_panel(sessions, AXIS, by_outcome=True) is not None


# -- the whole -------------------------------------------------------------------------

_FIGURE = Figure(value=0.5, n=40)


def _line(status: str, axis: str = AXIS) -> Agreement:
    return Agreement.model_validate(
        {
            "source": "people",
            "axis": axis,
            "sessions": 40,
            "pass_line": 50,
            "why": "",
            **dict.fromkeys(
                ("alpha", "accuracy", "kappa", "judge_passes", "label_passes"), _FIGURE
            ),
            "status": status,
        }
    )


def _probe(status: str, axis: str = AXIS) -> Probe:
    found = {"axis": axis, "figure": _FIGURE, "status": status}
    return Probe.model_validate(
        {"probe": "filler", "what": "", "line": "", "axes": [found], "status": status}
    )


def _auc(status: str, axis: str = AXIS) -> Separation:
    given = {"source": "outcome", "axis": axis, "good": 20, "bad": 20, "auc": _FIGURE, "why": ""}
    return Separation.model_validate({**given, "status": status})


@pytest.mark.parametrize(
    ("agreement", "auc", "probe", "status"),
    [
        ("passed", "passed", "passed", "passed"),
        ("passed", "unclear", "unclear", "passed"),
        ("passed", "not_measured", "passed", "passed"),
        ("passed", "passed", "not_measured", "incomplete"),
        ("not_measured", "passed", "passed", "incomplete"),
        ("failed", "passed", "passed", "failed"),
        ("passed", "failed", "passed", "failed"),
        ("passed", "passed", "failed", "failed"),
        ("not_measured", "not_measured", "failed", "failed"),
    ],
)
def test_a_card_passes_on_labels_and_every_probe(
    agreement: str, auc: str, probe: str, status: str
) -> None:
    """What failed fails it, and what was not measured is no pass."""
    assert status == card_status([_line(agreement)], [_auc(auc)], [_probe(probe)])


def test_a_card_without_labels_or_probes_is_incomplete() -> None:
    """Nothing was asked, so nothing was shown."""
    assert "incomplete" == card_status([], [], [_probe("passed")])
    assert "incomplete" == card_status([_line("passed")], [], [])


def test_an_axis_is_calibrated_where_nothing_failed_on_it() -> None:
    """One axis's failure leaves the others."""
    lines = [_line("passed", "a"), _line("passed", "b"), _line("not_measured", "c")]
    assert ("a", "b") == calibrated_axes(lines, [], [])
    assert ("b",) == calibrated_axes(lines, [_auc("failed", "a")], [])
    assert ("a",) == calibrated_axes(lines, [], [_probe("failed", "b")])


def test_a_successful_attack_leaves_no_axis_calibrated() -> None:
    """It raises whichever it likes."""
    attack = Probe(
        probe="injection",
        what="",
        line="",
        axes=(ProbeAxis(axis="any", figure=_FIGURE, status="failed"),),
        status="failed",
    )
    assert () == calibrated_axes([_line("passed")], [], [attack])


def test_a_share_of_nothing_is_not_zero() -> None:
    """It is not defined."""
    assert Figure(value=None, n=0) == share(0, 0)


def value(figure: Figure | None) -> float:
    """Return a figure's value, which must be there."""
    assert figure is not None
    assert figure.value is not None
    return figure.value

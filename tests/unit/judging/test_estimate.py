"""The calibrated embedded judge: what it estimates, where it does not, and what it says of it."""

from __future__ import annotations

from typing import Any

import pytest
from evidence_cases import case
from panel_cases import suite

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.gate.fitting.logistic import Logistic
from pytest_sessioneval.judging.evidence_judge import NOTICE, VERSION, EvidenceJudge
from pytest_sessioneval.judging.process.features import FEATURES, feature_values
from pytest_sessioneval.judging.process.opinions import signals_of
from pytest_sessioneval.suites.calibration import (
    Calibration,
    Estimate,
    FeatureWeight,
    KindOfTask,
)
from pytest_sessioneval.suites.model import Expectation
from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.transcripts.model import Outcome, Transcript
from pytest_sessioneval.verdicts.model import Scored, Unscored

WEIGHTS = {"failures": -1.0, "declined": -0.5, "steps": 0.4}


def calibration(**fields: object) -> Calibration:
    """Return a calibration in which failed calls and declining speak against success."""
    given: dict[str, object] = {
        "measures": VERSION,
        "features": tuple(
            FeatureWeight(name=one.name, mean=0.5, scale=1.0, weight=WEIGHTS.get(one.name, 0.0))
            for one in FEATURES
        ),
        "intercept": 1.0,
        "ridge": 5.0,
        "labels": 80,
        "successes": 60,
        "tasks": 40,
        "auc": Estimate(value=0.8, low=0.7, high=0.9),
    }
    return Calibration.model_validate({**given, **fields})


def session(**fields: Any) -> Transcript:
    """Return a session with a failed call, in which the agent declines."""
    return transcript(
        ("user", "Cancel order W12."),
        tool("cancel_order", {"order": "W12"}, result="Error: no such order", is_error=True),
        ("assistant", "Unfortunately I am unable to cancel order W12."),
        **fields,
    )


def goal(made: Calibration | None, given: Transcript, **fields: object) -> Scored | Unscored:
    """Return what the judge says of goal_completion."""
    answer = EvidenceJudge(made).judge(case(given, **fields))
    return answer.axes["goal_completion"]


def test_the_score_is_the_estimated_probability() -> None:
    """100 × the calibration's probability of what is measured, rounded."""
    values = feature_values(signals_of(session(), 400_000, ""))
    found = goal(calibration(), session())
    assert isinstance(found, Scored)
    assert round(100 * calibration().probability(values)) == found.score
    assert 0 < found.score < 75


def test_the_judge_predicts_what_the_fit_predicts() -> None:
    """The same weights in the room that fits and in the room that judges: the same log odds."""
    import numpy as np

    made = calibration()
    columns = made.features
    fit = Logistic(
        means=tuple(one.mean for one in columns),
        scales=tuple(one.scale for one in columns),
        weights=tuple(one.weight for one in columns),
        intercept=made.intercept,
    )
    values = feature_values(signals_of(session(), 400_000, ""))
    odds = fit.log_odds(np.asarray([values]))[0]
    assert 1 / (1 + np.exp(-odds)) == pytest.approx(made.probability(values), abs=1e-12)


def test_the_comment_says_that_it_is_an_estimate_and_of_what() -> None:
    """Probability, calibration, how far it can be trusted, and what moved it."""
    found = goal(calibration(), session())
    assert isinstance(found, Scored)
    assert found.comment.startswith(
        f"Estimated, not observed: a probability of success of {found.score}% by logistic@1#"
    )
    assert "(AUC 0.80 [0.70, 0.90] on tasks held out" in found.comment
    assert "of the labelled sessions 75% succeeded)" in found.comment
    assert "Lowered by failed calls above average" in found.comment
    assert "Raised by steps above average" in found.comment


def test_evidence_shows_what_lowered_it() -> None:
    """The failed call's result and the words that decline."""
    found = goal(calibration(), session())
    assert isinstance(found, Scored)
    assert [2, 3] == [evidence.message for evidence in found.evidence]


def test_what_was_expected_is_checked_and_not_estimated() -> None:
    """A condition that can be checked decides; the estimate is for sessions without one."""
    wanted = (Expectation(must_call=({"tool": "cancel_order"},)),)
    found = goal(calibration(), session(), expectations=wanted)
    assert isinstance(found, Scored)
    assert (0, False) == (found.score, "Estimated" in found.comment)


def test_a_recorded_outcome_decides_where_the_suite_says_so() -> None:
    """And sessions without one are estimated."""
    ended = session(outcome=Outcome(kind="reward", value=1.0))
    decided = goal(calibration(), ended, use_outcome=True)
    estimated = goal(calibration(), session(), use_outcome=True)
    assert isinstance(decided, Scored)
    assert isinstance(estimated, Scored)
    assert (100, True) == (decided.score, "Estimated" in estimated.comment)


def test_a_session_of_an_unknown_kind_is_not_estimated() -> None:
    """What tells success from failure elsewhere says nothing there."""
    made = calibration(
        kind_key="domain", kinds=(KindOfTask(name="airline", labels=80, successes=60),)
    )
    found = goal(made, session(metadata={"domain": "telecom"}))
    assert isinstance(found, Unscored)
    assert "unsupported" == found.reason
    assert "whose domain is airline, and this one's is telecom" in found.detail
    assert isinstance(goal(made, session(metadata={"domain": "airline"})), Scored)


def test_the_calibration_is_part_of_the_judge_and_its_notice() -> None:
    """Verdict keys, reports and the model's name tell it."""
    made = calibration()
    plain, calibrated = EvidenceJudge(), EvidenceJudge(made)
    assert {**plain.identity, "calibration": made.version} == calibrated.identity
    assert NOTICE == plain.notice(suite())
    notice = calibrated.notice(suite())
    assert notice.startswith(NOTICE)
    assert f"{made.version}, fitted to 80 labelled sessions of which 60" in notice
    assert "nobody looked at the result" in notice
    answer = calibrated.judge(case(session()))
    assert f"evidence@{VERSION}+{made.version}" == answer.model


def test_the_other_axes_stay_as_they_are() -> None:
    """A calibration is about the goal alone."""
    plain = EvidenceJudge().judge(case(session())).axes
    calibrated = EvidenceJudge(calibration()).judge(case(session())).axes
    differing = [name for name in plain if plain[name] != calibrated[name]]
    assert ["goal_completion"] == differing


@pytest.mark.parametrize("fields", [{"measures": VERSION + 1}, {"features": ()}])
def test_a_calibration_of_other_measures_is_refused(fields: dict[str, object]) -> None:
    """Its weights belong to numbers that are not taken any more."""
    with pytest.raises(SuiteError, match=r"write it again with `sessioneval calibrate`"):
        EvidenceJudge(calibration(**fields))


def test_features_count_what_they_name() -> None:
    """log2(1 + count); one failed call, one answer that declines, at the end."""
    values = dict(
        zip(
            (one.name for one in FEATURES),
            feature_values(signals_of(session(), 400_000, "")),
            strict=True,
        )
    )
    ones = ("calls", "tools", "requests", "failures", "declined", "declined_at_the_end")
    assert [1.0] * 6 == [values[name] for name in ones]
    assert [0.0] * 4 == [values[name] for name in ("changes", "waste", "friction", "broken_off")]


def test_looking_failing_and_handing_over_change_nothing() -> None:
    """Only a call that may have changed something, and worked, is a change."""
    made = transcript(
        ("user", "Refund it."),
        tool("get_order", {"id": "W1"}, result="{}"),
        tool("refund", {"id": "W1"}, result="Error: wrong id", is_error=True),
        tool("refund", {"id": "W12"}, result="refunded"),
        tool("transfer_to_human_agents", {}, result="transferred"),
    )
    assert 1 == signals_of(made, 400_000, "").effort.changes

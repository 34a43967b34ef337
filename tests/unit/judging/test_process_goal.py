"""Goal completion: from written expectations and recorded outcomes only."""

from __future__ import annotations

import pytest
from evidence_cases import scored, unscored

from pytest_sessioneval.suites.model import Expectation, ExpectedCall
from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.transcripts.model import Outcome, Subsession

SESSION = transcript(
    ("user", "Refund order W12."),
    tool("refund", {"order": "W12"}, result="refunded"),
    ("assistant", "Order W12 was refunded."),
    outcome=Outcome(kind="reward", value=0.65, detail="user_stop"),
)
REFUND = Expectation(must_call=(ExpectedCall(tool="refund", args={"order": "W12"}),))
SAYS = Expectation(final_matches="refunded", final_not_matches="sorry")
LOOKS = Expectation(must_call=(ExpectedCall(tool="get_order"),))
NEVER = Expectation(must_not_call=(ExpectedCall(tool="refund"),))


def goal(*expectations: Expectation, use_outcome: bool = False) -> int:
    """Return the score of goal_completion."""
    return scored(
        SESSION, "goal_completion", expectations=expectations, use_outcome=use_outcome
    ).score


def test_without_expectations_the_goal_is_unsupported() -> None:
    """A recorded outcome alone does not score it: the suite has to say so."""
    assert unscored(SESSION, "goal_completion").reason == "unsupported"


def test_all_that_was_expected_scores_100() -> None:
    """Three conditions in two expectations held."""
    assert goal(REFUND, SAYS) == 100


def test_the_score_is_the_share_of_conditions_that_held() -> None:
    """Three of four: 75."""
    assert goal(REFUND, SAYS, LOOKS) == 75


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("Error: order not found", 0),
        ('{"error": "order not found"}', 0),
        ("Error: 503 Service Unavailable", 0),
        ("refunded; no errors", 100),
    ],
)
def test_a_call_that_plainly_failed_was_not_made(result: str, expected: int) -> None:
    """Many sources mark no errors; the text is read as it is for tool_usage_quality."""
    session = transcript(("user", "Refund W12."), tool("refund", {"order": "W12"}, result=result))
    found = scored(session, "goal_completion", expectations=(REFUND,))
    assert found.score == expected


def test_a_sub_agents_failed_call_was_not_made() -> None:
    """Its results are read alike."""
    sub = transcript(("user", "Refund W12."), tool("refund", {"order": "W12"}, result="Error: no"))
    session = transcript(
        ("user", "Refund W12."), subsessions=(Subsession(agent_id="a", messages=sub.messages),)
    )
    assert scored(session, "goal_completion", expectations=(REFUND,)).score == 0


def test_a_red_test_run_was_made() -> None:
    """A program that reports a failure was called all the same."""
    ran = Expectation(must_call=(ExpectedCall(tool="Bash"),))
    session = transcript(
        ("user", "Test."), tool("Bash", {"command": "pytest"}, result="Exit code 1")
    )
    assert scored(session, "goal_completion", expectations=(ran,)).score == 100


def test_what_must_not_happen_scores_0_when_it_did() -> None:
    """Whatever else held."""
    assert goal(REFUND, SAYS, NEVER) == 0


def test_the_outcome_scores_when_the_suite_uses_it() -> None:
    """Its value, times 100."""
    assert goal(use_outcome=True) == 65


def test_of_expectations_and_outcome_the_lower_counts() -> None:
    """Neither can make up for what the other shows missing."""
    assert (65, 0) == (goal(REFUND, use_outcome=True), goal(NEVER, use_outcome=True))


def test_an_outcome_without_number_is_unsupported() -> None:
    """A recorded word is no score."""
    session = SESSION.model_copy(update={"outcome": Outcome(kind="exit_status", detail="done")})
    assert unscored(session, "goal_completion", use_outcome=True).reason == "unsupported"


@pytest.mark.parametrize(("value", "expected"), [(-1.0, 0), (1.7, 100)])
def test_an_outcome_beyond_the_scale_is_cut(value: float, expected: int) -> None:
    """A reward outside 0–1 gives the nearest end."""
    session = SESSION.model_copy(update={"outcome": Outcome(kind="reward", value=value)})
    assert expected == scored(session, "goal_completion", use_outcome=True).score


def test_a_condition_that_did_not_hold_is_told_with_what_was_found() -> None:
    """The comment counts, names and explains; the tag is one of the rubric's."""
    found = scored(SESSION, "goal_completion", expectations=(REFUND, NEVER))
    assert found.comment.startswith("1 of 2 written expectations held. Expected: refund is not ca")
    assert ("rule_broken", 1) == (found.failure_tag, found.evidence[0].message)

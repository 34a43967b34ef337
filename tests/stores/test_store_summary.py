"""What listings show of a run."""

from __future__ import annotations

from store_values import run

from pytest_sessioneval.stores.summary import summarise
from pytest_sessioneval.verdicts.model import CallCount


def test_states_are_counted() -> None:
    """Each way a session ended is counted, and those that none ended in are absent."""
    (suite,) = summarise(run()).suites
    assert suite.states == {"below_threshold": 1, "not_run": 1, "passed": 1}


def test_means_rest_on_scored_sessions() -> None:
    """The mean of 80 and 40 is 60 over two of three sessions, one of them unjudged."""
    mean = summarise(run()).suites[0].means[0]
    assert (
        mean.axis,
        mean.mean,
        mean.minimum,
        mean.scored,
        mean.sessions,
        mean.unjudged,
    ) == ("tool_usage_quality", 60.0, 40.0, 2, 3, 1)


def test_an_axis_without_a_score_has_no_mean() -> None:
    """Nothing scored is null with its reasons, never a number."""
    mean = summarise(run()).suites[0].means[1]
    assert (mean.mean, mean.unscored) == (None, {"unsupported": 2})


def test_versions_and_spending_are_shown() -> None:
    """A listing names judge and rubric and what the run took."""
    (suite,) = summarise(run()).suites
    assert (
        suite.judge_model,
        suite.judge_version,
        suite.rubric_version,
    ) == ("evidence", "evidence@1#0123456789ab", "agent@3#ba9876543210")
    assert (1, 1, CallCount(calls=3)) == (suite.judged, suite.from_store, suite.spent)


def test_a_partial_run_says_so() -> None:
    """Why a run is not all of the suites is part of its summary."""
    assert summarise(run()).partial == "-k cancel"

"""What became of earlier suggestions: only of sessions recorded anew, with an interval."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from advice_suites import said, session, suite

from pytest_sessioneval.reports.advice.following import KeptAdvice, follow_ups, kept_advice
from pytest_sessioneval.reports.advice.model import Advisor, Suggestion
from pytest_sessioneval.reports.model import SuiteReport
from pytest_sessioneval.verdicts.run import SessionResult

_ADVISOR = Advisor(
    model="openai:m",
    asked=1,
    suggestions=(
        Suggestion(
            id="0a1b2c3d",
            cluster="c1",
            hypothesis="h",
            suggested_change="Read errors.",
            target="prompt",
            expected_axis="tools",
            evidence=("F1", "F2"),
            test="t",
        ),
    ),
)
_DIFFERENCES = (0, -5, 5, 0, -10, 0, 5, -5, 0, -20)
"""METHOD section 1.1: mean -3, 90 % interval -7.3637 to 1.3637."""


def _again(result: SessionResult) -> SessionResult:
    """Return the session as another recording."""
    assert result.verdict is not None
    verdict = result.verdict.model_copy(update={"digest": "another"})
    return result.model_copy(update={"verdict": verdict})


def _suite(scores: Mapping[str, int], *, anew: bool = True) -> SuiteReport:
    found = [session(name, {"tools": said(score)}) for name, score in scores.items()]
    return suite(*(map(_again, found) if anew else found))


def _kept(scores: Mapping[str, int], *inside: str) -> KeptAdvice:
    return kept_advice(_suite(scores, anew=False), _ADVISOR, {"c1": inside, "c2": ("x",)})


def test_the_change_is_a_paired_t_inside_the_cluster() -> None:
    """The worked example of METHOD section 1.1, beside three sessions that did not move."""
    before = {f"s{place}": 60 for place in range(10)} | {"o1": 20, "o2": 20, "o3": 50}
    after = {f"s{place}": 60 + change for place, change in enumerate(_DIFFERENCES)}
    kept = _kept(before, *(f"s{place}" for place in range(10)))
    (one,) = follow_ups(_suite(after | {"o1": 20, "o2": 26, "o3": 50}), kept)
    assert (10, 10, -3.0) == (one.sessions, one.pairs, one.change)
    assert (one.low, one.high) == pytest.approx((-7.3637, 1.3637), abs=5e-5)
    assert (3, 2.0) == (one.others, one.others_change)


def test_the_same_recording_says_nothing() -> None:
    """A score that came from the store again is no change of nought."""
    kept = _kept({"a": 20, "b": 20}, "a", "b")
    (one,) = follow_ups(_suite({"a": 20, "b": 20}, anew=False), kept)
    assert (2, 0, None) == (one.sessions, one.pairs, one.change)


def test_one_pair_has_no_interval() -> None:
    """A single session shows no spread."""
    (one,) = follow_ups(_suite({"a": 60}), _kept({"a": 20, "b": 20}, "a", "b"))
    assert (1, 40.0, None, None) == (one.pairs, one.change, one.low, one.high)


def test_another_rubric_ends_the_following() -> None:
    """Scores of another rubric mean something else."""
    kept = _kept({"a": 20}, "a").model_copy(update={"rubric": "agent@4#00000000"})
    assert [] == list(follow_ups(_suite({"a": 60}), kept))


def test_only_clusters_with_a_suggestion_are_kept() -> None:
    """And what is kept comes back as it was."""
    kept = _kept({"a": 20}, "a")
    assert {"c1": ("a",)} == kept.members
    assert kept == KeptAdvice.model_validate_json(kept.model_dump_json())

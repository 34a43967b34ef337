"""The embedded judge on every real session of the three folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from evidence_cases import FOLDERS, RUBRIC, case, real_answers, real_sessions

from pytest_sessioneval.judging.evidence_judge import EvidenceJudge
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import Evidence


def holds(transcript: Transcript, place: Evidence) -> bool:
    """Return whether the cited message exists and holds the quote, as it stands."""
    messages = transcript.messages
    if place.agent_id is not None:
        messages = next(s.messages for s in transcript.subsessions if s.agent_id == place.agent_id)
    return place.message < len(messages) and place.quote in messages[place.message].text


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_quote_stands_in_the_message_it_cites(shared_data: Path, folder: str) -> None:
    """Evidence is verbatim, in the main transcript and in sub-agents."""
    answers = real_answers(shared_data, folder)
    wrong = [
        (session.session_id, place)
        for session, answer in answers
        for found in answer.axes.values()
        for place in found.evidence
        if not holds(session, place)
    ]
    assert answers
    assert wrong == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_session_has_a_score_or_a_reason_on_every_axis(
    shared_data: Path, folder: str
) -> None:
    """Scores lie in range and say something; reasons are of the two that this judge has."""
    for session, answer in real_answers(shared_data, folder):
        assert {axis.name for axis in case(session).axes} == set(answer.axes)
        for found in answer.axes.values():
            if found.kind == "scored":
                assert 0 <= found.score <= 100
                assert found.comment
            else:
                assert found.reason in ("unsupported", "not_applicable")
                assert found.detail


@pytest.mark.parametrize("folder", ["tau-bench", "tau2-bench"])
def test_recorded_rewards_score_the_goal_where_the_suite_says_so(
    shared_data: Path, folder: str
) -> None:
    """Every session of these benchmarks with a reward gets it, times 100."""
    for session in real_sessions(shared_data, folder):
        asked = tuple(axis for axis in RUBRIC.axes if axis.name == "goal_completion")
        found = (
            EvidenceJudge()
            .judge(case(session, axes=asked, use_outcome=True))
            .axes["goal_completion"]
        )
        value = None if session.outcome is None else session.outcome.value
        expected = None if value is None else round(100 * value)
        assert expected == (found.score if found.kind == "scored" else None)


def test_most_sessions_of_a_good_agent_show_little_to_find_fault_with(shared_data: Path) -> None:
    """Ordinary sessions must not drown in findings: the median of every axis is high."""
    answers = real_answers(shared_data, "tau2-bench")
    for axis in ("tool_usage_quality", "efficiency", "communication"):
        scores = sorted(
            found.score for _, answer in answers if (found := answer.axes[axis]).kind == "scored"
        )
        assert scores[len(scores) // 2] >= 85


def test_hardly_any_real_answer_seems_to_belong_elsewhere(shared_data: Path) -> None:
    """One alarm in 137 sessions; each costs 15 points for nothing."""
    answers = [one for folder in FOLDERS for one in real_answers(shared_data, folder)]
    alarms = [
        session.session_id
        for session, answer in answers
        if "words that occur nowhere before" in answer.axes["communication"].model_dump_json()
    ]
    assert len(answers) >= 130
    assert len(alarms) <= 1

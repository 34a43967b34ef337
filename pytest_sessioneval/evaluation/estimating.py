"""What a run is likely to ask and to cost, before anybody is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.evaluation.canaries import CanaryWatches
from pytest_sessioneval.evaluation.entries import Entry, planned_calls
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.settings import EvaluationSettings, PlannedCalls
from pytest_sessioneval.judging.answering import case_of
from pytest_sessioneval.judging.estimating import Estimate, session_estimate
from pytest_sessioneval.judging.models import ModelTable, known_models
from pytest_sessioneval.judging.panel import Panel, Question
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.redaction_policy import RedactionPolicy

__all__ = ["planned_with_estimate"]

_NONCE = "0" * 32


def planned_with_estimate(
    entries: Sequence[Entry],
    settings: EvaluationSettings,
    peek: Callable[[Member, RedactionPolicy], Transcript],
    *,
    embedded: bool,
    at_most: bool,
    canaries: CanaryWatches,
    most: int | None,
) -> PlannedCalls:
    """Return what is about to be asked, and what it is likely to take; after ``look_up``.

    Measured on at most ``most`` sessions and as many canaries; without such a
    limit on all of them, also where no judge is asked in words.
    """
    planned = planned_calls(
        entries, offline=settings.offline, embedded=embedded, at_most=at_most, canaries=canaries
    )
    sessions = [
        (entry.panel, entry.planned.member, entry.unanswered)
        for entry in entries
        if not entry.is_stored
    ]
    asked = [question for _, _, questions in (*sessions, *canaries.asked) for question in questions]
    in_words = any(question.seat.judge.shares_prefix for question in asked)
    if not planned.calls or (most is not None and not in_words):
        return planned
    models = settings.models or known_models()
    estimate, read = _estimated(sessions, peek, models, most=most)
    frozen, _ = _estimated(canaries.asked, peek, models, most=most)
    return replace(planned, estimate=estimate + frozen, estimated_from=read)


def _estimated(
    missing: Sequence[tuple[Panel, Member, tuple[Question, ...]]],
    peek: Callable[[Member, RedactionPolicy], Transcript],
    models: ModelTable,
    *,
    most: int | None,
) -> tuple[Estimate, int]:
    """Return the estimate for what is missing, and how many sessions it rests on.

    At most ``most`` sessions are read, spread evenly over all; the rest are
    taken to be like them. A session that cannot be read is left out.
    """
    step = max(1, -(-len(missing) // most)) if most else 1
    total, read, measured = Estimate(), 0, 0
    for panel, member, questions in missing[::step]:
        try:
            transcript = peek(member, panel.suite.redaction)
        except TranscriptError:
            continue
        model = panel.suite.settings.judge.model
        session_id = member.session.session_id
        total += session_estimate(
            [
                (q.seat.expert.model or model, case_of(panel, q, session_id, transcript, _NONCE))
                for q in questions
            ],
            models.prices,
        )
        read += 1
        measured += len(questions)
    wanted = sum(len(questions) for _, _, questions in missing)
    return (total.times(wanted / measured) if measured else total), read

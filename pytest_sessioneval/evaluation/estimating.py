"""What a run is likely to ask and to cost, before anybody is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_sessioneval.errors import TranscriptError
from pytest_sessioneval.evaluation.entries import Entry
from pytest_sessioneval.judging.answering import case_of
from pytest_sessioneval.judging.estimating import Estimate, session_estimate
from pytest_sessioneval.judging.models import ModelTable
from pytest_sessioneval.transcripts.model import Transcript

__all__ = ["estimated"]

_NONCE = "0" * 32


def estimated(
    missing: Sequence[Entry],
    peek: Callable[[Entry], Transcript],
    models: ModelTable,
    *,
    most: int | None,
    others: int = 0,
) -> tuple[Estimate, int]:
    """Return the estimate for what is missing, and how many sessions it rests on.

    At most ``most`` sessions are read, spread evenly over all; the rest, and
    ``others`` more questions, are taken to be like them. A session that cannot
    be read is left out.
    """
    step = max(1, -(-len(missing) // most)) if most else 1
    total, read, questions = Estimate(), 0, 0
    for entry in missing[::step]:
        try:
            transcript = peek(entry)
        except TranscriptError:
            continue
        model = entry.panel.suite.settings.judge.model
        session_id = entry.planned.member.session.session_id
        total += session_estimate(
            [
                (
                    q.seat.expert.model or model,
                    case_of(entry.panel, q, session_id, transcript, _NONCE),
                )
                for q in entry.unanswered
            ],
            models.prices,
        )
        read += 1
        questions += len(entry.unanswered)
    wanted = sum(len(entry.unanswered) for entry in missing) + others
    return (total.times(wanted / questions) if questions else total), read

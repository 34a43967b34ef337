"""One question answered: an opinion, whatever the judge does; its failure is contained here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pytest_sessioneval.errors import JudgeError, RefusalError, SessionEvalError
from pytest_sessioneval.judging.budget import BudgetSpentError
from pytest_sessioneval.judging.keys import nonce
from pytest_sessioneval.judging.model import Answer, Case
from pytest_sessioneval.judging.panel import Panel, Question
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import (
    NOT_ANSWERED,
    AxisOpinion,
    CallCount,
    Opinion,
    Unscored,
    UnscoredReason,
)

__all__ = ["Answering", "Ticket", "is_answer"]


@dataclass(frozen=True, slots=True)
class Ticket:
    """One session to be judged: the questions nobody has answered yet."""

    id: str
    """Unique in the run."""
    session_id: str
    digest: str
    panel: Panel
    questions: tuple[Question, ...]
    load: Callable[[], Transcript]
    """Reads the transcript, redacted; called in a worker, at most once, also when it raises."""


@dataclass(frozen=True, slots=True)
class Answering:
    """Asks judges, from any thread; ``secret`` makes the fences of a run unforeseeable."""

    clock: Callable[[], datetime]
    secret: bytes
    stop: threading.Event
    """Set when the run has been stopped: what fails then was skipped."""

    def opinion(self, ticket: Ticket, position: int, read: Callable[[], Transcript]) -> Opinion:
        """Return the opinion on one of the ticket's questions; never raises.

        ``read`` gives the transcript. What it, the judge or the protocol raises
        is the reason why there is no score.
        """
        question = ticket.questions[position]
        try:
            fence = nonce(self.secret, ticket.digest)
            case = case_of(ticket.panel, question, ticket.session_id, read(), fence)
            answer = question.seat.judge.judge(case)
            missing = [axis.name for axis in question.axes if axis.name not in answer.axes]
            if missing:
                return self._unanswered(
                    ticket, question, "failed", f"the judge left out {', '.join(missing)}"
                )
            return self._opinion(ticket, question, answer)
        except BudgetSpentError as error:
            return self._unanswered(ticket, question, "skipped", _message(error), _spent(error))
        except RefusalError as error:
            return self._unanswered(ticket, question, "declined", _message(error), _spent(error))
        except JudgeError as error:
            reason: UnscoredReason = "skipped" if self.stop.is_set() else "failed"
            return self._unanswered(ticket, question, reason, _message(error), _spent(error))
        except SessionEvalError as error:
            return self._unanswered(ticket, question, "failed", _message(error))
        # The boundary around a judge: whatever a backend, or a judge somebody
        # else wrote, raises becomes this session's reason, never the run's end.
        # Also SystemExit, and what pytest.fail raises: without its worker an item
        # would wait for ever.
        except BaseException as error:  # noqa: BLE001
            detail = f"{question.seat.judge.name} broke: {type(error).__name__}: {_message(error)}"
            return self._unanswered(ticket, question, "failed", detail)

    def skipped(self, ticket: Ticket, position: int, detail: str) -> Opinion:
        """Return that one of the ticket's questions was not asked, and why."""
        return self._unanswered(ticket, ticket.questions[position], "skipped", detail)

    def _opinion(self, ticket: Ticket, question: Question, answer: Answer) -> Opinion:
        asked = {axis.name for axis in question.axes}
        return Opinion(
            key=question.key,
            expert_id=question.seat.expert.id,
            repeat=question.repeat,
            axes={name: given for name, given in answer.axes.items() if name in asked},
            comment=answer.comment,
            judge_model=answer.model,
            judge_version=ticket.panel.version,
            rubric_version=ticket.panel.rubric_version,
            judged_at=self.clock(),
            spent=answer.spent,
            sent=dict(answer.sent),
            coverage=answer.coverage,
            quotes=answer.quotes,
            steering=answer.steering,
            view=answer.view,
        )

    def _unanswered(
        self,
        ticket: Ticket,
        question: Question,
        reason: UnscoredReason,
        detail: str,
        spent: CallCount | None = None,
    ) -> Opinion:
        unscored = Unscored(reason=reason, detail=detail)
        axes: dict[str, AxisOpinion] = {axis.name: unscored for axis in question.axes}
        answer = Answer(axes=axes, model=question.seat.judge.name, spent=spent or CallCount())
        return self._opinion(ticket, question, answer)


def case_of(
    panel: Panel, question: Question, session_id: str, transcript: Transcript, fence: str
) -> Case:
    """Return what a question puts before its judge; ``fence`` is the session's nonce."""
    return Case(
        session_id=session_id,
        transcript=transcript,
        rubric=panel.suite.rubric,
        expert=question.seat.expert,
        axes=question.axes,
        repeat=question.repeat,
        nonce=fence,
        profile=question.profile,
        feedback=question.feedback,
        expectations=question.expectations,
        use_outcome=panel.suite.settings.suite.use_outcome,
        max_chars=question.seat.max_chars,
        context_tokens=question.seat.context_tokens,
        reply_tokens=panel.suite.settings.judge.max_output_tokens,
    )


def is_answer(opinion: Opinion) -> bool:
    """Return whether the opinion is to be kept: no axis of it failed, was declined or skipped."""
    unscored = (axis for axis in opinion.axes.values() if isinstance(axis, Unscored))
    return not any(axis.reason in NOT_ANSWERED for axis in unscored)


def _spent(error: JudgeError) -> CallCount:
    """Return what was asked in vain, as a count: the errors' own layer does not know the type."""
    return error.spent if isinstance(error.spent, CallCount) else CallCount()


def _message(error: BaseException) -> str:
    """Return what the error says, as text that can be written anywhere."""
    try:
        said = str(error)
    except Exception:  # noqa: BLE001  somebody else's error may fail at this too
        return "(no message)"
    return said.encode("utf-8", "replace").decode()

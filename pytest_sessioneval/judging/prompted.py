"""A judge that is asked in words: prompt, reply, evidence, at most one repair.

Where the session holds text that addresses its judge, it is asked again with
that text masked (``judging.invariance``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pytest_sessioneval.errors import JudgeError, RefusalError, ReplyError
from pytest_sessioneval.judging.checks import held_to_checks
from pytest_sessioneval.judging.evidence import Weighed, weigh
from pytest_sessioneval.judging.invariance import can_have_been_raised, steering_note, survived
from pytest_sessioneval.judging.masking import masked, masked_feedback
from pytest_sessioneval.judging.model import Answer, Backend, Case, Completion, Prompt
from pytest_sessioneval.judging.prompts import build_prompt, prompt_identity
from pytest_sessioneval.judging.replies import Citation, Reply, parse_reply
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.excerpt import Excerpt, excerpt
from pytest_sessioneval.verdicts.model import AxisOpinion, CallCount, Unscored

__all__ = ["MASKED_TURN", "Listener", "PromptedJudge", "converse"]

Listener = Callable[[Case, int, Completion], None]
"""Told of every reply: the case, which turn it was, the reply.

Turn 0 is the question, 1 its repair, 2 the question with steering text masked,
3 that one's repair.
"""

MASKED_TURN = 2
"""The turn of the question with steering text masked."""


class PromptedJudge:
    """Asks a model through a backend and believes only what it can prove.

    ``parameters`` are what the backend sends beside the prompt, as far as it can
    move a score. ``listener`` sees every reply before it is read.
    """

    sees_metadata = False

    def __init__(
        self,
        backend: Backend,
        *,
        parameters: Mapping[str, Any] | None = None,
        notice: str = "",
        listener: Listener | None = None,
    ) -> None:
        self.name = f"{backend.name}:{backend.model}"
        self.notice = notice
        self._backend = backend
        self._parameters = dict(parameters or {})
        self._listener = listener

    @property
    def identity(self) -> Mapping[str, Any]:
        """Return protocol, model, parameters and prompts; never the address or the key."""
        return {
            "judge": self._backend.name,
            "model": self._backend.model,
            "parameters": self._parameters,
            **prompt_identity(),
        }

    def unsupported(self, suite: Suite) -> Mapping[str, str]:  # noqa: ARG002
        """Return nothing: a model can be asked about any axis."""
        return {}

    def judge(self, case: Case) -> Answer:
        """Return the model's answer; raises ``JudgeError`` with ``spent`` set."""
        return converse(case, self._backend.complete, self._listener)

    def close(self) -> None:
        """Release the backend's connections."""
        self._backend.close()


def converse(
    case: Case,
    ask: Callable[[Prompt], Completion],
    listener: Listener | None = None,
    *,
    may_ask_again: bool = True,
) -> Answer:
    """Return the answer that ``ask`` leads to.

    Asked once and repaired at most once: the repair goes to a reply the
    protocol does not accept, or else to axes whose quotes do not check out; of a
    repair of quotes only those axes are taken over, and when it fails the first
    reply stands. Where text in the session addresses the judge, the same again
    with that text masked, and scores that do not survive it are ``tampered``;
    ``may_ask_again`` false leaves that out and says so. Raises
    ``RefusalError``, ``ReplyError``, or what ``ask`` raised, ``spent`` set.
    """
    shown = excerpt(
        case.transcript,
        max_chars=case.max_chars,
        rated={entry.message_index for entry in case.feedback},
    )
    axes = [axis.name for axis in case.axes]
    unflagged = masked(shown, axes)
    first = _Conversation(case, ask, listener, shown, unflagged.excerpt).answer()
    without = masked(shown, axes, first.steering) if first.steering else unflagged
    feedback = masked_feedback(case.feedback, axes)
    if not without.passages and feedback == case.feedback:
        return first
    first = replace(first, steering=without.passages)
    if not can_have_been_raised(first.axes):
        return replace(first, comment=steering_note(without.passages, "unneeded"))
    if not may_ask_again:
        return replace(first, comment=steering_note(without.passages, "impossible"))
    again = replace(case, feedback=feedback)
    try:
        second = _Conversation(
            again, ask, listener, without.excerpt, without.excerpt, again=True
        ).answer()
    except JudgeError as error:
        if isinstance(error.spent, CallCount):
            error.spent += first.spent
        raise
    return replace(
        first,
        axes=survived(first.axes, second.axes, without.passages),
        comment=steering_note(without.passages, "asked"),
        spent=first.spent + second.spent,
        steering=(*without.passages, *second.steering),
    )


@dataclass(frozen=True, slots=True)
class _Heard:
    """A completion that was accepted, and what it says."""

    completion: Completion
    reply: Reply
    weighed: Weighed


class _Conversation:
    """One question and at most one repair, about a session as ``shown``.

    Quotes count where they stand in ``unflagged`` too.
    """

    def __init__(
        self,
        case: Case,
        ask: Callable[[Prompt], Completion],
        listener: Listener | None,
        shown: Excerpt,
        unflagged: Excerpt,
        *,
        again: bool = False,
    ) -> None:
        self._case = case
        self._ask = ask
        self._listener = listener
        self._shown = shown
        self._unflagged = unflagged
        self._prompt = replace(build_prompt(case, shown), masked=again)
        self._spent = CallCount()
        self._turn = MASKED_TURN if again else 0

    def answer(self) -> Answer:
        try:
            heard = self._hear()
        except JudgeError as error:
            error.spent = self._spent
            raise
        weighed = heard.weighed
        return Answer(
            axes=held_to_checks(weighed.axes, self._case),
            model=heard.completion.model,
            spent=self._spent,
            sent=heard.completion.sent,
            coverage=self._shown.coverage,
            steering=weighed.steering,
        )

    def _hear(self) -> _Heard:
        completion = self._complete(self._prompt)
        try:
            first = self._read(completion)
        except ReplyError as error:
            return self._reread(completion, error)
        if not first.weighed.rejected:
            return first
        problems = "\n".join(first.weighed.rejected)
        try:
            repaired = self._repair(completion, problems)
            second = self._read(repaired, reported=first.reply.instructions)
        except (ReplyError, RefusalError):
            return first  # it was accepted: its unverified axes stay unverified
        return replace(first, weighed=_merged(first.weighed, second.weighed))

    def _reread(self, completion: Completion, error: ReplyError) -> _Heard:
        try:
            return self._read(self._repair(completion, str(error)))
        except ReplyError as again:
            raise ReplyError(f"{again} (after one repair; at first: {error})") from None

    def _repair(self, completion: Completion, problems: str) -> Completion:
        return self._complete(replace(self._prompt, repair=(completion.text, problems)))

    def _complete(self, prompt: Prompt) -> Completion:
        repairs = CallCount(repairs=1) if prompt.repair is not None else CallCount()
        try:
            completion = self._ask(prompt)
        except JudgeError as error:
            if isinstance(error.spent, CallCount):
                self._spent += error.spent + repairs
            raise
        self._spent += completion.spent + repairs
        if self._listener is not None:
            self._listener(self._case, self._turn, completion)
        self._turn += 1
        if completion.refused:
            said = " ".join(completion.text.split())[:200]
            raise RefusalError(f"{completion.model} declined to judge{': ' if said else ''}{said}")
        return completion

    def _read(self, completion: Completion, reported: tuple[Citation, ...] = ()) -> _Heard:
        if completion.truncated:
            raise ReplyError(
                "the reply was cut at the longest length asked for; answer more briefly "
                "(or raise [judge] max_output_tokens)"
            )
        case = self._case
        reply = parse_reply(
            completion.text, case.axes, nonce=case.nonce, score_mode=case.rubric.score_mode
        )
        reply = replace(reply, instructions=(*reported, *reply.instructions))
        messages, unflagged = self._shown.messages, self._unflagged.messages
        return _Heard(completion, reply, weigh(reply, case, messages, unflagged))


def _merged(first: Weighed, second: Weighed) -> Weighed:
    """Return the first answer with its unverified axes as the second has them."""
    axes: dict[str, AxisOpinion] = {
        name: second.axes[name] if _is_unverified(opinion) else opinion
        for name, opinion in first.axes.items()
    }
    return Weighed(axes, second.rejected, second.steering)


def _is_unverified(opinion: AxisOpinion) -> bool:
    return isinstance(opinion, Unscored) and opinion.reason == "unverified"

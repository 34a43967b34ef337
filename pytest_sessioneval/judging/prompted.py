"""A judge that is asked in words: prompt, reply, evidence, at most one repair.

Where the session holds text that addresses its judge, it is asked again with
that text masked (``judging.invariance``). A session that is too long is read in
parts first (``judging.part_reading``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pytest_sessioneval.errors import JudgeError, RefusalError, ReplyError
from pytest_sessioneval.judging.asking import Asking, Listener, check_whole, with_repair
from pytest_sessioneval.judging.checks import held_to_checks
from pytest_sessioneval.judging.evidence import Weighed, weigh
from pytest_sessioneval.judging.forms import prompt_for
from pytest_sessioneval.judging.invariance import can_have_been_raised, steering_note, survived
from pytest_sessioneval.judging.long_sessions import Shown, at_once, long_sessions_identity
from pytest_sessioneval.judging.masking import masked, masked_beside
from pytest_sessioneval.judging.metrics.comparing import Comparing, without_embeddings
from pytest_sessioneval.judging.metrics.settling import NEEDS_EMBEDDINGS, ordered
from pytest_sessioneval.judging.metrics.table_scores import weigh_tables
from pytest_sessioneval.judging.metrics.tables import asks_tables
from pytest_sessioneval.judging.model import Answer, Backend, Case, Completion, Embedder, Prompt
from pytest_sessioneval.judging.part_reading import Readings, read_in_parts
from pytest_sessioneval.judging.prompts import prompt_identity
from pytest_sessioneval.judging.replies import Citation, parse_reply
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.excerpt import Excerpt
from pytest_sessioneval.verdicts.model import AxisOpinion, Unscored

__all__ = ["MASKED_TURN", "Listener", "PromptedJudge", "converse"]

MASKED_TURN = 2
"""The turn of the question with steering text masked."""


class PromptedJudge:
    """Asks a model through a backend and believes only what it can prove.

    ``parameters`` are what the backend sends beside the prompt, as far as it can
    move a score. ``listener`` sees every reply before it is read. ``embedder``
    compares texts for the metrics that need it; without one they have no score.
    """

    sees_metadata = False
    shares_prefix = True

    def __init__(
        self,
        backend: Backend,
        *,
        parameters: Mapping[str, Any] | None = None,
        listener: Listener | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        self.name = f"{backend.name}:{backend.model}"
        self._embedder = embedder
        self._backend = backend
        self._parameters = dict(parameters or {})
        self._listener = listener
        self._readings: Readings = Readings()

    @property
    def identity(self) -> Mapping[str, Any]:
        """Return protocol, model, parameters and prompts; never the address or the key."""
        known: dict[str, Any] = {
            "judge": self._backend.name,
            "model": self._backend.model,
            "parameters": self._parameters,
            **prompt_identity(),
            "long_sessions": long_sessions_identity(),
        }
        if self._embedder is not None:
            known["embeddings"] = self._embedder.model
        return known

    def notice(self, suite: Suite) -> str:  # noqa: ARG002
        """Return nothing: what a model's scores are worth its card says."""
        return ""

    def unsupported(self, suite: Suite) -> Mapping[str, str]:
        """Return the metrics that compare texts, where nothing does; any other axis is asked."""
        return {} if self._embedder is not None else without_embeddings(suite, NEEDS_EMBEDDINGS)

    def judge(self, case: Case) -> Answer:
        """Return the model's answer; raises ``JudgeError`` with ``spent`` set."""
        answer = converse(
            case,
            self._backend.complete,
            self._listener,
            readings=self._readings,
            embedder=self._embedder,
        )
        return answer if answer.model else replace(answer, model=self.name)

    def close(self) -> None:
        """Release the connections."""
        self._backend.close()
        if self._embedder is not None:
            self._embedder.close()


def converse(
    case: Case,
    ask: Callable[[Prompt], Completion],
    listener: Listener | None = None,
    *,
    readings: Readings | None = None,
    may_ask_again: bool = True,
    embedder: Embedder | None = None,
) -> Answer:
    """Return the answer that ``ask`` leads to.

    Asked once and repaired at most once: the repair goes to a reply the
    protocol does not accept, or else to axes whose quotes do not check out; of a
    repair of quotes only those axes are taken over, and when it fails the first
    reply stands. Where text in the session addresses the judge, the same again
    with that text masked, and scores that do not survive it are ``tampered``;
    ``may_ask_again`` false leaves that out and says so. ``readings`` holds what
    was read of long sessions for other experts. Of metrics only those are asked
    about that neither code nor ``embedder`` settles. Raises
    ``RefusalError``, ``ReplyError``, or what ``ask`` raised, ``spent`` set.
    """
    asking = Asking(case, ask, listener)
    try:
        comparing = Comparing.of(case, asking, embedder)
        asked = comparing.asked
        if not asked.axes:
            return Answer(axes=comparing.settled, spent=asking.spent)
        shown = at_once(asked) or _in_parts(asked, asking, readings or Readings())
        answer = _answer(asked, asking, shown, comparing, may_ask_again=may_ask_again)
    except JudgeError as error:
        error.spent = asking.spent
        raise
    return replace(
        answer,
        axes=ordered(case.axes, {**comparing.settled, **answer.axes}),
        spent=asking.spent,
        coverage=shown.coverage,
        view=shown.view,
    )


def _in_parts(case: Case, asking: Asking, readings: Readings) -> Shown:
    if asks_tables(case.axes):
        raise JudgeError(
            f"question, contexts and answer are too long for a judge that reads "
            f"{case.context_tokens:,} tokens: ask one that reads more ([judge] context_tokens)"
        )
    return read_in_parts(case, asking, readings)


def _answer(
    case: Case, asking: Asking, shown: Shown, comparing: Comparing, *, may_ask_again: bool
) -> Answer:
    axes = case.rubric.axis_names  # the same passages for every expert, and the same prefix
    unflagged = masked(shown.excerpt, axes)
    first = _Conversation(case, asking, shown, unflagged.excerpt, comparing).answer()
    without = masked(shown.excerpt, axes, first.steering) if first.steering else unflagged
    again = masked_beside(case)
    if not without.passages and again == case:
        return first
    first = replace(first, steering=without.passages)
    if not can_have_been_raised(first.axes):
        return replace(first, comment=steering_note(without.passages, "unneeded"))
    if not may_ask_again:
        return replace(first, comment=steering_note(without.passages, "impossible"))
    clean = replace(shown, excerpt=without.excerpt)
    second = _Conversation(again, asking, clean, without.excerpt, comparing, again=True).answer()
    return replace(
        first,
        axes=survived(first.axes, second.axes, without.passages),
        comment=steering_note(without.passages, "asked"),
        quotes=first.quotes + second.quotes,
        steering=(*without.passages, *second.steering),
    )


@dataclass(frozen=True, slots=True)
class _Heard:
    """A completion that was accepted, and what it says."""

    completion: Completion
    instructions: tuple[Citation, ...]
    """Passages that steer it, by its word and that of those before it."""
    weighed: Weighed


class _Conversation:
    """One question and at most one repair, about a session as ``shown``.

    Quotes count where they stand in ``unflagged`` too.
    """

    def __init__(
        self,
        case: Case,
        asking: Asking,
        shown: Shown,
        unflagged: Excerpt,
        comparing: Comparing,
        *,
        again: bool = False,
    ) -> None:
        self._case = case
        self._asking = asking
        self._shown = shown
        self._unflagged = unflagged
        self._comparing = comparing
        prompt = prompt_for(case, shown.excerpt, beside=shown.beside)
        self._prompt = replace(prompt, masked=True) if again else prompt
        self._turn = MASKED_TURN if again else 0

    def answer(self) -> Answer:
        heard = self._hear()
        weighed = heard.weighed
        return Answer(
            axes=held_to_checks(weighed.axes, self._case),
            model=heard.completion.model,
            sent=heard.completion.sent,
            quotes=weighed.quotes,
            steering=weighed.steering,
        )

    def _hear(self) -> _Heard:
        completion = self._asking.complete(self._prompt, self._turn)
        try:
            first = self._read(completion)
        except ReplyError as error:
            return self._reread(completion, error)
        if not first.weighed.rejected:
            return first
        problems = "\n".join(first.weighed.rejected)
        try:
            repaired = self._repair(completion, problems)
            second = self._read(repaired, reported=first.instructions)
        except (ReplyError, RefusalError):
            return first  # it was accepted: its unverified axes stay unverified
        return replace(first, weighed=_merged(first.weighed, second.weighed))

    def _reread(self, completion: Completion, error: ReplyError) -> _Heard:
        try:
            return self._read(self._repair(completion, str(error)))
        except ReplyError as again:
            raise ReplyError(f"{again} (after one repair; at first: {error})") from None

    def _repair(self, completion: Completion, problems: str) -> Completion:
        asked = with_repair(self._prompt, completion.text, problems, self._case)
        return self._asking.complete(asked, self._turn + 1)

    def _read(self, completion: Completion, reported: tuple[Citation, ...] = ()) -> _Heard:
        check_whole(completion)
        case = self._case
        messages, unflagged = self._shown.excerpt.messages, self._unflagged.messages
        if asks_tables(case.axes):
            weighed, instructions = weigh_tables(
                completion.text,
                case,
                messages,
                unflagged,
                reported=reported,
                similarity=self._comparing.similarity,
                similar=self._comparing.similar,
            )
            return _Heard(completion, instructions, weighed)
        reply = parse_reply(
            completion.text, case.axes, nonce=case.nonce, score_mode=case.rubric.score_mode
        )
        steering = (*self._shown.instructions, *reported, *reply.instructions)
        reply = replace(reply, instructions=steering)
        return _Heard(completion, steering, weigh(reply, case, messages, unflagged))


def _merged(first: Weighed, second: Weighed) -> Weighed:
    """Return the first answer with its unverified axes as the second has them."""
    axes: dict[str, AxisOpinion] = {
        name: second.axes[name] if _is_unverified(opinion) else opinion
        for name, opinion in first.axes.items()
    }
    quotes = first.quotes + second.quotes
    return Weighed(axes, second.rejected, second.steering, quotes)


def _is_unverified(opinion: AxisOpinion) -> bool:
    return isinstance(opinion, Unscored) and opinion.reason == "unverified"

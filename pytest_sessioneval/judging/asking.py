"""Asking for one answer: every request counted, heard by a listener, within the context."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pytest_sessioneval.errors import JudgeError, RefusalError, ReplyError
from pytest_sessioneval.judging.long_sessions import READER, prompt_tokens, reply_tokens
from pytest_sessioneval.judging.model import Case, Completion, Prompt
from pytest_sessioneval.verdicts.model import CallCount

__all__ = ["Asking", "Listener", "check_whole", "with_repair"]

Listener = Callable[[Case, int, Completion], None]
"""Told of every reply: the case, which turn it was, the reply.

Turn 0 is the question, 1 its repair, 2 the question with steering text masked,
3 that one's repair. Where a part of a long session was read, the case says
which, and its expert is the reader.
"""

_LEAST_PROBLEMS = 200


class Asking:
    """The requests that one opinion takes."""

    def __init__(
        self, case: Case, ask: Callable[[Prompt], Completion], listener: Listener | None
    ) -> None:
        self._case = case
        self._ask = ask
        self._listener = listener
        self.spent = CallCount()
        """What they took so far."""

    def complete(self, prompt: Prompt, turn: int) -> Completion:
        """Return the reply; raises ``RefusalError``, or what asking raised."""
        try:
            completion = self._ask(prompt)
        except JudgeError as error:
            if isinstance(error.spent, CallCount):
                self._count(error.spent, prompt)
            raise
        self._count(completion.spent, prompt)
        if self._listener is not None:
            self._listener(self._heard_about(prompt), turn, completion)
        if completion.refused:
            said = " ".join(completion.text.split())[:200]
            raise RefusalError(f"{completion.model} declined to judge{': ' if said else ''}{said}")
        return completion

    def _count(self, spent: CallCount, prompt: Prompt) -> None:
        self.spent += spent
        if prompt.repair is not None:
            self.spent += CallCount(repairs=1)

    def _heard_about(self, prompt: Prompt) -> Case:
        if prompt.segment is None:
            return self._case
        return replace(self._case, expert=READER, segment=prompt.segment)


def with_repair(prompt: Prompt, rejected: str, problems: str, case: Case) -> Prompt:
    """Return the request for a correction; the rejected reply is cut where it has no room."""
    room = case.context_tokens - reply_tokens(case)
    asked = replace(prompt, repair=(rejected, problems))
    while rejected and prompt_tokens(asked) > room:
        rejected = rejected[: len(rejected) // 2]
        problems = problems[: max(len(problems) // 2, _LEAST_PROBLEMS)]
        asked = replace(prompt, repair=(f"{rejected}…", problems))
    return asked


def check_whole(completion: Completion) -> None:
    """Raise ``ReplyError`` where a reply was cut short: what was cut may have been the rest."""
    if completion.truncated:
        raise ReplyError(
            "the reply was cut at the longest length asked for; answer more briefly "
            "(or raise [judge] max_output_tokens)"
        )

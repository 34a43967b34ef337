"""A backend that answers from a list."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from pytest_sessioneval.judging.model import Completion, Prompt
from pytest_sessioneval.verdicts.model import CallCount

__all__ = ["ScriptedBackend"]


class ScriptedBackend:
    """A ``Backend`` that answers from a list, in order, and keeps the prompts it was given.

    An answer is a text, a ``Completion``, an exception to raise, or a function
    of the prompt that returns one of them. Asked more often, it raises
    ``AssertionError``.
    """

    def __init__(
        self,
        *answers: str | Completion | Exception | Callable[[Prompt], str],
        model: str = "script",
    ) -> None:
        self.name = "scripted"
        self.model = model
        self.prompts: list[Prompt] = []
        """Every prompt, in order."""
        self._answers = deque(answers)
        self._lock = threading.Lock()

    def complete(self, prompt: Prompt) -> Completion:
        """Return the next answer."""
        with self._lock:
            self.prompts.append(prompt)
            assert self._answers, "the scripted backend was asked more often than it has answers"  # noqa: S101
            answer = self._answers.popleft()
        if callable(answer):
            answer = answer(prompt)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Completion):
            return answer
        return Completion(text=answer, model=self.model, spent=CallCount(calls=1))

    def close(self) -> None:
        """Do nothing."""

"""Parameters that not every server accepts: left out after a refusal, and remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_sessioneval.judging.backends.http import Connections, Posted, RejectedError
from pytest_sessioneval.verdicts.model import CallCount

__all__ = ["Negotiation"]


class Negotiation:
    """What one server accepts, learned from its refusals (status 400 or 422).

    ``optional`` names top-level parameters that a request can do without; the
    last is the one left out when the refusal does not name any of them.
    """

    def __init__(self, optional: Sequence[str]) -> None:
        self._optional = tuple(optional)
        self._refused: frozenset[str] = frozenset()

    def post(
        self,
        connections: Connections,
        path: str,
        body: Callable[[frozenset[str]], Mapping[str, Any]],
    ) -> Posted:
        """Return the answer to ``body(refused)``, asked again without what is refused.

        What was left out is remembered once the server has answered without it.
        Raises the last ``RejectedError`` when nothing is left to leave out.
        """
        refused = self._refused
        asked = CallCount()
        while True:
            request = body(refused)
            try:
                posted = connections.post(path, request)
            except RejectedError as error:
                asked += _spent(error)
                unwanted = self._unwanted(str(error), request)
                if unwanted is None:
                    error.spent = _repeated(asked)
                    raise
                refused |= {unwanted}
            else:
                self._refused |= refused
                return Posted(posted.value, _repeated(asked + posted.spent))

    def _unwanted(self, reason: str, request: Mapping[str, Any]) -> str | None:
        sent = [name for name in self._optional if name in request]
        named = [name for name in sent if name in reason]
        if named:
            return named[0]
        return self._optional[-1] if self._optional[-1] in sent else None


def _spent(error: RejectedError) -> CallCount:
    return error.spent if isinstance(error.spent, CallCount) else CallCount()


def _repeated(asked: CallCount) -> CallCount:
    """Return the count with every request after the first as a retry."""
    return asked.model_copy(update={"retries": max(0, asked.calls - 1)})

"""Parameters that not every server accepts: left out after a refusal, and remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_sessioneval.judging.backends.http import Connections, Posted, RejectedError
from pytest_sessioneval.verdicts.model import CallCount

__all__ = ["Negotiation"]


class Negotiation:
    """What one server accepts, learned from its refusals (status 400 or 422).

    ``named`` are top-level parameters to leave out when the refusal names them.
    ``blind`` are things to leave out, one more each time, whatever it says:
    servers seldom say which part of a request they do not know.
    """

    def __init__(self, *, named: Sequence[str] = (), blind: Sequence[str] = ()) -> None:
        self._named = tuple(named)
        self._blind = tuple(blind)
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
            try:
                posted = connections.post(path, body(refused))
            except RejectedError as error:
                asked += _spent(error)
                unwanted = self._unwanted(str(error), refused)
                if unwanted is None:
                    error.spent = _repeated(asked)
                    raise
                refused |= {unwanted}
            else:
                self._refused |= refused
                return Posted(posted.value, _repeated(asked + posted.spent))

    def _unwanted(self, reason: str, refused: frozenset[str]) -> str | None:
        named = [name for name in self._named if name in reason]
        left = [name for name in (*named, *self._blind) if name not in refused]
        return left[0] if left else None


def _spent(error: RejectedError) -> CallCount:
    return error.spent if isinstance(error.spent, CallCount) else CallCount()


def _repeated(asked: CallCount) -> CallCount:
    """Return the count with every request after the first as a retry."""
    return asked.model_copy(update={"retries": max(0, asked.calls - 1)})

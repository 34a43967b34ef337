"""A failure as pytest reports hold it: its text, and the line of it for short summaries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["FailureText"]


@dataclass(frozen=True, slots=True)
class _Crash:
    """What pytest's short summary, ``--tb=line`` and JUnit XML ask a failure for."""

    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class FailureText:
    """A text as a report's ``longrepr``.

    pytest before 9 leaves a plain text out of its short summary, and what
    ``pytest.fail`` makes of one names the place in our code that failed it.
    """

    text: str

    @property
    def reprcrash(self) -> _Crash:
        """The first line."""
        return _Crash(self.text.partition("\n")[0])

    def toterminal(self, tw: Any) -> None:
        """Write the text."""
        for line in self.text.splitlines():
            tw.line(line)

    def __str__(self) -> str:
        return self.text

"""Every error this package raises on purpose.

::

    SessionEvalError
    ├── UsageError               what the user asked for cannot be done; exit 4
    │   ├── SettingError         an option, environment variable or ini value
    │   ├── SuiteError           sessioneval.toml, a rubric, a profile, a feedback file
    │   └── BaselineError        a baseline that cannot be read or written
    ├── TranscriptError          a file or a session in it cannot be read; an item that errors
    │   └── UnrecognisedError    a file that is no session: counted; an error only if named
    ├── JudgeError               a judge gave no usable answer; contained in judging.answering
    │   ├── TransportError       no answer arrived: connection, status, timeout
    │   ├── ReplyError           an answer arrived that the protocol does not accept
    │   └── RefusalError         the judge declined to answer
    └── StoreError               the store is broken, locked, full or from a newer version; stops

A message says what is wrong, where, what was found, what is accepted and what
to do next, in one line where one line can hold it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "BaselineError",
    "JudgeError",
    "Place",
    "RefusalError",
    "ReplyError",
    "SessionEvalError",
    "SettingError",
    "StoreError",
    "SuiteError",
    "TranscriptError",
    "TransportError",
    "UnrecognisedError",
    "UsageError",
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was found: ``file`` or ``file:line`` (lines count from 1)."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


class SessionEvalError(Exception):
    """The root of the tree: catching it catches every error raised on purpose."""


class UsageError(SessionEvalError):
    """What the user asked for cannot be done as asked; nothing was judged."""


class SettingError(UsageError):
    """An option, environment variable or ini value is not accepted."""


class SuiteError(UsageError):
    """A file the suite is made of is not accepted; the message names file and line."""

    def __init__(self, message: str, *, place: Place | None = None) -> None:
        super().__init__(message if place is None else f"{place}: {message}")
        self.place = place


class BaselineError(UsageError):
    """A baseline is corrupt, from a newer format, or may not be written now."""


class TranscriptError(SessionEvalError):
    """A file, or one session in it, cannot be read; the message is one line."""

    def __init__(self, reason: str, *, place: Place) -> None:
        super().__init__(f"{place}: {reason}")
        self.reason = reason
        self.place = place


class UnrecognisedError(TranscriptError):
    """No reader recognises a session in a file, as in ``package.json``.

    ``parsed`` says whether it is JSON at all; a file whose name promises JSON
    and that cannot be parsed is a ``TranscriptError``.
    """

    def __init__(self, reason: str, *, place: Place, parsed: bool = True) -> None:
        super().__init__(reason, place=place)
        self.parsed = parsed


class JudgeError(SessionEvalError):
    """A judge gave no usable answer on one session."""

    spent: object | None = None
    """What was asked in vain, as a ``verdicts.model.CallCount``; None: nothing was sent."""


class TransportError(JudgeError):
    """No answer arrived.

    ``retryable`` says whether asking again may help; ``retry_after_s`` is the
    pause the server asked for, in seconds, where it asked for one.
    """

    def __init__(
        self, message: str, *, retryable: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.retry_after_s = retry_after_s


class ReplyError(JudgeError):
    """An answer arrived that the judge protocol does not accept."""


class RefusalError(JudgeError):
    """The judge declined to answer."""


class StoreError(SessionEvalError):
    """The store cannot be used: broken, locked, full, read-only or from a newer version."""

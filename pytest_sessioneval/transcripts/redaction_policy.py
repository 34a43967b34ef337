"""What is replaced in a transcript before anybody sees it."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.transcripts.secret_patterns import PATTERNS, PII_PATTERNS, Pattern

__all__ = ["REDACTION_VERSION", "OwnSecret", "RedactionPolicy", "Replaced", "own_secret"]

REDACTION_VERSION = 1
"""Raised whenever the same transcript may be redacted in another way."""

Replaced = Literal["off", "secrets", "secrets+pii"]
"""Nothing; secrets; secrets, e-mail addresses and telephone numbers."""


def _expression(text: str) -> str:
    """Return a regular expression that can be used; raises ``ValueError``."""
    try:
        expression = re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    if expression.search("") is not None:
        raise ValueError("matches an empty text, and would be found everywhere")
    return text


class OwnSecret(Frozen):
    """A kind of secret that only you know of."""

    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    """What stands in its place: ``[REDACTED:<kind>:1]``."""
    pattern: Annotated[str, AfterValidator(_expression)]
    """Regular expression, searched anywhere; its group ``secret`` goes, else all that matches."""


def own_secret(kind: object, pattern: object, *, where: str) -> OwnSecret:
    """Return the kind of secret; raises ``SettingError`` that says what is wrong, and where."""
    try:
        return OwnSecret.model_validate({"kind": kind, "pattern": pattern})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise SettingError(
            f"{where}: {field} of {str(kind)[:60]!r}: {first['msg']}; accepted: a kind of "
            "lower-case letters, digits and hyphens; a regular expression that matches some text"
        ) from None


class RedactionPolicy(Frozen):
    """What is replaced: part of every verdict's key."""

    what: Replaced = "secrets"
    """See ``Replaced``; with ``off`` own patterns are off too."""
    own: tuple[OwnSecret, ...] = ()
    """What is replaced beside it, before it."""

    @property
    def identity(self) -> int | list[object]:
        """Everything about the policy that can change a transcript, as JSON."""
        if self == RedactionPolicy():
            return REDACTION_VERSION
        return [REDACTION_VERSION, self.what, [[one.kind, one.pattern] for one in self.own]]

    @property
    def fingerprint(self) -> str:
        """The identity as a short text."""
        if self == RedactionPolicy():
            return str(REDACTION_VERSION)
        return hashlib.sha256(json.dumps(self.identity).encode()).hexdigest()[:16]

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """The patterns to look for, in the order they are tried."""
        return _patterns(self)


@cache
def _patterns(policy: RedactionPolicy) -> tuple[Pattern, ...]:
    if policy.what == "off":
        return ()
    own = (Pattern(one.kind, ("",), re.compile(one.pattern), own=True) for one in policy.own)
    pii = PII_PATTERNS if policy.what == "secrets+pii" else ()
    return (*own, *PATTERNS, *pii)

"""A transcript without the secrets in it: before a judge, a report or a store sees it.

High precision by design (``transcripts.secret_patterns``): UUIDs, hashes and
base64 stay. Patterns run on decoded text, inside arguments as deep as they go.
What leaks through: secrets of unknown shape without a telling name beside them.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, Protocol

from pytest_sessioneval.transcripts.clues import Clues
from pytest_sessioneval.transcripts.model import (
    Message,
    Reference,
    Subsession,
    ToolCall,
    Transcript,
)
from pytest_sessioneval.transcripts.redaction_policy import REDACTION_VERSION, RedactionPolicy
from pytest_sessioneval.transcripts.secret_patterns import SECRET_NAME, Pattern, is_secret

__all__ = ["REDACTION_VERSION", "SECRETS", "Redacted", "redact", "redact_text"]

SECRETS = RedactionPolicy()
"""The default: secrets of every known kind."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A transcript without secrets, and how many places of each kind were replaced."""

    transcript: Transcript
    counts: dict[str, int]
    """Places by kind of secret; empty where nothing was found."""


_SHORTEST = {"secrets": 10, "secrets+pii": 6}
"""Characters of the shortest text that any of our own patterns matches."""

_WINDOW = 60
_MOST_PASSES = 10  # a secret may show only when its neighbour is gone; nothing found ends it
_PLACEHOLDER = re.compile(r"(\[REDACTED:[a-z0-9-]+:\d+\])")
_SHORTEST_ELSEWHERE = 10
"""Characters a telling secret needs to be looked for where nothing tells."""


def redact(transcript: Transcript, policy: RedactionPolicy = SECRETS) -> Redacted:
    """Return the transcript with each secret replaced by ``[REDACTED:<kind>:<number>]``.

    Numbers count the secrets of a kind in order of appearance, from 1, within
    this transcript: the same secret has the same number everywhere in it, and
    the same transcript gives the same text on every machine. Covers texts,
    reasoning, arguments (keys too), the outcome's detail, what was retrieved, the
    reference, the session's name and metadata, and sub-agents' messages.
    Redacting a redacted transcript changes nothing.
    """
    if not policy.patterns:
        return Redacted(transcript, {})
    known = _Secrets(_Clues.of(policy))
    for _ in range(_MOST_PASSES):
        found = known.counts.total()
        transcript = _mapped(transcript, known.replaced)
        if known.telling:
            transcript = _mapped(transcript, known.replaced_elsewhere)
        if known.counts.total() == found:
            break
    return Redacted(transcript, dict(known.counts))


def redact_text(text: str, policy: RedactionPolicy = SECRETS) -> str:
    """Return a text that belongs to no transcript (a profile, a comment) without its secrets."""
    if not policy.patterns:
        return text
    known = _Secrets(_Clues.of(policy))
    for _ in range(_MOST_PASSES):
        found = known.counts.total()
        text = known.replaced_elsewhere(known.replaced(text))
        if known.counts.total() == found:
            break
    return text


_Looks = tuple[tuple[Pattern, str, bool], ...]
"""Each pattern with each of its clues, and whether that is in lower case."""

_SHARED = ("gl", "gh", "hv", "K", "_", "-", ".", "A")


@dataclass(frozen=True, slots=True)
class _Clues:
    """What tells which patterns are worth trying in a text."""

    shortest: int
    """Fewest characters a text needs for any pattern to match in it."""
    looks: _Looks
    common: _Looks
    """Those whose clue is one character or none: most texts hold it."""
    rare: Clues
    rare_in_lower_case: Clues

    @classmethod
    @cache
    def of(cls, policy: RedactionPolicy) -> _Clues:
        looks = tuple(
            (pattern, clue, pattern.ignores_case)
            for pattern in policy.patterns
            for clue in pattern.clues
        )
        rare = [(clue, folded) for _, clue, folded in looks if len(clue) > 1]
        return cls(
            shortest=1 if policy.own else _SHORTEST[policy.what],
            looks=looks,
            common=tuple(look for look in looks if len(look[1]) <= 1),
            rare=Clues((clue for clue, folded in rare if not folded), _SHARED),
            rare_in_lower_case=Clues(clue for clue, folded in rare if folded),
        )

    def worth_trying(self, text: str, lowered: str) -> _Looks:
        """Return the patterns that may match in a text, given in lower case too."""
        if self.rare.stand_in(text) or self.rare_in_lower_case.stand_in(lowered):
            return self.looks
        return self.common


@dataclass(slots=True)
class _Secrets:
    """The secrets found so far, and their numbers."""

    clues: _Clues
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    telling: dict[str, str] = field(default_factory=dict)

    def replaced(self, text: str, name: str | None = None) -> str:
        """Return the text without the secrets that patterns, or its name, give away."""
        if name is None and len(text) < self.clues.shortest:
            return text
        lowered = text.lower()
        replaced = text
        for pattern, clue, folded in self.clues.worth_trying(text, lowered):
            if clue in (lowered if folded else text):
                replaced = self._without(pattern, replaced)
        if name is not None and _tells(name) and replaced == text and is_secret(text):
            return self._placeholder("password", text, telling=True)
        return replaced

    def _without(self, pattern: Pattern, text: str) -> str:
        if pattern.own:  # may match anything: what stands in for a secret is not looked at again
            parts = _PLACEHOLDER.split(text)
            parts[::2] = (self._substituted(pattern, part) for part in parts[::2])
            return "".join(parts)
        return self._substituted(pattern, text)

    def _substituted(self, pattern: Pattern, text: str) -> str:
        clues = pattern.before_clues
        if clues is not None and not clues.stand_in(text.casefold()):
            return text
        return pattern.expression.sub(lambda match: self._replaced(match, pattern), text)

    def replaced_elsewhere(self, text: str, name: str | None = None) -> str:  # noqa: ARG002
        """Return the text without secrets that something gave away in another place."""
        for secret in sorted(self.telling, key=len, reverse=True):
            placeholder = self.telling[secret]
            found = text.count(secret)
            if found:
                text = text.replace(secret, placeholder)
                self.counts[placeholder.split(":")[1]] += found
        return text

    def _replaced(self, match: re.Match[str], pattern: Pattern) -> str:
        if pattern.own:
            return self._own(match, pattern)
        if not pattern.telling:
            return self._placeholder(pattern.kind, match[0], telling=False)
        secret = match["secret"]
        if pattern.before is not None:
            window = match.string[max(0, match.start() - _WINDOW) : match.start()]
            if pattern.before.search(window) is None:
                return match[0]
        if pattern.guarded and not is_secret(secret):
            return match[0]
        start, end = match.start("secret") - match.start(), match.end("secret") - match.start()
        placeholder = self._placeholder(pattern.kind, secret, telling=True)
        return match[0][:start] + placeholder + match[0][end:]

    def _own(self, match: re.Match[str], pattern: Pattern) -> str:
        group: int | str = "secret" if match.groupdict().get("secret") else 0
        if not match[group]:
            return match[0]
        start, end = match.start(group) - match.start(), match.end(group) - match.start()
        placeholder = self._placeholder(pattern.kind, match[group], telling=False)
        return match[0][:start] + placeholder + match[0][end:]

    def _placeholder(self, kind: str, secret: str, *, telling: bool) -> str:
        number = self.numbers.get((kind, secret))
        if number is None:
            self.kinds[kind] += 1
            number = self.numbers[kind, secret] = self.kinds[kind]
        self.counts[kind] += 1
        placeholder = f"[REDACTED:{kind}:{number}]"
        if telling and len(secret) >= _SHORTEST_ELSEWHERE:
            self.telling.setdefault(secret, placeholder)
        return placeholder


@lru_cache(maxsize=1_024)
def _tells(name: str) -> bool:
    """Return whether what has this name is a secret; tools' arguments have few names."""
    return SECRET_NAME.fullmatch(name) is not None


class _Replace(Protocol):
    """Returns a text without secrets; ``name`` is the key it is the value of, if any."""

    def __call__(self, text: str, name: str | None = None) -> str: ...


def _mapped(transcript: Transcript, replace: _Replace) -> Transcript:
    update: dict[str, object] = {
        "messages": _mapped_messages(transcript.messages, replace),
        "subsessions": tuple(_mapped_part(part, replace) for part in transcript.subsessions),
    }
    if transcript.name is not None:
        update["name"] = replace(transcript.name)
    if transcript.outcome is not None and transcript.outcome.detail is not None:
        detail = replace(transcript.outcome.detail)
        update["outcome"] = transcript.outcome.model_copy(update={"detail": detail})
    if transcript.retrieved_ids is not None:
        update["retrieved_ids"] = tuple(map(replace, transcript.retrieved_ids))
    if transcript.reference is not None:
        update["reference"] = _mapped_reference(transcript.reference, replace)
    if transcript.metadata:
        update["metadata"] = _mapped_value(transcript.metadata, replace)
    return transcript.model_copy(update=update)


def _mapped_reference(reference: Reference, replace: _Replace) -> Reference:
    answer, ids, calls = reference.answer, reference.ids, reference.calls
    return reference.model_copy(
        update={
            "ids": None if ids is None else tuple(map(replace, ids)),
            "answer": None if answer is None else replace(answer),
            "calls": None
            if calls is None
            else tuple(_mapped_call(call, replace) for call in calls),
        }
    )


def _mapped_part(part: Subsession, replace: _Replace) -> Subsession:
    return part.model_copy(update={"messages": _mapped_messages(part.messages, replace)})


def _mapped_messages(messages: tuple[Message, ...], replace: _Replace) -> tuple[Message, ...]:
    return tuple(_mapped_message(message, replace) for message in messages)


def _mapped_message(message: Message, replace: _Replace) -> Message:
    update: dict[str, object] = {}
    if (text := replace(message.text)) != message.text:
        update["text"] = text
    if (reasoning := replace(message.reasoning)) != message.reasoning:
        update["reasoning"] = reasoning
    if message.tool_calls:
        calls = tuple(_mapped_call(call, replace) for call in message.tool_calls)
        if calls != message.tool_calls:
            update["tool_calls"] = calls
    return message.model_copy(update=update) if update else message


def _mapped_call(call: ToolCall, replace: _Replace) -> ToolCall:
    arguments = _mapped_value(call.arguments, replace)
    if arguments == call.arguments:
        return call
    return call.model_copy(update={"arguments": arguments})


def _mapped_value(value: Any, replace: _Replace, name: str | None = None) -> Any:
    """Return a JSON value with its strings and keys replaced; its depth is limited on loading."""
    if isinstance(value, str):
        return replace(value, name)
    if isinstance(value, dict):
        return {replace(key): _mapped_value(held, replace, key) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped_value(element, replace, name) for element in value]
    return value

"""A judge written in Python: ``hook:NAME``."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from pytest_sessioneval.errors import ReplyError, SettingError
from pytest_sessioneval.judging.evidence import normalise
from pytest_sessioneval.judging.model import Answer, Case
from pytest_sessioneval.suites.model import Axis, Suite
from pytest_sessioneval.transcripts.model import Message
from pytest_sessioneval.verdicts.model import AxisOpinion, Evidence, Scored, Unscored

__all__ = ["HookJudge", "JudgeFunction"]

JudgeFunction = Callable[[Case], Mapping[str, Any]]
"""Scores a case: per axis asked for an integer 0–100, None where the axis does not
apply, or ``{"score": …, "comment": "…", "evidence": [{"message": 3, "quote": "…",
"polarity": "negative", "note": "…"}]}``. May be called from several threads at once.
An attribute ``version`` on the function names what it does."""

_SCORE_KEYS = frozenset({"score", "comment", "evidence", "failure_tag"})
_EVIDENCE_KEYS = frozenset({"message", "quote", "polarity", "agent_id", "note"})


class HookJudge:
    """Asks a function and holds it to the same contract as a model.

    Its version is the function's attribute ``version`` where it has one, else
    a digest of its source, so that an edited judge asks again. What the source
    calls in other files is not seen: give it a ``version`` then. Raises
    ``SettingError`` for anything that cannot be called. ``reserve`` is called
    before every call of the function and may raise to forbid it.
    """

    sees_metadata = True
    shares_prefix = False

    def __init__(
        self, name: str, function: object, *, reserve: Callable[[], None] | None = None
    ) -> None:
        self.name = f"hook:{name}"
        if not callable(function):
            raise SettingError(
                f"judge {self.name} is {type(function).__name__}; accepted: a function of a case"
            )
        self._function: Callable[[Case], Any] = function
        self._reserve = reserve
        self._identity = {"judge": "hook", "model": name, "version": _version(function)}

    @property
    def identity(self) -> Mapping[str, Any]:
        """Return the hook's name and version."""
        return self._identity

    def notice(self, suite: Suite) -> str:  # noqa: ARG002
        """Return nothing: whoever wrote the function knows what it is."""
        return ""

    def unsupported(self, suite: Suite) -> Mapping[str, str]:  # noqa: ARG002
        """Return nothing: a function says so per session."""
        return {}

    def judge(self, case: Case) -> Answer:
        """Return the function's scores.

        Raises ``ReplyError`` for anything but the contract (see
        ``JudgeFunction``), and whatever ``reserve`` and the function raise.
        """
        if self._reserve is not None:
            self._reserve()
        given = self._function(case)
        if not isinstance(given, Mapping):
            found = "a coroutine" if inspect.isawaitable(given) else type(given).__name__
            if inspect.iscoroutine(given):
                given.close()
            raise ReplyError(f"{self.name} returned {found}; accepted: a mapping axis -> score")
        asked = {axis.name: axis for axis in case.axes}
        unknown = [str(name) for name in given if name not in asked]
        missing = [name for name in asked if name not in given]
        if unknown or missing:
            raise ReplyError(
                f"{self.name} must score exactly {', '.join(asked)}; "
                f"missing: {', '.join(missing) or 'none'}; "
                f"not asked for: {', '.join(unknown) or 'none'}"
            )
        axes = {name: self._opinion(axis, given[name], case) for name, axis in asked.items()}
        return Answer(axes=axes, model=self.name)

    def close(self) -> None:
        """Do nothing: the function keeps what it holds."""

    def _opinion(self, axis: Axis, given: Any, case: Case) -> AxisOpinion:
        details: Mapping[str, Any] = given if isinstance(given, Mapping) else {"score": given}
        unknown = sorted(str(key) for key in details if key not in _SCORE_KEYS)
        if unknown or "score" not in details:
            raise ReplyError(
                f"{self.name} on {axis.name}: found {', '.join(map(str, details))}; accepted: "
                f"score (required), {', '.join(sorted(_SCORE_KEYS - {'score'}))}"
            )
        score, comment = details["score"], str(details.get("comment") or "")
        evidence = self._evidence(axis, details.get("evidence") or (), case)
        if score is None and axis.nullable:
            return Unscored(reason="not_applicable", detail=comment, evidence=evidence)
        if type(score) is not int or not 0 <= score <= 100:  # noqa: PLR2004
            also = " or None" if axis.nullable else ""
            raise ReplyError(
                f"{self.name} on {axis.name}: {score!r} is no score; "
                f"accepted: a whole number from 0 to 100{also}"
            )
        return Scored(
            score=score,
            comment=comment,
            evidence=evidence,
            failure_tag=self._failure_tag(axis, details.get("failure_tag")),
        )

    def _failure_tag(self, axis: Axis, tag: Any) -> str | None:
        accepted = (*axis.failure_tags, "other")
        if tag is None or tag in accepted:
            return None if tag is None else str(tag)
        raise ReplyError(
            f"{self.name} on {axis.name}: {tag!r} is no failure tag; "
            f"accepted: {', '.join(accepted)} or None"
        )

    def _evidence(self, axis: Axis, given: Any, case: Case) -> tuple[Evidence, ...]:
        """Return the evidence, each quote looked up in the message it is said to stand in."""
        items = given if isinstance(given, list | tuple) else [given]
        found: list[Evidence] = []
        for item in items:
            if not isinstance(item, Mapping) or not _EVIDENCE_KEYS.issuperset(item):
                raise ReplyError(
                    f"{self.name} on {axis.name}: {item!r} is no evidence; accepted: mappings "
                    f"with message (required), {', '.join(sorted(_EVIDENCE_KEYS - {'message'}))}"
                )
            try:
                evidence = Evidence.model_validate(dict(item), strict=True)
            except ValidationError as error:
                reason = error.errors()[0]["msg"]
                raise ReplyError(f"{self.name} on {axis.name}: {item!r}: {reason}") from None
            message = _message(case, evidence)
            if message is None or normalise(evidence.quote) not in normalise(message.text):
                raise ReplyError(
                    f"{self.name} on {axis.name}: message {evidence.message} holds no "
                    f"{evidence.quote!r}"
                )
            found.append(evidence)
        return tuple(found)


def _message(case: Case, evidence: Evidence) -> Message | None:
    messages = case.transcript.messages
    if evidence.agent_id is not None:
        of_agent = [
            part.messages
            for part in case.transcript.subsessions
            if part.agent_id == evidence.agent_id
        ]
        messages = of_agent[0] if of_agent else ()
    return messages[evidence.message] if 0 <= evidence.message < len(messages) else None


def _version(function: object) -> str:
    stated = getattr(function, "version", None)
    if stated is not None:
        return str(stated)
    code: Any = function if inspect.isroutine(function) else type(function)
    try:
        source = inspect.getsource(code)
    except (OSError, TypeError):
        return f"{getattr(code, '__module__', '')}.{getattr(code, '__qualname__', '')}"
    return hashlib.sha256(source.encode()).hexdigest()[:16]

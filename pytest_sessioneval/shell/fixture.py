"""The ``sessioneval`` fixture: an ordinary test judges a session it just produced."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_sessioneval.errors import Place, SessionEvalError, TranscriptError
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.reading import redacted_summary
from pytest_sessioneval.reports.citations import citations
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.wording import experts_on
from pytest_sessioneval.shell.sources import ResultSource
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.suites.session import SuiteSession
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.reader import Document, Record
from pytest_sessioneval.transcripts.registry import Registry
from pytest_sessioneval.verdicts.model import AxisResult, PanelScore, Unscored, Verdict
from pytest_sessioneval.verdicts.run import SessionResult

__all__ = ["AxisScore", "JudgedSession", "NotScoredError", "SessionJudge", "comparison_lines"]

_COMMENT_CHARS = 200
_QUOTE_CHARS = 100
_MOST_CITED = 3


class NotScoredError(AssertionError):
    """An axis without a score was compared with a number; the message says why it has none."""


@dataclass(frozen=True, eq=False, slots=True)
class AxisScore:
    """One axis of a verdict: compares like its score, and explains itself when printed.

    Comparing an axis without a score raises ``NotScoredError`` with the reason.
    """

    name: str
    result: AxisResult
    verdict: Verdict

    @property
    def score(self) -> float:
        """The panel's score, 0–100; raises ``NotScoredError``."""
        __tracebackhide__ = True
        if isinstance(self.result, PanelScore):
            return self.result.score
        raise NotScoredError(
            f"{self.name} has no score: {self.result.reason} ({self.result.detail})"
        )

    def __float__(self) -> float:
        __tracebackhide__ = True
        return self.score

    def __eq__(self, other: object) -> bool:
        __tracebackhide__ = True
        return self.score == _number(other)

    def __hash__(self) -> int:
        __tracebackhide__ = True
        return hash(self.score)

    def __lt__(self, other: object) -> bool:
        __tracebackhide__ = True
        return self.score < _number(other)

    def __le__(self, other: object) -> bool:
        __tracebackhide__ = True
        return self.score <= _number(other)

    def __gt__(self, other: object) -> bool:
        __tracebackhide__ = True
        return self.score > _number(other)

    def __ge__(self, other: object) -> bool:
        __tracebackhide__ = True
        return self.score >= _number(other)

    def __repr__(self) -> str:
        if isinstance(self.result, Unscored):
            return f"<{self.name}: {self.result.reason} ({self.result.detail})>"
        return f"<{self.name} {self.result.score:.1f}>"

    def explanation(self) -> Iterator[str]:
        """Yield what the score rests on: each expert's score and comment, then its quotes."""
        for who, said in experts_on(self.verdict, self.name):
            if said.kind != "scored":
                continue
            yield f"{who} {said.score}: {one_line(said.comment, _COMMENT_CHARS)}"
            for citation in citations(said, shown=_COMMENT_CHARS)[:_MOST_CITED]:
                yield f"  {citation.text(_QUOTE_CHARS)}"


def comparison_lines(operator: str, left: object, right: object) -> list[str] | None:
    """Return how a failed comparison with an axis explains itself; None: no axis is in it.

    At most 8 lines per expert: pytest shows no more of an explanation without ``-vv``.
    """
    axes = [side for side in (left, right) if isinstance(side, AxisScore)]
    if not axes:
        return None
    return [
        f"{left!r} {operator} {right!r}",
        *(line for axis in axes for line in axis.explanation()),
    ]


class JudgedSession(Mapping[str, AxisScore]):
    """A verdict on a session: its axes by name."""

    def __init__(self, result: SessionResult, verdict: Verdict) -> None:
        self.result = result
        self.verdict = verdict

    def __getitem__(self, axis: str) -> AxisScore:
        if axis not in self.verdict.axes:
            known = ", ".join(self.verdict.axes)
            raise KeyError(f"{axis!r} is no axis of the rubric; the axes are {known}")
        return AxisScore(axis, self.verdict.axes[axis], self.verdict)

    def __iter__(self) -> Iterator[str]:
        return iter(self.verdict.axes)

    def __len__(self) -> int:
        return len(self.verdict.axes)

    def __repr__(self) -> str:
        return "\n".join(repr(axis) for axis in self.values())


class SessionJudge:
    """Judges sessions a test just produced, by the suite of pytest's root or the defaults.

    Judging goes through the run's store, budget and concurrency limit, also
    from xdist workers: the same session is not judged twice.
    """

    def __init__(self, source: ResultSource, suite: Suite, registry: Registry) -> None:
        self._source = source
        self._suite = suite
        self._registry = registry
        self._count = 0

    def judge(
        self,
        messages: Transcript | Sequence[Mapping[str, Any]] | Mapping[str, Any],
        *,
        session_id: str | None = None,
    ) -> JudgedSession:
        """Return the verdict on a session.

        ``messages`` is a Transcript, or what a file of any supported format
        holds: a list of chat messages, or an object with ``messages``; messages
        may be objects of a client library that have ``model_dump``. Raises
        ``TranscriptError`` when no reader recognises it.
        """
        __tracebackhide__ = True
        try:
            return self._judged(messages, session_id)
        except SessionEvalError as error:
            # A test's failure shows the test and the reason, not the way through our code.
            raise error.with_traceback(None) from None

    def _judged(self, messages: object, session_id: str | None) -> JudgedSession:
        transcript = messages if isinstance(messages, Transcript) else self._read(messages)
        self._count += 1
        summary = redacted_summary(transcript, policy=self._suite.redaction)
        name = session_id or f"test-{summary.digest[:12]}"
        summary = summary.model_copy(update={"session_id": name})
        member = Member(
            id=f"{name}#{self._count}",
            path=self._suite.root / name,
            session=SuiteSession(suite=self._suite.name, key=name, path=name, summary=summary),
        )
        result = self._source.judge(self._suite, member, transcript)
        if result.verdict is None:
            raise NotScoredError(f"{name} was not judged: {'; '.join(result.not_scored)}")
        return JudgedSession(result, result.verdict)

    def _read(self, messages: object) -> Transcript:
        place = Path("messages")
        try:
            value = json.loads(json.dumps(messages, default=_plain, allow_nan=False))
        except ValueError as error:
            raise TranscriptError(f"no JSON: {error}", place=Place(str(place))) from None
        document = Document(place, "json", (Record(value, 1),))
        return self._registry.read_document(document).sessions[0].transcript


def _plain(value: object) -> object:
    """Return a client library's message as JSON can hold it."""
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        plain: object = dump(mode="json", exclude_none=True)
        return plain
    raise ValueError(f"it holds {type(value).__name__}; give dictionaries, lists, text and numbers")


def _number(other: object) -> float:
    if isinstance(other, AxisScore):
        return other.score
    if isinstance(other, int | float):
        return float(other)
    raise TypeError(f"an axis is compared with a number 0–100, not with {type(other).__name__}")

"""What asking is likely to take, told from the requests as they would be made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pytest_sessioneval.errors import JudgeError
from pytest_sessioneval.judging.forms import prompt_for
from pytest_sessioneval.judging.long_sessions import at_once, in_parts, prompt_tokens, reply_tokens
from pytest_sessioneval.judging.metrics.settling import asked_in_words
from pytest_sessioneval.judging.metrics.tables import asks_tables
from pytest_sessioneval.judging.model import Case, Prompt
from pytest_sessioneval.judging.models import Prices
from pytest_sessioneval.verdicts.model import CallCount

__all__ = ["Estimate", "session_estimate"]

_TRUE_SHARE = 0.65
"""Of the estimated tokens of a prompt; 0.56 to 0.73 on real sessions (judging.tokens)."""

_TOKENS_PER_AXIS, _TOKENS_PER_REPLY, _TOKENS_PER_QUOTE = 220, 60, 60


@dataclass(frozen=True, slots=True)
class Estimate:
    """What asking is likely to take: no repairs, no retries, nothing read from a cache."""

    calls: float = 0
    """Requests, those that read parts of long sessions included."""
    input_tokens: float = 0
    output_tokens: float = 0
    cost_usd: float = 0
    """US dollars, without the calls whose price is not known."""
    unpriced_calls: float = 0
    """Requests whose price is not known."""

    def __add__(self, other: Estimate) -> Estimate:
        """Return the sum, field by field."""
        return Estimate(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cost_usd + other.cost_usd,
            self.unpriced_calls + other.unpriced_calls,
        )

    def times(self, factor: float) -> Estimate:
        """Return that many times the estimate."""
        return Estimate(
            self.calls * factor,
            self.input_tokens * factor,
            self.output_tokens * factor,
            self.cost_usd * factor,
            self.unpriced_calls * factor,
        )


def session_estimate(
    asked: Sequence[tuple[str, Case]], prices: Callable[[str], Prices | None]
) -> Estimate:
    """Return what a session's questions are likely to take: each a judge's name and a case.

    Parts of a session that is too long are read once per judge and repeat.
    """
    read: set[tuple[str, int]] = set()
    total = Estimate()
    for judge, case in asked:
        price = prices(judge)
        for tokens, reply in _requests(case, judge, read):
            taken = CallCount(calls=1, input_tokens=tokens, output_tokens=reply)
            cost = 0.0 if price is None else price.cost(taken)
            total += Estimate(1, tokens, reply, cost, int(price is None))
    return total


def _requests(case: Case, judge: str, read: set[tuple[str, int]]) -> list[tuple[int, int]]:
    """Return the tokens of each request and of its reply."""
    if judge.partition(":")[0] not in {"openai", "anthropic", "ollama"}:
        return [(0, 0)]
    if asks_tables(case.axes):
        case = replace(case, axes=asked_in_words(case))
        if not case.axes:
            return []
    reply = _TOKENS_PER_REPLY + _TOKENS_PER_AXIS * len(case.axes)
    try:
        shown = at_once(case)
        if shown is not None:
            return [(_likely(prompt_for(case, shown.excerpt)), reply)]
        if asks_tables(case.axes):
            return []  # what is too long for a table is not asked about
        whole = int((case.context_tokens - reply_tokens(case)) * _TRUE_SHARE)
        if (judge, case.repeat) in read:
            return [(whole, reply)]
        read.add((judge, case.repeat))
        parts = in_parts(case)
    except JudgeError:
        return []  # then nobody is asked
    quotes = _TOKENS_PER_REPLY + _TOKENS_PER_QUOTE * parts.most
    return [*((_likely(prompt), quotes) for prompt in parts.prompts), (whole, reply)]


def _likely(prompt: Prompt) -> int:
    return int(prompt_tokens(prompt) * _TRUE_SHARE)

"""What asking is likely to take, told before anybody is asked."""

from __future__ import annotations

from typing import Any

import pytest
from judging_cases import case

from pytest_sessioneval.judging.estimating import Estimate, session_estimate
from pytest_sessioneval.judging.long_sessions import at_once, prompt_tokens
from pytest_sessioneval.judging.models import Prices
from pytest_sessioneval.judging.prompts import build_prompt
from pytest_sessioneval.testing import transcript

PRICES = Prices(input=1.0, output=10.0)
LONG = transcript(*[("user", f"Question {n}? {'very ' * 200}") for n in range(100)])


def _estimate(*asked: Any, prices: Prices | None = PRICES) -> Estimate:
    return session_estimate(asked, lambda _: prices)


def test_a_request_is_measured_as_it_would_be_made() -> None:
    """65 % of its estimated tokens, and a reply of 220 tokens an axis and 60 besides."""
    shown = at_once(case())
    assert shown is not None
    tokens = int(0.65 * prompt_tokens(build_prompt(case(), shown.excerpt)))
    found = _estimate(("openai:m", case()))
    assert (1, tokens, 500) == (found.calls, found.input_tokens, found.output_tokens)
    assert (tokens * 1.0 + 500 * 10.0) / 1e6 == pytest.approx(found.cost_usd)


def test_the_parts_of_a_long_session_are_read_once_per_judge_and_repeat() -> None:
    """The second expert adds one call, another repeat all of them."""
    long = case(transcript=LONG, context_tokens=14_000)
    again = case(transcript=LONG, context_tokens=14_000, repeat=1)
    once = _estimate(("openai:m", long)).calls
    assert once > 3
    assert once + 1 == _estimate(("openai:m", long), ("openai:m", long)).calls
    assert 2 * once == _estimate(("openai:m", long), ("openai:m", again)).calls


def test_an_unknown_price_is_counted_and_not_guessed() -> None:
    """The calls are there, their cost is not."""
    found = _estimate(("openai:m", case()), prices=None)
    assert (1, 0) == (found.unpriced_calls, found.cost_usd)


def test_a_session_that_no_context_holds_asks_nobody() -> None:
    """As in the run: it is told, not asked."""
    assert Estimate() == _estimate(("openai:m", case(context_tokens=2_000)))


def test_an_estimate_can_be_scaled() -> None:
    """To the sessions that were not measured."""
    assert Estimate(4, 8, 12, 16, 2) == Estimate(2, 4, 6, 8, 1).times(2)

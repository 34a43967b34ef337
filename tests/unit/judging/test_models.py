"""What is known of judge models: context sizes and prices, as data that a user can override."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.judging.models import (
    DEFAULT_CONTEXT,
    LARGEST_CONTEXT,
    Model,
    ModelTable,
    Prices,
    known_models,
    read_models,
)
from pytest_sessioneval.verdicts.model import CallCount

PRICES = Prices(input=2.0, cached=0.2, cache_write=2.5, output=10.0)


def test_every_price_shipped_says_when_and_where_it_was_seen() -> None:
    """A price without a date and a source is worth nothing."""
    rows = known_models()._rows
    assert len(rows) > 10
    for row in rows:
        assert row.prices is None or (row.prices.as_of and row.prices.source), row.name


def test_a_model_is_found_by_pattern() -> None:
    """Dated names of a model cost what the model costs."""
    dated = known_models().prices("anthropic:claude-sonnet-4-6-20260217")
    assert dated is not None
    assert (3.0, 15.0) == (dated.input, dated.output)


def test_a_smaller_model_is_not_taken_for_its_larger_sibling() -> None:
    """The order of the rows sees to it."""
    models = ("openai:gpt-4.1-nano", "openai:gpt-4.1-mini", "openai:gpt-4.1")
    found = [known_models().prices(model) for model in models]
    assert [0.1, 0.4, 2.0] == [prices.input for prices in found if prices is not None]


def test_an_unknown_model_has_no_price_and_the_default_context() -> None:
    """Nothing is guessed."""
    assert None is known_models().prices("openai:gpt-99")
    assert DEFAULT_CONTEXT == known_models().context_tokens("openai:gpt-99")


def test_a_very_large_context_is_not_used_unasked() -> None:
    """Prompts of a million tokens are nobody's default."""
    assert LARGEST_CONTEXT == known_models().context_tokens("anthropic:claude-sonnet-5-5")


@pytest.mark.parametrize("judge", ["evidence", "recorded:replies.jsonl"])
def test_judges_that_ask_nobody_are_free(judge: str) -> None:
    """Their price is known: nothing."""
    prices = known_models().prices(judge)
    assert prices is not None
    assert 0 == prices.at_most(1_000_000, 1_000_000)


def test_a_users_table_comes_first_and_leaves_the_rest() -> None:
    """A row that only has prices leaves the context to the package's own."""
    own = ModelTable([Model(name="openai:gpt-4o*", prices=PRICES)])
    table = own.before(known_models())
    assert table.prices("openai:gpt-4o") == PRICES
    assert 128_000 == table.context_tokens("openai:gpt-4o")
    assert table.prices("openai:gpt-5") == known_models().prices("openai:gpt-5")


def test_cost_counts_cached_and_written_tokens_at_their_own_price() -> None:
    """1,000 plain, 8,000 cached and 1,000 written in; 500 out, worked out by hand."""
    spent = CallCount(
        input_tokens=10_000, cached_tokens=8_000, cache_write_tokens=1_000, output_tokens=500
    )
    by_hand = (1_000 * 2.0 + 8_000 * 0.2 + 1_000 * 2.5 + 500 * 10.0) / 1e6
    assert by_hand == pytest.approx(PRICES.cost(spent))


def test_without_a_price_of_its_own_a_cached_token_costs_as_any() -> None:
    """Never less than it may."""
    plain = Prices(input=2.0, output=10.0)
    assert 0.02 == pytest.approx(plain.cost(CallCount(input_tokens=10_000, cached_tokens=8_000)))


def test_the_most_a_call_can_cost_takes_the_dearest_input_price() -> None:
    """Writing to a cache costs more than not using one."""
    assert (1_000 * 2.5 + 100 * 10) / 1e6 == pytest.approx(PRICES.at_most(1_000, 100))


def test_a_users_file_is_read(tmp_path: Path) -> None:
    """In the form of the package's own."""
    file = tmp_path / "prices.toml"
    file.write_text(
        '[[model]]\nname = "openai:own"\ncontext_tokens = 32_000\n'
        "[model.prices]\ninput = 1.0\noutput = 2.0\n"
    )
    table = read_models(file)
    assert 32_000 == table.context_tokens("openai:own")
    assert table.prices("openai:own") == Prices(input=1.0, output=2.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[model]]\nname = 'x'\n", r"prices\.toml:1: x: neither context_tokens nor prices"),
        (
            "[[model]]\nname = 'x'\n[model.prices]\ninput = -1.0\noutput = 1.0\n",
            r"prices\.input is the number -1",
        ),
        ("[[model]]\nnmae = 'x'\n", r"has no key 'nmae' \(did you mean 'name'\?\)"),
        ("[[model]]\nname = 'x'\n[model.prices]\noutput = 1.0\n", "lacks the key 'input'"),
    ],
)
def test_a_mistake_in_a_users_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    """With file and line, and what is accepted."""
    file = tmp_path / "prices.toml"
    file.write_text(text)
    with pytest.raises(SuiteError, match=said):
        read_models(file)

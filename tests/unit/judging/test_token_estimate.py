"""The estimate of tokens is high enough to plan with, and not absurdly so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from pytest_sessioneval.judging.tokens import estimated_tokens
from pytest_sessioneval.judging.unbroken import unbroken
from pytest_sessioneval.testing import count_tokens
from pytest_sessioneval.transcripts.excerpt import excerpt
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 1),
        ("a" * 10, 5),
        ("1" * 10, 11),
        ("{" * 4, 4),
        ("ä" * 10, 13),
        ("日" * 10, 19),
        ("A" * 30, 25),
    ],
)
def test_each_kind_of_character_has_its_weight(text: str, tokens: int) -> None:
    """As the docstring says: letters, digits, signs, other bytes, unbroken runs; one more."""
    assert tokens == estimated_tokens(text)


def test_a_lone_surrogate_is_counted() -> None:
    """Recorded text may hold one."""
    assert estimated_tokens("\ud800") > 1


@given(
    st.lists(st.sampled_from(["a", "Z9", "+/", "=_-", " ", ".", "ä", "日", "\ud800"]), max_size=40)
)
def test_unbroken_runs_are_found_without_an_expression(pieces: list[str]) -> None:
    """Also where what breaks them takes several bytes."""
    text = "".join(pieces)
    found = sum(map(len, re.findall(r"[A-Za-z0-9+/=_-]{12,}", text)))
    assert found == unbroken(text.encode("utf-8", "surrogatepass"), 12)


def test_real_sessions_take_fewer_tokens_than_estimated(shared_data: Path) -> None:
    """Counted by a tokenizer that cuts finer than those in use, on sessions of three kinds."""
    registry = Registry(builtin_readers())
    files = [next((shared_data / kind).rglob("*.json*")) for kind in ("tau-bench", "claude-code")]
    for file in files:
        for found in registry.read(file).sessions[:3]:
            text = "\n".join(excerpt(found.transcript, max_chars=200_000).lines())
            assert 0.4 < count_tokens(text) / estimated_tokens(text) < 1.1

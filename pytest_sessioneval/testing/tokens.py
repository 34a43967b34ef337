"""A tokenizer for tests, independent of the estimate it is held against; a cache of prefixes."""

from __future__ import annotations

import re
import threading

__all__ = ["PrefixCache", "count_tokens"]

_TOKEN = re.compile(r"[A-Za-z]{1,6}|[0-9]{1,3}|[^\sA-Za-z0-9]|\s+")


def count_tokens(text: str) -> int:
    """Return how many tokens the loopback judge counts.

    A token is up to six letters, up to three digits, one other character, or a
    run of white space: finer than the tokenizers of most models.
    """
    return sum(1 for _ in _TOKEN.finditer(text))


class PrefixCache:
    """What a provider's prompt cache would hold: the prompts that were answered so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: list[str] = []

    def cached_tokens(self, prompt: str) -> int:
        """Return the tokens of the longest prefix shared with a prompt that was answered."""
        with self._lock:
            earlier = tuple(self._answered)
        longest = max((_shared(prompt, other) for other in earlier), default=0)
        return count_tokens(prompt[:longest])

    def answered(self, prompt: str) -> None:
        """Keep a prompt: while it is being answered it helps nobody."""
        with self._lock:
            self._answered.append(prompt)


def _shared(one: str, other: str) -> int:
    """Return how many characters both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low

"""Amounts seen so far, and which others simple arithmetic makes of them."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from functools import cached_property
from itertools import combinations

__all__ = ["MOST_AMOUNTS", "KnownAmounts", "cents"]

MOST_AMOUNTS = 48
"""Most amounts of one message that are remembered."""

_NUMBER = re.compile(r"\d{1,8}(?:\.\d{1,6})?", re.ASCII)
_RECENT = 8
_FEW = 12
_LONGEST_RUN = 8
_MOST_ADDENDS = 4
_MOST_QUESTIONS = 200
_HUNDRED = 100


def cents(text: str) -> int | None:
    """Return an amount in hundredths, rounded; None for what is none, or too long for one."""
    if _NUMBER.fullmatch(text) is None:
        return None
    return int(text) * _HUNDRED if text.isdigit() else round(float(text) * _HUNDRED)


class _Group:
    """The amounts of one message, in hundredths, in the order they stand."""

    def __init__(self, amounts: Sequence[int]) -> None:
        self.amounts = amounts

    @cached_property
    def values(self) -> frozenset[int]:
        return frozenset(self.amounts)

    @cached_property
    def runs(self) -> frozenset[int]:
        """The sums of up to eight neighbours."""
        found: set[int] = set()
        for start in range(len(self.amounts)):
            total = 0
            for amount in self.amounts[start : start + _LONGEST_RUN]:
                total += amount
                found.add(total)
        return frozenset(found)

    def gives(self, value: int) -> bool:
        """Return whether arithmetic on these amounts gives the value.

        A run of neighbours added up, or n × a for n ≤ 4; and where the amounts are
        few, or the value has cents, so that chance rarely hits it: a ± b, and n ≤ 9.
        """
        few = len(self.amounts) <= _FEW or value % _HUNDRED != 0
        if value in self.runs:
            return True
        for times in range(2, 10 if few else 5):
            if not value % times and value > _HUNDRED * times and value // times in self.values:
                return True
        return few and _meet(value, self.amounts, self.values)


class KnownAmounts:
    """The amounts of the latest messages that held any, and those ``given`` beforehand."""

    def __init__(self, given: Sequence[int] = ()) -> None:
        self._given = _Group(given)
        self._recent: deque[_Group] = deque(maxlen=_RECENT)
        self._spoken: deque[_Group] = deque(maxlen=_RECENT)
        self._questions = 0

    def learn(self, amounts: Sequence[int], *, spoken: bool) -> None:
        """Remember a message's amounts, in hundredths; ``spoken``: a person would read them."""
        self._recent.append(_Group(amounts))
        if spoken:
            self._spoken.append(_Group(amounts[:_FEW]))

    def give(self, value: int, near: Sequence[int]) -> bool:
        """Return whether simple arithmetic on amounts at hand gives the value.

        ``near`` stand beside it. After 200 questions it says yes without looking: a
        message of thousands of numbers is a table, and no statement to be checked.
        """
        self._questions += 1
        if self._questions > _MOST_QUESTIONS:
            return True
        beside = _Group(near)
        if any(group.gives(value) for group in (beside, self._given, *self._recent)):
            return True
        if any(
            _meet(value, group.amounts, beside.values) for group in (self._given, *self._spoken)
        ):
            return True
        latest = [a for group in self._recent for a in group.amounts if a % _HUNDRED][-_FEW:]
        return self._pairs(value, latest) or (value % _HUNDRED != 0 and self._sums(value, latest))

    def _pairs(self, value: int, latest: Sequence[int]) -> bool:
        """Return whether the value is sum or difference of two amounts, one of them with cents.

        What stands beside it is left out: two inventions would bear each other out.
        """
        others = {*latest, *self._given.amounts}
        return _meet(value, [amount for amount in others if amount % _HUNDRED], others)

    def _sums(self, value: int, latest: Sequence[int]) -> bool:
        """Return whether three or four of the latest amounts with cents add up to the value."""
        return any(
            sum(chosen) == value
            for size in range(3, _MOST_ADDENDS + 1)
            for chosen in combinations(latest, size)
        )


def _meet(value: int, amounts: Sequence[int], others: set[int] | frozenset[int]) -> bool:
    """Return whether the value is sum or difference of one of the amounts and one of the others."""
    return not (
        others.isdisjoint(map(value.__sub__, amounts))
        and others.isdisjoint(map(value.__add__, amounts))
        and others.isdisjoint(map((-value).__add__, amounts))
    )

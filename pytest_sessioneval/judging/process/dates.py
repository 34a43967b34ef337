"""Dates that come from nowhere: written out in full, and near no date seen before."""

from __future__ import annotations

import re
from datetime import date

__all__ = ["ISO_DATE", "KnownDates"]

# With a look-behind at the front, re could not skip to the next digit.
ISO_DATE = re.compile(r"(\d(?<![\d-]\d)\d{3})-(\d\d)-(\d\d)(?![\d-])")
"""A date as tools write it."""

_SLASHED = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d\d))?(?![\d/])")
_MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_MONTH_DAY = re.compile(_MONTH + r"[a-z]{0,6}\.?\s(\d{1,2})(?!\d)")
_DAY_MONTH = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?\s(?:of\s)?" + _MONTH)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR = re.compile(r"(?:19|20)(?<!\d\d\d)\d\d(?!\d)")
_NEAR_DAYS = 7
_MOST = 500


class KnownDates:
    """All dates seen so far, however they were written."""

    def __init__(self) -> None:
        self._days: set[int] = set()
        self._anniversaries: set[tuple[int, int]] = set()
        self._years: set[int] = set()

    def __bool__(self) -> bool:
        """Return whether any date was seen."""
        return bool(self._anniversaries)

    def learn(self, text: str) -> None:
        """Remember the dates of a text."""
        if "-" not in text:
            return
        for year, month, day in ISO_DATE.findall(text)[:_MOST]:
            self._anniversaries.add((int(month), int(day)))
            self._years.add(int(year))
            ordinal = _ordinal(year, month, day)
            if ordinal is not None:
                self._days.add(ordinal)

    def learn_spoken(self, text: str) -> None:
        """Remember the dates of a text in which they may be spelled out."""
        self.learn(text)
        self._years.update(int(year) for year in _YEAR.findall(text)[:_MOST])
        lower = text.lower()
        if any(month in lower for month in _MONTHS):
            named = [(month, day) for day, month in _DAY_MONTH.findall(lower)[:_MOST]]
            for month, day in (*_MONTH_DAY.findall(lower)[:_MOST], *named):
                self._anniversaries.add((_MONTHS.index(month) + 1, int(day)))
        if "/" not in text:
            return
        for first, second, _ in _SLASHED.findall(text)[:_MOST]:
            self._anniversaries.update(((int(first), int(second)), (int(second), int(first))))

    def has(self, year: str, month: str, day: str) -> bool:
        """Return whether the date was seen, or lies within a week of one that was."""
        if (int(month), int(day)) in self._anniversaries:
            return not self._years or int(year) in self._years
        ordinal = _ordinal(year, month, day)
        if ordinal is None:
            return False
        return any(
            ordinal + distance in self._days for distance in range(-_NEAR_DAYS, _NEAR_DAYS + 1)
        )


def _ordinal(year: str, month: str, day: str) -> int | None:
    try:
        return date(int(year), int(month), int(day)).toordinal()
    except ValueError:
        return None

"""Ratings that the tests of agreement share."""

from __future__ import annotations

from hypothesis import strategies as st

__all__ = ["LEVELS", "level"]

LEVELS = (0, 20, 40, 60, 80, 100)

level = st.sampled_from(LEVELS)

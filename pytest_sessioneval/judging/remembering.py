"""What is worked out once of values that stay the same objects in a run: rubric, axes, experts."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar, TypeVarTuple, Unpack

__all__ = ["remembered"]

_Values = TypeVarTuple("_Values")
_Result = TypeVar("_Result")

_MOST = 256


def remembered(
    function: Callable[[Unpack[_Values]], _Result],
) -> Callable[[Unpack[_Values]], _Result]:
    """Return the function with its last results remembered for the same objects.

    For values that are never changed, and results that nobody changes. Equal
    objects are not recognised: to compare two rubrics takes as long as the work.
    """
    by_identity = lru_cache(maxsize=_MOST)(lambda *keys: function(*(key.value for key in keys)))

    @wraps(function)
    def remembering(*values: *_Values) -> _Result:
        return by_identity(*map(_Same, values))

    return remembering


class _Same:
    """A value as a key: the same as itself alone, and kept, so that no other takes its id."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

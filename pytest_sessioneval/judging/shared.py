"""What several experts need and only the first of them makes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

__all__ = ["Shared"]

ValueT = TypeVar("ValueT")


@dataclass(slots=True)
class _Slot(Generic[ValueT]):
    making: threading.Lock = field(default_factory=threading.Lock)
    values: list[ValueT] = field(default_factory=list)
    """At most one."""


class Shared(Generic[ValueT]):
    """Values by key, each made once, from any thread; the last few are remembered."""

    def __init__(self, remembered: int) -> None:
        self._remembered = remembered
        self._lock = threading.Lock()
        self._slots: OrderedDict[Hashable, _Slot[ValueT]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], ValueT]) -> ValueT:
        """Return the key's value, making it where nobody has; others wait meanwhile.

        What ``make`` raises is raised; whoever asks next makes it anew.
        """
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            if len(self._slots) > self._remembered:
                self._slots.popitem(last=False)
        with slot.making:
            if not slot.values:
                slot.values.append(make())
            return slot.values[0]

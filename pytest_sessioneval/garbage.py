"""The cyclic garbage collector, kept from walking again and again what a run keeps to its end.

10,000 stored opinions are some 450,000 objects that all stay. The collector,
started by their number, walked them over and over: 2.3 s where parsing takes
0.2 s, and more with every report built on top of them.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["keep_what_is_there", "paused", "seldom"]

_BULK = 200
_SELDOM = 16
_kept = threading.Event()
"""Set once something was taken out of sight for good: counting that would be a walk, too."""


@contextmanager
def paused(count: int, *, keep: bool = False) -> Iterator[None]:
    """Pause the collector while ``count`` values are made that stay; fewer than 200: do nothing.

    Cycles made meanwhile are found by the first full collection afterwards;
    with ``keep`` never, as what is there then stays to the end of the run.
    """
    if count < _BULK or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        # Before it goes on: its first turn would walk all that was made.
        if keep:
            keep_what_is_there(count)
        # Freezing and unfreezing moves all that is there to the oldest generation without
        # walking it, which saves another 0.2 s; what the application froze stays frozen.
        elif not _kept.is_set() and gc.get_freeze_count() == 0:
            gc.freeze()
            gc.unfreeze()
        gc.enable()


@contextmanager
def seldom(count: int) -> Iterator[None]:
    """Let the collector run a sixteenth as often during a run of ``count`` values or more.

    What judging makes is mostly kept: of 500 sessions judged in 1.5 s it took
    0.1 s. Fewer than 200: do nothing.
    """
    before = gc.get_threshold()
    if count < _BULK:
        yield
        return
    ours = (before[0] * _SELDOM, *before[1:])
    gc.set_threshold(*ours)
    try:
        yield
    finally:
        if gc.get_threshold() == ours:  # else somebody set it meanwhile
            gc.set_threshold(*before)


def keep_what_is_there(count: int) -> None:
    """Take all that is there out of the collector's sight, for a run of ``count`` values or more.

    Called when a run begins: what it looked up stays until it ends. Fewer than
    200: nothing is done.
    """
    if count >= _BULK:
        gc.freeze()
        _kept.set()

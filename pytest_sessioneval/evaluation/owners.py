"""Which process works on a run, and whether it still does."""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from pytest_sessioneval.stores.run_statuses import BackgroundRun

__all__ = ["LEASE", "is_abandoned", "owner"]

LEASE = timedelta(seconds=60)
"""How long a process of another machine counts as alive after it last said so."""

_SPACE = " | "


def owner() -> str:
    """Return a name of its own for whoever works on runs in this process."""
    process = os.getpid()
    return _SPACE.join((_machine(), str(process), _started(process), secrets.token_hex(4)))


def is_abandoned(run: BackgroundRun, now: datetime) -> bool:
    """Return whether the process that works on the run is gone.

    Of this machine: whether it runs is known at once. Of another: it is when
    it has not said for a minute that it works. The clocks of machines that share
    a store may differ by less than that.
    """
    machine, process, started, *_ = (*run.owner.split(_SPACE), "", "", "")
    if machine == _machine() and process.isdigit():
        return not started or _started(int(process)) != started
    return now - run.seen_at > LEASE


def _machine() -> str:
    """Return host and process namespace: containers of one host number their own processes."""
    space = ""
    with suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115  no path: "pid:[4026531836]"
    return f"{socket.gethostname()} {space}"


def _started(process: int) -> str:
    """Return when a process began, in ticks since the machine did; empty: there is none."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The name in parentheses may hold anything, also parentheses; field 22 is the start.
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in {"Z", "X"} else fields[18]

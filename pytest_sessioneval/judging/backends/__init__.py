"""Judges by name: one module per protocol, and the one place that opens them.

Only modules of this package import httpx, and only when such a judge is opened.
"""

from __future__ import annotations

from pytest_sessioneval.judging.backends.hook import HookJudge, JudgeFunction
from pytest_sessioneval.judging.backends.opening import ACCEPTED, open_judge

__all__ = ["ACCEPTED", "HookJudge", "JudgeFunction", "open_judge"]

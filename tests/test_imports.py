"""What an import loads: nothing that is not needed yet, each step in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import pytest_sessioneval.gate

NAME = "pytest_sessioneval"
GATE = Path(pytest_sessioneval.gate.__file__).parent
GATE_MODULES = tuple(f"{NAME}.gate.{path.stem}" for path in sorted(GATE.glob("[a-z]*.py")))
HEAVY = (
    "pandas",
    "httpx",
    "pydantic",
    "scipy",
    "jinja2",
    "tenacity",
    "sqlite3",
    "psycopg",
    "click",
    "fastapi",
)
OPENING = f"""
import threading
from {NAME}.judging.backends import open_judge
from {NAME}.suites.model import JudgeSettings
open_judge("evidence", settings=JudgeSettings(), environ={{}}, timeout_s=1,
           connections=1, stop=threading.Event())
"""
STARTING = (NAME, f"{NAME}.suites.discovery", f"{NAME}.plugin", f"{NAME}.shell.meeting")
STARTED = tuple(f"import {module}" for module in STARTING)
JUDGING = (f"import {', '.join(GATE_MODULES)}", OPENING)


@cache
def loaded(steps: tuple[str, ...]) -> tuple[frozenset[str], ...]:
    """Return what one fresh interpreter has loaded after each of the steps."""
    code = f"import sys\nfor step in {steps!r}:\n    exec(step)\n    print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = tuple(frozenset(line.split()) for line in done.stdout.splitlines())
    assert len(steps) == len(found)
    return found


@pytest.mark.parametrize("module", STARTING)
def test_what_every_pytest_start_imports_is_light(module: str) -> None:
    """The plugin, and the look for a suite file in every collected folder."""
    found = loaded(STARTED)[STARTING.index(module)]
    assert module in found
    assert set() == found & {*HEAVY}


def test_the_gate_loads_no_numbers_library() -> None:
    """Neither scipy nor numpy is loaded before the first decision, whatever of it is imported."""
    found = loaded(JUDGING)[0]
    assert len(GATE_MODULES) > 10
    assert {*GATE_MODULES} <= found
    assert set() == found & {"scipy", "numpy", "pandas", "httpx", "pytest"}


def test_the_embedded_judge_needs_no_http() -> None:
    """Opening the default judge loads none of the libraries of the others."""
    assert set() == loaded(JUDGING)[1] & {"httpx", "tenacity", "anyio", "ssl"}

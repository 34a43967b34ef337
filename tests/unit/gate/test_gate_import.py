"""What importing the gate loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest_sessioneval.gate


def test_import_loads_no_numbers_library() -> None:
    """Neither scipy nor numpy is loaded before the first decision, whatever of it is imported."""
    folder = Path(pytest_sessioneval.gate.__file__).parent
    modules = [f"pytest_sessioneval.gate.{path.stem}" for path in sorted(folder.glob("[a-z]*.py"))]
    code = (
        "import sys, importlib\n"
        f"for module in {modules!r}:\n"
        "    importlib.import_module(module)\n"
        "print(sorted({'scipy', 'numpy', 'pandas', 'httpx', 'pytest'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert (True, "[]") == (len(modules) > 10, found.stdout.strip())

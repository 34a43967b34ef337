"""What importing the gate loads."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module", ["decision", "baseline", "saying", "sequential", "drift", "noise", "outcome"]
)
def test_import_loads_no_numbers_library(module: str) -> None:
    """Neither scipy nor numpy is loaded before the first decision."""
    code = (
        f"import sys, pytest_sessioneval.gate.{module}; "
        "print(sorted({'scipy', 'numpy', 'pandas', 'httpx', 'pytest'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "[]" == found.stdout.strip()

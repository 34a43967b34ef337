"""What every test may use: the real transcripts, read in place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Few examples where feedback must be quick; `.ci/run --full` tries many.
settings.register_profile("quick", max_examples=20, deadline=None)
settings.register_profile("full", max_examples=500, deadline=None)
settings.load_profile(os.environ.get("SESSIONEVAL_TEST_EXAMPLES", "quick"))

pytest_plugins = ["pytester"]

_REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real transcripts; skip without it, fail where it is required."""
    configured = os.environ.get("SESSIONEVAL_SHARED")
    shared = Path(configured) if configured else _REPOSITORY.parent / "shared"
    folder = shared / "data"
    if folder.is_dir():
        return folder
    reason = f"no real transcripts at {folder} (set SESSIONEVAL_SHARED to the folder holding data/)"
    if os.environ.get("SESSIONEVAL_REQUIRE_DATA") == "1":
        pytest.fail(reason)
    pytest.skip(reason)

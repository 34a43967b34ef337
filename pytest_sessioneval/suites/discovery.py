"""Where a folder's suite file is; imports nothing heavy, so that collection may ask everywhere."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["SUITE_FILE", "find_suite_file"]

SUITE_FILE = "sessioneval.toml"
"""The name of the file that makes a folder a suite."""


def find_suite_file(folder: Path) -> Path | None:
    """Return the folder's own suite file, or None: one look, and never into parent folders.

    A folder that may not be entered has none; whoever walks into it says that it cannot.
    """
    file = folder / SUITE_FILE
    return file if os.path.isfile(file) else None  # noqa: PTH113 -- Path.is_file raises there

"""Where a command looks for what runs wrote."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["out_folder", "shown"]


def out_folder(given: str | None) -> Path:
    """Return --out, else the nearest ``.sessioneval`` here or above, as pytest's root has it."""
    from pathlib import Path  # noqa: PLC0415

    if given is not None:
        return Path(given)
    here = Path.cwd()
    folders = (folder / ".sessioneval" for folder in (here, *here.parents))
    return next((folder for folder in folders if folder.is_dir()), here / ".sessioneval")


def shown(path: Path) -> str:
    """Return the path as it is typed from here, where it lies beneath."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative

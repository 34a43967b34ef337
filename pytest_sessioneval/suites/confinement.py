"""Keeps what a file names inside the folder the file belongs to."""

from __future__ import annotations

from pathlib import Path

__all__ = ["OutsideError", "glob_inside", "path_inside"]


class OutsideError(ValueError):
    """A path or glob leads out of its folder; the message says why, and never leaves this room."""


def path_inside(root: Path, text: str) -> Path:
    """Return the path below ``root`` that a relative path names; it need not exist.

    Raises ``OutsideError`` when it is absolute or, with ``..`` and symbolic
    links resolved, does not lie inside ``root``.
    """
    if not text or "\0" in text:
        raise OutsideError("is no path")
    if Path(text).is_absolute():
        raise OutsideError("is absolute; accepted: a path relative to the suite's folder")
    path = root / text
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before 3.13
        raise OutsideError(f"cannot be resolved: {error}") from None
    if not resolved.is_relative_to(root.resolve()):
        raise OutsideError("leads out of the suite's folder; move the file inside")
    return path


def glob_inside(root: Path, pattern: str) -> tuple[Path, ...]:
    """Return the files below ``root`` that a glob matches, sorted.

    Raises ``OutsideError`` when the glob, or a file it matches, leads out of ``root``.
    """
    check_glob(pattern)
    files = sorted(path for path in root.glob(pattern) if path.is_file())
    for file in files:
        path_inside(root, file.relative_to(root).as_posix())
    return tuple(files)


def check_glob(pattern: str) -> None:
    """Raise ``OutsideError`` when a glob is empty, absolute, or has ``..`` in it."""
    if not pattern or "\0" in pattern:
        raise OutsideError("is no glob")
    if Path(pattern).is_absolute():
        raise OutsideError("is absolute; accepted: a glob relative to the suite's folder")
    if ".." in Path(pattern).parts:
        raise OutsideError("leads out of the suite's folder; accepted: a glob without ..")
    if any("**" in part and part != "**" for part in Path(pattern).parts):
        raise OutsideError("has ** beside other characters; accepted: ** alone between slashes")

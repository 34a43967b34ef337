"""Where and with what a run is made."""

from __future__ import annotations

import platform
import secrets
import subprocess
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pytest_sessioneval import __version__
from pytest_sessioneval.verdicts.run import Provenance

__all__ = ["new_run_id", "provenance"]

_PACKAGES = ("pytest", "pydantic", "httpx", "pandas", "scipy", "pytest-xdist")
_GIT_TIMEOUT_S = 5.0


def new_run_id(now: datetime) -> str:
    """Return ``YYYYMMDD-HHMMSS-xxxxxx``: sortable by time, unique by chance."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def provenance(folder: Path) -> Provenance:
    """Return what the run in that folder is made with; git fields are null outside a work tree."""
    head = _git(folder, "rev-parse", "HEAD", "--abbrev-ref", "HEAD")
    commit, branch = head.split("\n") if head else (None, None)
    status = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return Provenance(
        tool_version=__version__,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        packages={name: found for name in _PACKAGES if (found := _version(name))},
        git_commit=commit,
        git_branch=branch,
        git_dirty=None if status is None else bool(status),
    )


@cache
def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  arguments are ours
            ["git", "-C", str(folder), *arguments],  # noqa: S607  the user's own git
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None

"""Judge recorded agent sessions as pytest items and stop the merge when scores fall.

Public names are resolved on first use, so that importing the package (which
every pytest start does through the entry point) loads nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "SessionEvalError": "pytest_sessioneval.errors",
    "scores_frame": "pytest_sessioneval.reports.frame",
}

__all__ = ["SessionEvalError", "__version__", "scores_frame"]


def __getattr__(name: str) -> Any:
    """Return the public name, importing the module that holds it."""
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names, also those not imported yet."""
    return sorted(__all__)

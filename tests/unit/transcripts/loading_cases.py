"""What the tests of loading say of a document."""

from __future__ import annotations

from typing import Any

from pytest_sessioneval.transcripts.reader import Document

__all__ = ["values_of"]


def values_of(document: Document) -> list[Any]:
    """Return the values of a document's records."""
    return [record.value for record in document.records]

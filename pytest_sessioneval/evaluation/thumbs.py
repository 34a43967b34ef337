"""People's thumbs on their way into the store."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.model import FeedbackEntry
from pytest_sessioneval.transcripts.redaction import redact_text

__all__ = ["keep_thumbs"]


def keep_thumbs(store: Store, entries: Iterable[FeedbackEntry]) -> tuple[FeedbackEntry, ...]:
    """Keep thumbs, without secrets, in place of earlier ones on their messages; return the rows.

    Raises ``StoreError``.
    """
    kept = tuple(
        entry.model_copy(update={"comment": redact_text(entry.comment)}) for entry in entries
    )
    store.put_feedback(kept)
    return kept

"""People's thumbs on their way into the store."""

from __future__ import annotations

from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.model import FeedbackEntry
from pytest_sessioneval.transcripts.redaction import redact_text

__all__ = ["keep_thumb"]


def keep_thumb(store: Store, entry: FeedbackEntry) -> FeedbackEntry:
    """Keep a thumb, without secrets, in place of an earlier one on the message; return the row.

    Raises ``StoreError``.
    """
    kept = entry.model_copy(update={"comment": redact_text(entry.comment)})
    store.put_feedback([kept])
    return kept

"""People's thumbs on their way into the store, and as they stand on a suite's sessions."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_sessioneval.reports.model import SuiteReport
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.model import FeedbackEntry
from pytest_sessioneval.transcripts.redaction import redact_text

__all__ = ["keep_thumbs", "thumbs_of"]


def keep_thumbs(store: Store, entries: Iterable[FeedbackEntry]) -> tuple[FeedbackEntry, ...]:
    """Keep thumbs, without secrets, in place of earlier ones on their messages; return the rows.

    Raises ``StoreError``.
    """
    kept = tuple(
        entry.model_copy(update={"comment": redact_text(entry.comment)}) for entry in entries
    )
    store.put_feedback(kept)
    return kept


def thumbs_of(
    suite: SuiteReport, files: Iterable[FeedbackEntry], store: Store
) -> dict[str, dict[int, int]]:
    """Return the thumbs on the suite's judged sessions: 1 or -1 by message, by session id.

    They are those of its feedback ``files`` and the store's, which replace a
    file's on the same message. Raises ``StoreError``.
    """
    judged = {one.session_id for one in suite.sessions if one.verdict is not None}
    thumbs: dict[str, dict[int, int]] = {}
    for entry in (*files, *store.feedback(sorted(judged))):
        if entry.session_id in judged:
            thumbs.setdefault(entry.session_id, {})[entry.message_index] = entry.rating
    return thumbs

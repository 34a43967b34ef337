"""Verdict keys: what an opinion rests on, as one digest.

Key = transcript digest × everything else the expert is shown or bound by ×
repeat. Thresholds, margins and report options are never in it, so that moving
a threshold asks nobody anything.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from pytest_sessioneval.judging.model import Judge
from pytest_sessioneval.suites.model import Expectation, Expert, FeedbackEntry
from pytest_sessioneval.transcripts.model import SessionSummary
from pytest_sessioneval.transcripts.redaction import SECRETS
from pytest_sessioneval.transcripts.redaction_policy import RedactionPolicy

__all__ = ["digest_of", "metadata_digest", "nonce", "opinion_key", "seat_digest"]

_LEFT_OUT = {
    *("session_id", "task_id", "trial", "agent_model", "profile_id", "name"),
    *("created_at", "last_active", "metadata"),
}
"""What a transcript's digest leaves out, and a judge that sees metadata may rest on."""


def digest_of(value: Any) -> str:
    """Return the SHA-256 (hex) of a JSON value's canonical text: sorted keys, no spaces."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def seat_digest(
    judge: Judge,
    expert: Expert,
    *,
    rubric_version: str,
    max_chars: int,
    redaction: RedactionPolicy = SECRETS,
    metrics: str = "",
) -> str:
    """Return the digest of what one seat brings to every session it answers.

    ``metrics`` names how metrics are computed; empty: it answers none.
    """
    return digest_of(
        {
            **({"metrics": metrics} if metrics else {}),
            "judge": judge.identity,
            # Seats that ask alike are still two votes; a Python judge or a recording
            # answers by the expert's name too.
            "expert": expert.id,
            "instruction": expert.instruction,
            "axes": list(expert.axes),
            "rubric": rubric_version,
            "max_chars": max_chars,
            "redaction": redaction.identity,
        }
    )


def metadata_digest(summary: SessionSummary) -> str:
    """Return the digest of what a session's transcript digest leaves out: ids, title, metadata."""
    return digest_of(summary.model_dump(mode="json", include=_LEFT_OUT))


def opinion_key(
    seat: str,
    transcript: str,
    *,
    repeat: int,
    profile: str,
    feedback: tuple[FeedbackEntry, ...],
    expectations: tuple[Expectation, ...],
    use_outcome: bool,
    metadata: str = "",
) -> str:
    """Return the verdict key of one opinion: 64 hex digits.

    ``seat`` is a ``seat_digest``, ``transcript`` a transcript's digest; the rest
    is what the expert sees of this session beside its transcript, ``metadata`` a
    ``metadata_digest`` where its judge sees that.
    """
    shown: Mapping[str, Any] = {
        "profile": profile,
        "feedback": [entry.model_dump(mode="json", exclude={"at"}) for entry in feedback],
        "expectations": [item.model_dump(mode="json") for item in expectations],
        "use_outcome": use_outcome,
    }
    plain = not (profile or feedback or expectations or use_outcome)
    beside = "" if plain else digest_of(shown)
    rests_on = f"{seat}|{transcript}|{repeat}|{beside}|{metadata}"
    return hashlib.sha256(rests_on.encode()).hexdigest()


def nonce(run_secret: bytes, transcript: str) -> str:
    """Return the fence of one session in one run: 32 hex digits nobody can guess beforehand."""
    return hmac.new(run_secret, transcript.encode(), hashlib.sha256).hexdigest()[:32]

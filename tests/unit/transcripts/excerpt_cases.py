"""A long session, and how long what is shown of one is."""

from __future__ import annotations

from transcript_values import calling, result, said, transcript_of

from pytest_sessioneval.transcripts.excerpt import (
    Excerpt,
)
from pytest_sessioneval.transcripts.model import (
    Transcript,
)

__all__ = ["long_session", "shown_length"]


def shown_length(shown: Excerpt) -> int:
    """Return how many characters a judge is shown."""
    return len("\n".join(shown.lines()))


def long_session(*, results: int = 3_000, turns: int = 10) -> Transcript:
    """Return turns of user, call, result of that many characters, and answer."""
    messages = [said("system", "Be kind.")]
    for turn in range(turns):
        messages += [
            said("user", f"Question {turn}?"),
            calling("search", text=f"Searching {turn}."),
            result(f"<{turn}" + "r" * results + f"{turn}>"),
            said("assistant", f"Answer {turn}."),
        ]
    return transcript_of(*messages)

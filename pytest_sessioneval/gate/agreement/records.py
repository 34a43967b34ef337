"""What an exam knows of one session: the judge's scores, and everybody else's word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["SessionRecord"]


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One session that was judged for an exam."""

    key: str
    """What names it in its suite."""
    cluster: str | None = None
    """What groups sessions that attempt the same task; None: it stands alone."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """The panel's score per scored axis, 0–100."""
    seats: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Each expert's score per scored axis, by the expert's id; the mean over repeats."""
    labels: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """What people gave, per axis: one score per rater, 0–100."""
    succeeded: bool | None = None
    """What was recorded of its outcome; None: nothing."""
    liked: bool | None = None
    """Whether thumbs up outweigh thumbs down; None: neither does."""
    repeats: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """The panel's score per repeat, per axis; empty: it was not judged again."""

    @property
    def unit(self) -> str:
        """What is drawn as a whole when sessions are resampled."""
        return self.key if self.cluster is None else f"cluster {self.cluster}"

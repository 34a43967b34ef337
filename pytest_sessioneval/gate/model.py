"""What the gate compares: a session's scores, the versions they were made with, two sides."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import Field

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.verdicts.model import UnscoredReason

__all__ = [
    "FORMAT",
    "AxisPoint",
    "AxisScore",
    "Baseline",
    "Candidate",
    "NoScore",
    "SessionScores",
    "Versions",
    "anchor_name",
]

FORMAT = 2
"""The newest format of baseline files that this version reads: 2 holds canaries, too."""

Points = Annotated[float, Field(ge=0, le=100)]


class AxisScore(Frozen):
    """One session's score on one axis."""

    score: Points
    """Mean over experts and repeats, 0–100, four decimals."""
    spread: Points = 0.0
    """Largest minus smallest of the experts' scores."""
    repeats: Annotated[int, Field(ge=1)] = 1
    """How often each expert was asked."""
    noise: Points | None = None
    """Standard deviation of the panel's score between repeats; null with one repeat."""


class NoScore(Frozen):
    """Why one session has no score on one axis."""

    unscored: UnscoredReason
    """See UnscoredReason."""


AxisPoint = AxisScore | NoScore


class SessionScores(Frozen):
    """One session on one side of a comparison; no transcript text."""

    key: Annotated[str, Field(min_length=1)]
    """What pairs the session with itself on the other side."""
    digest: str
    """Digest of the transcript that was judged."""
    cluster: str | None = None
    """What groups sessions that attempt the same task; null: it stands alone."""
    reader: str = ""
    """``name@version`` of the reader that read the transcript."""
    coverage: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Smallest share of the transcript's characters that an expert was shown."""
    axes: dict[str, AxisPoint]
    """Per axis: a score, or why there is none."""


class Versions(Frozen):
    """What scores must have in common to be comparable."""

    rubric: str
    """``name@n#digest`` of the rubric."""
    judge: str
    """``name@n#digest`` of judge, panel, prompts and protocol."""
    scoring: str
    """Version of how this package makes a score out of opinions."""


class Baseline(Frozen):
    """What a run is compared to: a suite's scores at the time somebody blessed them."""

    format: Literal[1, 2] = 1
    """The file's format: 2 where it holds canaries."""
    suite: str
    """The suite's name."""
    versions: Versions
    """What the scores were made with."""
    axes: tuple[str, ...]
    """The rubric's axes, in order."""
    sessions: Annotated[tuple[SessionScores, ...], Field(min_length=1)]
    """One per session, sorted by key; keys are unique."""
    canaries: tuple[SessionScores, ...] = ()
    """The frozen sessions that tell the judge from the agent, sorted by key; empty: there are
    none."""


class Candidate(Frozen):
    """The run to decide on."""

    suite: str
    """The suite's name."""
    versions: Versions
    """What the scores were made with."""
    axes: tuple[str, ...]
    """The rubric's axes, in order."""
    sessions: tuple[SessionScores, ...]
    """One per selected session; keys are unique."""
    left_out: frozenset[str] | None = frozenset()
    """Keys that selection left out: neither lost nor judged. Null: not known which, because
    only some paths were collected; then no session counts as lost."""
    partial: str = ""
    """Why this is not all of the suite, such as ``-k``; empty: it is."""
    unreadable: Annotated[int, Field(ge=0)] = 0
    """Files and sessions that could not be read."""
    canaries: tuple[SessionScores, ...] = ()
    """The frozen sessions judged in this run; empty: nobody was asked about any."""
    judge_sd: dict[str, float] = {}
    """The judge's own spread in points by axis, where it was measured: it decides nothing, and
    says which part of the uncertainty is the judge's."""


def anchor_name(name: str) -> str:
    """Return the name of the anchor beside ``x/baseline.json``: ``x/baseline.anchor.json``."""
    path = PurePosixPath(name)
    return path.with_name(f"{path.stem}.anchor{path.suffix}").as_posix()

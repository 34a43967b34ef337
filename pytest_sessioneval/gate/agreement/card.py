"""A judge's card: what its exam found, exactly as ``judge_card.json`` holds it.

Field names are the keys of the file; the line beneath each field is its
description in the JSON Schema that the package ships.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.verdicts.model import CallCount

__all__ = [
    "CARD_FORMAT",
    "Agreement",
    "Figure",
    "JudgeCard",
    "LabelSource",
    "LineStatus",
    "Probe",
    "ProbeAxis",
    "Separation",
    "Stability",
    "Votes",
    "card_schema",
]

CARD_FORMAT: Literal[1] = 1
"""Raised when a key of judge_card.json changes its meaning or goes; a new key does not raise it."""

LineStatus = Literal["passed", "failed", "unclear", "not_measured"]
"""What became of one line of the exam.

``unclear``: beyond the line, but within what chance explains. ``not_measured``:
too little to go by, and never a pass.
"""

LabelSource = Literal["people", "outcome", "thumbs"]
"""Whose word a judge is held against: scores people gave, recorded outcomes, thumbs."""


class Figure(Frozen):
    """One measured number."""

    value: float | None
    """The estimate, six decimals; null: not defined on these sessions."""
    low: float | None = None
    """Lower limit of the two-sided 90 % interval; null: there is none."""
    high: float | None = None
    """Upper limit of the two-sided 90 % interval; null: there is none."""
    n: int
    """What it rests on: sessions, or variants of sessions."""


class Agreement(Frozen):
    """The judge against labels on one axis."""

    source: LabelSource
    """Whose labels."""
    axis: str
    """The axis."""
    sessions: int
    """Sessions with a label and a score."""
    unscored: int = 0
    """Sessions with a label that the judge gave no score."""
    raters: int = 1
    """The most raters that labelled one session; a session's label is their mean."""
    alpha: Figure
    """Krippendorff's alpha, judge and label: of scores (interval) or of outcomes (nominal)."""
    people_alpha: Figure | None = None
    """Krippendorff's alpha (interval) among people: what agreement can be hoped for."""
    quadratic_kappa: Figure | None = None
    """Kappa with quadratic weights over the axis's levels."""
    icc_single: Figure | None = None
    """ICC(2,1) of judge and label."""
    icc_average: Figure | None = None
    """ICC(2,k) of judge and label."""
    bias: Figure | None = None
    """Mean of score minus label, points; above 0 the judge is lenient."""
    slope: Figure | None = None
    """Least-squares slope of scores on labels."""
    mean_error: Figure | None = None
    """Mean distance of score and label, points."""
    pass_line: float
    """The score that counts as a pass: the suite's threshold, else 50."""
    accuracy: Figure
    """Share of sessions on the same side of the pass line."""
    kappa: Figure
    """Cohen's kappa of pass and fail."""
    judge_passes: Figure
    """Share of sessions the judge passes."""
    label_passes: Figure
    """Share of sessions the labels pass."""
    status: LineStatus
    """Whether alpha is at least 0.667."""
    why: str
    """What the status rests on, one sentence."""


class Separation(Frozen):
    """Whether scores of one axis tell good sessions from bad ones, by a word from elsewhere."""

    source: LabelSource
    """Thumbs, or recorded outcomes."""
    axis: str
    """The axis."""
    good: int
    """Sessions with a score and thumbs up, or a success."""
    bad: int
    """Sessions with a score and thumbs down, or a failure."""
    auc: Figure
    """P(score of a good session > score of a bad one); 0.5 is chance."""
    status: LineStatus
    """Whether the interval lies above 0.5; below it, the axis fails."""
    why: str
    """What the status rests on, one sentence."""


class Stability(Frozen):
    """The judge against itself on one axis."""

    axis: str
    """The axis."""
    repeats: int
    """How often each session was judged."""
    sd: Figure
    """Standard deviation of a score between repeats, points."""
    flips: Figure
    """Share of sessions whose repeats lie on both sides of the pass line."""
    pass_line: float
    """The score that counts as a pass."""


class ProbeAxis(Frozen):
    """What one probe found on one axis."""

    axis: str
    """The axis."""
    figure: Figure
    """Mean change of the score in points, or the share of variants beyond the line."""
    status: LineStatus
    """What became of the line on this axis."""


class Probe(Frozen):
    """One behavioural probe: sessions changed in a way that must, or must not, move a score."""

    probe: str
    """Its name."""
    what: str
    """What was changed."""
    line: str
    """What must hold."""
    variants: int = 0
    """Changed sessions that were judged."""
    unanswered: int = 0
    """Changed sessions on which the judge gave no answer."""
    axes: tuple[ProbeAxis, ...] = ()
    """One per axis it looks at."""
    status: LineStatus
    """The worst of its axes."""
    why: str = ""
    """Why it was not measured; empty: it was."""


class Votes(Frozen):
    """How many independent votes a panel is worth on one axis."""

    axis: str
    """The axis."""
    experts: int
    """Experts that answer it."""
    correlation: Figure
    """Mean correlation of their errors against the labels."""
    votes: Figure
    """Kish's effective number of votes."""


class JudgeCard(Frozen):
    """What is known of one judge with one rubric."""

    schema_version: Literal[1] = CARD_FORMAT
    """The version of this format."""
    judge_version: str
    """``name@n#digest`` of judge, panel, prompts and protocol: what the card is about."""
    rubric_version: str
    """``name@n#digest`` of the rubric: what the card is about."""
    judge: str
    """The judge as configured, such as evidence or openai:gpt-5-mini."""
    models: tuple[str, ...] = ()
    """The models that answered, as they name themselves, sorted."""
    suite: str
    """The suite the exam was held on."""
    sessions: int
    """Sessions of it that were judged for the exam."""
    answered: int = 0
    """Those on which the judge answered every question."""
    examined_at: datetime
    """When the exam ended, UTC."""
    status: Literal["passed", "failed", "incomplete"]
    """``failed``: a line failed. ``incomplete``: none did, and too little was measured."""
    calibrated: tuple[str, ...] = ()
    """Axes whose agreement with labels passed and on which nothing failed."""
    agreement: tuple[Agreement, ...] = ()
    """Against labels, per source and axis."""
    separation: tuple[Separation, ...] = ()
    """Against thumbs and outcomes, per source and axis."""
    stability: tuple[Stability, ...] = ()
    """Against itself, per axis."""
    probes: tuple[Probe, ...] = ()
    """Behavioural probes, in fixed order."""
    votes: tuple[Votes, ...] = ()
    """Per axis that several experts answer."""
    unsupported: dict[str, str] = {}
    """Axes this judge cannot score here, and how to get each scored."""
    warnings: tuple[str, ...] = ()
    """What a reader must know, a sentence each."""
    spent: CallCount = CallCount()
    """What the exam took; what the store knew is not counted."""


def card_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every judge_card.json satisfies."""
    schema = JudgeCard.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}

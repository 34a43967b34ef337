"""What the gate says of a run: one value with everything a report shows, and nothing else.

A number that cannot be had, or must not be shown, is null. Points are on the
0–100 scale; a difference is candidate minus baseline, so a drop is negative.
"""

from __future__ import annotations

from typing import Literal

from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.canaries import CanaryCheck
from pytest_sessioneval.gate.rules import SEVERITY, Status
from pytest_sessioneval.verdicts.model import UnscoredReason

__all__ = [
    "Against",
    "AxisDecision",
    "BaselineUse",
    "Comparison",
    "Decision",
    "Fall",
    "LookTaken",
    "MeanTest",
    "Mismatch",
    "Nulls",
    "Reason",
    "Rule",
    "Unjudged",
]

Reason = Literal[
    "not_comparable",
    "judge_moved",
    "broken_session",
    "lost_sessions",
    "unjudged",
    "unverified",
    "all_null",
    "nothing_paired",
    "regressed",
    "too_few",
    "straddles",
    "unproven",
    "nulls_moved",
    "changed_regressed",
    "changed_undecided",
    "too_few_labels",
    "labels_missing",
]
"""Why a comparison did not pass.

``judge_moved``: the canaries' scores shifted, so that the agent's may have for the same cause.
``broken_session``: one fell by more than ``break``. ``lost_sessions``: the run
lacks sessions of the baseline. ``unjudged``, ``unverified``: sessions without a
judgement. ``all_null``: the baseline has scores, the run has none.
``nothing_paired``: no session is scored on both sides. ``too_few``: below
``min_pairs``. ``straddles``: the interval holds both a harmless change and a
drop beyond the margin. ``unproven``: the distribution-free bound of ``strict``.
``nulls_moved``: sessions gained or lost a score more often than chance allows.
``changed_…``: the same, of the re-recorded sessions alone. ``too_few_labels``:
the corrected mean decides, and people labelled too few. ``labels_missing``: it
decides, and too many of the sessions that were drawn have no label.
"""


class Fall(Frozen):
    """One session that scores lower than in the baseline."""

    key: str
    """The session's key."""
    before: float
    """Its score in the baseline, 0–100."""
    after: float
    """Its score now, 0–100."""


class Unjudged(Frozen):
    """One session that nobody judged on an axis."""

    key: str
    """The session's key."""
    reason: UnscoredReason
    """Why not."""


class Mismatch(Frozen):
    """One version that differs, so that scores cannot be compared."""

    what: Literal["rubric", "judge", "scoring", "reader"]
    """Which."""
    before: str
    """The baseline's."""
    after: str
    """The run's."""


class Nulls(Frozen):
    """Sessions without a score on an axis, on one side or both."""

    newly_null: tuple[str, ...] = ()
    """Scored in the baseline, not applicable (or the like) now."""
    newly_scored: tuple[str, ...] = ()
    """The other way round."""
    both: int = 0
    """Without a score on both sides."""
    p_value: float = 1.0
    """Exact two-sided McNemar p-value of the two counts."""
    moved: bool = False
    """The two counts differ beyond chance."""
    worst_difference: float | None = None
    """Mean difference if every newly null session had scored 0; null: no session to take it of."""


class MeanTest(Frozen):
    """One test of a mean difference against the margin."""

    pairs: int
    """Sessions scored on both sides (unpaired: on the smaller side)."""
    units: int
    """Independent units among them: clusters, where several sessions share one."""
    difference: float
    """Mean difference in points."""
    low: float | None
    """Lower confidence limit, at least -100; null: one unit shows no spread."""
    high: float | None
    """Upper confidence limit, at most 100."""
    p_noninferior: float
    """p-value against "dropped by the margin or more"."""
    p_drop: float
    """p-value against "did not drop"."""
    p_drop_adjusted: float | None = None
    """The same after Holm's correction over the gated tests; null: not gated."""
    free_bound: float | None = None
    """Distribution-free lower limit; null: not strict."""
    detectable: float | None
    """Smallest drop a suite with this spread sees, in points; null: one unit."""
    powered: bool
    """Enough units, and the smallest visible drop is within the margin."""
    units_needed: int | None
    """Units that would see a drop of the margin; null: none suffices, or unknown."""
    units_missing: int | None
    """How many of them there are not yet."""
    unseen_share: float
    """Largest share of sessions that could break without one having been sampled, 0–1."""
    status: Status | None = None
    """What this test alone says; null: not gated."""


class Correction(Frozen):
    """The mean difference corrected by people's labels of a random few (PPI++)."""

    draw: str
    """The draw whose labels count: the name of a queue."""
    drawn: int
    """Compared sessions that it drew."""
    labelled: int
    """Those of them with people's scores of both recordings."""
    human: float | None = None
    """Mean difference that people saw on the labelled ones; null: there are none."""
    judge: float | None = None
    """Mean difference that the judge saw on the same."""
    weight: float | None = None
    """How much of the judge's scores is used, 0–1."""
    overall: MeanTest | None = None
    """The corrected test on all pairs; ``units`` counts labelled ones. Null: none is labelled."""
    changed_only: MeanTest | None = None
    """The same on the re-recorded ones alone, where there are others too."""


class Comparison(Frozen):
    """One axis against one baseline."""

    baseline: str
    """Which baseline: ``baseline`` or ``anchor``."""
    method: Literal["paired", "clustered", "welch"] = "paired"
    """How the spread was estimated."""
    status: Status | None
    """What it says; null: the axis is not gated."""
    blocks: bool = False
    """Whether this alone stops the merge."""
    reasons: tuple[Reason, ...] = ()
    """Why it did not pass, the worst first."""
    baseline_mean: float | None = None
    """Mean of the paired sessions in the baseline, 0–100."""
    candidate_mean: float | None = None
    """Mean of the same sessions now."""
    overall: MeanTest | None = None
    """The test on all pairs; null: no pair, or too much is missing to show a mean."""
    corrected: Correction | None = None
    """The same corrected by people's labels; null: no random draw chose a compared session."""
    decided_on: Literal["raw", "corrected"] = "raw"
    """Which of the two decides."""
    changed: int = 0
    """Pairs whose transcript is another one than in the baseline."""
    changed_only: MeanTest | None = None
    """The same test on those alone, where there are others too."""
    improved: bool = False
    """The whole interval lies above zero."""
    nulls: Nulls = Nulls()
    """Sessions without a score."""
    unjudged: tuple[Unjudged, ...] = ()
    """Sessions nobody judged."""
    unverified: tuple[str, ...] = ()
    """Sessions whose judgement had no evidence that checks out."""
    missing_share: float = 0.0
    """Share of the expected sessions that are lost or not judged, 0–1."""
    broken: tuple[Fall, ...] = ()
    """Sessions that fell by more than ``break``, deepest first."""
    fell: int = 0
    """Sessions that score lower than in the baseline."""
    rose: int = 0
    """Sessions that score higher."""
    risen: int = 0
    """Sessions that rose by more than ``break``: as many as fell is how single scores vary here."""
    falls: tuple[Fall, ...] = ()
    """The deepest falls, at most five."""
    judge_noise_share: float | None = None
    """Share of the squared standard error that is the judge's noise, 0–1: by repeats in the run or
    its baseline, else by what `sessioneval judge-noise` measured; null: neither is there."""

    @property
    def deciding(self) -> MeanTest | None:
        """The test on all pairs that decides; None: it cannot be made."""
        if self.decided_on == "raw":
            return self.overall
        return None if self.corrected is None else self.corrected.overall

    @property
    def deciding_changed(self) -> MeanTest | None:
        """The same on the re-recorded ones alone, where there are others too."""
        if self.decided_on == "raw":
            return self.changed_only
        return None if self.corrected is None else self.corrected.changed_only


class AxisDecision(Frozen):
    """What the gate says of one axis."""

    axis: str
    """The axis."""
    gated: bool
    """Whether it decides; else it is only reported."""
    margin: float | None = None
    """Points of mean drop that are tolerated; null: not gated."""
    status: Status | None = None
    """The worst of its comparisons; null: not gated."""
    blocks: bool = False
    """Whether it stops the merge."""
    improved: bool = False
    """A note: better than every baseline, beyond chance."""
    comparisons: tuple[Comparison, ...] = ()
    """One per baseline; the first is the one reports show."""

    @property
    def worst(self) -> Comparison | None:
        """The comparison that says the worst, the first of several."""
        order = [SEVERITY.index(one.status or "passed") for one in self.comparisons]
        return self.comparisons[order.index(max(order))] if order else None

    @property
    def shown(self) -> Comparison | None:
        """The comparison that reports show."""
        return self.comparisons[0] if self.comparisons else None


class BaselineUse(Frozen):
    """How a run lies against one baseline."""

    name: str
    """``baseline`` or ``anchor``."""
    suite: str | None = None
    """The suite it says it is of, where that is not the run's."""
    sessions: int
    """Sessions in the baseline."""
    pairs: int
    """Sessions both have."""
    changed: int
    """Pairs whose transcript is another one than in the baseline."""
    lost: tuple[str, ...] = ()
    """Keys the run should have and has not."""
    left_out: tuple[str, ...] = ()
    """Keys that selection left out."""
    not_reached: tuple[str, ...] = ()
    """Keys that were not judged because a look had decided."""
    added: tuple[str, ...] = ()
    """Keys only the run has."""
    retired: tuple[str, ...] = ()
    """Keys of an anchor that the newer baseline gave up."""
    mismatches: tuple[Mismatch, ...] = ()
    """Versions that differ; any makes the two not comparable."""
    coverage_before: float = 1.0
    """Mean share of the pairs' transcripts that experts were shown for the baseline, 0–1."""
    coverage_after: float = 1.0
    """The same in the run."""


class LookTaken(Frozen):
    """The look that decided, where a suite is judged look by look in a seeded order."""

    seed: str
    """What the order was drawn with, before anything was judged."""
    look: int
    """Which look decided, from 1."""
    looks: int
    """How many were planned."""
    judged: int
    """Sessions judged by then."""
    planned: int
    """Sessions there are."""

    @property
    def early(self) -> bool:
        """Whether sessions were left unjudged."""
        return self.judged < self.planned


Rule = Literal[
    "baseline",
    "anchor",
    "rubric",
    "judge settings",
    "thresholds",
    "gate settings",
    "keys",
    "expectations",
    "profiles",
]
"""What a working tree can change about how its own sessions are judged and compared.

``keys``: ``key``, ``cluster`` and ``use_outcome`` under ``[suite]``.
"""


class Against(Frozen):
    """What a run was held against, and by whose rules."""

    source: str
    """As it was asked for: ``baseline.json``, ``git:origin/main``, a run's id, a file."""
    commit: str | None = None
    """The commit whose baseline and rules were used; null: those of the working tree."""
    overruled: tuple[Rule, ...] = ()
    """What the working tree changes against that commit, and what was used as it is there."""
    followed: tuple[Rule, ...] = ()
    """What the working tree changes, and what was used as it is in the working tree."""
    new_suite: bool = False
    """That commit does not have the suite, so that its own rules were used."""


class Decision(Frozen):
    """What the gate says of a run."""

    suite: str
    """The suite's name."""
    status: Status
    """The worst of the gated axes, or of the suite as a whole."""
    blocks: bool
    """Whether the merge is stopped: exit status 1 where it would be 0."""
    axes: tuple[AxisDecision, ...]
    """Gated axes first, in the settings' order, then the others in the rubric's."""
    baselines: tuple[BaselineUse, ...] = ()
    """One per baseline, in order."""
    sessions: int = 0
    """Sessions of the run."""
    unreadable: int = 0
    """Files and sessions that could not be read."""
    partial: str = ""
    """Why this is not all of the suite; empty: it is."""
    alpha: float
    """One-sided level of every test; the intervals' level is 1 - 2 alpha."""
    min_pairs: int
    """Fewest units that can pass."""
    break_points: float
    """No session may fall by more."""
    strict: bool = False
    """Whether passing needed the distribution-free bound."""
    on_inconclusive: Literal["auto", "fail", "pass"] = "auto"
    """What an undecided comparison means."""
    decide_on: Literal["raw", "corrected"] = "raw"
    """Whether the judge's scores decide, or those scores corrected by people's labels."""
    look: LookTaken | None = None
    """The look that decided; null: the suite is not judged look by look."""
    canaries: tuple[CanaryCheck, ...] = ()
    """What the canaries say of the judge, one per baseline; empty: the gate has none."""
    against: Against | None = None
    """What the run was held against; null: whoever decided did not say."""

    @property
    def gated(self) -> tuple[AxisDecision, ...]:
        """The axes that decide."""
        return tuple(axis for axis in self.axes if axis.gated)

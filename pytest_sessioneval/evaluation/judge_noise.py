"""How much a suite's judge differs from itself: its sessions judged several times, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_sessioneval.errors import SessionEvalError, SettingError
from pytest_sessioneval.evaluation.baselines import baseline_path
from pytest_sessioneval.evaluation.direct import Announce, DirectRun
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.selection import fixed_sample
from pytest_sessioneval.evaluation.sources import baselines_beside
from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.gate.baseline import session_scores
from pytest_sessioneval.gate.model import Baseline
from pytest_sessioneval.gate.noise import (
    FEWEST_DEGREES,
    AxisNoise,
    VisibleDrop,
    axis_noise,
    differences_sd,
    visible_drop,
)
from pytest_sessioneval.gate.pairing import Pair, axis_pairs, pair_sessions
from pytest_sessioneval.gate.rules import margin_of
from pytest_sessioneval.judging.panel import (
    EMBEDDED,
    SCORING_VERSION,
    Panel,
    combine,
    panel_experts,
)
from pytest_sessioneval.stores.protocol import MeasuredNoise, Store
from pytest_sessioneval.suites.model import GateSettings, Suite
from pytest_sessioneval.verdicts.model import NOT_ANSWERED, Opinion, Unscored
from pytest_sessioneval.verdicts.run import SessionResult, SuiteRun

__all__ = ["FEWEST_SESSIONS", "JudgeNoise", "measure_noise", "never_varies"]

FEWEST_SESSIONS = 5
"""Sessions below which a spread says nothing of other sessions."""


class JudgeNoise(Frozen):
    """What judging the same sessions several times has shown."""

    suite: str
    """The suite's name."""
    judge: str
    """The suite's judge as configured."""
    judge_version: str | None
    """``name@n#digest`` of judge, panel, prompts and protocol; null: nobody was asked."""
    rubric_version: str | None
    """``name@n#digest`` of the rubric; null: nobody was asked."""
    deterministic: bool = False
    """The judge always answers the same: there is nothing to measure."""
    of: int = 0
    """Sessions of the suite."""
    keys: tuple[str, ...] = ()
    """The sessions judged."""
    repeats: int = 0
    """How often each was judged."""
    calls: int = 0
    """Requests made; answers that the store had are not asked for again."""
    axes: tuple[AxisNoise, ...] = ()
    """One per axis that has scores, in the rubric's order."""
    drops: tuple[VisibleDrop, ...] = ()
    """What it does to the suite, per axis that may be gated."""


def never_varies(suite: Suite) -> bool:
    """Return whether only the embedded judge is asked, which always answers the same."""
    models = {expert.model or suite.settings.judge.model for expert in panel_experts(suite)}
    return models == {EMBEDDED}


def measure_noise(
    suite: Suite, run: DirectRun, *, repeats: int, limit: int, announce: Announce
) -> JudgeNoise:
    """Return how much the suite's judge differs from itself, and keep the spreads in the store.

    At most ``limit`` sessions are judged ``repeats`` times each: always the same
    ones, chosen by their keys, and more with a larger limit. What the store has
    is not asked for again. Raises ``SettingError`` when they are too few to say
    anything, and ``SessionEvalError`` when one was not judged.
    """
    if never_varies(suite):
        return JudgeNoise(
            suite=suite.name,
            judge=suite.settings.judge.model,
            judge_version=None,
            rubric_version=None,
            deterministic=True,
        )
    baseline = baselines_beside(baseline_path(suite)).get("baseline")
    found = run.scan(suite)
    chosen = fixed_sample(found.members, limit)
    _check_enough(suite.root, len(found.members), len(chosen), repeats)
    often = suite.settings.judge.model_copy(update={"repeats": repeats})
    settings = suite.settings.model_copy(update={"judge": often})
    asked = suite.model_copy(update={"settings": settings})
    done = run.judge(found, chosen, suite=asked, announce=announce)
    _check_answered(done)
    axes = _axes(asked, done)
    _keep(done, axes, run.store)
    panel = replace(run.evaluation.panel(asked), repeats=suite.settings.judge.repeats)
    now = _stored(panel, found.members, run.store)
    return JudgeNoise(
        suite=suite.name,
        judge=suite.settings.judge.model,
        judge_version=done.judge.version,
        rubric_version=done.rubric_version,
        of=len(found.members),
        keys=tuple(member.session.key for member in chosen),
        repeats=repeats,
        calls=done.spent.calls,
        axes=axes,
        drops=_drops(suite, done, axes, baseline, now),
    )


def _check_enough(root: Path, there: int, chosen: int, repeats: int) -> None:
    if there < FEWEST_SESSIONS:
        raise SettingError(
            f"judge-noise: {root} holds {there} sessions, and {FEWEST_SESSIONS} are the fewest "
            "whose spread says anything of others; record more"
        )
    if chosen < FEWEST_SESSIONS:
        raise SettingError(
            f"judge-noise: --limit {chosen} is too small: {FEWEST_SESSIONS} sessions are the "
            "fewest whose spread says anything of others"
        )
    if chosen * (repeats - 1) < FEWEST_DEGREES:
        needed = -(-FEWEST_DEGREES // chosen) + 1
        raise SettingError(
            f"judge-noise: {chosen} sessions judged {repeats} times do not show a spread; judge "
            f"them {needed} times (-k {needed}), or more sessions"
        )


def _check_answered(done: SuiteRun) -> None:
    opinions = [op for result in done.results if result.verdict for op in result.verdict.opinions]
    missing = [reason for opinion in opinions if (reason := _unanswered(opinion))]
    if missing:
        raise SessionEvalError(
            f"judge-noise: {len(missing)} of {len(opinions)} answers did not come ({missing[0]}); "
            "nothing was measured. What was answered is kept: run again to ask for the rest"
        )


def _unanswered(opinion: Opinion) -> str:
    """Return why nobody answered; empty: somebody did."""
    for axis in opinion.axes.values():
        if isinstance(axis, Unscored) and axis.reason in NOT_ANSWERED:
            return axis.detail or axis.reason
    return ""


def _axes(suite: Suite, done: SuiteRun) -> tuple[AxisNoise, ...]:
    """Return the noise of every axis that has a score; by what a single repeat would have given."""
    verdicts = [
        [
            combine(
                suite.rubric,
                result.session,
                [op for op in result.verdict.opinions if op.repeat == repeat],
                from_store=False,
            ).scores
            for repeat in range(suite.settings.judge.repeats)
        ]
        for result in done.results
        if result.verdict is not None
    ]
    noises = (
        axis_noise(
            axis,
            [[scores.get(axis) for scores in repeated] for repeated in verdicts],
            done.thresholds.session.get(axis),
        )
        for axis in done.axes
    )
    return tuple(noise for noise in noises if noise.sessions)


def _keep(done: SuiteRun, axes: Sequence[AxisNoise], store: Store) -> None:
    judged_at = max(
        op.judged_at for result in done.results if result.verdict for op in result.verdict.opinions
    )
    store.put_noise(
        [
            MeasuredNoise(
                suite=done.suite,
                rubric_version=done.rubric_version,
                judge_version=done.judge.version,
                axis=noise.axis,
                sd=noise.sd,
                degrees=noise.degrees,
                measured_at=judged_at,
            )
            for noise in axes
            if noise.known and noise.sd is not None
        ]
    )


def _stored(panel: Panel, members: Sequence[Member], store: Store) -> list[SessionResult]:
    """Return the sessions whose verdict is in the store as a run would find it."""
    asked = {member.id: panel.questions(member.session) for member in members}
    known = store.opinions([question.key for questions in asked.values() for question in questions])
    results = []
    for member in members:
        opinions = [known[q.key] for q in asked[member.id] if q.key in known]
        if opinions and len(opinions) == len(asked[member.id]):
            verdict = combine(panel.suite.rubric, member.session, opinions, from_store=True)
            results.append(SessionResult(session=member.session, state="passed", verdict=verdict))
    return results


def _drops(
    suite: Suite,
    done: SuiteRun,
    axes: Sequence[AxisNoise],
    baseline: Baseline | None,
    now: Sequence[SessionResult],
) -> tuple[VisibleDrop, ...]:
    settings = suite.settings.gate or GateSettings()
    gated = settings.axes or tuple(axis.name for axis in suite.rubric.axes if axis.gated)
    judge = suite.settings.judge
    drops = []
    for noise in axes:
        if noise.axis not in gated or not noise.known or noise.sd is None:
            continue
        pairs = _pairs(baseline, done, now, noise.axis)
        drops.append(
            visible_drop(
                noise,
                margin=margin_of(settings, noise.axis),
                pairs=done.sources.sessions,
                baseline_repeats=max(judge.repeats, judge.baseline_repeats),
                repeats=judge.repeats,
                fewest=settings.min_pairs,
                differing=differences_sd(pairs, noise.sd),
            )
        )
    return tuple(drops)


def _pairs(
    baseline: Baseline | None, done: SuiteRun, now: Sequence[SessionResult], axis: str
) -> tuple[Pair, ...]:
    """Return how the suite's sessions lie against its baseline, where they can be compared."""
    if baseline is None:
        return ()
    made = baseline.versions
    if (made.rubric, made.judge, made.scoring) != (
        done.rubric_version,
        done.judge.version,
        SCORING_VERSION,
    ):
        return ()
    after = session_scores(now, done.axes, readers={})
    return axis_pairs(pair_sessions(baseline.sessions, after), (), axis).pairs

"""Advice on a suite: made of its report, the thumbs on its sessions and its baseline."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_sessioneval.gate.model import Baseline
from pytest_sessioneval.reports.advice.clusters import Grouped, grouped
from pytest_sessioneval.reports.advice.doubts import doubts
from pytest_sessioneval.reports.advice.facts import Thumbs, facts_of, references
from pytest_sessioneval.reports.advice.model import SuiteAdvice
from pytest_sessioneval.reports.advice.trend import Past, no_trend, trends
from pytest_sessioneval.reports.model import SuiteReport

__all__ = ["Background", "advise", "members"]

_VERSION = 1
"""Part of every digest: raised when the same verdicts give other advice."""


@dataclass(frozen=True, slots=True)
class Background:
    """What is known of a suite beside its report."""

    thumbs: Thumbs = field(default_factory=dict)
    """People's thumbs on its sessions."""
    baseline: Baseline | None = None
    """What it is held against; None: there is none."""


def advise(suite: SuiteReport, background: Background) -> SuiteAdvice:
    """Return the advice on a suite: the same for the same verdicts, thumbs and baseline."""
    held = references(suite)
    why_not = no_trend(suite, background.baseline)
    past = None
    if background.baseline is not None and not why_not:
        past = Past.of_baseline(background.baseline, held)
    found = _grouped(suite, background, past)
    advice = SuiteAdvice(
        digest="",
        references=held,
        clusters=found.clusters,
        more=found.more,
        more_impact=found.more_impact,
        leftovers=found.leftovers,
        doubts=tuple(doubts(suite)),
        trends=() if past is None else tuple(trends(suite, held, past)),
        no_trend=why_not,
    )
    return advice.model_copy(update={"digest": _digest(suite, advice)})


def members(suite: SuiteReport, background: Background) -> Mapping[str, tuple[str, ...]]:
    """Return the keys of every cluster's sessions, by its id; no report holds them."""
    return _grouped(suite, background, None).members


def _grouped(suite: SuiteReport, background: Background, past: Past | None) -> Grouped:
    thumbs = background.thumbs
    facts = facts_of(suite, references(suite), thumbs)
    return grouped(facts, suite, thumbs=thumbs, past=past)


def _digest(suite: SuiteReport, advice: SuiteAdvice) -> str:
    facts = advice.model_dump_json(exclude={"advisor", "follow_ups"})
    made_of = (str(_VERSION), suite.rubric_version, suite.judge.version, facts)
    return hashlib.sha256("\n".join(made_of).encode("utf-8", "replace")).hexdigest()[:16]

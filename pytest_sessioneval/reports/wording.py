"""The words that every report uses: scores, counts and reasons, each said in one way."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_sessioneval.judging.panel import EMBEDDED
from pytest_sessioneval.reports.model import Counts, Report, SessionReport, SuiteReport
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.suites.thresholds import Shortfall
from pytest_sessioneval.verdicts.model import (
    AxisOpinion,
    CallCount,
    Opinion,
    QuoteCount,
    Verdict,
)

__all__ = [
    "asked",
    "comparison",
    "cost",
    "count_list",
    "counted",
    "dollars",
    "experts_on",
    "headline",
    "held_against",
    "judged_by",
    "low_means",
    "mean_points",
    "not_shown",
    "points",
    "quotes_told",
    "short_axes",
    "short_name",
    "shortfall_text",
    "state_list",
    "title_shown",
]

_EMBEDDED_JUDGE = "embedded judge"
_LONGEST_TITLE = 60
_LABELS = 12
_SHORT_NAME = 24
_SHORT_ID = 13


def quotes_told(quotes: QuoteCount) -> str:
    """Return what became of the quotes that judges gave: ``312 quotes, 14 of them …``."""
    told = counted(quotes.given, "quote")
    if quotes.rejected:
        told += f", {quotes.rejected:,} of them proving nothing (not found there, or not admitted)"
    if quotes.moved:
        told += f", {quotes.moved:,} found in another message than the one cited"
    return told


def short_axes(axes: Iterable[str]) -> dict[str, str]:
    """Return every axis with what heads its column: its first word, where that is one axis's."""
    names = dict.fromkeys(axes)
    first = Counter(name.partition("_")[0] for name in names)
    return {
        name: word if first[word] == 1 else name
        for name in names
        for word in (name.partition("_")[0],)
    }


def points(score: float) -> str:
    """Return a score with at most one decimal: ``40``, ``66.7``."""
    return f"{score:.1f}".removesuffix(".0")


def mean_points(score: float) -> str:
    """Return a mean with exactly one decimal: ``40.0``."""
    return f"{score:.1f}"


def comparison(score: float, threshold: float) -> str:
    """Return ``39.97 < 40``: as many decimals as it takes to see that the score is lower."""
    for decimals in range(1, 6):
        shown = f"{score:.{decimals}f}"
        if float(shown) < threshold:
            return f"{shown.removesuffix('.0')} < {threshold:g}"
    return f"{score!r} < {threshold:g}"


def held_against(score: float, threshold: float, shown: str) -> tuple[str, str]:
    """Return ``("97.9", "≥ 90")`` or ``("59.8", "< 90")``: a score and how it stands.

    ``shown`` is the score as it is shown; it gets more decimals where it would
    look as if it met its threshold and does not.
    """
    if score >= threshold:
        return shown, f"≥ {threshold:g}"
    if float(shown) >= threshold:
        shown = comparison(score, threshold).partition(" ")[0]
    return shown, f"< {threshold:g}"


def low_means(suite: SuiteReport) -> str:
    """Return ``goal_completion 73.3 < 75 (n=3), …``: every mean that is too low; else nothing."""
    scored = {row.axis: row.scored for row in suite.means}
    return ", ".join(
        f"{shortfall_text(fall)} (n={scored.get(fall.axis, 0):,})" for fall in suite.mean_shortfalls
    )


def shortfall_text(shortfall: Shortfall) -> str:
    """Return ``goal_completion 40 < 60``."""
    return f"{shortfall.axis} {comparison(shortfall.score, shortfall.threshold)}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 session``, ``2 sessions``, ``12,000 sessions``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def count_list(counts: Mapping[str, int], limit: int | None = None) -> str:
    """Return ``3 failed, 1 declined``, most first; beyond ``limit`` kinds the rest as a number."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ordered if limit is None else ordered[:limit]
    words = [f"{number:,} {one_line(name, 60)}" for name, number in shown]
    if len(ordered) > len(shown):
        words.append(f"{sum(number for _, number in ordered[len(shown) :]):,} of other kinds")
    return ", ".join(words)


def state_list(counts: Counts) -> str:
    """Return ``30 passed, 4 below threshold; 1 more unreadable``; without what there is none of."""
    words = (
        (counts.passed, "passed"),
        (counts.below_threshold, "below threshold"),
        (counts.not_scored, "not scored"),
        (counts.error, "internal error" if counts.error == 1 else "internal errors"),
        (counts.not_run, "not run"),
        (counts.skipped, "left unjudged"),
    )
    states = ", ".join(f"{number:,} {word}" for number, word in words if number)
    if not counts.unreadable:
        return states
    return f"{states}; {counts.unreadable:,} more unreadable" if states else "none could be read"


def headline(report: Report) -> str:
    """Return what a reader must know first, in one line: never good news when nothing ran.

    What stops a merge comes before how the sessions did: they may all have passed.
    """
    stopped = {
        suite.suite: suite.gate.stopped_by for suite in report.suites if suite.gate is not None
    }
    stops = [
        f"{name}: {why}" if len(report.suites) > 1 else why for name, why in stopped.items() if why
    ]
    ended = _how_items_ended(report)
    return f"merge stopped, {', '.join(stops)}; {ended}" if stops else ended


def _how_items_ended(report: Report) -> str:
    counts = report.counts
    low = sum(len(suite.mean_shortfalls) for suite in report.suites)
    never = sum(len(suite.never_scored) for suite in report.suites)
    suite_wide = [f"{counted(low, 'mean')} below threshold"] if low else []
    if never:
        suite_wide.append(f"{counted(never, 'axis', 'axes')} with a threshold never scored")
    means = ", ".join(suite_wide)
    judged = counts.sessions - counts.not_run - counts.skipped
    if not judged and not counts.unreadable:
        return "no session was judged"
    if counts.failed:
        total = counts.sessions + counts.unreadable
        ended = "could not be scored" if counts.failed == counts.not_scored else "failed"
        failed = f"{counts.failed:,} of {counted(total, 'session')} {ended}"
        return f"{failed}, {means}" if means else failed
    if means:
        return f"{means}; {counted(judged, 'session')} passed"
    left = ((counts.not_run, "not run"), (counts.skipped, "left unjudged"))
    if any(number for number, _ in left):
        rest = ", ".join(f"{number:,} {word}" for number, word in left if number)
        return f"{counted(judged, 'session')} passed, {rest}"
    words = {1: "1 session passed", 2: "both sessions passed"}
    return words.get(judged, f"all {judged:,} sessions passed")


def title_shown(title: str | None, *names: str) -> str:
    """Return a session's title in quotes, shortened; empty without one that ``names`` have not."""
    shown = one_line(title or "", _LONGEST_TITLE)
    return "" if not shown or title in names else f"“{shown}”"


def short_name(session: SessionReport) -> str:
    """Return what to call a session where there is little room: its key, or its title.

    A long key gives way to the title; without one it keeps as much of its end
    as has room, at a ``/`` or ``::``, or else its beginning: ``-k`` finds both.
    """
    key = one_line(session.key)
    if len(key) <= _SHORT_NAME:
        return key
    if title := one_line(session.title or "", _SHORT_NAME - 2):
        return f"“{title}”"
    ends = (cut.end() for cut in re.finditer(r"/|::", key))
    fitting = (key[end:] for end in ends if 0 < len(key) - end <= _SHORT_NAME)
    last = re.split(r"/|::", key)[-1] or key
    return next(fitting, one_line(last, _SHORT_ID))


def not_shown(verdict: Verdict) -> str:
    """Return what of the session a judge was not shown, in one line; empty: nothing.

    The opinion that was shown least speaks for all: the share of the session's
    characters, how it was read, and which messages are missing or incomplete.
    """
    least = min(verdict.opinions, key=lambda opinion: opinion.coverage, default=None)
    view = next((opinion.view for opinion in verdict.opinions if opinion.view), None)
    if least is None or (least.coverage == 1 and view is None):
        return ""
    view = least.view or view
    share = f"{int(least.coverage * 100)} %"
    if view is None:
        return f"shortened for the judge to {share} of its text"
    said = [f"shortened for the judge to {share} of its text"]
    if view.parts:
        dropped = f", {view.dropped:,} more had no place" if view.dropped else ""
        read = f"{share} of its text was read in {counted(view.parts, 'part')}"
        scored = f"scored from {counted(view.quotes, 'quote')} of them{dropped}"
        said = [f"too long for the judge: {read}, {scored}"]
    if view.left_out:
        said.append(f"left out: {_few(view.left_out)}")
    if view.shortened:
        said.append(f"shown in part: {_few(view.shortened, view.more_shortened)}")
    return "; ".join(said)


def _few(labels: Sequence[str], others: int = 0) -> str:
    more = len(labels) - _LABELS + others
    shown = ", ".join(labels[:_LABELS])
    return f"{shown} and {more:,} more" if more > 0 else shown


def judged_by(suite: SuiteReport) -> str:
    """Return ``3 experts, openai:gpt-5-mini``; seats with a model of their own are counted in.

    The embedded judge is no expert and no model: ``embedded judge``.
    """
    judge = suite.judge
    if judge.model == EMBEDDED and len(judge.seats) == 1:
        return _EMBEDDED_JUDGE
    models = dict.fromkeys([judge.model, *(seat.model for seat in judge.seats)])
    if judge.seats and judge.model not in {seat.model for seat in judge.seats}:
        del models[judge.model]
    repeats = f", {judge.repeats} repeats" if judge.repeats > 1 else ""
    return f"{counted(len(judge.seats), 'expert')}, {' and '.join(models)}{repeats}"


def cost(spent: CallCount) -> str:
    """Return ``$0.41``; where not every price is known, what is; empty: nothing to say."""
    known = dollars(spent.cost_usd)
    if not spent.unpriced_calls:
        return known if spent.cost_usd else ""
    unknown = f"{counted(spent.unpriced_calls, 'call')} of unknown price"
    return f"{known} and {unknown}" if spent.cost_usd else ""


def dollars(amount: float) -> str:
    """Return an amount with two decimals, below a dime with four."""
    return f"${amount:,.2f}" if amount >= 0.1 or not amount else f"${amount:.4f}"  # noqa: PLR2004


def asked(spent: CallCount) -> str:
    """Return ``38 calls (2 retries), 12,000 tokens in, 900 out``; empty when nobody was asked."""
    if not spent.calls:
        return ""
    extra = [
        counted(number, noun, plural)
        for number, noun, plural in (
            (spent.retries, "retry", "retries"),
            (spent.repairs, "repair", "repairs"),
        )
        if number
    ]
    calls = counted(spent.calls, "call") + (f" ({', '.join(extra)})" if extra else "")
    if not spent.input_tokens and not spent.output_tokens:
        return calls
    cached = f" ({spent.cached_tokens:,} cached)" if spent.cached_tokens else ""
    thought = f" ({spent.reasoning_tokens:,} reasoning)" if spent.reasoning_tokens else ""
    tokens = f"{spent.input_tokens:,} tokens in{cached}, {spent.output_tokens:,} out{thought}"
    return f"{calls}, {tokens}"


def experts_on(verdict: Verdict, axis: str) -> Iterator[tuple[str, AxisOpinion]]:
    """Yield who answered the axis and what they said, in panel order; repeats are told apart."""
    for opinion in verdict.opinions:
        said = opinion.axes.get(axis)
        if said is not None:
            yield _speaker(opinion), said


def _speaker(opinion: Opinion) -> str:
    if opinion.expert_id == EMBEDDED and opinion.judge_model.partition("@")[0] == EMBEDDED:
        return _EMBEDDED_JUDGE
    repeat = f" (repeat {opinion.repeat + 1})" if opinion.repeat else ""
    return opinion.expert_id + repeat

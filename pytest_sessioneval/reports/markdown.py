"""``report.md``: what ran, what failed and why, for a reviewer who has two minutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from pytest_sessioneval.judging.panel import EMBEDDED
from pytest_sessioneval.reports.advice.markdown import first_advice
from pytest_sessioneval.reports.markdown_gate import gate_section
from pytest_sessioneval.reports.markdown_scores import lowest_sessions, session_table
from pytest_sessioneval.reports.markdown_sessions import (
    Link,
    broken_sessions,
    details,
    failing_sessions,
    no_link,
    unscored_sessions,
)
from pytest_sessioneval.reports.model import AxisReport, Report, SuiteReport
from pytest_sessioneval.reports.neutralise import code_span, markdown_text
from pytest_sessioneval.reports.reasons import missing_scores
from pytest_sessioneval.reports.steered import steered_section
from pytest_sessioneval.reports.wording import (
    asked,
    cost,
    count_list,
    counted,
    dollars,
    headline,
    held_against,
    judged_by,
    low_means,
    mean_points,
    points,
    quotes_told,
    state_list,
)
from pytest_sessioneval.verdicts.means import COMPLEXITY, AxisMean
from pytest_sessioneval.verdicts.model import CallCount, UnscoredReason

__all__ = ["render_markdown"]

_LISTED = 50
_EXAMPLES = 3
_LIMITS = {
    (True, True): " A mean stands against the suite's threshold, the lowest score against that of "
    "every session.",
    (True, False): " A mean stands against the suite's threshold.",
    (False, True): " The lowest score stands against the threshold of every session.",
    (False, False): "",
}
_DOUBTFUL: tuple[UnscoredReason, ...] = ("unverified", "tampered")


def render_markdown(report: Report, link: Link = no_link, *, advice: str | None = None) -> str:
    """Return the report as GitHub-flavoured Markdown, ending in a line feed.

    ``link`` makes the target of a link to a transcript from its path under the
    run's root; without one, paths are shown and not linked. ``advice`` is where
    ``advice.md`` is to be seen; None: nowhere from here. Nothing that a
    transcript or a judge wrote is Markdown, HTML, a link or a mention.
    """
    return "\n".join(_lines(report, link, advice)) + "\n"


def _lines(report: Report, link: Link, advice: str | None) -> Iterator[str]:
    yield f"# Session scores: {markdown_text(headline(report))}"
    yield ""
    for warning in _warnings(report):
        yield f"> **{markdown_text(warning)}**"
        yield ""
    if not report.suites:
        yield "No suite was run."
        yield ""
    for suite in report.suites:
        yield from _suite(suite, link, advice)
    yield from _provenance(report)


def _warnings(report: Report) -> Iterator[str]:
    if report.interrupted:
        yield "The run was broken off: averages are over the sessions judged until then."
    if report.partial:
        yield f"Only a part of the suites was run: {report.partial}."


def _suite(suite: SuiteReport, link: Link, advice: str | None) -> Iterator[str]:
    yield f"## {markdown_text(suite.suite)}"
    yield ""
    yield " ".join(_opening(suite))
    yield ""
    if suite.judge.notice:
        yield f"> {markdown_text(suite.judge.notice)}"
        yield ""
    yield from _advice(suite, advice)
    yield from gate_section(suite, link)
    yield from unscored_sessions(suite, link)
    yield from _averages(suite)
    yield from failing_sessions(suite, link)
    yield from broken_sessions(suite, link)
    yield from lowest_sessions(suite, link)
    yield from session_table(suite, link)
    yield from _missing_scores(suite)
    yield from steered_section(suite, link)
    yield from _complexity(suite)
    yield from _sources(suite)
    yield from _notes(suite)


def _opening(suite: SuiteReport) -> Iterator[str]:
    counts = suite.counts
    states = state_list(counts)
    ran = f"{counted(counts.sessions, 'session')}{': ' + states if states else ''}."
    yield f"**{markdown_text(ran)}**"
    article = "the " if suite.judge.model == EMBEDDED else ""
    yield f"Judged by {article}{markdown_text(judged_by(suite))},"
    yield f"with rubric {code_span(suite.rubric_version.partition('#')[0])};"
    yield f"{suite.judged:,} judged in this run, {suite.from_store:,} from the store."
    if suite.standing is not None:
        yield markdown_text(f"{suite.standing.line[:1].upper()}{suite.standing.line[1:]}.")
    if low := low_means(suite):
        yield f"**{markdown_text(f'Mean below threshold: {low}.')}**"
    for axis in suite.never_scored:
        words = f"{axis} has a threshold, and no session was scored on it."
        yield f"**{markdown_text(words)}**"
    if not suite.thresholds.session and not suite.thresholds.mean:
        yield "No threshold is set: a session passes once it is judged."


def _advice(suite: SuiteReport, target: str | None) -> Iterator[str]:
    if first := first_advice(suite):
        more = "" if target is None else f": see [advice.md]({target})"
        yield f"What costs most: {first}{more}."
        yield ""


def _averages(suite: SuiteReport) -> Iterator[str]:
    if not any(row.scored for row in suite.means):
        return
    yield "### Averages"
    yield ""
    below = bool(suite.thresholds.session)
    yield f"| axis | mean | n | min |{' below |' if below else ''} no score |"
    yield f"|---|--:|--:|--:|{'--:|' if below else ''}---|"
    low = {fall.axis: fall.score for fall in suite.mean_shortfalls}
    for row in suite.means:
        yield _average(row, low.get(row.axis), below=below)
    yield ""
    limits = _LIMITS[bool(suite.thresholds.mean), bool(suite.thresholds.session)]
    yield f"Means are over scored sessions only; *n* is how many of how many.{limits}"
    yield ""


def _average(row: AxisReport, low: float | None, *, below: bool) -> str:
    """Return the axis's row; ``low`` is the unrounded mean where it missed its threshold."""
    absent = {str(reason): number for reason, number in row.unscored.items()}
    if row.unjudged:
        absent["without a verdict"] = row.unjudged
    mean = row.mean if low is None else low
    cells = [
        markdown_text(row.axis),
        "–" if mean is None else _against(mean, row.mean_threshold, mean_points(mean)),
        f"{row.scored:,} of {row.sessions:,}",
        "–"
        if row.minimum is None
        else _against(row.minimum, row.session_threshold, points(row.minimum)),
        markdown_text(count_list(absent)) if absent else "–",
    ]
    if below:
        missed = f"**{row.below:,}**" if row.below else "0"
        cells.insert(4, "–" if row.session_threshold is None else missed)
    return f"| {' | '.join(cells)} |"


def _against(score: float, threshold: float | None, shown: str) -> str:
    if threshold is None:
        return shown
    text = " ".join(held_against(score, threshold, shown))
    return f"**{text}**" if score < threshold else text


def _missing_scores(suite: SuiteReport) -> Iterator[str]:
    """Yield why scores are missing, by reason and axis, and what to do about each."""
    rows = missing_scores(suite)
    if not rows:
        return
    yield "### Why scores are missing"
    yield ""
    yield "| reason | sessions | what it means | what to do |"
    yield "|---|---|---|---|"
    for row in rows:
        axes = ", ".join(f"{axis} {number:,}" for axis, number in row.axes.items())
        cells = (
            f"`{row.reason}`",
            markdown_text(axes, 600),
            markdown_text(row.meaning, 600),
            markdown_text(row.remedy, 600),
        )
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield from _stated(suite)


def _stated(suite: SuiteReport) -> Iterator[str]:
    """Yield what was said most often where the answers themselves were doubtful."""
    said: dict[UnscoredReason, Counter[str]] = {reason: Counter() for reason in _DOUBTFUL}
    for session in suite.sessions:
        results = session.verdict.axes.values() if session.verdict is not None else ()
        for reason, detail in {(r.reason, r.detail) for r in results if r.kind == "unscored"}:
            if detail and reason in said:
                said[reason][detail] += 1
    for reason, details_said in said.items():
        if not details_said:
            continue
        ordered = sorted(details_said.items(), key=lambda item: (-item[1], item[0]))
        yield f"Of `{reason}` was said:"
        yield ""
        for detail, number in ordered[:_EXAMPLES]:
            yield f"- {counted(number, 'session')}: {markdown_text(detail, 300)}"
        if len(ordered) > _EXAMPLES:
            yield f"- and {counted(len(ordered) - _EXAMPLES, 'other reason')}: see report.json"
        yield ""


def _complexity(suite: SuiteReport) -> Iterator[str]:
    if not suite.buckets:
        return
    yield "### By complexity"
    yield ""
    names = [f"{bucket.bucket} ({bucket.sessions:,})" for bucket in suite.buckets]
    yield f"| axis | {' | '.join(names)} |"
    yield f"|---|{'--:|' * len(names)}"
    for place, axis in enumerate(suite.axes):
        if axis == COMPLEXITY or all(bucket.means[place].mean is None for bucket in suite.buckets):
            continue
        cells = [_bucket_cell(bucket.means[place]) for bucket in suite.buckets]
        yield f"| {markdown_text(axis)} | {' | '.join(cells)} |"
    yield ""
    bucketed = sum(bucket.sessions for bucket in suite.buckets)
    left = suite.counts.sessions - bucketed
    rest = f"; {counted(left, 'session')} without a score of it left out" if left else ""
    yield f"Columns are bands of `{COMPLEXITY}` with their number of sessions{rest}."
    yield ""


def _bucket_cell(mean: AxisMean) -> str:
    return "–" if mean.mean is None else f"{mean_points(mean.mean)} (n={mean.scored:,})"


def _sources(suite: SuiteReport) -> Iterator[str]:
    sources = suite.sources
    yield "### Sources"
    yield ""
    found = f"{counted(sources.sessions, 'session')} in {counted(sources.files_read, 'file')}"
    chosen = f", {sources.deselected:,} deselected" if sources.deselected else ""
    yield f"- read: {found}{chosen}"
    if sources.skipped_lines:
        skipped = _kinds(sources.skipped_lines)
        yield f"- lines skipped, the rest of their session being sound: {skipped}"
    if sources.unknown_records:
        yield f"- records of unknown kinds left out: {_kinds(sources.unknown_records)}"
    if suite.redacted:
        yield f"- secrets replaced before anything left the process: {_kinds(suite.redacted)}"
    if suite.spent != CallCount():
        yield f"- asked of judges: {markdown_text(asked(suite.spent))}"
        if price := cost(suite.spent):
            each = suite.cost_per_verdict_usd
            verdict = f" ({dollars(each)} a verdict)" if each is not None else ""
            yield f"- cost: {markdown_text(price + verdict)}"
    advisor = suite.advice.advisor if suite.advice is not None else None
    if advisor is not None and (told := asked(advisor.spent)):
        price = cost(advisor.spent)
        yield f"- asked of the advisor: {markdown_text(f'{told}, {price}' if price else told)}"
    if suite.quotes.given:
        yield f"- evidence looked up: {quotes_told(suite.quotes)}"
    yield ""
    yield from details(
        "Files without a session",
        [f"- {code_span(path, 300)}" for path in sources.not_sessions],
        _LISTED,
    )
    yield from details(
        "Copies and earlier states of sessions, left out",
        [
            f"- {code_span(gone, 300)}: kept {code_span(kept, 300)}"
            for gone, kept in sources.duplicates
        ],
        _LISTED,
    )


def _kinds(counts: Mapping[str, int]) -> str:
    return markdown_text(count_list(counts, 10))


def _notes(suite: SuiteReport) -> Iterator[str]:
    if not suite.notes:
        return
    yield "### Notes"
    yield ""
    for note in suite.notes:
        yield f"- {markdown_text(note, 1_000)}"
    yield ""


def _provenance(report: Report) -> Iterator[str]:
    made = report.provenance
    seconds = (report.finished_at - report.started_at).total_seconds()
    facts = [
        f"run {code_span(report.run_id)}",
        f"{report.started_at:%Y-%m-%d %H:%M} UTC, {seconds:.0f} s",
        f"pytest-sessioneval {markdown_text(made.tool_version)}",
        f"Python {markdown_text(made.python)}",
    ]
    if made.git_commit:
        branch = f" on {code_span(made.git_branch)}" if made.git_branch else ""
        dirty = " with uncommitted changes" if made.git_dirty else ""
        facts.append(f"commit {code_span(made.git_commit[:12])}{branch}{dirty}")
    yield "---"
    yield ""
    yield " · ".join(facts)
    versions = [
        f"- {markdown_text(suite.suite)}: rubric {code_span(suite.rubric_version)}, "
        f"judge {code_span(suite.judge.version)}"
        for suite in report.suites
    ]
    if versions:
        yield ""
        yield from versions

"""The end of a run: reports written, what they say shown, and the exit they decide."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from pytest_sessioneval.errors import SessionEvalError, StoreError, UsageError
from pytest_sessioneval.evaluation.advising import with_advice
from pytest_sessioneval.evaluation.baselines import BaselineWritten
from pytest_sessioneval.evaluation.cards import standings
from pytest_sessioneval.evaluation.deciding import decide_run, write_baselines
from pytest_sessioneval.evaluation.evaluation import Evaluation
from pytest_sessioneval.evaluation.plan import Plan
from pytest_sessioneval.evaluation.provenance import provenance
from pytest_sessioneval.gate.properties import decision_properties
from pytest_sessioneval.gate.result import GateResult
from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.markdown import render_markdown
from pytest_sessioneval.reports.model import Report
from pytest_sessioneval.reports.neutralise import one_line
from pytest_sessioneval.reports.terminal import terminal_lines
from pytest_sessioneval.reports.wording import comparison
from pytest_sessioneval.reports.writing import append_step_summary, links_under, write_reports
from pytest_sessioneval.shell.local import LocalSource
from pytest_sessioneval.shell.longrepr import FailureText
from pytest_sessioneval.shell.settings import RunSettings
from pytest_sessioneval.verdicts.run import Run, SuiteRun

__all__ = ["Outcome", "conclude", "report_no_gate"]

_FINISHED = (
    pytest.ExitCode.OK,
    pytest.ExitCode.TESTS_FAILED,
    pytest.ExitCode.NO_TESTS_COLLECTED,
)
# A gate that must not be passed over fails a run that selected nothing, too.
_MAY_FAIL = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
_LINE = 400
_MARKUP: dict[str, dict[str, bool]] = {
    "strong": {"bold": True},
    "good": {"green": True},
    "bad": {"red": True},
    "warn": {"yellow": True},
    "dim": {"light": True},
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the terminal summary prints."""

    report: Report
    written: tuple[str, ...]
    problems: tuple[str, ...]
    moved: tuple[str, ...] = ()
    """What writing baselines changed, a line each."""

    def show(self, reporter: pytest.TerminalReporter) -> None:
        """Print the section."""
        width = reporter.config.get_terminal_writer().fullwidth
        for line in terminal_lines(self.report, written=self.written, width=width):
            if line.style == "title":
                # unlike section(), ends the line of our own synthetic reports first
                reporter.write_sep("=", line.text)
            else:
                reporter.write_line(line.text, **_MARKUP.get(line.style, {}))
        for sentence in self.moved:
            reporter.write_line(sentence)
        for problem in self.problems:
            reporter.write_line(problem, red=True)


def conclude(
    source: LocalSource,
    settings: RunSettings,
    session: pytest.Session,
    *,
    exitstatus: int,
    reported: Collection[tuple[str, str]],
) -> Outcome | None:
    """Finish the run, write its reports, and let thresholds on the whole suite decide the exit.

    A part of a shared run that is not the last to end decides nothing on means
    and gates; the last one decides on all parts.

    The exit becomes 1 if and only if it was 0 and something here did not hold.
    Returns None when no suite was run.
    """
    config = session.config
    finished = exitstatus in _FINISHED
    ended = _end(source, settings, root=config.rootpath, finished=finished, reported=reported)
    run, evaluation, problems = ended.run, ended.evaluation, ended.problems
    if not (run.suites or problems):
        return None
    gates: Mapping[str, GateResult] = {}
    moved: tuple[str, ...] = ()
    try:
        if finished and settings.gate.update:
            moved = _baseline_lines(
                write_baselines(run, evaluation.plan, given=settings.gate.baseline)
            )
        elif ended.decides:
            gates = decide_run(
                run,
                evaluation.plan,
                people=evaluation.people(),
                looks=evaluation.looks,
                require=settings.gate.require,
                under=settings.gate.under,
                drop=settings.gate.drop,
                noise=evaluation.judge_noise,
            )
    except (UsageError, StoreError) as error:
        problems.append(str(error))
    report = build_report(run, gates, standings(run, evaluation.plan, out=settings.out))
    try:
        report = with_advice(report, evaluation.plan, source.store)
        if settings.advisor is not None and ended.decides and not settings.evaluation.offline:
            report = _suggested(report, settings, source, evaluation.plan, config)
    except StoreError as error:  # advice is worth no report
        problems.append(f"internal error: {error}")
    if settings.part is not None and not ended.decides:
        report = report.model_copy(update={"run_id": settings.part.name})
    written = _written(report, settings, config, problems)
    held = [_report_thresholds(suite, session) for suite in run.suites] if ended.decides else []
    held += [_report_gate(suite, result, session) for suite, result in gates.items()]
    decided = any(result.decision is not None for result in gates.values())
    excused = decided or problems or settings.gate.update or not ended.decides
    if settings.gate.require and not excused:
        report_no_gate(session, exitstatus)
    if exitstatus in _MAY_FAIL and (problems or not all(held)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    config.hook.pytest_sessioneval_run_finished(run=run)
    return Outcome(report, written, tuple(problems), (*moved, *ended.said))


@dataclass(frozen=True, slots=True)
class _End:
    """A run that has ended: of this process, or of all parts where this was the last one."""

    evaluation: Evaluation
    run: Run
    decides: bool
    """Means and gates are decided now, on this run."""
    problems: list[str]
    said: tuple[str, ...] = ()


def _end(
    source: LocalSource,
    settings: RunSettings,
    *,
    root: Path,
    finished: bool,
    reported: Collection[tuple[str, str]],
) -> _End:
    evaluation, part = source.evaluation, settings.part
    run = evaluation.finish(
        provenance=provenance(root),
        reported=lambda suite, member: (suite, member) in reported,
        interrupted=not finished,
    )
    problems: list[str] = []
    said: tuple[str, ...] = ()
    decides = finished and part is None
    try:
        if part is not None:
            shared = source.end_part(part, run, finished=finished)
            said = (one_line(shared.said, _LINE),)
            decides = shared.decides
            if decides:
                evaluation = source.whole()
                run = evaluation.finish(
                    provenance=run.provenance, reported=lambda _suite, _member: True
                )
        if part is None or decides:
            evaluation.keep(run)
    except StoreError as error:  # the verdicts are kept already: they are worth a report
        problems.append(f"internal error: {error}")
    return _End(evaluation, run, decides, problems, said)


def _suggested(
    report: Report,
    settings: RunSettings,
    source: LocalSource,
    plan: Plan,
    config: pytest.Config,
) -> Report:
    """Return the report with what the advisor makes of it."""
    # Brings prompts and replies of judges that are asked in words: most runs ask no such model.
    from pytest_sessioneval.evaluation.advisor import (  # noqa: PLC0415
        AdvisorTerms,
        with_suggestions,
    )

    terms = AdvisorTerms(
        model=settings.advisor or "",
        environ=os.environ,
        timeout_s=settings.timeout_s,
        max_calls=settings.evaluation.max_calls,
        max_cost_usd=settings.evaluation.max_cost_usd,
        models=settings.evaluation.models,
    )

    def announce(line: str) -> None:
        _say(config, one_line(line, _LINE))

    now = datetime.now(UTC)
    return with_suggestions(report, plan, source.store, terms, now=now, announce=announce)


def _written(
    report: Report, settings: RunSettings, config: pytest.Config, problems: list[str]
) -> tuple[str, ...]:
    """Write the reports and return their paths; what is in the way is added to ``problems``."""
    written: tuple[str, ...] = ()
    try:
        files = write_reports(
            report,
            settings.out,
            root=config.rootpath,
            json_path=settings.json,
            md_path=settings.md,
        )
        written = tuple(_shown(path, config) for path in files.paths)
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if summary:
            links = links_under(_commit_url(os.environ))
            append_step_summary(Path(summary), render_markdown(report, links))
    except SessionEvalError as error:
        problems.append(f"report not written: {error}")
    return written


def _baseline_lines(written: Sequence[BaselineWritten]) -> tuple[str, ...]:
    return tuple(one_line(line, _LINE) for baseline in written for line in baseline.lines())


def _report_gate(suite: str, result: GateResult, session: pytest.Session) -> bool:
    """Emit the test report ``SUITE::gate``; return whether the merge may go ahead.

    A gate that did not run, because the whole suite was left out, is no test.
    """
    decision = result.decision
    if decision is not None and decision.status == "not_run" and not decision.blocks:
        return True
    failure = "\n".join(one_line(line, _LINE) for line in result.failure)
    properties = [] if decision is None else decision_properties(decision)
    _emit(session, f"{suite}::gate", failure, properties)
    return not result.blocks


def report_no_gate(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run whose gate was required, and which had none to decide.

    Else moving a suite, or removing its ``[gate]``, would turn a merge green.
    """
    if exitstatus not in _FINISHED:
        return
    _emit(
        session,
        "sessioneval::gate",
        "no suite with a [gate] was in this run, and --sessioneval-require-gate asks for one: "
        "name the suite's folder, or add [gate] to its sessioneval.toml",
    )
    if exitstatus in _MAY_FAIL:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _report_thresholds(suite: SuiteRun, session: pytest.Session) -> bool:
    """Emit the test report ``SUITE::thresholds``; return whether the thresholds held.

    A report of its own, so that the last line, JUnit XML and other plugins see
    it. Nothing is decided when nothing was judged, or when the run stopped
    before all that was selected had its turn.
    """
    judged = suite.judged + suite.from_store
    stopped = any(result.state == "not_run" for result in suite.results)
    if stopped or not judged or not (suite.thresholds.mean or suite.thresholds.session):
        return True
    lines = [
        f"mean of {fall.axis} below threshold: {comparison(fall.score, fall.threshold)}"
        for fall in suite.mean_shortfalls
    ]
    lines += [
        f"{axis}: has a threshold, and none of {judged} judged sessions has a score; "
        "remove the threshold, or look at why it was never scored"
        for axis in suite.never_scored
    ]
    _emit(session, f"{suite.suite}::thresholds", "\n".join(lines))
    return not lines


def _emit(
    session: pytest.Session,
    nodeid: str,
    failure: str,
    properties: Sequence[tuple[str, object]] = (),
) -> None:
    hook, place = session.config.hook, (nodeid.partition("::")[0], None, nodeid)
    # The type pytest names is private; any object that writes itself serves.
    longrepr: Any = FailureText(failure) if failure else None
    outcome: Literal["passed", "failed"] = "failed" if failure else "passed"
    _begin_line(session.config)
    session.testscollected += 1  # else the terminal's progress would end at more than 100 %
    hook.pytest_runtest_logstart(nodeid=nodeid, location=place)
    phases: tuple[Literal["setup", "call", "teardown"], ...] = ("setup", "call", "teardown")
    for when in phases:
        called = when == "call"
        report = pytest.TestReport(
            nodeid=nodeid,
            location=place,
            keywords={"sessioneval": 1},
            outcome=outcome if called else "passed",
            longrepr=longrepr if called else None,
            when=when,
            user_properties=[*properties],
        )
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=nodeid, location=place)


def _begin_line(config: pytest.Config) -> None:
    """Have the terminal begin a line: the progress of the run loop ends the one it is on."""
    reporter: pytest.TerminalReporter | None = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    if reporter.showfspath or reporter.showlongtestinfo:
        reporter.currentfspath = None  # whatever is named next then begins a line of its own
    else:
        reporter.write("\n")


def _say(config: pytest.Config, line: str) -> None:
    """Print a line of its own while the progress of the run loop may be on one."""
    reporter: pytest.TerminalReporter | None = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    if not (reporter.showfspath or reporter.showlongtestinfo):
        reporter.write("\n")  # the dots of -q end no line by themselves
    reporter.write_line(line)


def _commit_url(environ: Mapping[str, str]) -> str | None:
    """Return where GitHub shows the files of the commit under test; None elsewhere."""
    parts = [environ.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "SHA")]
    if not all(parts):
        return None
    server, repository, commit = parts
    return f"{server}/{repository}/blob/{commit}"


def _shown(path: Path, config: pytest.Config) -> str:
    relative = os.path.relpath(path, config.invocation_params.dir)
    return str(path) if relative.startswith("..") else relative

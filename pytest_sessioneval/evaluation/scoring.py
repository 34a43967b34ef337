"""Suites evaluated without pytest: the same selection, judges, thresholds, gate and report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_sessioneval.errors import SettingError, SuiteError
from pytest_sessioneval.evaluation.advising import with_advice
from pytest_sessioneval.evaluation.cards import standings
from pytest_sessioneval.evaluation.deciding import decide_run
from pytest_sessioneval.evaluation.direct import Announce, DirectRun, suite_in
from pytest_sessioneval.evaluation.early_stopping import check_early_stopping
from pytest_sessioneval.evaluation.gating import Reference, check_reference, reference_of
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.plan import Plan, PlannedSession, SuitePlan, plan_suite
from pytest_sessioneval.evaluation.scanning import Scan, nothing_found
from pytest_sessioneval.evaluation.selection import Selection, select
from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.model import Report
from pytest_sessioneval.suites.discovery import find_suite_file
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.verdicts.run import FileProblem, Run, SessionResult

__all__ = ["Scored", "ScoringRequest", "score"]

_MISSED = {"below_threshold", "not_scored", "error"}


@dataclass(frozen=True, slots=True)
class ScoringRequest:
    """What to evaluate."""

    paths: tuple[Path, ...]
    """Folders, each a suite, and files of sessions."""
    judge: str | None = None
    """Who judges instead of the suites' judges; None: they do."""
    selection: Selection = field(default_factory=Selection)
    """Which of the sessions."""
    profile: str | None = None
    """Only sessions of this profile."""
    require_gate: bool = False
    """A gate that could not decide fails the run, and so does a run without one."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What came of it."""

    report: Report
    missed: tuple[SessionResult, ...]
    """The sessions that a test would fail for, in order."""
    problems: tuple[FileProblem, ...]
    """What could not be read."""
    gate_missing: bool
    """A gate was required, and no suite has one that could decide."""
    held: bool
    """Every session, every mean and every gate held, and everything could be read."""


@dataclass(slots=True)
class _Named:
    """A suite, and the files in it that were named; none: all of it."""

    suite: Suite
    files: list[Path]
    whole: bool = False


def score(request: ScoringRequest, run: DirectRun, *, announce: Announce, out: Path) -> Scored:
    """Return what came of evaluating what was asked for; the run is kept in the store.

    ``out`` is the output folder, where judges' cards lie.

    Raises ``UsageError`` before anybody is asked, and ``StoreError``.
    """
    scans = [_scanned(named, request, run) for named in _suites(request)]
    _check_profile(request, scans)
    plans = [_planned(one, request, run) for one in scans]
    for one in plans:
        panel = run.evaluation.panel(one.suite)
        check_early_stopping(one.suite, shortcuts=False)
        check_reference(
            one.reference, rubric_version=panel.rubric_version, judge_version=panel.version
        )
    plan = Plan(suites=tuple(plans), partial=_partial(plans, request))
    done = run.evaluate(plan, announce)
    evaluation = run.evaluation
    gates = decide_run(
        done,
        plan,
        people=evaluation.people(),
        looks=evaluation.looks,
        require=request.require_gate,
        noise=evaluation.judge_noise,
    )
    decided = any(gate.decision is not None for gate in gates.values())
    missed = tuple(
        result for suite in done.suites for result in suite.results if result.state in _MISSED
    )
    problems = tuple(problem for suite in done.suites for problem in suite.sources.problems)
    missing = request.require_gate and not decided
    stopped = any(gate.blocks for gate in gates.values())
    return Scored(
        report=with_advice(
            build_report(done, gates, standings(done, plan, out=out)), plan, run.store
        ),
        missed=missed,
        problems=problems,
        gate_missing=missing,
        held=not (missed or problems or missing or stopped or _means_missed(done)),
    )


def _suites(request: ScoringRequest) -> Iterator[_Named]:
    """Yield the suites that the paths lie in, each once, by names that differ."""
    named: dict[Path, _Named] = {}
    for path in request.paths:
        root = _root_of(path)
        if root not in named:
            named[root] = _Named(suite_in(root, request.judge), [])
        if path.is_dir():
            named[root].whole = True
        else:
            named[root].files.append(path.absolute())
    names: set[str] = set()
    for root, one in named.items():
        if one.suite.name in names:
            one.suite = one.suite.model_copy(update={"name": root.as_posix()})
        names.add(one.suite.name)
        yield one


def _root_of(path: Path) -> Path:
    """Return the suite's folder: the folder itself, or the nearest with a suite file above a file.

    Raises ``SettingError`` where there is nothing at the path.
    """
    if path.is_dir():
        return path.absolute()
    if not path.is_file():
        raise SettingError(f"{path}: there is no such file or folder; name one with sessions")
    parents = path.absolute().parents
    return next((folder for folder in parents if find_suite_file(folder) is not None), parents[0])


@dataclass(frozen=True, slots=True)
class _Scanned:
    """What lies in a suite, and the files in it that were named; none: all of it."""

    found: Scan
    reference: Reference
    files: tuple[Path, ...]


def _scanned(named: _Named, request: ScoringRequest, run: DirectRun) -> _Scanned:
    reference = reference_of(named.suite, judge=request.judge)
    files = () if named.whole else tuple(named.files)
    found = run.scan(reference.suite, files)
    if not found.members and not found.problems:
        raise SuiteError(nothing_found(reference.suite, len(found.sources.not_sessions), files))
    return _Scanned(found, reference, files)


def _check_profile(request: ScoringRequest, scans: Sequence[_Scanned]) -> None:
    """Raise ``SettingError`` for a profile that no session has: a run of nothing would hold."""
    profiles = {member.session.summary.profile_id for one in scans for member in one.found.members}
    if request.profile is not None and request.profile not in profiles:
        known = ", ".join(sorted(one for one in profiles if one is not None)) or "none"
        raise SettingError(
            f"--profile: no session names the profile {request.profile!r}; there are: {known}"
        )


def _planned(scanned: _Scanned, request: ScoringRequest, run: DirectRun) -> SuitePlan:
    chosen = _chosen(scanned.found, scanned.files, request, run)
    sessions = [PlannedSession(member=member) for member in chosen]
    return plan_suite(scanned.found, scanned.reference, sessions)


def _chosen(
    found: Scan, files: Sequence[Path], request: ScoringRequest, run: DirectRun
) -> tuple[Member, ...]:
    members = [
        member
        for member in found.members
        if (not files or member.path in files)
        and (request.profile is None or member.session.summary.profile_id == request.profile)
    ]
    evaluated: frozenset[str] = frozenset()
    if request.selection.scope == "unevaluated":
        evaluated = run.evaluation.evaluated(found.suite, members)
    return select(members, request.selection, evaluated=evaluated)


def _partial(plans: Sequence[SuitePlan], request: ScoringRequest) -> str:
    left_out = sum(len(plan.left_out) for plan in plans)
    if not left_out:
        return ""
    selection = request.selection
    options = {
        "--scope": selection.scope != "all",
        "--since": selection.since is not None,
        "--limit": selection.limit is not None,
        "--shard": selection.shard is not None,
        "--profile": request.profile is not None,
    }
    given = " ".join(name for name, value in options.items() if value) or "paths"
    return f"{left_out} sessions were left out ({given})"


def _means_missed(run: Run) -> bool:
    """Whether a threshold on a mean was missed, or nobody was held to one.

    Nothing is said of thresholds where nothing was judged.
    """
    return any(
        (suite.mean_shortfalls or suite.never_scored) and (suite.judged or suite.from_store)
        for suite in run.suites
    )

"""Suites whose scores are known beforehand, really judged, and git repositories to keep them in."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pytest_sessioneval.evaluation.evaluation import Evaluation
from pytest_sessioneval.evaluation.plan import Plan, PlannedSession, SuitePlan
from pytest_sessioneval.evaluation.provenance import provenance
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.evaluation.scanning import scan
from pytest_sessioneval.evaluation.settings import EvaluationSettings
from pytest_sessioneval.evaluation.sources import FileSource
from pytest_sessioneval.judging.backends.opening import open_judge
from pytest_sessioneval.judging.budget import CallBudget
from pytest_sessioneval.judging.model import Judge
from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.json_file import render_json
from pytest_sessioneval.stores.sqlite import open_sqlite
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers
from pytest_sessioneval.verdicts.run import Run, SuiteRun

AXIS = "goal_completion"
GATE = f'[gate]\naxes = ["{AXIS}"]\n'
STEADY = [1.0, 0.8] * 12
"""Outcomes of 24 sessions: mean 90."""
WORSE = [0.8, 0.6] * 12
"""The same sessions, each 20 points lower."""
CLOCK = datetime(2026, 11, 21, tzinfo=UTC)
_IDENTITY = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")


def write_suite(
    folder: Path, outcomes: Sequence[float], *, more: str = GATE, name: str = ""
) -> Suite:
    """Write a suite whose sessions score ``100 * outcome`` on goal_completion, and load it."""
    write_sessions(folder, outcomes)
    named = f'name = "{name}"\n' if name else ""
    text = f'[suite]\n{named}key = "task_id"\nuse_outcome = true\n\n{more}'
    (folder / "sessioneval.toml").write_text(text, "utf-8")
    return load_suite(folder)


def write_sessions(folder: Path, outcomes: Sequence[float]) -> None:
    """Write one file of sessions ``task-00`` and so on, each with its recorded outcome."""
    folder.mkdir(parents=True, exist_ok=True)
    runs = [
        {
            "task_id": f"task-{number:02d}",
            "reward": outcome,
            "trial": 0,
            "info": {},
            "traj": [
                {"role": "user", "content": f"Refund order W{number}, please."},
                {"role": "assistant", "content": f"It went as well as {outcome}."},
            ],
        }
        for number, outcome in enumerate(outcomes)
    ]
    (folder / "sessions.json").write_text(json.dumps(runs), "utf-8")


def judged(suite: Suite, *, without: Sequence[str] = (), offline: bool = False) -> Run:
    """Return a run of the suite, judged for real; ``without`` leaves sessions out by key."""
    registry = Registry(builtin_readers())
    store = open_sqlite(suite.root / ".sessioneval" / "store.db")
    found = scan(suite, registry=registry, store=store)
    chosen = [member for member in found.members if member.session.key not in without]
    sources = found.sources.model_copy(update={"deselected": len(found.members) - len(chosen)})
    evaluation = Evaluation(
        settings=EvaluationSettings(offline=offline),
        store=store,
        source=TranscriptSource(registry),
        open_judge=_open_judge,
        run_id="20261121-190412-7f3a2b",
        root=suite.root,
        clock=lambda: CLOCK,
        secret=b"secret",
    )
    try:
        sessions = tuple(PlannedSession(member=member) for member in chosen)
        plan = SuitePlan(suite=suite, sessions=sessions, sources=sources)
        partial = "some were left out" if sources.deselected else ""
        evaluation.start(Plan(suites=(plan,), partial=partial))
        for member in chosen:
            evaluation.result(suite.name, member.id)
            evaluation.consumed(suite.name, member.id)
        return evaluation.finish(
            provenance=provenance(suite.root), reported=lambda _suite, _member: True
        )
    finally:
        evaluation.close()


def judged_suite(suite: Suite, *, without: Sequence[str] = (), offline: bool = False) -> SuiteRun:
    """Return the suite's part of ``judged``."""
    (run,) = judged(suite, without=without, offline=offline).suites
    return run


def written_report(run: Run, path: Path) -> FileSource:
    """Write the run's report.json and return it as something to compare with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_json(build_report(run)), "utf-8")
    return FileSource(text=path.name, origin=f"--sessioneval-compare {path.name}", path=path)


class Repository:
    """A real git repository in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, environ: Mapping[str, str] | None = None) -> str:
        """Return what git printed; its configuration is the repository's own alone."""
        isolated = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        done = subprocess.run(
            ["git", "-C", str(self.folder), *_IDENTITY, *arguments],
            env={**os.environ, **isolated, **(environ or {})},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, subject: str = "Change") -> str:
        """Commit everything there is but stores, and return the commit."""
        self.git("add", "--all", "--", ":!*.sessioneval")
        self.git("commit", "--quiet", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD")


def _open_judge(model: str, suite: Suite, *, budget: CallBudget, stop: threading.Event) -> Judge:
    return open_judge(
        model,
        settings=suite.settings.judge,
        environ={},
        timeout_s=5.0,
        connections=1,
        stop=stop,
        base=suite.root,
        reserve=budget.reserve,
    )

"""What the endpoints call: one bundle, opened when the server starts and closed when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from pytest_sessioneval.evaluation.background import BackgroundRuns
from pytest_sessioneval.evaluation.current import LastVersions, configured_versions
from pytest_sessioneval.evaluation.sample_scoring import SampleScorer, ScorerTerms
from pytest_sessioneval.evaluation.scoring_jobs import ScoringJobs, ScoringTerms
from pytest_sessioneval.evaluation.session_source import SessionSource
from pytest_sessioneval.evaluation.settings import EvaluationSettings, allowance_of
from pytest_sessioneval.judging.allowance import Allowance
from pytest_sessioneval.judging.panel import EMBEDDED
from pytest_sessioneval.stores.listings import CurrentVersions
from pytest_sessioneval.stores.opening import open_store
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

__all__ = ["Served", "Service", "ServiceSettings", "open_service"]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """How the service was started."""

    folders: tuple[Path, ...]
    """Folders of recorded sessions, each a suite."""
    store: str
    """The store's URL."""
    home: Path
    """What a relative store lies beneath."""
    out: Path
    """Where reports and posted sessions are kept: ``.sessioneval``, or --out."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Where judges' addresses and keys come from."""
    judge: str | None = None
    """Who judges instead of the suites' judges; None: they do, by default the embedded one."""
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    """How judging goes about it: concurrency and budget, of all runs together."""
    scoring_workers: int = 4
    """Most samples scored at once."""
    look_every_s: float = 1.0
    """How often folders are looked at, at most."""
    clock: Callable[[], datetime] = _now
    """What time it is, UTC."""


@dataclass(frozen=True, slots=True)
class Service:
    """What the endpoints call; any thread may."""

    settings: ServiceSettings
    store: Store
    sessions: SessionSource
    runs: BackgroundRuns
    scoring: ScoringJobs
    allowance: Allowance
    """What all runs in the background may take of judges together; scoring shares its budget."""
    last_versions: LastVersions

    def current(self) -> tuple[CurrentVersions, ...]:
        """Return under which versions sessions count as evaluated, by suite.

        For a suite that is served here: its settings as they are now. For
        another that the store knows, and for one whose judge cannot be opened
        here: those of its last run. Raises ``StoreError``.
        """
        configured = {
            served.suite.name: served.versions
            for served in self.sessions.now()
            if served.versions is not None
        }
        known = self.last_versions.now() | configured
        return tuple(known[suite] for suite in sorted(known))


@contextmanager
def open_service(settings: ServiceSettings) -> Iterator[Service]:
    """Return the service; what it holds is released when the block ends.

    Raises ``SettingError``, ``SuiteError`` and ``StoreError`` for what cannot be used.
    """
    with ExitStack() as held:
        store = open_store(settings.store, root=settings.home)
        held.callback(store.close)
        sessions = SessionSource(
            settings.folders,
            out=settings.out,
            judge=settings.judge,
            registry=Registry(builtin_readers()),
            store=store,
            versions_of=partial(
                configured_versions, environ=settings.environ, settings=settings.evaluation
            ),
            interval_s=settings.look_every_s,
        )
        allowance = allowance_of(settings.evaluation)
        yield Service(
            settings=settings,
            store=store,
            sessions=sessions,
            runs=_runs(settings, store, sessions, allowance, held),
            scoring=_scoring(settings, store, allowance, held),
            allowance=allowance,
            last_versions=LastVersions(store, settings.look_every_s),
        )


def _runs(
    settings: ServiceSettings,
    store: Store,
    sessions: SessionSource,
    allowance: Allowance,
    held: ExitStack,
) -> BackgroundRuns:
    runs = BackgroundRuns(
        store=store,
        sessions=sessions,
        settings=settings.evaluation,
        environ=settings.environ,
        home=settings.home,
        out=settings.out,
        clock=settings.clock,
        allowance=allowance,
    )
    held.callback(runs.close)
    return runs


def _scoring(
    settings: ServiceSettings, store: Store, allowance: Allowance, held: ExitStack
) -> ScoringJobs:
    terms = ScorerTerms(
        environ=settings.environ, connections=settings.scoring_workers, budget=allowance.budget
    )
    scorer = SampleScorer(terms)
    held.callback(scorer.close)
    jobs = ScoringJobs(
        store=store,
        scorer=scorer,
        out=settings.out,
        clock=settings.clock,
        terms=ScoringTerms(
            judge_model=settings.judge or EMBEDDED,
            embedding_model=settings.evaluation.embedding_model,
            workers=settings.scoring_workers,
        ),
    )
    held.callback(jobs.close)
    return jobs


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Served = Annotated[Service, Depends(_service)]
"""The service, as an endpoint asks for it."""

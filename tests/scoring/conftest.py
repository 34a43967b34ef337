"""Session-grouped scoring on both databases: a SQLite file and a schema of a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scoring_cases import Opened, OpenScoring

from pytest_sessioneval.evaluation.sample_reports import Advisor, SampleReports
from pytest_sessioneval.evaluation.sample_scoring import SampleScorer, ScorerTerms
from pytest_sessioneval.evaluation.scoring_jobs import ScoringJobs, ScoringTerms
from pytest_sessioneval.reports.advice.rows import advice_for_rows
from pytest_sessioneval.stores.opening import open_store
from pytest_sessioneval.testing.server import JudgeServer


@pytest.fixture
def judge_server() -> Iterator[JudgeServer]:
    """Yield a judge on the loopback interface."""
    with JudgeServer() as server:
        yield server


@pytest.fixture
def open_scoring(
    store_url: str, tmp_path: Path, judge_server: JudgeServer
) -> Iterator[OpenScoring]:
    """Return what opens scoring on the test's store, as often as it is called."""
    opened: list[Opened] = []

    def opening(
        terms: ScoringTerms | None = None,
        advisor: Advisor = advice_for_rows,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Opened:
        store = open_store(store_url, root=tmp_path)
        scorer = SampleScorer(ScorerTerms(environ=judge_server.environ))
        out = tmp_path / ".sessioneval"
        try:
            jobs = ScoringJobs(
                store=store,
                scorer=scorer,
                out=out,
                clock=clock,
                terms=terms or ScoringTerms(),
                reports=SampleReports(store.jobs, out, advisor),
            )
        except BaseException:
            store.close()
            raise
        opened.append(Opened(jobs, store, scorer, out))
        return opened[-1]

    yield opening
    judge_server.release()
    for each in opened:
        each.close()


@pytest.fixture
def scoring(open_scoring: OpenScoring) -> Opened:
    """Return scoring on an empty store."""
    return open_scoring()

"""How a run in the background is now, and what of it is kept when the store fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from running import PATIENCE_S, judged_by, said, suite
from served import NOW, record

from pytest_sessioneval.errors import StoreError
from pytest_sessioneval.evaluation.background import BackgroundRuns, TooManyRunsError
from pytest_sessioneval.evaluation.run_board import RunBoard
from pytest_sessioneval.evaluation.run_request import RunRequest
from pytest_sessioneval.server.service import Service
from pytest_sessioneval.stores.protocol import StoredOpinion
from pytest_sessioneval.stores.run_states import SqlRunStates
from pytest_sessioneval.stores.run_statuses import BackgroundRun, PlacedSession, RunSession
from pytest_sessioneval.stores.sql import SqlStore
from pytest_sessioneval.testing import JudgeServer

OpenService = Callable[..., Service]

KEPT = BackgroundRun("run-1", "{}", "here", NOW)


def placed(name: str, state: str = "pending") -> PlacedSession:
    """Return a session of a run."""
    now = RunSession.model_validate({"session_id": name, "state": state})
    return PlacedSession("s", f"{name}.jsonl", now)


@pytest.fixture
def store(service: Service) -> SqlStore:
    """Return a store in which the run has begun."""
    service.store.run_states.begin(KEPT, NOW)
    assert isinstance(service.store, SqlStore)
    return service.store


@pytest.fixture
def board(store: SqlStore) -> RunBoard:
    """Return the board of a run of two sessions."""
    made = RunBoard(KEPT, store.run_states, started_at=NOW)
    made.set_sessions([placed("a"), placed("b", "ok")])
    return made


def _states(store: SqlStore) -> list[str]:
    return [one.now.state for one in store.run_states.sessions(["run-1"]).get("run-1", ())]


def test_only_what_changed_is_written(store: SqlStore, board: RunBoard) -> None:
    """Everything at first; then what is another since."""
    board.write()
    assert ["pending", "ok"] == _states(store)
    with store._database.writing() as transaction:
        transaction.run("UPDATE run_sessions SET state = 'failed' WHERE position = 1")
    board.set_state(0, "running")
    board.write()
    assert ["running", "failed"] == _states(store)


class FailingOnce(SqlRunStates):
    """States that cannot be kept at first."""

    failed = False

    def put_sessions(self, run_id: str, sessions: Iterable[tuple[int, PlacedSession]]) -> None:
        """Fail, once."""
        if not self.failed:
            self.failed = True
            raise StoreError("locked")
        super().put_sessions(run_id, sessions)


def test_what_could_not_be_written_is_written_the_next_time(store: SqlStore) -> None:
    """A store that was locked for a while loses no state."""
    board = RunBoard(KEPT, FailingOnce(store._database), started_at=NOW)
    board.set_sessions([placed("a"), placed("b")])
    with pytest.raises(StoreError, match="locked"):
        board.write()
    board.set_state(1, "running")
    board.write()
    assert ["pending", "running"] == _states(store)


def test_a_run_that_is_concluding_cannot_be_stopped(board: RunBoard) -> None:
    """It ends by itself: whoever cancels it comes too late."""
    assert board.conclude() is None
    assert not board.stop("cancelled")
    assert "running" == board.status().state


def test_a_run_is_stopped_once(board: RunBoard) -> None:
    """The first who does says how."""
    assert board.stop("cancelled")
    assert not board.stop("interrupted")
    assert "cancelled" == board.conclude() == board.status().state


def test_sessions_that_ended_do_not_fail_with_their_run(board: RunBoard) -> None:
    """What breaks a run is told by those that had no turn."""
    board.fail("StoreError: full")
    states = {one.session_id: (one.state, one.error) for one in board.status().sessions}
    assert {"a": ("failed", "StoreError: full"), "b": ("ok", None)} == states


class BrokenStore(SqlStore):
    """A store whose disk is full when verdicts come."""

    def put_opinions(self, run_id: str, rows: Sequence[StoredOpinion]) -> None:
        """Fail."""
        raise StoreError(f"disk full: {run_id}, {len(rows)} rows")


@contextmanager
def runs_on(store: SqlStore, service: Service, **changes: Any) -> Iterator[BackgroundRuns]:
    """Yield runs of the service's sessions on another store."""
    settings = service.settings
    given = {
        "store": store,
        "sessions": service.sessions,
        "settings": settings.evaluation,
        "environ": settings.environ,
        "home": settings.home,
        "out": settings.out,
        "clock": settings.clock,
    }
    with closing(BackgroundRuns(**{**given, **changes})) as runs:
        yield runs


def test_a_run_whose_verdicts_cannot_be_kept_is_failed(
    open_service: OpenService, tmp_path: Path
) -> None:
    """No session is ok whose verdict a crash could lose; each says why."""
    service = open_service(record(tmp_path / "s", said("a"), said("b")))
    assert isinstance(service.store, SqlStore)
    with runs_on(BrokenStore(service.store._database), service) as runs:
        run_id = runs.start(RunRequest()).run_id
        status = runs.wait(run_id, timeout_s=PATIENCE_S)
        assert status is not None
        assert "failed" == status.state
        for one in status.sessions:
            assert str(one.error).startswith(f"StoreError: disk full: {run_id}")


def test_only_so_many_runs_may_wait(
    open_service: OpenService, tmp_path: Path, server: JudgeServer
) -> None:
    """One too many is told so, and leaves no trace; once there is room, it is taken."""
    service = open_service(suite(tmp_path / "s", "a"), **judged_by(server))
    assert isinstance(service.store, SqlStore)
    with runs_on(service.store, service, most=1) as runs:
        server.hold()
        run_id = runs.start(RunRequest()).run_id
        with pytest.raises(TooManyRunsError, match="1, which is the most"):
            runs.start(RunRequest())
        assert [run_id] == [one.run_id for one in runs.list()]
        server.release()
        runs.wait(run_id, timeout_s=PATIENCE_S)
        assert run_id != runs.start(RunRequest()).run_id


def test_a_report_that_cannot_be_written_costs_no_verdict(
    open_service: OpenService, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The run is done, its verdicts are kept, and the log says why there is no report."""
    service = open_service(record(tmp_path / "s", said("a")))
    (tmp_path / ".sessioneval" / "runs").write_text("in the way", encoding="utf-8")
    run_id = service.runs.start(RunRequest()).run_id
    status = service.runs.wait(run_id, timeout_s=PATIENCE_S)
    assert status is not None
    assert ("done", "ok") == (status.state, status.sessions[0].state)
    assert f"run {run_id}: no report: " in caplog.text

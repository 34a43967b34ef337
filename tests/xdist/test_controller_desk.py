"""Workers that ask the controller at the same moment are answered from one source."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.plan import Plan
from pytest_sessioneval.shell.sources import ResultSource, Tick
from pytest_sessioneval.shell.workers import ControllerDesk
from pytest_sessioneval.suites.loading import default_suite
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.run import SessionResult

TOKEN = "of this run"  # noqa: S105  any text will do


class AllStay:
    """A source whose selection leaves out nothing, and which is asked nothing else."""

    def select(self, suite: Suite, members: Sequence[Member]) -> frozenset[str]:
        """Return every member."""
        del suite
        return frozenset(member.id for member in members)

    def check(self, plan: Plan) -> None:
        """Refuse nothing."""

    def start(self, plan: Plan) -> None:
        """Begin nothing."""

    def result(self, suite: str, member_id: str, tick: Tick | None = None) -> SessionResult:
        """Fail: nothing was begun."""
        raise NotImplementedError

    def judge(self, suite: Suite, member: Member, transcript: Transcript) -> SessionResult:
        """Fail: nobody judges."""
        raise NotImplementedError

    def close(self) -> None:
        """Release nothing."""


class Makers:
    """Makes sources; whoever makes one waits a moment for a second maker beside it."""

    def __init__(self) -> None:
        self.beside_another = False
        self._both = threading.Barrier(2)
        self._made: AllStay | None = None

    def source(self) -> ResultSource:
        """Return the source, made by the first who asks."""
        if self._made is None:
            try:
                self._both.wait(timeout=0.3)
                self.beside_another = True
            except threading.BrokenBarrierError:
                pass
            self._made = AllStay()
        return self._made


def _asked(desk: ControllerDesk, question: Mapping[str, object]) -> object:
    """Return the controller's answer to a worker that asks one question and hangs up."""
    ours, theirs = socket.socketpair()
    serving = threading.Thread(target=desk.serve, args=(theirs, TOKEN))
    serving.start()
    with ours, ours.makefile("rwb") as stream:
        stream.write(json.dumps({"token": TOKEN}).encode() + b"\n")
        stream.write(json.dumps(question).encode() + b"\n")
        stream.flush()
        answer = json.loads(stream.readline())
    serving.join()
    return answer


def test_two_workers_at_once_share_one_source(tmp_path: Path) -> None:
    """A cached property has no lock from Python 3.12 on: each would make a store of its own."""
    makers = Makers()
    desk = ControllerDesk(
        makers.source, begin=lambda _plan: None, consumed=lambda _suite, _member: None
    )
    suite = default_suite(tmp_path).model_dump(mode="json", by_alias=True)
    question = {"ask": "select", "suite": suite, "members": []}
    with ThreadPoolExecutor(2) as workers:
        answers = list(workers.map(lambda _number: _asked(desk, question), range(2)))
    assert ([{"answer": []}] * 2, False) == (answers, makers.beside_another)

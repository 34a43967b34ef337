"""Under xdist: the controller judges, workers ask it over a socket on the loopback interface.

Workers do not know their items beforehand, so the controller judges the whole
plan, which the first worker to have collected tells it; the concurrency limit
and the budget then hold for the run, and no session is judged twice. Messages
are lines of JSON; a worker says the run's token first.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from pytest_sessioneval.errors import SessionEvalError, StoreError, UsageError
from pytest_sessioneval.evaluation.membership import Member
from pytest_sessioneval.evaluation.plan import Plan
from pytest_sessioneval.frozen import Frozen
from pytest_sessioneval.shell.sources import ResultSource, Tick
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.run import SessionResult

__all__ = ["ControllerDesk", "RemoteSource"]

_MEMBERS = TypeAdapter(tuple[Member, ...])
_ERRORS: Mapping[str, type[SessionEvalError]] = {
    "usage": UsageError,
    "store": StoreError,
    "other": SessionEvalError,
}


def _wire(value: Frozen) -> Any:
    return value.model_dump(mode="json", by_alias=True)


class RemoteSource:
    """Asks the controller; one question at a time, from any thread."""

    def __init__(self, address: tuple[str, int], token: str) -> None:
        self._lock = threading.Lock()
        self._socket = socket.create_connection(address)
        self._stream = self._socket.makefile("rwb")
        self._send({"token": token})

    def select(self, suite: Suite, members: Sequence[Member]) -> frozenset[str]:
        """Return the ids of the members that stay, as the controller decided."""
        answer = self._ask(
            "select",
            suite=_wire(suite),
            members=[_wire(member) for member in members],
        )
        return frozenset(answer)

    def check(self, plan: Plan) -> None:
        """Have the controller open every suite's judges; raises ``UsageError``."""
        self._ask("check", plan=_wire(plan))

    def refuse(self, message: str) -> None:
        """Tell the controller why the run cannot be made."""
        self._ask("refuse", message=message)

    def start(self, plan: Plan) -> None:
        """Tell the controller the plan; the first worker's is the one that is judged."""
        self._ask("start", plan=_wire(plan))

    def result(self, suite: str, member_id: str, tick: Tick | None = None) -> SessionResult:  # noqa: ARG002  a worker has no terminal
        """Return how a planned session ended, waiting for the controller."""
        return SessionResult.model_validate(self._ask("result", suite=suite, member=member_id))

    def judge(self, suite: Suite, member: Member, transcript: Transcript) -> SessionResult:
        """Return how a session that is in no file ended."""
        answer = self._ask(
            "judge",
            suite=_wire(suite),
            member=_wire(member),
            transcript=_wire(transcript),
        )
        return SessionResult.model_validate(answer)

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._stream.close()
            self._socket.close()

    def _ask(self, question: str, **values: Any) -> Any:
        with self._lock:
            try:
                self._send({"ask": question, **values})
                line = self._stream.readline()
            except OSError as error:
                raise SessionEvalError(f"the controller hung up: {error}") from error
        if not line:
            raise SessionEvalError("the controller hung up: the run is over")
        reply = json.loads(line)
        if "error" in reply:
            raise _ERRORS[reply["kind"]](reply["error"])
        return reply["answer"]

    def _send(self, message: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps(message).encode() + b"\n")
        self._stream.flush()


class ControllerDesk:
    """Answers workers' questions, each connection in a thread of its own.

    ``source`` is made when the first question needs it; ``begin`` is called with
    the first plan; ``refused`` collects why the run cannot be made, for the
    controller to raise.
    """

    def __init__(
        self,
        source: Callable[[], ResultSource],
        *,
        begin: Callable[[Plan], None],
        consumed: Callable[[str, str], None],
    ) -> None:
        self._source = source
        self._begin = begin
        self._consumed = consumed
        self._lock = threading.Lock()
        self._started = False
        self.refused: list[str] = []

    def serve(self, connection: socket.socket, token: str) -> None:
        """Answer one worker, once it has said the token, until it hangs up."""
        with connection, connection.makefile("rwb") as stream, contextlib.suppress(OSError):
            if not _says(stream.readline(), token):
                return
            for line in stream:
                stream.write(json.dumps(self._reply(line)).encode() + b"\n")
                stream.flush()

    def _reply(self, line: bytes) -> Mapping[str, Any]:
        try:
            return {"answer": self._answer(json.loads(line))}
        except UsageError as error:
            self._refuse(str(error))
            return {"error": str(error), "kind": "usage"}
        except StoreError as error:
            return {"error": str(error), "kind": "store"}
        except SessionEvalError as error:
            return {"error": str(error), "kind": "other"}
        # The boundary between processes: a worker must hear of a bug here, not wait for ever.
        except Exception as error:  # noqa: BLE001
            return {"error": f"{type(error).__name__}: {error}", "kind": "other"}

    def _answer(self, said: Mapping[str, Any]) -> Any:
        question = said["ask"]
        if question == "refuse":
            self._refuse(said["message"])
            return None
        with self._lock:  # two workers may call at once, and there must be one source
            source = self._source()
        if question == "select":
            suite = Suite.model_validate(said["suite"])
            return sorted(source.select(suite, _MEMBERS.validate_python(said["members"])))
        if question == "check":
            with self._lock:
                source.check(Plan.model_validate(said["plan"]))
            return None
        if question == "start":
            with self._lock:
                if not self._started:
                    self._begin(Plan.model_validate(said["plan"]))
                    self._started = True
            return None
        if question == "result":
            result = source.result(said["suite"], said["member"])
            self._consumed(said["suite"], said["member"])
            return _wire(result)
        result = source.judge(
            Suite.model_validate(said["suite"]),
            Member.model_validate(said["member"]),
            Transcript.model_validate(said["transcript"]),
        )
        return _wire(result)

    def _refuse(self, message: str) -> None:
        with self._lock:
            if message not in self.refused:
                self.refused.append(message)


def _says(line: bytes, token: str) -> bool:
    try:
        said = json.loads(line)
    except ValueError:
        return False
    given = said.get("token", "") if isinstance(said, dict) else ""
    return hmac.compare_digest(str(given).encode(), token.encode())

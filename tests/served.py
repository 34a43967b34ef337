"""A service in a test: opened on a real store, called in process or over loopback."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from pytest_sessioneval.evaluation.direct import Terms, direct_run
from pytest_sessioneval.evaluation.scoring import ScoringRequest, score
from pytest_sessioneval.server.access import LOOPBACK_HOSTS
from pytest_sessioneval.server.application import create_app
from pytest_sessioneval.server.guard import RequestLimits
from pytest_sessioneval.server.service import Service, ServiceSettings, open_service
from pytest_sessioneval.server.serving import Serving
from pytest_sessioneval.stores.listings import CurrentVersions
from pytest_sessioneval.stores.protocol import StoredOpinion
from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.transcripts.formats.sessioneval import to_lines
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.verdicts.model import Opinion, Scored, Unscored

TOKEN = "a-token-of-the-tests"  # noqa: S105 - it opens nothing
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
"""What time it is for a service in a test: a Sunday."""
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}

_SERVE = "import sys; from pytest_sessioneval.cli import main; sys.exit(main())"
_GOLDEN = Path(__file__).parent / "golden" / "service"


AXES = (
    "task_complexity",
    "goal_completion",
    "tool_usage_quality",
    "efficiency",
    "communication",
    "subagent_orchestration",
    "self_extension",
)
"""Those of the built-in rubric, in order."""


def asked(session_id: str, **fields: Any) -> Transcript:
    """Return a session in which an order was looked up, by its own number."""
    return transcript(
        ("user", f"Where is my order {session_id}?"),
        tool("get_order", {"id": session_id}, result="shipped"),
        ("assistant", "It was shipped."),
        session_id=session_id,
        **fields,
    )


@contextmanager
def opened(
    store: str, home: Path, folders: Sequence[Path] = (), **settings: Any
) -> Iterator[Service]:
    """Yield a service of these folders that looks at them whenever it is asked."""
    given: dict[str, Any] = {
        "look_every_s": 0.0,
        "clock": lambda: NOW,
        "out": home / ".sessioneval",
    } | settings
    with open_service(
        ServiceSettings(folders=tuple(folders), store=store, home=home, **given)
    ) as service:
        yield service


class Caller:
    """Calls a service's application in this process, as a client that has the token."""

    def __init__(
        self,
        service: Service,
        *,
        token: str | None = TOKEN,
        shown: str | None = TOKEN,
        hosts: Collection[str] = LOOPBACK_HOSTS,
        limits: RequestLimits | None = None,
    ) -> None:
        app = create_app(service, token=token, hosts=hosts, limits=limits)
        headers = {} if shown is None else {"Authorization": f"Bearer {shown}"}
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", headers=headers
        )

    def request(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """Return the answer to one request."""
        return self._runner.run(self._client.request(method, path, **sent))

    def get(self, path: str, **sent: Any) -> httpx.Response:
        """Return the answer to a GET."""
        return self.request("GET", path, **sent)

    def post(self, path: str, **sent: Any) -> httpx.Response:
        """Return the answer to a POST; ``json`` is sent as such."""
        return self.request("POST", path, **sent)

    def close(self) -> None:
        """Let go of the client."""
        self._runner.run(self._client.aclose())
        self._runner.close()


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """Yield the address of the application on a real server on a loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        up = threading.Event()
        server = Serving(app, up.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        assert up.wait(30), "the server did not start"
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive(), "the server did not end"


@contextmanager
def killed_in_the_end(
    home: Path, *arguments: str, environ: Mapping[str, str] | None = None, patience_s: float = 60.0
) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    """Yield a client of ``sessioneval serve`` in a process of its own, and the process."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, "serve", "--port", "0", *arguments],
        cwd=home,
        env={**os.environ, **(environ or {}), "SESSIONEVAL_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        found = next(filter(None, (re.search(r"http://\S+", line) for line in lines)))
        with httpx.Client(base_url=found[0], headers=AUTHORIZED, timeout=patience_s) as client:
            yield client, process
    finally:
        process.kill()
        process.communicate()


def record(folder: Path, *transcripts: Transcript, name: str = "sessions.jsonl") -> Path:
    """Write transcripts to one file of the folder, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [line for one in transcripts for line in to_lines(one)]
    (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder


def golden(name: str, answer: object, *, same: Callable[[str], str] = str) -> None:
    """Compare an answer with the one that is checked in, or write it.

    To write it: ``SESSIONEVAL_REGENERATE=1 python -m pytest tests/server``. ``same``
    replaces what differs between two runs of the same test.
    """
    file = _GOLDEN / f"{name}.json"
    text = same(json.dumps(answer, indent=2, ensure_ascii=False)) + "\n"
    if os.environ.get("SESSIONEVAL_REGENERATE") == "1":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text


def evaluated(
    service: Service,
    session_id: str,
    scores: Mapping[str, int | None],
    *,
    expert: str = "evidence",
    days_ago: float = 0,
    versions: CurrentVersions | None = None,
) -> None:
    """Keep what an expert said of a session, under the versions that count now or others."""
    found = service.sessions.find(session_id)
    assert found is not None
    session = found[1].session
    current = {one.suite: one for one in service.current()}[session.suite]
    by = versions or current
    opinion = Opinion(
        key=f"{session.suite}/{session.key}/{session.summary.digest}/{by}/{expert}/{days_ago}",
        expert_id=expert,
        axes={
            axis: Unscored(reason="not_applicable") if score is None else Scored(score=score)
            for axis, score in scores.items()
        },
        comment=f"{expert} on {session_id}",
        judge_model="evidence",
        judge_version=by.judge_version,
        rubric_version=by.rubric_version,
        judged_at=NOW - timedelta(days=days_ago),
    )
    row = StoredOpinion(session.suite, session.key, session_id, session.summary.digest, opinion)
    service.store.put_opinions("20261122-120000-7f3a", [row])


def judged(service: Service, *folders: Path) -> None:
    """Have the embedded judge judge the folders into the service's store, as the command does."""
    settings = service.settings
    terms = Terms(environ={}, store=settings.store, home=settings.home)
    with direct_run(terms) as run:
        score(ScoringRequest(paths=folders), run, announce=lambda _: None, out=settings.out)

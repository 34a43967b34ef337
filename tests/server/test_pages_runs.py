"""The pages of runs in the background and of sessions of scoring calls."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from pages_site import page
from running import PATIENCE_S, ended, judged_by, once, suite
from served import NOW, Caller, opened

from pytest_sessioneval.evaluation.run_request import RunRequest
from pytest_sessioneval.evaluation.scoring_calls import SessionScoreRequest
from pytest_sessioneval.evaluation.settings import EvaluationSettings
from pytest_sessioneval.server.service import Service
from pytest_sessioneval.testing import JudgeServer

Call = Callable[..., Caller]


def test_a_run_in_the_background_has_a_page_with_its_report(served: Service, call: Call) -> None:
    """Once it is done it is a run like any other."""
    run_id = served.runs.start(RunRequest(scope="all")).run_id
    ended(served, run_id)
    client = call(served)
    assert f"/runs/{run_id}" in page(client, "/runs").links
    found = page(client, f"/runs/{run_id}")
    assert "/session?id=refund-1" in found.links
    assert "does not know whether a task was solved" in found.text
    assert "data-live" not in found.html


def test_a_run_that_goes_on_shows_every_session_as_it_is(call: Call, tmp_path: Path) -> None:
    """Those that are judged with their scores, the others with their state; it refreshes itself."""
    folder = suite(tmp_path / "parcels", "p1", "p2")
    with (
        JudgeServer() as server,
        opened(
            f"sqlite:///{tmp_path}/.sessioneval/store.db",
            tmp_path,
            [folder],
            **judged_by(server, evaluation=EvaluationSettings(concurrency=1)),
        ) as service,
    ):
        server.hold()
        run_id = service.runs.start(RunRequest(scope="all")).run_id
        once(service, run_id, lambda status: status.sessions[0].state == "running")
        found = page(call(service), f"/runs/{run_id}")
        assert "1 running, 1 pending" in found.text
        assert 'id="run" data-live' in found.html
        assert "data-live" in page(call(service), "/runs").html
        server.release()
        ended(service, run_id)


def test_a_session_that_failed_says_why(served: Service, call: Call) -> None:
    """A session that there is not: the error stands beside its id."""
    run_id = served.runs.start(RunRequest(scope="session", session_id="nobody")).run_id
    ended(served, run_id)
    found = page(call(served), f"/runs/{run_id}")
    text = " ".join(found.text.split())
    assert re.search(r"done started.*1 failed.*session not found: nobody", text), text


def test_a_run_of_another_process_says_that_it_goes_on(served: Service, call: Call) -> None:
    """Nothing of it is known before it has ended: the page says so, and looks again."""
    served.store.start_run("elsewhere-1", NOW)
    found = page(call(served), "/runs/elsewhere-1")
    assert "going on in another process" in found.text
    assert "data-live" in found.html


def test_a_session_of_scoring_calls_has_a_page(served: Service, call: Call) -> None:
    """Its means, every call with its scores, and the advice; the list of runs leads there."""
    jobs = [
        served.scoring.submit(
            SessionScoreRequest(
                session_id="chat 1/2",
                question=f"Which city is the capital? {number}",
                answer="Paris is the capital of France.",
                contexts=["Paris is the capital of France."],
                metrics=["faithfulness", "context_recall"],
            )
        )
        for number in range(3)
    ]
    for job in jobs:
        served.scoring.wait(job.job_id, PATIENCE_S)
    client = call(served)
    (link,) = {link for link in page(client, "/runs").links if link.startswith("/runs/session-")}
    assert "3 calls, 3 completed" in page(client, "/runs").text
    found = page(client, link)
    text = " ".join(found.text.split())
    assert [("h1", "Scoring of chat 1/2"), ("h2", "Means over the calls"), ("h2", "Calls")] == (
        found.headings
    )
    assert "3 calls: 3 completed" in text
    assert re.search(r"faithfulness\s*1\.00\s*3", text)
    assert "Which city is the capital? 2" in text
    assert "context_recall" in text
    assert f"{link}/advice" in found.links
    assert "Advice" in page(client, f"{link}/advice").text

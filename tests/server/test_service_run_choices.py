"""Which sessions a run of the service takes, and who judges them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from running import (
    ended,
    judged_by,
    said,
    same,
    started,
    suite,
    ticking,
)
from served import NOW, Caller, golden, record

from pytest_sessioneval.evaluation.settings import EvaluationSettings
from pytest_sessioneval.server.service import Service
from pytest_sessioneval.testing import JudgeServer
from pytest_sessioneval.transcripts.model import Transcript

Call = Callable[..., Caller]
OpenService = Callable[..., Service]


# -- which sessions --------------------------------------------------------------------


def test_scope_unevaluated_is_the_default_and_takes_pending_and_stale(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """What listings show as pending or stale is evaluated; what they show as evaluated is not."""
    folder = record(tmp_path / "s", said("a"), name="a.jsonl")
    record(folder, said("b"), name="b.jsonl")
    service = open_service(folder)
    caller = call(service)
    ended(service, started(caller, scope="session", session_id="a"))
    ended(service, started(caller, scope="session", session_id="b"))
    turned = said("b").model_copy(update={"messages": said("b").messages[:1]})
    record(folder, turned, name="b.jsonl")
    record(folder, said("c"), name="c.jsonl")
    listed = caller.get("/eval/sessions").json()
    assert {"a": "evaluated", "b": "stale", "c": "pending"} == {
        one["session_id"]: one["eval_status"] for one in listed
    }
    status = ended(service, started(caller))
    assert ["b", "c"] == [one.session_id for one in status.sessions]
    listed = caller.get("/eval/sessions").json()
    assert {"evaluated"} == {one["eval_status"] for one in listed}


def test_nothing_unevaluated_is_a_run_of_no_session_that_is_done(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """A second run has nothing to do, and says who would have judged."""
    service = open_service(record(tmp_path / "s", said("a")))
    caller = call(service)
    ended(service, started(caller))
    status = ended(service, started(caller))
    assert ("done", (), "evidence") == (status.state, status.sessions, status.judge_model)


def test_scope_all_takes_what_was_evaluated_too(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """Its verdicts are taken from the store: nobody is asked again."""
    service = open_service(suite(tmp_path / "s", "a", "b"), **judged_by(server))
    caller = call(service)
    ended(service, started(caller))
    status = ended(service, started(caller, scope="all"))
    assert [("a", "ok"), ("b", "ok")] == [(one.session_id, one.state) for one in status.sessions]
    assert 2 == server.calls


@pytest.mark.parametrize(
    "terms",
    [{"embedding_model": "openai:e"}, {"context_tokens": 50_000}],
    ids=lambda one: next(iter(one)),
)
def test_what_the_server_was_started_with_counts_for_what_is_evaluated(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer, terms: Any
) -> None:
    """What a run judged on the server's own terms is evaluated, and not to be judged again."""
    service = open_service(
        suite(tmp_path / "s", "a"), **judged_by(server), evaluation=EvaluationSettings(**terms)
    )
    caller = call(service)
    ended(service, started(caller))
    assert ["evaluated"] == [one["eval_status"] for one in caller.get("/eval/sessions").json()]


def test_scope_session_takes_one_and_neither_since_nor_limit_apply(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """The session was recorded before ``since``, and is evaluated all the same."""
    old = said("old", created_at=NOW - timedelta(days=9))
    service = open_service(record(tmp_path / "s", old, said("other")))
    run_id = started(
        call(service), scope="session", session_id="old", since=NOW.isoformat(), limit=1
    )
    assert [("old", "ok")] == [
        (one.session_id, one.state) for one in ended(service, run_id).sessions
    ]


def test_scope_session_needs_a_session_id(service: Service, call: Call) -> None:
    """Its absence is told at the field."""
    answer = call(service).post("/eval/run", json={"scope": "session"})
    assert 422 == answer.status_code
    assert ["body", "session_id"] == answer.json()["detail"][0]["loc"]
    golden("run_without_session_id", answer.json())


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"scope": "some"}, "scope"),
        ({"limit": 0}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": True}, "limit"),
        ({"since": "yesterday"}, "since"),
        ({"model": ""}, "model"),
        ({"backend": 7}, "backend"),
        ({"model": "a\nb"}, "model"),
    ],
)
def test_a_field_that_is_not_accepted_is_named(
    service: Service, call: Call, request_: dict[str, Any], field: str
) -> None:
    """Validation errors name the field, and nothing was started."""
    answer = call(service).post("/eval/run", json=request_)
    assert (422, field) == (answer.status_code, answer.json()["detail"][0]["loc"][-1])
    assert [] == call(service).get("/eval/runs").json()


def test_since_looks_at_created_at_and_limit_comes_after(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """Of those recorded since, the first ones; one without a time stays; no zone is UTC."""
    days = {"d1": 1, "d2": 2, "d3": 3, "d4": 4}
    sessions: list[Transcript] = [
        said(name, created_at=NOW - timedelta(days=5 - day)) for name, day in days.items()
    ]
    folder = tmp_path / "s"
    for one in (*sessions, said("e-timeless")):
        record(folder, one, name=f"{one.session_id}.jsonl")
    service = open_service(folder)
    caller = call(service)
    since = (NOW - timedelta(days=3)).replace(tzinfo=None).isoformat()
    status = ended(service, started(caller, since=since))
    assert ["d2", "d3", "d4", "e-timeless"] == [one.session_id for one in status.sessions]
    status = ended(service, started(caller, scope="all", since=since, limit=2))
    assert ["d2", "d3"] == [one.session_id for one in status.sessions]


def test_a_limit_is_of_all_folders_together(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """Not of each suite."""
    one = record(tmp_path / "one", said("a"), said("b"))
    other = record(tmp_path / "other", said("c"), said("d"))
    service = open_service(one, other)
    status = ended(service, started(call(service), limit=3))
    assert ["a", "b", "c"] == [one.session_id for one in status.sessions]


def test_posted_sessions_are_evaluated_too(service: Service, call: Call) -> None:
    """A session that came by HTTP is as good as one in a folder."""
    caller = call(service)
    turns = [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Hello!"}]
    answer = caller.post("/eval/sessions", json={"messages": turns, "session_id": "posted"})
    assert 200 == answer.status_code, answer.text
    status = ended(service, started(caller))
    assert ["ok"] == [one.state for one in status.sessions]


# -- who judges ------------------------------------------------------------------------


def test_model_and_backend_override_the_servers_judge(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """One run is judged by another model; the next one by the server's again."""
    folder = record(tmp_path / "s", said("a"))
    service = open_service(folder, environ=server.environ)
    caller = call(service)
    run_id = started(caller, scope="all", backend="openai", model="other")
    status = ended(service, run_id)
    assert ("openai:other", "ok") == (status.judge_model, status.sessions[0].state)
    assert {"other"} == {request.body["model"] for request in server.requests}
    status = ended(service, started(caller, scope="all"))
    assert "evidence" == status.judge_model


def test_unevaluated_asks_again_where_another_judge_came_last(
    open_service: OpenService, call: Call, tmp_path: Path, server: JudgeServer
) -> None:
    """A session whose latest verdict is another judge's is stale; a run makes it evaluated."""
    service = open_service(suite(tmp_path / "s", "a"), **judged_by(server, clock=ticking()))
    caller = call(service)
    ended(service, started(caller))
    ended(service, started(caller, scope="all", model="other"))
    assert "stale" == caller.get("/eval/sessions").json()[0]["eval_status"]
    ended(service, started(caller))
    assert "evaluated" == caller.get("/eval/sessions").json()[0]["eval_status"]
    assert ["loopback", "other", "loopback"] == [
        request.body["model"] for request in server.requests
    ]


@pytest.mark.parametrize(
    ("asked_for", "said_why"),
    [
        ({"backend": "nobody", "model": "m"}, "'nobody' is no backend; accepted: evidence, openai"),
        ({"backend": "anthropic", "model": "m"}, "ANTHROPIC_API_KEY"),
        ({"backend": "openai"}, "backend openai needs a model"),
        ({"model": "gpt-5"}, "'gpt-5' is no judge of this server; name its backend"),
        ({"backend": "evidence", "model": "m"}, "has no model 'm'"),
        ({"backend": "recorded", "model": "/etc/passwd"}, "'recorded' is no backend"),
        ({"model": "recorded:/etc/passwd"}, "is no judge of this server"),
    ],
)
def test_a_backend_that_is_not_available_fails_the_run_and_every_session_says_so(
    open_service: OpenService,
    call: Call,
    tmp_path: Path,
    asked_for: dict[str, str],
    said_why: str,
) -> None:
    """The run is failed; nobody was asked, and each session has the reason."""
    service = open_service(record(tmp_path / "s", said("a"), said("b")))
    status = ended(service, started(call(service), **asked_for))
    assert "failed" == status.state
    errors = {one.error for one in status.sessions}
    assert [("a", "failed"), ("b", "failed")] == [
        (one.session_id, one.state) for one in status.sessions
    ]
    (error,) = errors
    assert error is not None
    assert error.startswith("backend not available: ")
    assert said_why in error


def test_the_answer_where_a_backend_is_not_available(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """Field by field."""
    service = open_service(record(tmp_path / "s", said("a")))
    caller = call(service)
    run_id = started(caller, backend="nobody", model="m")
    ended(service, run_id)
    golden("run_backend_not_available", caller.get(f"/eval/run/{run_id}").json(), same=same)


def test_a_missing_profile_is_not_an_error(
    open_service: OpenService, call: Call, tmp_path: Path
) -> None:
    """A session of a profile that no suite knows is evaluated."""
    service = open_service(record(tmp_path / "s", said("a", profile_id="nobody-knows")))
    status = ended(service, started(call(service)))
    assert ("done", "ok") == (status.state, status.sessions[0].state)

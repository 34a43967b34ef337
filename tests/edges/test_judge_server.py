"""The loopback judge counts truly, answers well and does as it is told."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from operator import mul
from pathlib import Path
from typing import Any

import httpx
import pytest

from pytest_sessioneval.judging.backends import open_judge
from pytest_sessioneval.judging.model import Answer, Case
from pytest_sessioneval.suites.model import Expert, JudgeSettings
from pytest_sessioneval.suites.rubric import load_rubric
from pytest_sessioneval.testing import JudgeRequest, JudgeServer, faithful_reply, tool, transcript
from pytest_sessioneval.verdicts.model import Scored

PATH = "/v1/chat/completions"
RUBRIC = load_rubric("agent", base=Path())
SESSION = transcript(
    ("system", "You help in a shop that sells shoes."),
    ("user", "Please refund my order W12 today."),
    tool("refund", {"order": "W12"}, result="refund of order W12 was issued"),
    ("assistant", "Your refund of order W12 was issued."),
)


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    """Return a running judge."""
    with JudgeServer() as running:
        yield running


def _post(server: JudgeServer, **body: Any) -> httpx.Response:
    return httpx.post(server.url + PATH, json=body, trust_env=False)


def _judged(server: JudgeServer, expert: Expert, protocol: str = "openai") -> Answer:
    judge = open_judge(
        f"{protocol}:m",
        settings=JudgeSettings(),
        environ=server.environ,
        timeout_s=30.0,
        connections=1,
        stop=threading.Event(),
    )
    axes = tuple(axis for axis in RUBRIC.axes if axis.name in expert.axes)
    asked = Case(
        session_id="s",
        transcript=SESSION,
        rubric=RUBRIC,
        expert=expert,
        axes=axes,
        nonce="ab" * 16,
    )
    try:
        return judge.judge(asked)
    finally:
        judge.close()


@pytest.mark.parametrize("expert", RUBRIC.experts, ids=[expert.id for expert in RUBRIC.experts])
@pytest.mark.parametrize("protocol", ["openai", "anthropic", "ollama"])
def test_ordinary_replies_are_accepted_and_verified(
    server: JudgeServer, expert: Expert, protocol: str
) -> None:
    """Every axis of the built-in panel is scored from quotes that check out, in one request."""
    answer = _judged(server, expert, protocol)
    assert set(expert.axes) == {
        name for name, axis in answer.axes.items() if isinstance(axis, Scored) and axis.evidence
    }
    assert 1 == server.calls


def test_a_reply_function_decides_by_what_it_reads() -> None:
    """A request knows the axes, roles and messages it asks about."""
    seen: list[JudgeRequest] = []

    def reply(request: JudgeRequest) -> str:
        seen.append(request)
        return faithful_reply(request, level=40)

    with JudgeServer(reply) as server:
        answer = _judged(server, RUBRIC.experts[0])
    assert {40} == {axis.score for axis in answer.axes.values() if isinstance(axis, Scored)}
    (request,) = seen
    assert set(RUBRIC.experts[0].axes) == {axis.name for axis in request.axes}
    assert ("tool", "refund of order W12 was issued") == request.messages["M3"]
    assert ("assistant", "") == request.messages["M2"]
    assert ("ab" * 16, False) == (request.nonce, request.is_repair)


def test_steps_are_taken_in_order_before_ordinary_replies(server: JudgeServer) -> None:
    """Two failures, a text, then as always."""
    server.fail(2, status=503, retry_after="7")
    server.say("hello")
    found = [_post(server, model="m") for _ in range(3)]
    assert [503, 503, 200] == [response.status_code for response in found]
    assert "7" == found[0].headers["retry-after"]
    assert "hello" == found[2].json()["choices"][0]["message"]["content"]


def test_a_refused_parameter_is_named(server: JudgeServer) -> None:
    """Requests with it get 400, others do not."""
    server.refuse_parameter("seed")
    assert [400, 200] == [
        _post(server, **body).status_code for body in ({"seed": 1, "a": 1}, {"a": 1})
    ]


def test_held_requests_wait_until_they_are_released(server: JudgeServer) -> None:
    """In flight and its peak are counted; release lets the oldest go first."""
    server.hold()
    with ThreadPoolExecutor(5) as pool:
        waiting = [pool.submit(_post, server, number=number) for number in range(5)]
        server.wait_for_calls(5)
        assert (5, 5) == (server.in_flight, server.peak_in_flight)
        server.release(2)
        first = [json.loads(request.content)["number"] for request in server.requests[:2]]
        assert [200, 200] == [waiting[number].result().status_code for number in first]
        assert 3 == server.in_flight
        server.release()
        assert {200} == {response.result().status_code for response in waiting}
    assert (0, 5, 5) == (server.in_flight, server.peak_in_flight, server.calls)


def test_latency_delays_answers_side_by_side() -> None:
    """Requests wait at the same time, not one after another."""
    with JudgeServer(lambda _: "x", latency_s=0.05) as server:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: _post(server), range(4)))
        assert server.peak_in_flight > 1


def test_waiting_for_calls_that_never_come_ends(server: JudgeServer) -> None:
    """The error says how many came."""
    with pytest.raises(TimeoutError, match="0 of 1 calls"):
        server.wait_for_calls(1, timeout_s=0.01)


def test_a_failing_reply_function_is_told_to_the_client() -> None:
    """A mistake in a test shows as a 500 with its message, not as a hang."""

    def reply(_: JudgeRequest) -> str:
        raise KeyError("goal")

    with JudgeServer(reply) as server:
        response = _post(server)
    assert 500 == response.status_code
    assert "reply function: KeyError: 'goal'" == response.json()["error"]["message"]


def test_requests_need_not_be_kept() -> None:
    """A benchmark counts without keeping every body."""
    with JudgeServer(keep_requests=False) as server:
        _post(server)
        assert (1, 0) == (server.calls, len(server.requests))


def test_a_closed_server_is_gone() -> None:
    """The port is free again, and connections are dropped."""
    with httpx.Client(trust_env=False) as client:
        with JudgeServer() as server:
            client.post(server.url + PATH, json={})
        with pytest.raises(httpx.TransportError):
            client.post(server.url + PATH, json={})


def test_requests_in_pieces_and_in_a_row_are_understood(server: JudgeServer) -> None:
    """Bytes may arrive one by one, or several requests at once."""
    request = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        for byte in request:
            raw.sendall(bytes([byte]))
        raw.sendall(request * 2)
        server.wait_for_calls(3)
    assert [b"{}"] * 3 == [received.content for received in server.requests]


def test_a_request_beyond_the_context_is_refused() -> None:
    """With status 400 and both numbers, as real servers do; shorter ones are answered."""
    long, short = ([{"role": "user", "content": "word " * count}] for count in (400, 10))
    with JudgeServer(context_tokens=100) as server:
        refused = _post(server, messages=long)
        assert (400, 800) == (refused.status_code, server.longest_request - 1)
        assert "maximum context length is 100 tokens, found 801" in refused.text
        assert 200 == _post(server, messages=short).status_code


def _cached(response: httpx.Response) -> int:
    return int(response.json()["usage"]["prompt_tokens_details"]["cached_tokens"])


def test_a_prompt_that_begins_like_an_earlier_one_is_cached_that_far() -> None:
    """In tokens of the longest common prefix with any prompt answered before."""
    prompts = ["one two three four", "one two three five", "six", "one two six"]
    with JudgeServer(prefix_cache=True) as server:
        asked = [_post(server, messages=[{"content": prompt}]) for prompt in prompts]
        assert [0, 8, 1, 5] == [_cached(response) for response in asked]
        assert 8 == asked[0].json()["usage"]["prompt_tokens"]


def test_a_prompt_still_being_answered_is_in_no_cache() -> None:
    """Two that are asked at once help each other not at all."""
    with JudgeServer(prefix_cache=True) as server, ThreadPoolExecutor(2) as pool:
        server.hold()
        asked = [
            pool.submit(_post, server, messages=[{"content": f"one two {end}"}]) for end in "ab"
        ]
        server.wait_for_calls(2)
        server.release(1)
        first = next(iter(as_completed(asked))).result()
        server.release()
        assert [0, 0] == [_cached(done.result()) for done in asked]
        assert 200 == first.status_code


def test_embeddings_of_texts_that_share_words_are_close() -> None:
    """One vector per text, in order; the same text always has the same one."""
    with JudgeServer() as server:
        asked = {"model": "any", "input": ["red green", "green red", "red blue", "gold"]}
        found = httpx.post(f"{server.url}/embeddings", json=asked).json()
    vectors = [item["embedding"] for item in found["data"]]
    same, near, far = (sum(map(mul, vectors[0], other)) for other in vectors[1:])
    assert [0, 1, 2, 3] == [item["index"] for item in found["data"]]
    assert pytest.approx(1) == same
    assert far < near < same

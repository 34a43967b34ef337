"""Each protocol carries the same prompt and brings back the same reply, over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from judging_cases import NONCE, case, reply

from pytest_sessioneval.errors import RefusalError, ReplyError, TransportError
from pytest_sessioneval.judging.backends import open_judge
from pytest_sessioneval.judging.backends.endpoints import Endpoint
from pytest_sessioneval.judging.backends.http import Connections
from pytest_sessioneval.judging.backends.openai import OpenAIBackend
from pytest_sessioneval.judging.backends.parameters import Parameters
from pytest_sessioneval.judging.model import Answer, Judge
from pytest_sessioneval.judging.prompted import PromptedJudge
from pytest_sessioneval.suites.model import JudgeSettings
from pytest_sessioneval.testing import JudgeRequest, JudgeServer
from pytest_sessioneval.verdicts.model import CallCount, Scored

PROTOCOLS = ("openai", "anthropic", "ollama")


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    """Return a judge that answers every prompt well."""
    with JudgeServer() as running:
        yield running


def _judge(server: JudgeServer, protocol: str, **settings: Any) -> Judge:
    return open_judge(
        f"{protocol}:some-model",
        settings=JudgeSettings(**settings),
        environ=server.environ,
        timeout_s=30.0,
        connections=2,
        stop=threading.Event(),
    )


def _answer(server: JudgeServer, protocol: str, **settings: Any) -> Answer:
    judge = _judge(server, protocol, **settings)
    try:
        return judge.judge(case())
    finally:
        judge.close()


def _request(server: JudgeServer, protocol: str, **settings: Any) -> JudgeRequest:
    _answer(server, protocol, **settings)
    return server.requests[-1]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_case_is_answered(server: JudgeServer, protocol: str) -> None:
    """Every axis is scored, and the model that answered is named."""
    answer = _answer(server, protocol)
    assert {"goal": 80, "tone": 80} == {
        name: axis.score for name, axis in answer.axes.items() if isinstance(axis, Scored)
    }
    assert "loopback-judge" == answer.model


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_tokens_are_counted(server: JudgeServer, protocol: str) -> None:
    """Prompt tokens include the cached ones."""
    spent = _answer(server, protocol).spent
    asked = len(server.requests[0].content) // 4
    cached = 0 if protocol == "ollama" else asked // 2
    assert (1, asked, cached) == (spent.calls, spent.input_tokens, spent.cached_tokens)
    assert spent.output_tokens > 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_prompt_is_carried_whole(server: JudgeServer, protocol: str) -> None:
    """Rules, data and question arrive in this order."""
    request = _request(server, protocol)
    found = [request.text.find(part) for part in ("You review", f"<<<DATA {NONCE}", "# Your task")]
    assert sorted(found) == found
    assert -1 not in found


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_repair_is_carried(server: JudgeServer, protocol: str) -> None:
    """The second request holds the rejected reply and its faults."""
    server.say("I would say 80.")
    assert CallCount(calls=2, repairs=1).repairs == _answer(server, protocol).spent.repairs
    turns = server.requests[1].body["messages"]
    assert "I would say 80." == turns[-2]["content"]
    assert "no JSON object" in turns[-1]["content"]


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
def test_a_refusal_is_told_from_a_reply(server: JudgeServer, protocol: str) -> None:
    """What the provider marks as refusal is one."""
    server.refuse(message="I cannot help with that.")
    with pytest.raises(RefusalError, match="I cannot help"):
        _answer(server, protocol)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_cut_reply_is_told_from_a_whole_one(server: JudgeServer, protocol: str) -> None:
    """What the provider marks as cut is never read."""
    server.truncate(2)
    with pytest.raises(ReplyError, match="cut at the longest"):
        _answer(server, protocol)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_only_parameters_that_are_set_are_sent(server: JudgeServer, protocol: str) -> None:
    """Some models refuse temperature or seed: neither is sent unasked."""
    request = _request(server, protocol)
    sent = {**request.body, **request.body.get("options", {})}
    assert not {"temperature", "seed", "max_completion_tokens", "num_predict"} & set(sent)


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        ("openai", {"temperature": 0.0, "seed": 7, "max_completion_tokens": 900}),
        ("anthropic", {"temperature": 0.0, "max_tokens": 900}),
        ("ollama", {"temperature": 0.0, "seed": 7, "num_predict": 900}),
    ],
)
def test_parameters_that_are_set_are_sent(
    server: JudgeServer, protocol: str, expected: dict[str, Any]
) -> None:
    """By the protocol's own names, where it has them."""
    request = _request(server, protocol, temperature=0.0, seed=7, max_output_tokens=900)
    sent = {**request.body, **request.body.get("options", {})}
    assert expected == {name: sent[name] for name in expected}


def test_a_seed_that_was_not_sent_is_not_recorded(server: JudgeServer) -> None:
    """Anthropic takes no seed, so neither the answer nor the identity claims one."""
    judge = _judge(server, "anthropic", seed=7)
    assert "seed" not in judge.judge(case()).sent
    assert "seed" not in judge.identity["parameters"]
    judge.close()


def test_what_was_sent_is_recorded(server: JudgeServer) -> None:
    """Parameters, and how the JSON was asked for."""
    expected = {"temperature": 0.0, "seed": 7, "reply_format": "json_schema"}
    assert expected == _answer(server, "openai", temperature=0.0, seed=7).sent


@pytest.mark.parametrize(
    ("protocol", "header", "value"),
    [
        ("openai", "authorization", "Bearer loopback-key"),
        ("anthropic", "x-api-key", "loopback-key"),
        ("anthropic", "anthropic-version", "2023-06-01"),
        ("ollama", "authorization", "Bearer loopback-key"),
    ],
)
def test_keys_travel_in_headers(
    server: JudgeServer, protocol: str, header: str, value: str
) -> None:
    """Never in an address or a body."""
    request = _request(server, protocol)
    assert value == request.headers[header]
    assert b"loopback-key" not in request.content


@pytest.mark.parametrize(
    ("protocol", "parameter"), [("openai", "response_format"), ("anthropic", "output_config")]
)
def test_structured_output_is_asked_for(server: JudgeServer, protocol: str, parameter: str) -> None:
    """The reply's schema goes with the request."""
    assert "instructions_found_in_transcript" in str(_request(server, protocol).body[parameter])


def test_ollama_gets_the_schema_as_its_format(server: JudgeServer) -> None:
    """Ollama constrains by a bare schema."""
    assert "object" == _request(server, "ollama").body["format"]["type"]


def test_ollama_is_told_how_much_it_must_read(server: JudgeServer) -> None:
    """Else it would drop the beginning of a long prompt without a word."""
    request = _request(server, "ollama")
    context = request.body["options"]["num_ctx"]
    assert context * 3 > len(request.text)
    assert context & (context - 1) == 0


@pytest.mark.parametrize(
    ("protocol", "parameter", "refusals"),
    [("openai", "response_format", 2), ("anthropic", "output_config", 1)],
)
def test_a_server_without_structured_output_is_asked_in_text(
    server: JudgeServer, protocol: str, parameter: str, refusals: int
) -> None:
    """Once it was refused the parameter is left out, for good."""
    server.refuse_parameter(parameter)
    judge = _judge(server, protocol)
    first, second = judge.judge(case()), judge.judge(case())
    judge.close()
    assert [CallCount(calls=1 + refusals, retries=refusals), CallCount(calls=1)] == [
        spent.model_copy(update=dict.fromkeys(_TOKENS, 0)) for spent in (first.spent, second.spent)
    ]
    assert "text" == second.sent["reply_format"]


_TOKENS = ("input_tokens", "output_tokens", "cached_tokens", "unpriced_calls")


def test_a_server_that_knows_no_patterns_gets_a_plainer_schema(server: JudgeServer) -> None:
    """Structured output stays; only patterns and counts are left out, for good."""
    server.fail(status=400, message="'pattern' is not permitted")
    judge = _judge(server, "openai")
    judge.judge(case())
    judge.judge(case())
    judge.close()
    assert [True, False, False] == [
        "pattern" in str(request.body["response_format"]) for request in server.requests
    ]


@pytest.mark.parametrize("local", [True, False])
def test_lengths_are_bounded_on_this_machine_only(server: JudgeServer, *, local: bool) -> None:
    """Small models need a bound on texts; OpenAI refuses one."""
    connections = Connections(
        Endpoint(server.url), {}, connections=1, timeout_s=30.0, stop=threading.Event()
    )
    backend = OpenAIBackend("m", connections, Parameters(), local=local)
    PromptedJudge(backend).judge(case())
    backend.close()
    assert local is ("maxLength" in str(server.requests[0].body["response_format"]))


def test_a_server_that_knows_only_max_tokens_gets_it(server: JudgeServer) -> None:
    """The older name carries the same limit, and structured output stays."""
    server.refuse_parameter("max_completion_tokens")
    request = _request(server, "openai", max_output_tokens=900)
    assert 900 == request.body["max_tokens"]
    assert "response_format" in request.body


def test_a_request_that_stays_rejected_is_an_error(server: JudgeServer) -> None:
    """Leaving things out does not help a prompt that is too long."""
    server.fail(9, status=400, message="maximum context length exceeded")
    with pytest.raises(TransportError, match="maximum context length") as caught:
        _answer(server, "openai")
    assert (3, CallCount(calls=3, retries=2)) == (server.calls, caught.value.spent)


def test_a_rejection_for_another_reason_is_not_remembered(server: JudgeServer) -> None:
    """One prompt that is too long does not cost the next one its schema."""
    server.fail(3, status=400, message="maximum context length exceeded")
    judge = _judge(server, "openai")
    with pytest.raises(TransportError):
        judge.judge(case())
    assert "json_schema" == judge.judge(case()).sent["reply_format"]
    judge.close()


def test_the_system_fingerprint_is_recorded(server: JudgeServer) -> None:
    """What the provider says of its own build is kept with what was sent."""
    text = reply().replace('"', '\\"')
    server.garble(
        b'{"model": "m-1", "system_fingerprint": "fp_7", "choices": [{"finish_reason": "stop",'
        b'"message": {"content": "' + text.encode() + b'"}}]}'
    )
    answer = _answer(server, "openai")
    assert ("m-1", "fp_7") == (answer.model, answer.sent["system_fingerprint"])


@pytest.mark.parametrize("protocol", ["openai", "ollama"])
def test_another_kind_of_server_is_told_so(server: JudgeServer, protocol: str) -> None:
    """JSON without a reply is no reply; what was spent is on the error."""
    server.garble(b'{"hello": "world"}')
    with pytest.raises(TransportError, match="the response has no") as caught:
        _answer(server, protocol)
    assert CallCount(calls=1) == caught.value.spent


def test_content_in_parts_is_joined(server: JudgeServer) -> None:
    """Some servers split a message's text."""
    text = reply().replace('"', '\\"').encode()
    server.garble(
        b'{"choices": [{"message": {"content": [{"type": "text", "text": "' + text + b'"}]}}]}'
    )
    assert 2 == len(_answer(server, "openai").axes)


def test_a_content_filter_is_a_refusal(server: JudgeServer) -> None:
    """Azure marks what it withholds in the finish reason."""
    server.garble(
        b'{"choices": [{"finish_reason": "content_filter", "message": {"content": null}}]}'
    )
    with pytest.raises(RefusalError):
        _answer(server, "openai")


def test_the_prefix_is_marked_for_anthropics_cache(server: JudgeServer) -> None:
    """Rules and data end in the mark; the question follows it."""
    (turn,) = _request(server, "anthropic").body["messages"]
    assert [True, False] == ["cache_control" in part for part in turn["content"]]


def test_anthropics_schema_lacks_what_it_refuses(server: JudgeServer) -> None:
    """Length and range keywords are left out."""
    schema = str(_request(server, "anthropic").body["output_config"])
    assert not [word for word in ("maxItems", "minItems", "pattern", "maxLength") if word in schema]

"""A judge that is asked in words: one request, at most one repair, and honest counts."""

from __future__ import annotations

from typing import Any

import pytest
from judging_cases import axis_reply, case, cite, reply

from pytest_sessioneval.errors import JudgeError, RefusalError, ReplyError, TransportError
from pytest_sessioneval.judging.budget import BudgetSpentError
from pytest_sessioneval.judging.model import Answer, Case, Completion
from pytest_sessioneval.judging.prompted import PromptedJudge
from pytest_sessioneval.testing import ScriptedBackend
from pytest_sessioneval.verdicts.model import CallCount, Scored

GOOD = reply()
BAD_QUOTE = reply(
    axis_reply("goal", evidence=[cite("M3", "words nobody ever said")]), axis_reply("tone")
)


def _answer(*answers: Any, **changes: Any) -> Answer:
    return PromptedJudge(ScriptedBackend(*answers)).judge(case(**changes))


def _levels(answer: Answer) -> dict[str, int | str]:
    return {
        name: axis.score if isinstance(axis, Scored) else axis.reason
        for name, axis in answer.axes.items()
    }


def test_a_good_reply_is_the_answer() -> None:
    """One request, every axis scored."""
    answer = _answer(GOOD)
    assert {"goal": 80, "tone": 80} == _levels(answer)
    assert CallCount(calls=1) == answer.spent


def test_a_malformed_reply_is_repaired_once() -> None:
    """The judge is told what was wrong and may answer again."""
    backend = ScriptedBackend("I would say 80.", GOOD)
    answer = PromptedJudge(backend).judge(case())
    assert {"goal": 80, "tone": 80} == _levels(answer)
    assert CallCount(calls=2, repairs=1) == answer.spent
    assert backend.prompts[1].repair is not None
    rejected, problems = backend.prompts[1].repair
    assert "I would say 80." == rejected
    assert "no JSON object" in problems


def test_a_second_malformed_reply_is_an_error() -> None:
    """There is no second repair, and both problems are told."""
    with pytest.raises(ReplyError, match=r"too early.*after one repair; at first.*empty") as caught:
        _answer("", "{")
    assert CallCount(calls=2, repairs=1) == caught.value.spent


def test_quotes_that_do_not_check_out_are_repaired_once() -> None:
    """The rejected quotes are sent back."""
    backend = ScriptedBackend(BAD_QUOTE, GOOD)
    answer = PromptedJudge(backend).judge(case())
    assert {"goal": 80, "tone": 80} == _levels(answer)
    assert backend.prompts[1].repair is not None
    assert "words nobody ever said" in backend.prompts[1].repair[1]


def test_quotes_that_still_do_not_check_out_leave_the_axis_unverified() -> None:
    """The other axis keeps its score."""
    assert {"goal": "unverified", "tone": 80} == _levels(_answer(BAD_QUOTE, BAD_QUOTE))


def test_quotes_of_a_repaired_reply_are_counted_too() -> None:
    """What was asked for in vain was asked for."""
    once, twice = _answer(GOOD).quotes, _answer(BAD_QUOTE, GOOD).quotes
    assert (0, 1) == (once.rejected, twice.rejected)
    assert 2 * once.given == twice.given


def test_a_repair_of_quotes_moves_no_verified_score() -> None:
    """Only what was unverified is taken from the second reply."""
    second = reply(axis_reply("goal", level=60), axis_reply("tone", level=0))
    assert {"goal": 60, "tone": 80} == _levels(_answer(BAD_QUOTE, second))


@pytest.mark.parametrize(
    "second", ["nonsense", Completion(text="no", model="m", spent=CallCount(), refused=True)]
)
def test_a_failed_repair_of_quotes_leaves_the_first_reply(second: Any) -> None:
    """It was accepted; what it proved stands."""
    assert {"goal": "unverified", "tone": 80} == _levels(_answer(BAD_QUOTE, second))


@pytest.mark.parametrize("error", [TransportError("down"), BudgetSpentError("spent")])
def test_a_repair_that_could_not_be_asked_is_an_error(error: JudgeError) -> None:
    """An answer that would differ on a better line is not kept as one."""
    with pytest.raises(type(error)) as caught:
        _answer(BAD_QUOTE, error)
    assert CallCount(calls=1) == caught.value.spent


def test_one_bad_quote_beside_a_good_one_needs_no_repair() -> None:
    """A repair is asked for only where it can change the outcome."""
    both = reply(
        axis_reply(
            "goal", evidence=[cite("M3", "refund of W12 issued"), cite("M3", "not there!!")]
        ),
        axis_reply("tone"),
    )
    assert CallCount(calls=1) == _answer(both).spent


def test_a_malformed_reply_and_bad_quotes_share_one_repair() -> None:
    """At most one repair in total: bad quotes in the repaired reply stay unverified."""
    answer = _answer("nonsense", BAD_QUOTE)
    assert {"goal": "unverified", "tone": 80} == _levels(answer)
    assert 1 == answer.spent.repairs


def test_steering_text_reported_first_stays_marked_in_the_repair() -> None:
    """A judge cannot take back, in its second reply, what it reported in the first."""
    found = [{"message": "M5", "quote": "Thank you, the money arrived!"}]
    steered = axis_reply("goal", evidence=[cite("M5", "the money arrived")])
    first = reply(steered, axis_reply("tone"), instructions_found_in_transcript=found)
    second = reply(steered, axis_reply("tone"))
    assert {"goal": "unverified", "tone": 80} == _levels(_answer(first, second, GOOD))


def test_a_refusal_is_a_refusal() -> None:
    """It is not repaired and not malformed."""
    refused = Completion(text="I cannot.", model="m", spent=CallCount(calls=1), refused=True)
    with pytest.raises(RefusalError, match="m declined to judge: I cannot") as caught:
        _answer(refused)
    assert CallCount(calls=1) == caught.value.spent


def test_a_truncated_reply_is_never_read() -> None:
    """Even where its beginning is a whole object, what was cut may have been the rest."""
    cut = Completion(text=GOOD, model="m", spent=CallCount(calls=1), truncated=True)
    with pytest.raises(ReplyError, match="cut at the longest length"):
        _answer(cut, cut)


def test_what_a_failed_request_took_is_counted() -> None:
    """Retries that led nowhere are on the error."""
    error = TransportError("down")
    error.spent = CallCount(calls=4, retries=3)
    with pytest.raises(TransportError) as caught:
        _answer("nonsense", error)
    assert CallCount(calls=5, retries=3, repairs=1) == caught.value.spent


def test_the_answer_says_how_much_was_shown() -> None:
    """Coverage is the excerpt's."""
    long = case().transcript.model_copy(
        update={
            "messages": (
                *case().transcript.messages,
                case().transcript.messages[3].model_copy(update={"index": 6, "text": "x " * 9_000}),
            )
        }
    )
    assert _answer(GOOD, transcript=long, context_tokens=8_000).coverage < 0.5


def test_model_and_parameters_are_the_completions() -> None:
    """The answer names the model that answered and what was sent to it."""
    completion = Completion(text=GOOD, model="m-2026", spent=CallCount(calls=1), sent={"seed": 7})
    answer = _answer(completion)
    assert ("m-2026", {"seed": 7}) == (answer.model, answer.sent)


def test_a_listener_hears_every_reply_before_it_is_read() -> None:
    """Malformed replies too, with their turn."""
    heard: list[tuple[str, int, str]] = []

    def listener(asked: Case, turn: int, completion: Completion) -> None:
        heard.append((asked.session_id, turn, completion.text))

    PromptedJudge(ScriptedBackend("bad", GOOD), listener=listener).judge(case())
    assert [("session-1", 0, "bad"), ("session-1", 1, GOOD)] == heard


def test_the_identity_holds_what_can_move_a_score() -> None:
    """Protocol, model, parameters, prompts; nothing of the address."""
    judge = PromptedJudge(ScriptedBackend(model="m"), parameters={"seed": 7})
    expected = {"judge", "model", "parameters", "protocol", "prompts", "excerpt", "steering"}
    expected |= {"long_sessions"}
    assert expected == set(judge.identity)
    assert {"seed": 7} == judge.identity["parameters"]

"""What real judges said, read in place: found in their fences, and never mapped to a score.

The gpt-4o replies are verdicts in words on tau2 sessions; the GPT-4 ones are
feedback with scores 1–5. Neither speaks our protocol, which is the point: the
object is found, and every word outside a vocabulary is an error.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from judging_cases import EXPERT, NONCE, RUBRIC, axis_reply, case, reply

from pytest_sessioneval.errors import ReplyError
from pytest_sessioneval.judging.backends.recorded import RecordedJudge, RecordedReply
from pytest_sessioneval.judging.evidence import normalise, verify_quote
from pytest_sessioneval.judging.replies import extract_object, parse_reply, vocabulary_problem
from pytest_sessioneval.suites.model import Axis, Level

VERDICTS = ("pass", "fail")


@pytest.fixture(scope="session")
def verdicts(shared_data: Path) -> list[dict[str, Any]]:
    """Return the recorded gpt-4o verdicts, all three prompts."""
    files = sorted((shared_data / "judge-replies").glob("airline_*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


@pytest.fixture(scope="session")
def feedback(shared_data: Path) -> list[tuple[int, str]]:
    """Return GPT-4's scores and feedback, three of each on every answer."""
    text = (shared_data / "judge-replies/prometheus_mt_bench_gpt4_x3.32.json").read_text("utf-8")
    return [
        pair
        for item in json.loads(text)
        for pair in zip(item["gpt4_score"], item["gpt4_feedback"], strict=True)
    ]


def test_the_object_is_found_in_every_reply(verdicts: list[dict[str, Any]]) -> None:
    """All 23 are fenced, and all are one strict JSON object."""
    found = [extract_object(row["judge_response"]) for row in verdicts]
    assert {("verdict", "justification", "issues")} == {tuple(value) for value in found}
    assert 23 == len(found)


def test_words_outside_the_vocabulary_are_errors(verdicts: list[dict[str, Any]]) -> None:
    """``satisfied`` and ``satisfactory`` are neither ``pass`` nor ``fail``."""
    words = [extract_object(row["judge_response"])["verdict"] for row in verdicts]
    refused = Counter(word for word in words if vocabulary_problem(word, VERDICTS))
    assert {"satisfied": 3, "satisfactory": 1} == refused
    assert {"pass": 17, "fail": 2} == Counter(words) - refused


def test_the_message_names_the_word_and_what_is_accepted(verdicts: list[dict[str, Any]]) -> None:
    """A judge that is told so can correct itself."""
    words = {extract_object(row["judge_response"])["verdict"] for row in verdicts} - {*VERDICTS}
    assert {
        '"satisfied" is not accepted; accepted: pass, fail',
        '"satisfactory" is not accepted; accepted: pass, fail',
    } == {vocabulary_problem(word, VERDICTS) for word in words}


def test_a_verdict_in_another_form_is_never_a_score(verdicts: list[dict[str, Any]]) -> None:
    """Each of the 23 is refused, naming what our protocol misses."""
    for row in verdicts:
        with pytest.raises(ReplyError, match="lacks nonce") as caught:
            parse_reply(row["judge_response"], RUBRIC.axes, nonce=NONCE)
        assert 'unknown keys "verdict", "justification", "issues"' in str(caught.value)


def test_a_verdict_in_another_form_is_an_error_when_replayed(
    verdicts: list[dict[str, Any]], tmp_path: Path
) -> None:
    """A recording of them scores nothing and says why, session by session."""
    replies = [
        RecordedReply(
            session_id=row["simulation_id"], expert=EXPERT.id, reply=row["judge_response"]
        )
        for row in verdicts
    ]
    judge = RecordedJudge(tmp_path / "real.jsonl", replies)
    for row in verdicts:
        with pytest.raises(ReplyError, match="no answer on goal, tone"):
            judge.judge(case(session_id=row["simulation_id"]))


def test_a_cut_reply_is_an_error(verdicts: list[dict[str, Any]]) -> None:
    """Half of a real reply is never completed."""
    for row in verdicts:
        text = row["judge_response"]
        with pytest.raises(ReplyError):
            extract_object(text[: len(text) // 2])


def test_feedback_in_prose_is_no_reply(feedback: list[tuple[int, str]]) -> None:
    """All 96 pieces of GPT-4's feedback are text without an object."""
    for _, text in feedback:
        with pytest.raises(ReplyError):
            extract_object(text)
    assert 96 == len(feedback)


def test_real_words_survive_as_rationale(feedback: list[tuple[int, str]]) -> None:
    """Quotation marks, line ends and all, in a fence as real judges write them."""
    for score, text in feedback:
        said = axis_reply("goal", level=score * 20, rationale=text)
        parsed = parse_reply(
            f"```json\n{reply(said, axis_reply('tone'))}\n```", RUBRIC.axes, nonce=NONCE
        )
        assert (score * 20, text) == (parsed.axes["goal"].level, parsed.axes["goal"].rationale)


def test_another_scale_is_an_error(feedback: list[tuple[int, str]]) -> None:
    """A score of 1–5 is no level of 0–100: not rounded, not scaled."""
    for score, _ in feedback:
        with pytest.raises(ReplyError, match=f"goal.level: {score} is not accepted"):
            parse_reply(
                reply(axis_reply("goal", level=score), axis_reply("tone")),
                RUBRIC.axes,
                nonce=NONCE,
            )


def test_a_rubric_of_one_to_five_takes_every_real_score(feedback: list[tuple[int, str]]) -> None:
    """All 96 scores are levels of the scale they were given on."""
    stars = Axis(
        name="goal",
        question="How good?",
        levels=tuple(Level(score=star, anchor=f"{star} stars") for star in range(1, 6)),
    )
    levels = [
        parse_reply(reply(axis_reply("goal", level=score)), [stars], nonce=NONCE).axes["goal"].level
        for score, _ in feedback
    ]
    assert {4: 37, 5: 25, 2: 23, 3: 8, 1: 3} == Counter(levels)


def test_what_a_judge_was_shown_can_be_quoted(verdicts: list[dict[str, Any]]) -> None:
    """Lines of real transcripts are found again after another hand has typed them."""
    for row in verdicts:
        lines = row["judge_prompt"].split("\n")
        shown = {f"M{number}": line for number, line in enumerate(lines)}
        typed = {
            label: line.upper().replace("'", "\u2019").replace(" ", "  ")
            for label, line in shown.items()
            if len(normalise(line)) >= 12
        }
        assert list(typed) == [verify_quote(line, label, shown) for label, line in typed.items()]


def test_what_a_judge_says_in_its_own_words_is_no_quote(verdicts: list[dict[str, Any]]) -> None:
    """Not one of the 23 justifications stands in its transcript."""
    for row in verdicts:
        said = extract_object(row["judge_response"])["justification"]
        shown = {f"M{n}": text for n, text in enumerate(row["judge_prompt"].split("\n"))}
        assert verify_quote(said, "M0", shown) is None
